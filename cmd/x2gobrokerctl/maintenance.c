/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl maintenance: what users are told who get no session now.
 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "ctl.h"
#include "filter.h"
#include "table.h"

/*
 * The list
 */

static int
print_json(const struct x2gobroker_maintenance *all)
{
	const struct x2gobroker_notice *notice;
	struct json json;
	size_t i;

	json_begin(&json);
	json_array(&json, "maintenance");
	for (i = 0; (notice = x2gobroker_maintenance_get(all, i)) != NULL;
	    i++) {
		json_object(&json, NULL);
		json_string(&json, "profile", notice->profile);
		json_string(&json, "server", notice->server);
		json_known(&json, "until", notice->until != 0, notice->until);
		json_bool(&json, "resume", notice->resume);
		json_string(&json, "text", notice->text);
		json_close(&json);
	}
	return json_print(&json);
}

static int
print_table(const struct x2gobroker_maintenance *all)
{
	static const char *const heading[] = { "PROFILE", "SERVER", "UNTIL",
	    "RESUME", "TEXT", NULL };
	const struct x2gobroker_notice *notice;
	struct table table;
	size_t i;

	table_begin(&table, heading, 0);
	for (i = 0; (notice = x2gobroker_maintenance_get(all, i)) != NULL;
	    i++) {
		table_add(&table, notice->profile != NULL ? notice->profile :
		    notice->server == NULL ? "all" : NULL);
		table_add(&table, notice->server);
		table_add_time(&table, notice->until);
		table_add(&table, notice->resume ? "yes" : "no");
		table_add(&table, notice->text);
	}
	if (table.lines == 0)
		ctl_complain("no maintenance is set");
	return table_print(&table);
}

static int
list(const struct ctl *ctl, const struct x2gobroker_config *config,
    struct x2gobroker_error *err)
{
	struct x2gobroker_maintenance *all;
	int result;

	if (x2gobroker_maintenance_load(config, &all, err) == -1)
		return -1;
	result = ctl->json ? print_json(all) : print_table(all);
	x2gobroker_maintenance_free(all);
	strlcpy(err->text, "the list cannot be printed", sizeof(err->text));
	return result;
}

/*
 * Times
 */

static int
read_until(const struct ctl *ctl, struct x2gobroker_notice *notice)
{
	time_t until;
	bool today;

	if (ctl->until == NULL)
		return EXIT_YES;
	if (!filter_parse_time(ctl->until, &today, &until)) {
		ctl_complain("--until %s: not a time; write HH:MM or "
		    "\"YYYY-MM-DD HH:MM\", in local time", ctl->until);
		return EXIT_USAGE;
	}
	if (until <= time(NULL)) {
		ctl_complain("--until %s: has passed%s", ctl->until, today ?
		    "; for another day write \"YYYY-MM-DD HH:MM\"" : "");
		return EXIT_USAGE;
	}
	notice->until = until;
	return EXIT_YES;
}

/*
 * Changes
 */

/* The name may be misspelt, or its profile is not written yet. */
static void
warn_of_unknown(const struct x2gobroker_config *config,
    const struct x2gobroker_notice *notice)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	bool found = notice->profile == NULL && notice->server == NULL;
	size_t i;

	if (found || ctl_load_profiles(config, &profiles) == -1)
		return;
	for (i = 0; !found &&
	    (profile = x2gobroker_profiles_get(profiles, i)) != NULL; i++)
		found = notice->profile != NULL ? strcmp(notice->profile,
		    x2gobroker_profile_id(profile)) == 0 :
		    x2gobroker_profile_has_server(profile, notice->server);
	if (!found && notice->profile != NULL)
		ctl_complain("warning: no such profile: %s", notice->profile);
	else if (!found)
		ctl_complain("warning: no profile has the server %s",
		    notice->server);
	x2gobroker_profiles_free(profiles);
}

static int
change(const struct ctl *ctl, const struct x2gobroker_config *config,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	bool is_one = notice->profile != NULL || notice->server != NULL;
	bool changed = true;

	if (ctl->off && x2gobroker_maintenance_end(config, is_one ? notice :
	    NULL, &changed, err) == -1)
		return -1;
	if (!ctl->off && x2gobroker_maintenance_begin(config, notice, err) ==
	    -1)
		return -1;
	printf("%s\n", !changed ? "no maintenance was set" : ctl->off ?
	    "maintenance is over" : notice->resume ? "maintenance: no new "
	    "sessions; running and suspended ones can be resumed" :
	    "maintenance: no new sessions, and none is resumed; clients that "
	    "are connected stay so");
	return fflush(stdout);
}

static int
run(const struct ctl *ctl, const struct x2gobroker_notice *notice)
{
	struct x2gobroker_error err = { 0 };
	struct x2gobroker_config *config;
	int result = -1;

	if (ctl_load_config(ctl, &config) == -1)
		return EXIT_NO;
	if (!ctl->off)
		warn_of_unknown(config, notice);
	if (ctl_become_broker(config) == 0) {
		result = notice->text != NULL || ctl->off ?
		    change(ctl, config, notice, &err) :
		    list(ctl, config, &err);
		if (result != 0)
			ctl_print_error(&err);
	}
	x2gobroker_config_free(config);
	return result == 0 ? EXIT_YES : EXIT_NO;
}

int
maintenance_main(const struct ctl *ctl)
{
	struct x2gobroker_notice notice = {
		.text = ctl->nwords > 0 ? ctl->words[0] : NULL,
		.profile = ctl->profile,
		.server = ctl->server,
		.resume = !ctl->no_resume,
	};
	const char *wrong = NULL;
	int result;

	if (ctl->profile != NULL && ctl->server != NULL)
		wrong = "give --profile or --server, not both";
	else if (ctl->off && notice.text != NULL)
		wrong = "--off takes no TEXT";
	else if (notice.text == NULL && (ctl->until != NULL ||
	    ctl->no_resume))
		wrong = "--until and --no-resume need a TEXT";
	else if (notice.text == NULL && !ctl->off && (ctl->profile != NULL ||
	    ctl->server != NULL))
		wrong = "--profile and --server need a TEXT or --off";
	else if (ctl->json && (ctl->off || notice.text != NULL))
		wrong = "--json is for maintenance without TEXT";
	if (wrong != NULL) {
		ctl_complain("%s; try x2gobrokerctl help maintenance", wrong);
		return EXIT_USAGE;
	}
	result = read_until(ctl, &notice);
	return result == EXIT_YES ? run(ctl, &notice) : result;
}
