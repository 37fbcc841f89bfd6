/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl explain: why a user sees a profile, or does not.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

/* There is no such profile among those that are served. */
static void
explain_missing(const struct x2gobroker_profiles *profiles, const char *id)
{
	const char *file;
	unsigned int line;

	if (x2gobroker_profiles_withheld(profiles, id, &file, &line))
		printf("no: [%s], %s:%u, is withheld from everyone until what "
		    "is wrong with it is mended; x2gobrokerctl check says "
		    "what that is\n", id, file, line);
	else
		printf("no: there is no profile [%s]; ids are case-sensitive, "
		    "and x2gobrokerctl check lists files that cannot be "
		    "read\n", id);
}

static enum x2gobroker_verdict
explain(const struct x2gobroker_profile *profile, struct x2gobroker_user *user)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];
	struct x2gobroker_error why;
	enum x2gobroker_verdict verdict;

	verdict = x2gobroker_acl_check(profile, user, &why);
	if (why.line == 0) {
		why.line = x2gobroker_profile_line(profile);
		snprintf(why.file, sizeof(why.file), "%s",
		    x2gobroker_profile_file(profile));
	}
	printf("%s: %s\n", verdict == X2GOBROKER_ALLOW ? "yes" : "no",
	    x2gobroker_error_format(&why, text, sizeof(text)));
	return verdict;
}

int
explain_main(const struct ctl *ctl)
{
	enum x2gobroker_verdict verdict = X2GOBROKER_DENY;
	const struct x2gobroker_profile *profile;
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;

	if ((user = ctl_user(ctl)) == NULL)
		return EXIT_USAGE;
	if (ctl_load(ctl, &config, &profiles) == -1) {
		x2gobroker_user_free(user);
		return EXIT_NO;
	}
	profile = x2gobroker_profiles_find(profiles, ctl->profile);
	if (profile != NULL)
		verdict = explain(profile, user);
	else
		explain_missing(profiles, ctl->profile);
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	x2gobroker_user_free(user);
	return verdict == X2GOBROKER_ALLOW ? EXIT_YES : EXIT_NO;
}
