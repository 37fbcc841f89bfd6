/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_ACCOUNT_H
#define X2GOBROKER_AGENT_ACCOUNT_H

#include <sys/types.h>

#include <stdbool.h>

#include "base/error.h"

#define PEOPLE_FROM	1000	/* uids below are root and system accounts */

/* Somebody for whom a task can be done.  Zeroed before its first use. */
struct account {
	char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t ngroups;
};

/* Whether an account of that uid is a person's. */
bool	account_is_person(uid_t uid);

/* Look up a person's account that may log in.  -1 with err filled in: there is
 * none, or no task is done for it. */
int	account_find(const char *name, struct account *account,
	    struct x2gobroker_error *err);
void	account_free(struct account *account);

#endif
