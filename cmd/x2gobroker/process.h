/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_PROCESS_H
#define X2GOBROKER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What the process was started with, read once, before anything else. */
struct process {
	uid_t uid;		/* real: of the user who started us */
	bool setuid;		/* the program file gave us privileges */
	bool under_sshd;
	char *command;		/* SSH_ORIGINAL_COMMAND, or NULL */
	char *address;		/* the client's, from sshd, or NULL */
	const char *auth_info;	/* SSH_USER_AUTH, a file of sshd's; or NULL,
				 * as it is when setuid */
};

/* Reset what the process inherited: descriptors, limits, signals, timers,
 * umask, working directory and environment.  Read what we need from the
 * environment and clear it.  From here on the request must end within half a
 * minute; see process_answer_begins().  If the caller's limits are too low to
 * work with, call process_refuse(). */
void	process_init(struct process *process);

/* Extend the half minute, if servers may take longer to answer. */
void	process_set_request_timeout(int seconds);

/* Set the refusal that is sent if the request ends early, markers included;
 * until then it is a bare "Access denied".  text must live as long as the
 * process. */
void	process_set_refusal(const char *text, size_t len);

/* From here on the caller writes to stdout: no refusal is sent into the middle
 * of an answer, and the time limit no longer applies, because a client's line
 * may be slow. */
void	process_answer_begins(void);

/* Send the refusal to the client and the reason, a short sentence, to syslog,
 * and exit.  Allocates nothing and may be called by a signal handler. */
void	process_refuse(const char *why) __attribute__((noreturn));

#endif
