/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers from which a broker computes its load factor:
 * (memAvail / 1000) * numCPU * typeCPU * 100 / loadavgXX.
 */
#ifndef X2GOBROKER_AGENT_LOAD_H
#define X2GOBROKER_AGENT_LOAD_H

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

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

#endif
