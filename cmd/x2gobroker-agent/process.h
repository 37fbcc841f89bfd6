/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_PROCESS_H
#define X2GOBROKER_AGENT_PROCESS_H

#include <sys/types.h>

#include "account.h"
#include "base/error.h"

/* What the process was given, taken once, before anything else happens. */
struct process {
	uid_t uid;		/* real: of whoever started us */
	char *command;		/* SSH_ORIGINAL_COMMAND, or NULL */
	char *address;		/* the client's as sshd says, or NULL */
};

/* Make the process ours: descriptors, limits, signals, timers, umask, working
 * directory and environment.  From here on it ends within half a minute. */
void	process_settle(struct process *process);
void	process_free(struct process *process);

/* From here on, it ends within another half a minute. */
void	process_limit_time(void);

/* A line in syslog about somebody. */
void	process_warn(const char *about, const struct x2gobroker_error *err);

/* What came from a client or a tool, as it can stand in a line of a log or on a
 * terminal. */
void	process_make_harmless(char *text);

/* End here and now, with why (a sentence) on stderr and in syslog. */
void	process_die(const char *why) __attribute__((noreturn));

/* Be nobody's but the caller's, for good. */
void	process_be_caller(void);

/* Become the account's, for good.  -1: the caller may not ask for that, or the
 * file is not installed so that it could; the privilege, if there is any, is
 * still there. */
int	process_become(const struct process *process,
	    const struct account *account, struct x2gobroker_error *err);

#endif
