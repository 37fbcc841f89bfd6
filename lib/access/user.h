/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ACCESS_USER_H
#define ACCESS_USER_H

#include <sys/types.h>

#include "base/address.h"
#include "base/error.h"

struct x2gobroker_user {
	char *name;
	char *address_text;		/* NULL: not known */
	char *key;			/* "TYPE BASE64"; NULL: not known */
	struct address address;
	bool groups_known;
	char **groups;			/* names */
	gid_t *gids;			/* of groups; NULL: not looked up */
	size_t ngroups;
	bool has_nameless;		/* is in a group without a name, */
	gid_t nameless;			/* which is this one */
	bool nameless_denied;		/* a deny list hit because of that */
	bool groups_failed;		/* a look-up of them */
	struct x2gobroker_error *groups_error;	/* of the last one, owned; NULL
						 * without memory */
};

/* Make sure that user->groups is filled in: the supplementary groups, and the
 * primary group if with_primary, or if the user is named as a member in it.
 * A group without a name is not in user->groups, but in user->nameless. */
int	user_need_groups(struct x2gobroker_user *user, bool with_primary,
	    struct x2gobroker_error *err);

/* Whether a number in list is the user's uid, or the gid of one of
 * user->groups.  Where the uid cannot be looked up, any number is. */
bool	user_has_uid_in(const struct x2gobroker_user *user, const char *list);
bool	user_has_gid_in(const struct x2gobroker_user *user, const char *list);

#endif
