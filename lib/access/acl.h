/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profiles that a user may see.
 */
#ifndef ACCESS_ACL_H
#define ACCESS_ACL_H

#include "base/error.h"

struct visible {
	const struct x2gobroker_profile **list;	/* owned */
	size_t n;
};

/* Check all profiles.  If the user's groups cannot be looked up, or one has no
 * name, rep says that some profiles are hidden for this reason.  why (or
 * NULL) gets the reason of the verdict about the profile id (or NULL). */
int	visible_find(struct visible *visible,
	    const struct x2gobroker_profiles *profiles,
	    struct x2gobroker_user *user, const char *id,
	    struct x2gobroker_error *why, struct reporter *rep,
	    struct x2gobroker_error *err);

#endif
