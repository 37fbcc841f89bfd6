/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words that are changed with an x2gobroker-agent: the command line that it
 * is asked with, and the answers of our own agent and of Debian's.  All of an
 * answer is foreign text.
 *
 * An answer is "OK" in a line of its own, then the data.  All else is none.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <stdint.h>

#include "base/buf.h"
#include "agent/session.h"

#define AGENT_ANSWER_MAX	(1024 * 1024)	/* bytes; no server has so many
						 * sessions of one user */
#define AGENT_SESSIONS_MAX	1000
#define AGENT_NAME_MAX		63

/* Somebody's session that is seconds old. */
struct agent_start {
	char *user;
	long age;
};

/* How many sessions a server has, by what the session database says. */
struct agent_count {
	char *host;
	long sessions;
};

/* What a server has said.  Zeroed before its first use. */
struct agent_report {
	struct session *sessions;	/* of the user who was asked for */
	size_t nsessions;
	unsigned int skipped;		/* lines that were no session */
	struct x2gobroker_error skipped_why;	/* of the first one */
	bool load_known;
	uint64_t load_factor;		/* more is better, at least 1 */
	long count;			/* sessions of all users there; -1: not
					 * known */
	struct agent_start *starts;
	size_t nstarts;
	struct agent_count *counts;	/* of all servers, by getservers */
	size_t ncounts;
	char agent[AGENT_NAME_MAX + 1];	/* its name and version, or "" */
	int64_t time;			/* time(3) there, or 0: not known */
	int64_t time_here;		/* at that moment; by who has asked */
};

void	agent_report_init(struct agent_report *report);
void	agent_report_free(struct agent_report *report);

/* Write the command line "AGENT USER TASK ['ARG' ...]" as a login shell reads
 * it, and as an agent that is a forced command reads it.  user "-" is nobody;
 * args ends with NULL, or is NULL.  -1, and nothing written, or memory is out:
 * one of the words could be misread by either (a quote, a ';', a '-' at its
 * start, a control character). */
int	agent_command(struct buf *buf, const char *agent, const char *user,
	    const char *task, const char *const *args,
	    struct x2gobroker_error *err);

/* Read the answer to a task (len bytes; it need not be ended by a NUL) into
 * *report, which keeps what other answers have put there.  Lines that cannot be
 * used are left out.  -1 with err filled in, and *report as it was: that is no
 * such answer, or only half of one; code ERR_NOTFOUND: there is none, as
 * Debian's agent says of a task that it does not know. */
int	agent_parse_ok(const char *text, size_t len,
	    struct x2gobroker_error *err);
typedef int agent_parser(const char *text, size_t len, const char *user,
	    struct agent_report *report, struct x2gobroker_error *err);
agent_parser agent_parse_sessions, agent_parse_load, agent_parse_servers;

/* status: sessions (of user, who may be NULL), load and count at once, of our
 * own agent. */
agent_parser agent_parse_status;

#endif
