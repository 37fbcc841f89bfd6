/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl list and explain: the profiles that a user sees, and why.
 */
#include <string.h>

#include "base/json.h"
#include "servers.h"
#include "table.h"

static const char *const keys[] = { "id", "name", "command", "user", "host" };

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

/* What the user is told, or NULL.  The files belong to the broker account;
 * who cannot read them sees nothing of it. */
static const char *
find_notice(const struct x2gobroker_maintenance *all,
    const struct x2gobroker_profile *profile)
{
	const struct x2gobroker_notice *notice = x2gobroker_maintenance_find(
	    all, x2gobroker_profile_id(profile));

	return notice != NULL ? notice->text : NULL;
}

static int
print_profiles(const struct site *site, bool as_json,
    const struct x2gobroker_maintenance *maintenance)
{
	static const char *const heading[] = { "ID", "NAME", "COMMAND", "USER",
	    "HOST", NULL };
	const struct x2gobroker_profile *profile;
	const char *value;
	struct table table;
	struct json json;
	size_t i = 0, k;

	if (as_json) {
		json_begin(&json);
		json_string(&json, "user", x2gobroker_user_name(site->user));
		json_string(&json, "address",
		    x2gobroker_user_address(site->user));
		json_array(&json, "profiles");
	} else
		table_begin(&table, heading, 0);
	while ((profile = next_visible(site, &i)) != NULL) {
		if (as_json)
			json_object(&json, NULL);
		for (k = 0; k < NKEYS; k++) {
			value = k == 0 ? x2gobroker_profile_id(profile) :
			    x2gobroker_profile_value_for(profile, keys[k],
			    x2gobroker_user_name(site->user));
			if (as_json)
				json_string(&json, keys[k], value);
			else
				table_add(&table, value);
		}
		value = find_notice(maintenance, profile);
		if (as_json) {
			json_string(&json, "maintenance", value);
			json_close(&json);
		} else if (value != NULL)
			ctl_complain("[%s]: no new sessions: %s",
			    x2gobroker_profile_id(profile), value);
	}
	if (as_json)
		return json_print(&json);
	if (table.lines == 0)
		ctl_complain("%s sees no profile; the X2Go client reports "
		    "that and exits", x2gobroker_user_name(site->user));
	return table_print(&table);
}

int
list_main(const struct ctl *ctl)
{
	struct x2gobroker_maintenance *maintenance;
	struct x2gobroker_error err;
	struct site site;
	int result;

	if ((result = ctl_open(ctl, &site)) != EXIT_YES)
		return result;
	if (x2gobroker_maintenance_load(site.config, &maintenance, &err) ==
	    -1 && ctl_can_retry_as_broker(site.config, &err))
		x2gobroker_maintenance_load(site.config, &maintenance, NULL);
	result = print_profiles(&site, ctl->json, maintenance);
	x2gobroker_maintenance_free(maintenance);
	ctl_close(&site);
	return result == 0 ? EXIT_YES : EXIT_NO;
}

/*
 * explain
 */

static enum x2gobroker_verdict
explain(const struct x2gobroker_profile *profile, struct x2gobroker_user *user,
    struct x2gobroker_error *why)
{
	enum x2gobroker_verdict verdict;

	verdict = x2gobroker_acl_check(profile, user, why);
	if (why->line == 0) {
		why->line = x2gobroker_profile_line(profile);
		strlcpy(why->file, x2gobroker_profile_file(profile),
		    sizeof(why->file));
	}
	return verdict;
}

/* The servers of the profile with what requests have found out about them, or
 * NULL: nothing is known.  Root becomes the broker account, whose files these
 * are. */
static struct x2gobroker_farm *
recall_servers(const struct site *site, char *id)
{
	struct x2gobroker_farm *farm = servers_farm(site, NULL, &id, 1);

	if (farm != NULL && x2gobroker_farm_server(farm, 0) != NULL &&
	    ctl_become_broker(site->config) == 0 &&
	    x2gobroker_farm_recall(farm, NULL) == 0)
		return farm;
	x2gobroker_farm_free(farm);
	return NULL;
}

static void
put_warnings(struct json *json, const struct x2gobroker_farm *farm)
{
	const struct x2gobroker_server *server;
	size_t i;

	json_array(json, "warnings");
	for (i = 0; farm != NULL &&
	    (server = x2gobroker_farm_server(farm, i)) != NULL; i++) {
		if (server->warning[0] == '\0')
			continue;
		json_object(json, NULL);
		json_string(json, "server", server->name);
		json_string(json, "text", server->warning);
		json_close(json);
	}
	json_close(json);
}

static int
print_json(const struct ctl *ctl, bool yes, const struct x2gobroker_error *why,
    const struct x2gobroker_farm *farm)
{
	struct json json;

	json_begin(&json);
	json_string(&json, "user", ctl->as);
	json_string(&json, "profile", ctl->words[0]);
	json_bool(&json, "visible", yes);
	json_text(&json, "file", why->file);
	json_known(&json, "line", why->line > 0, why->line);
	json_string(&json, "reason", why->text);
	put_warnings(&json, farm);
	return json_print(&json);
}

static int
print_reason(const struct ctl *ctl, bool yes,
    const struct x2gobroker_error *why, const struct x2gobroker_farm *farm)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (ctl->json)
		return print_json(ctl, yes, why, farm);
	printf("%s: %s\n", yes ? "yes" : "no",
	    x2gobroker_error_format(why, text, sizeof(text)));
	if (farm != NULL)
		servers_print_problems(farm, false, true);
	return fflush(stdout) == 0 ? 0 : -1;
}

int
explain_main(const struct ctl *ctl)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm = NULL;
	struct x2gobroker_error why;
	struct site site;
	bool yes = false;
	int result;

	if ((result = ctl_open(ctl, &site)) != EXIT_YES)
		return result;
	profile = x2gobroker_profiles_find(site.profiles, ctl->words[0]);
	if (profile != NULL)
		yes = explain(profile, site.user, &why) == X2GOBROKER_ALLOW;
	else
		ctl_explain_missing(site.profiles, ctl->words[0], &why);
	if (yes)
		farm = recall_servers(&site, ctl->words[0]);
	result = print_reason(ctl, yes, &why, farm);
	x2gobroker_farm_free(farm);
	ctl_close(&site);
	return yes && result == 0 ? EXIT_YES : EXIT_NO;
}
