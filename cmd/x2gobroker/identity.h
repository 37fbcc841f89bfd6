/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_IDENTITY_H
#define X2GOBROKER_IDENTITY_H

#include <x2gobroker.h>

#include "options.h"
#include "process.h"

/* Who is asking.  broker_account is the configured one; pinned is the
 * operator's --user, or NULL.  Returns the name, which the caller frees;
 * *by_operator says whether it is the pinned one.  NULL with *err filled in:
 * refuse the request. */
char	*identity_resolve(const struct process *process,
	    const char *broker_account, const char *pinned, bool *by_operator,
	    struct x2gobroker_error *err);

/* The name of the account with that uid, which the caller frees, or NULL. */
char	*identity_account(uid_t uid);

#endif
