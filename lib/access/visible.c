/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "access/user.h"
#include "access/visible.h"

int
visible_find(struct visible *visible,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct reporter *rep, struct x2gobroker_error *err)
{
	size_t i, n = x2gobroker_profiles_count(profiles);
	const struct x2gobroker_error *why = &user->groups_error;
	const struct x2gobroker_profile *profile;

	visible->n = 0;
	visible->list = calloc(n + 1, sizeof(*visible->list));
	if (visible->list == NULL)
		return error_nomem(err);
	for (i = 0; i < n; i++) {
		profile = x2gobroker_profiles_get(profiles, i);
		if (x2gobroker_acl_check(profile, user, NULL) ==
		    X2GOBROKER_ALLOW)
			visible->list[visible->n++] = profile;
	}
	if (why->code != X2GOBROKER_OK)
		report(rep, why->code, why->file, why->line,
		    "%s, so profiles with acl-groups-* are hidden",
		    why->text);
	return 0;
}
