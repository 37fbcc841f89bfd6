/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How busy servers are.
 */
#ifndef X2GOBROKER_AGENT_LOAD_H
#define X2GOBROKER_AGENT_LOAD_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

/* The numbers of this host from which a broker computes its load factor:
 * (memAvail / 1000) * numCPU * typeCPU * 100 / loadavgXX. */
struct load {
	long loadavg;		/* percent of one processor, at least 1 */
	long mem_avail;		/* MB, from the kernel; 0: unknown */
	long my_mem_avail;	/* MB, by the formula of kernels since 3.14 */
	long cpus;
	long mhz;		/* of one processor */
};

/* Parse the files in /proc. */
int	load_parse_average(const char *text, struct load *load);
void	load_parse_memory(FILE *meminfo, long min_free_kb, struct load *load);
void	load_parse_cpus(FILE *cpuinfo, struct load *load);

/* Read the numbers of this host. */
int	load_read(struct load *load, struct x2gobroker_error *err);

/* Append them to an answer, as five lines. */
void	load_put(const struct load *load, struct buf *out);

/* Append "sessions:N", the number of X2Go sessions on this host, and a line
 * "started:USER:SECONDS" for each one of a person that has only just begun.
 * Nothing is appended if other users' processes are hidden. */
void	load_put_sessions(struct buf *out);

/* Parts of it, for tests: whether a process of this name is a session, and when
 * the process of a /proc/PID/stat began, in ticks since the boot, or -1 if the
 * text is malformed. */
bool	load_is_session(const char *comm);
long long load_parse_start(const char *stat);

/* For each line "HOST SESSIONS" of x2gogetservers(8) in text (modified; may be
 * NULL), append a line "PERCENT:HOST": the host's share of all sessions.  With
 * SQLite, lines have only the host; the percentage is 0 then, as the usage is
 * not known.  Returns 0, or -1 if memory is out. */
int	load_put_servers(char *text, struct buf *out);

#endif
