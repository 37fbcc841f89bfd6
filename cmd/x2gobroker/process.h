/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_PROCESS_H
#define X2GOBROKER_PROCESS_H

#include <sys/types.h>

#include <stdbool.h>

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

#endif
