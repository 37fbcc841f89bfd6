/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of x2gobroker-agent, ours and Debian's: the command line that we
 * send, and the answers, which are untrusted text.  An answer consists of a
 * line "OK" and the data.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <stdint.h>

#include "base/buf.h"
#include "agent/session.h"

#define AGENT_ANSWER_MAX	(1024 * 1024)	/* bytes; more than the sessions
						 * of one user on any server */
#define AGENT_SESSIONS_MAX	1000
#define AGENT_NAME_MAX		63

struct agent_tally {
	char *name;
	long number;
};

/* What a server has reported.  To be initialised before its first use. */
struct agent_report {
	struct session *sessions;	/* of the context's user */
	size_t nsessions;
	unsigned int skipped;		/* invalid lines among the sessions */
	struct x2gobroker_error skipped_why;	/* of the first one */
	bool load_known;
	uint64_t load_factor;		/* more is better, at least 1 */
	long count;			/* sessions of all users, or -1 */
	struct agent_tally *starts;	/* new sessions: user, age in seconds */
	size_t nstarts;
	struct agent_tally *counts;	/* of getservers: host, sessions */
	size_t ncounts;
	char agent[AGENT_NAME_MAX + 1];	/* its name and version, or "" */
	int64_t time;			/* time(3) there, or 0: not known */
	int64_t time_here;		/* ours then; set by the caller */
};

void	agent_report_init(struct agent_report *report);
void	agent_report_free(struct agent_report *report);

/* Write the command line "AGENT USER TASK ['ARG' ...]", for a login shell or
 * for an agent as a forced command.  user may be "-" for none; args ends with
 * NULL, or is NULL.  Returns -1 if either could misread a word (a quote, ';', a
 * leading '-', a control character). */
int	agent_command(struct buf *buf, const char *agent, const char *user,
	    const char *task, const char *const *args,
	    struct x2gobroker_error *err);

/* Add the answer to a task (len bytes, without a NUL) to *report.  Ignores
 * invalid lines.  Returns -1, with nothing of it in *report, if the answer is
 * invalid or incomplete; ERR_NOTFOUND means that it is empty, which is what
 * Debian's agent sends for an unknown task.  user is NULL for tasks that need
 * none. */
int	agent_parse_ok(const char *text, size_t len,
	    struct x2gobroker_error *err);
typedef int agent_parser(const char *text, size_t len, const char *user,
	    struct agent_report *report, struct x2gobroker_error *err);
agent_parser agent_parse_sessions, agent_parse_load, agent_parse_servers;

/* The answer of our own agent, with the sessions of user (may be NULL), the
 * load and the number of sessions. */
agent_parser agent_parse_status;

#endif
