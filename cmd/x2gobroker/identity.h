/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_IDENTITY_H
#define X2GOBROKER_IDENTITY_H

#include <x2gobroker.h>

#include "options.h"
#include "process.h"

/* Who is asking.  broker_account is the configured one; pinned is the
 * operator's --user, or NULL.  Sets *name, which the caller frees; *by_operator
 * says whether it is the pinned one.  -1 with err filled in: refuse the
 * request. */
int	identity_resolve(const struct process *process,
	    const char *broker_account, const char *pinned, bool *by_operator,
	    char **name, struct x2gobroker_error *err);

/* The name of the account with that uid, which the caller frees, or NULL. */
char	*identity_account(uid_t uid);

#endif
