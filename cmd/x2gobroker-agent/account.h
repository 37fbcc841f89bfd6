/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_ACCOUNT_H
#define X2GOBROKER_AGENT_ACCOUNT_H

#include <sys/types.h>

#include <stdbool.h>

#include "base/error.h"

#define PEOPLE_FROM	1000	/* lower uids are root and system accounts */
#define ACCOUNT_GROUPS_MAX 4096	/* the kernel allows more; no site needs them */

/* An account that a task is carried out for.  Zero it before its first use. */
struct account {
	char *name, *home, *shell;
	uid_t uid;
	gid_t gid;
	gid_t groups[ACCOUNT_GROUPS_MAX];
	size_t ngroups;
};

/* Names go into logs, paths and environments.  False: the name could be misread
 * there, even if a directory service knows it. */
bool	account_is_name(const char *text);

/* Whether the uid is that of a person, not of a system account. */
bool	account_is_person(uid_t uid);

/* Look up a person's account that may log in.  Returns 0, or -1 with err filled
 * in if there is none, or it is another kind of account.  A process does so
 * once, and never frees the account. */
int	account_find(const char *name, struct account *account,
	    struct x2gobroker_error *err);

#endif
