/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl explain: why a user sees a profile, or does not.
 */
#include <string.h>

#include "ctl.h"
#include "json.h"

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

static int
print_json(const struct ctl *ctl, bool yes, const struct x2gobroker_error *why)
{
	struct json json;

	json_begin(&json);
	json_string(&json, "user", ctl->as);
	json_string(&json, "profile", ctl->words[0]);
	json_bool(&json, "visible", yes);
	json_text(&json, "file", why->file);
	if (why->line > 0)
		json_integer(&json, "line", why->line);
	else
		json_null(&json, "line");
	json_string(&json, "reason", why->text);
	return json_print(&json);
}

static int
print(const struct ctl *ctl, bool yes, const struct x2gobroker_error *why)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (ctl->json)
		return print_json(ctl, yes, why);
	printf("%s: %s\n", yes ? "yes" : "no",
	    x2gobroker_error_format(why, text, sizeof(text)));
	return fflush(stdout) == 0 ? 0 : -1;
}

int
explain_main(const struct ctl *ctl)
{
	enum x2gobroker_verdict verdict = X2GOBROKER_DENY;
	const struct x2gobroker_profile *profile;
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_error why;
	struct x2gobroker_user *user;
	bool yes;

	if ((user = ctl_user(ctl)) == NULL)
		return EXIT_USAGE;
	if (ctl_load(ctl, &config, &profiles) == -1) {
		x2gobroker_user_free(user);
		return EXIT_NO;
	}
	profile = x2gobroker_profiles_find(profiles, ctl->words[0]);
	if (profile != NULL)
		verdict = explain(profile, user, &why);
	else
		ctl_explain_missing(profiles, ctl->words[0], &why);
	yes = verdict == X2GOBROKER_ALLOW;
	if (print(ctl, yes, &why) == -1)
		yes = false;
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	x2gobroker_user_free(user);
	return yes ? EXIT_YES : EXIT_NO;
}
