/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCESS_USER_H
#define ACCESS_USER_H

#include "base/address.h"
#include "base/error.h"

struct x2gobroker_user {
	char *name;
	char *address_text;		/* NULL: not known */
	struct address address;
	bool groups_known;
	char **groups;			/* names */
	size_t ngroups;
	struct x2gobroker_error groups_error;	/* of the last look-up that
						 * failed; else X2GOBROKER_OK */
};

/* Make sure that user->groups is filled in: the supplementary groups, and the
 * primary group if with_primary, or if the user is named as a member in it.
 * A group without a name is left out. */
int	user_need_groups(struct x2gobroker_user *user, bool with_primary,
	    struct x2gobroker_error *err);

#endif
