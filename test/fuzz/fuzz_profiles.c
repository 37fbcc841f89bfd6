/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile file, all the way to the answers: each has the protocol's words
 * that it must have, and no second one.
 */
#include "x2gobroker_admin.h"
#include "config/config.h"
#include "fuzz_query.h"
#include "fuzz_file.h"
#include "fuzz_net.h"
#include "agent/query.h"

/* No server is asked, and each is up. */
int	__wrap_x2gobroker_farm_add(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile,
	    struct x2gobroker_error *err);
void	__wrap_query_run(const struct x2gobroker_config *config,
	    struct query *const *queries, size_t n, int64_t deadline,
	    query_progress *progress, void *arg, struct conversation **kept);

int
__wrap_x2gobroker_farm_add(
    struct x2gobroker_farm *farm __attribute__((unused)),
    const struct x2gobroker_profile *profile __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

void
__wrap_query_run(const struct x2gobroker_config *config __attribute__((unused)),
    struct query *const *queries, size_t n,
    int64_t deadline __attribute__((unused)),
    query_progress *progress __attribute__((unused)),
    void *arg __attribute__((unused)),
    struct conversation **kept __attribute__((unused)))
{
	while (n > 0)
		queries[--n]->done = true;
}

/* A profile that is listed can be selected. */
static void
check_profile(const struct x2gobroker_profile *profile,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user)
{
	static const char *const words[] = { MARKER_GRANTED,
	    MARKER_SERVER, NULL };
	char *command;

	if (x2gobroker_acl_check(profile, user, NULL) == X2GOBROKER_DENY)
		return;
	must(asprintf(&command, "x --task selectsession --sid \"%s\"",
	    x2gobroker_profile_id(profile)) > 0);
	ask(command, profiles, user, words);
	free(command);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = { MARKER_GRANTED,
	    MARKER_START_LIST, MARKER_END_LIST, NULL };
	static const char *const groups[] = { "staff" };
	const struct x2gobroker_config config = {
	    .backends[BACKEND_INIFILE].enable = true,
	    .agent_command = "/nonexistent", .drain_file = "",
	    .login_hook = "", .select_hook = "",
	    .session_database = "",
	    .state_dir = "/nonexistent", .request_timeout = 10,
	    .session_profiles = "/fuzz", .profiles_dir = "/nonexistent" };
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	size_t i;

	the_file = (struct fuzz_file){ size > 0 ? (const void *)data : "",
	    size };
	must(x2gobroker_profiles_load(&config, NULL, NULL, &profiles, NULL) ==
	    0);
	must(file_was_opened);
	must(x2gobroker_user_new("alice", "192.0.2.1", &user, NULL) == 0);
	must(x2gobroker_user_set_groups(user, groups, 1, NULL) == 0);
	ask("x --user alice --task listsessions", profiles, user, words);
	for (i = 0; i < x2gobroker_profiles_count(profiles); i++)
		check_profile(x2gobroker_profiles_get(profiles, i), profiles,
		    user);
	x2gobroker_user_free(user);
	x2gobroker_profiles_free(profiles);
	return 0;
}
