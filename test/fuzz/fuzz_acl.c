/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access lists: the first line is the client's address, the rest a profile
 * file.
 */
#include "config/config.h"
#include "fuzz_file.h"
#include "fuzz_net.h"

static const char *const groups[] = { "staff", "students" };

/* A verdict is the same with and without its reason, and not to know where
 * somebody is never opens a door. */
static void
check_profile(const struct x2gobroker_profile *profile,
    struct x2gobroker_user *user, struct x2gobroker_user *nowhere)
{
	struct x2gobroker_error why;
	enum x2gobroker_verdict verdict, unknown;

	verdict = x2gobroker_acl_check(profile, user, &why);
	must(verdict == x2gobroker_acl_check(profile, user, NULL));
	must((verdict == X2GOBROKER_ALLOW) == (why.code == X2GOBROKER_OK));
	must(why.text[0] != '\0');
	unknown = x2gobroker_acl_check(profile, nowhere, NULL);
	must(unknown == X2GOBROKER_DENY || verdict == X2GOBROKER_ALLOW);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct x2gobroker_config config = {
	    .backends[BACKEND_INIFILE].enable = true,
	    .session_profiles = "/fuzz", .profiles_dir = "/nonexistent" };
	char *address = fuzz_string(data, size);
	char *rest = address + strcspn(address, "\n");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user, *nowhere;
	size_t i;

	the_file = (struct fuzz_file){ rest, strlen(rest) };
	must(x2gobroker_profiles_load(&config, NULL, NULL, &profiles, NULL) ==
	    0);
	must(file_was_opened);
	*rest = '\0';
	must(x2gobroker_user_new("alice", NULL, &nowhere, NULL) == 0);
	must(x2gobroker_user_set_groups(nowhere, groups, 2, NULL) == 0);
	if (x2gobroker_user_new("alice", address, &user, NULL) == 0) {
		must(x2gobroker_user_set_groups(user, groups, 2, NULL) == 0);
		for (i = 0; i < x2gobroker_profiles_count(profiles); i++)
			check_profile(x2gobroker_profiles_get(profiles, i),
			    user, nowhere);
	}
	x2gobroker_user_free(user);
	x2gobroker_user_free(nowhere);
	x2gobroker_profiles_free(profiles);
	free(address);
	return 0;
}
