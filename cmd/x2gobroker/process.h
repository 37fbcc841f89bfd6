/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/* What the process was given, taken once, before anything else happens. */
struct process {
	uid_t uid;		/* real: of whoever started us */
	bool setuid;		/* we have gained privilege over them */
	bool under_sshd;
	const char *command;	/* SSH_ORIGINAL_COMMAND, or NULL */
	const char *address;	/* the client's as sshd says, or NULL */
};

/* Make file descriptors 0 to 2 exist, set umask and signals, take what we need
 * from the environment and clear the rest of it.  Exits where even that is not
 * possible. */
void	process_settle(struct process *process);

#endif
