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
	json_known(&json, "line", why->line > 0, why->line);
	json_string(&json, "reason", why->text);
	return json_print(&json);
}

static int
print_reason(const struct ctl *ctl, bool yes,
    const struct x2gobroker_error *why)
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
	const struct x2gobroker_profile *profile;
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
	result = print_reason(ctl, yes, &why);
	ctl_close(&site);
	return yes && result == 0 ? EXIT_YES : EXIT_NO;
}
