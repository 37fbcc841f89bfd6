/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl list: the profiles that a user sees.
 */
#include <string.h>

#include "ctl.h"
#include "json.h"
#include "table.h"

static const char *const keys[] = { "name", "command", "user", "host" };

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

static const char *
value_for(const struct x2gobroker_profile *profile, const char *key,
    const struct x2gobroker_user *user)
{
	const char *value = x2gobroker_profile_value(profile, key);

	if (value != NULL && strcmp(value, "BROKER_USER") == 0)
		return x2gobroker_user_name(user);
	return value;
}

/* The next profile, from *i on, that the user may see, or NULL. */
static const struct x2gobroker_profile *
next_visible(const struct x2gobroker_profiles *profiles, size_t *i,
    struct x2gobroker_user *user)
{
	const struct x2gobroker_profile *profile;

	while ((profile = x2gobroker_profiles_get(profiles, (*i)++)) != NULL)
		if (x2gobroker_acl_check(profile, user, NULL) ==
		    X2GOBROKER_ALLOW)
			break;
	return profile;
}

static int
print_table(const struct x2gobroker_profiles *profiles,
    struct x2gobroker_user *user)
{
	static const char *const heading[] = { "ID", "NAME", "COMMAND", "USER",
	    "HOST", NULL };
	const struct x2gobroker_profile *profile;
	struct table table;
	size_t i = 0, k;

	table_begin(&table, heading, 0);
	while ((profile = next_visible(profiles, &i, user)) != NULL) {
		table_add(&table, x2gobroker_profile_id(profile));
		for (k = 0; k < NKEYS; k++)
			table_add(&table, value_for(profile, keys[k], user));
	}
	if (table.lines == 0)
		ctl_complain("%s sees no profile; the X2Go client reports "
		    "that and exits", x2gobroker_user_name(user));
	return table_print(&table);
}

static int
print_json(const struct x2gobroker_profiles *profiles,
    struct x2gobroker_user *user)
{
	const struct x2gobroker_profile *profile;
	struct json json;
	size_t i = 0, k;

	json_begin(&json);
	json_string(&json, "user", x2gobroker_user_name(user));
	json_string(&json, "address", x2gobroker_user_address(user));
	json_array(&json, "profiles");
	while ((profile = next_visible(profiles, &i, user)) != NULL) {
		json_object(&json, NULL);
		json_string(&json, "id", x2gobroker_profile_id(profile));
		for (k = 0; k < NKEYS; k++)
			json_string(&json, keys[k],
			    value_for(profile, keys[k], user));
		json_close(&json);
	}
	return json_print(&json);
}

int
list_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	int result;

	if ((user = ctl_user(ctl)) == NULL)
		return EXIT_USAGE;
	if (ctl_load(ctl, &config, &profiles) == -1) {
		x2gobroker_user_free(user);
		return EXIT_NO;
	}
	result = ctl->json ? print_json(profiles, user) :
	    print_table(profiles, user);
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	x2gobroker_user_free(user);
	return result == 0 ? EXIT_YES : EXIT_NO;
}
