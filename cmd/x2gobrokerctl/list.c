/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl list: the profiles that a user sees.
 */
#include "ctl.h"
#include "json.h"
#include "table.h"

static const char *const keys[] = { "name", "command", "user", "host" };

#define NKEYS	(sizeof(keys) / sizeof(keys[0]))

/* The next profile, from *i on, that the user may see, or NULL. */
static const struct x2gobroker_profile *
next_visible(const struct site *site, size_t *i)
{
	const struct x2gobroker_profile *profile;

	while ((profile = x2gobroker_profiles_get(site->profiles, (*i)++)) !=
	    NULL)
		if (x2gobroker_acl_check(profile, site->user, NULL) ==
		    X2GOBROKER_ALLOW)
			break;
	return profile;
}

static int
print_table(const struct site *site)
{
	static const char *const heading[] = { "ID", "NAME", "COMMAND", "USER",
	    "HOST", NULL };
	const struct x2gobroker_profile *profile;
	struct table table;
	size_t i = 0, k;

	table_begin(&table, heading, 0);
	while ((profile = next_visible(site, &i)) != NULL) {
		table_add(&table, x2gobroker_profile_id(profile));
		for (k = 0; k < NKEYS; k++)
			table_add(&table,
			    x2gobroker_profile_value_for(profile, keys[k],
			    site->user));
	}
	if (table.lines == 0)
		ctl_complain("%s sees no profile; the X2Go client reports "
		    "that and exits", x2gobroker_user_name(site->user));
	return table_print(&table);
}

static int
print_json(const struct site *site)
{
	const struct x2gobroker_profile *profile;
	struct json json;
	size_t i = 0, k;

	json_begin(&json);
	json_string(&json, "user", x2gobroker_user_name(site->user));
	json_string(&json, "address", x2gobroker_user_address(site->user));
	json_array(&json, "profiles");
	while ((profile = next_visible(site, &i)) != NULL) {
		json_object(&json, NULL);
		json_string(&json, "id", x2gobroker_profile_id(profile));
		for (k = 0; k < NKEYS; k++)
			json_string(&json, keys[k],
			    x2gobroker_profile_value_for(profile, keys[k],
			    site->user));
		json_close(&json);
	}
	return json_print(&json);
}

int
list_main(const struct ctl *ctl)
{
	struct site site;
	int result;

	if ((result = ctl_open(ctl, &site)) != EXIT_YES)
		return result;
	result = ctl->json ? print_json(&site) : print_table(&site);
	ctl_close(&site);
	return result == 0 ? EXIT_YES : EXIT_NO;
}
