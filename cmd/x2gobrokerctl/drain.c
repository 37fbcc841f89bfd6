/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl drain and undrain: servers that get no new sessions; block and
 * unblock: servers that are not used at all.
 */
#include "base/json.h"
#include "ctl.h"

/*
 * The list
 */

static void
put_names(struct json *json, const char *key,
    const struct x2gobroker_drained *drained, bool blocked)
{
	const char *name;
	size_t i;

	json_array(json, key);
	for (i = 0; (name = x2gobroker_drained_get(drained, i)) != NULL; i++)
		if (x2gobroker_drained_is_blocked(drained, i) == blocked)
			json_string(json, NULL, name);
	json_close(json);
}

static int
print_list(const struct ctl *ctl, const struct x2gobroker_drained *drained)
{
	struct json json;
	const char *name;
	size_t i;

	if (ctl->json) {
		json_begin(&json);
		put_names(&json, "drained", drained, false);
		put_names(&json, "blocked", drained, true);
		return json_print(&json) == 0 ? EXIT_YES : EXIT_NO;
	}
	for (i = 0; (name = x2gobroker_drained_get(drained, i)) != NULL; i++)
		printf("%s%s\n", name,
		    x2gobroker_drained_is_blocked(drained, i) ?
		    " (blocked)" : "");
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}

static int
list_drained(const struct ctl *ctl, const struct x2gobroker_config *config)
{
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err;
	int result;

	result = x2gobroker_drained_load(config, &drained, &err);
	if (result == -1 && ctl_can_retry_as_broker(config, &err))
		result = x2gobroker_drained_load(config, &drained, &err);
	if (result == -1) {
		ctl_print_error(&err);
		return EXIT_NO;
	}
	result = print_list(ctl, drained);
	x2gobroker_drained_free(drained);
	return result;
}

/*
 * Changes
 */

static const struct change {
	int (*make)(const struct x2gobroker_config *config, const char *host,
	    bool *changed, struct x2gobroker_error *err);
	const char *done, *unchanged;
} drain = {
	x2gobroker_drain,
	"drained: no new sessions; running and suspended ones can be resumed",
	"already drained",
}, undrain = {
	x2gobroker_undrain,
	"gets new sessions again",
	"not drained",
}, block = {
	x2gobroker_block,
	"blocked: not asked, not chosen, and no session there is resumed",
	"already blocked",
}, unblock = {
	x2gobroker_unblock,
	"is used again",
	"not blocked",
};

static int
change_host(const struct x2gobroker_config *config,
    const struct change *change, const char *host)
{
	struct x2gobroker_error err;
	bool changed;
	int result;

	result = change->make(config, host, &changed, &err);
	if (result == -1 && ctl_can_retry_as_broker(config, &err))
		result = change->make(config, host, &changed, &err);
	if (result == -1) {
		ctl_print_error(&err);
		return EXIT_NO;
	}
	printf("%s: %s\n", host, changed ? change->done : change->unchanged);
	return EXIT_YES;
}

/* The name may be misspelt, or its profile is not written yet. */
static void
warn_of_unknown(const struct x2gobroker_profiles *profiles, const char *host)
{
	const struct x2gobroker_profile *profile;
	size_t i;

	for (i = 0; (profile = x2gobroker_profiles_get(profiles, i)) != NULL;
	    i++)
		if (x2gobroker_profile_has_server(profile, host))
			return;
	ctl_complain("warning: no profile has the server %s", host);
}

static int
change_hosts(const struct ctl *ctl, const struct x2gobroker_config *config,
    const struct change *change)
{
	struct x2gobroker_profiles *profiles;
	int i, result = EXIT_YES;

	/* before ctl_can_retry_as_broker() changes the account */
	if (ctl_load_profiles(config, &profiles) == -1)
		return EXIT_NO;
	for (i = 0; i < ctl->nwords; i++)
		if (change_host(config, change, ctl->words[i]) != EXIT_YES)
			result = EXIT_NO;
		else if (change == &drain || change == &block)
			warn_of_unknown(profiles, ctl->words[i]);
	x2gobroker_profiles_free(profiles);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}

/* Change the hosts that are given, or list the drained ones. */
static int
run_with_config(const struct ctl *ctl, const struct change *change)
{
	struct x2gobroker_config *config;
	int result;

	if (ctl_load_config(ctl, &config) == -1)
		return EXIT_NO;
	result = ctl->nwords > 0 ? change_hosts(ctl, config, change) :
	    list_drained(ctl, config);
	x2gobroker_config_free(config);
	return result;
}

int
drain_main(const struct ctl *ctl)
{
	if (ctl->nwords == 0 || (!ctl->list && !ctl->json))
		return run_with_config(ctl, &drain);
	ctl_complain("--list and --json are for drain without HOST");
	return EXIT_USAGE;
}

int
undrain_main(const struct ctl *ctl)
{
	return run_with_config(ctl, &undrain);
}

int
block_main(const struct ctl *ctl)
{
	return run_with_config(ctl, &block);
}

int
unblock_main(const struct ctl *ctl)
{
	return run_with_config(ctl, &unblock);
}
