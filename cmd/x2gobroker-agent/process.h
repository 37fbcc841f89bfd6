/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_PROCESS_H
#define X2GOBROKER_AGENT_PROCESS_H

#include <sys/types.h>

#include "account.h"
#include "base/error.h"

/* What the process has inherited, set by process_init(). */
extern struct process {
	uid_t uid;		/* real uid of the caller */
	char *command;		/* SSH_ORIGINAL_COMMAND, or NULL */
	char *address;		/* the client's, from sshd, or NULL */
} process;

/* Reset descriptors, limits, signals, timers, umask, working directory and
 * environment.  From here on, the process ends within 30 seconds. */
void	process_init(void);

/* Log one line. */
void	process_log(int priority, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Replace what must not get into a log or onto a terminal: all characters
 * except printable ASCII. */
void	process_make_harmless(char *text);

/* Exit at once, with why (a sentence) on stderr and in syslog. */
void	process_die(const char *why) __attribute__((noreturn));

/* Drop all privileges for good. */
void	process_be_caller(void);

/* Drop what execve(2) could give.  Returns 0, or -1 with err filled in. */
int	process_no_new_privs(struct x2gobroker_error *err);

/* Become the account for good.  Returns 0, or -1 with err filled in if the
 * caller may not ask for that, or the file has no privilege; nothing is
 * dropped then. */
int	process_become(const struct account *account,
	    struct x2gobroker_error *err);

/* The same for root, without capabilities.  Even if the caller is the user that
 * the task is for, this takes the privilege. */
int	process_become_root(struct x2gobroker_error *err);

#endif
