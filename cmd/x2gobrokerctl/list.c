/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl list: the profiles that a user would see.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "table.h"

int
list_main(const struct ctl *ctl)
{
	static const char *const columns[] = { "ID", "NAME", "COMMAND", "USER",
	    "HOST" };
	static const char *const keys[] = { "name", "command", "user", "host" };
	const struct x2gobroker_profile *profile;
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	struct table table = {
		.columns = sizeof(columns) / sizeof(columns[0]),
	};
	const char *value;
	size_t i, k;
	int result;

	if ((user = ctl_user(ctl)) == NULL)
		return EXIT_USAGE;
	if (ctl_load(ctl, &config, &profiles) == -1) {
		x2gobroker_user_free(user);
		return EXIT_NO;
	}
	for (k = 0; k < table.columns; k++)
		table_add(&table, columns[k]);
	for (i = 0; (profile = x2gobroker_profiles_get(profiles, i)) != NULL;
	    i++) {
		if (x2gobroker_acl_check(profile, user, NULL) !=
		    X2GOBROKER_ALLOW)
			continue;
		table_add(&table, x2gobroker_profile_id(profile));
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			value = x2gobroker_profile_value(profile, keys[k]);
			if (value != NULL && strcmp(value, "BROKER_USER") == 0)
				value = x2gobroker_user_name(user);
			table_add(&table, value);
		}
	}
	if (table.n == table.columns)
		fprintf(stderr, "%s would see no profile, and the X2Go client "
		    "says so and ends\n", x2gobroker_user_name(user));
	result = table_print(&table) == 0 ? EXIT_YES : EXIT_NO;
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	x2gobroker_user_free(user);
	return result;
}
