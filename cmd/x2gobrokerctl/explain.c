/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl explain: why a user sees a profile, or does not.
 */
#include <string.h>

#include "ctl.h"
#include "json.h"

/* There is no such profile among those that are served. */
static void
explain_missing(const struct x2gobroker_profiles *profiles, const char *id,
    struct x2gobroker_error *why)
{
	const char *file;

	memset(why, 0, sizeof(*why));
	if (x2gobroker_profiles_withheld(profiles, id, &file, &why->line)) {
		snprintf(why->file, sizeof(why->file), "%s", file);
		snprintf(why->text, sizeof(why->text), "[%s] is withheld from "
		    "everyone until what is wrong with it is mended; "
		    "x2gobrokerctl check says what that is", id);
	} else
		snprintf(why->text, sizeof(why->text), "there is no profile "
		    "[%s]; ids are case-sensitive, and x2gobrokerctl check "
		    "lists files that cannot be read", id);
}

static enum x2gobroker_verdict
explain(const struct x2gobroker_profile *profile, struct x2gobroker_user *user,
    struct x2gobroker_error *why)
{
	enum x2gobroker_verdict verdict;

	verdict = x2gobroker_acl_check(profile, user, why);
	if (why->line == 0) {
		why->line = x2gobroker_profile_line(profile);
		snprintf(why->file, sizeof(why->file), "%s",
		    x2gobroker_profile_file(profile));
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
		explain_missing(profiles, ctl->words[0], &why);
	yes = verdict == X2GOBROKER_ALLOW;
	if (print(ctl, yes, &why) == -1)
		yes = false;
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	x2gobroker_user_free(user);
	return yes ? EXIT_YES : EXIT_NO;
}
