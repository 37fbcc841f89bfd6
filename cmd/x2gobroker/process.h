/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_PROCESS_H
#define X2GOBROKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the process was given, taken once, before anything else happens. */
struct process {
	uid_t uid;		/* real: of whoever started us */
	bool setuid;		/* we have gained privilege over them */
	bool under_sshd;
	char *command;		/* SSH_ORIGINAL_COMMAND, or NULL */
	const char *address;	/* the client's as sshd says, or NULL */
	const char *auth_info;	/* SSH_USER_AUTH, a file of sshd's; or NULL,
				 * as it is when setuid */
};

/* Make the process ours: descriptors, limits, signals, timers, umask, working
 * directory and environment.  Take what we need from the environment; the rest
 * of it is gone.  From here on the request has to end within half a minute,
 * see process_answer_begins().  Where a limit of the caller's leaves too little
 * to work with, this ends in process_refuse(). */
void	process_settle(struct process *process);

/* Once it is known how long servers may be asked: the half minute is extended
 * where it would not do for that. */
void	process_set_request_timeout(int seconds);

/* The refusal to send where the request ends early, markers included, once
 * they are known; before that it is the bare "Access denied".  text is
 * borrowed for as long as the process lives. */
void	process_set_refusal(const char *text, size_t len);

/* From here on stdout is the caller's to write to: no refusal is sent into the
 * middle of an answer, and sending it takes as long as the client's line
 * takes. */
void	process_answer_begins(void);

/* Refuse here and now: tell the client no and syslog why (a sentence, short),
 * and end.  For what cannot wait: it allocates nothing and may be called by
 * a signal handler.  Does not return. */
void	process_refuse(const char *why) __attribute__((noreturn));

#endif
