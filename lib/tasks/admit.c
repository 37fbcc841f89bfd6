/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may log in now, before any task is asked for.
 */
#include "farm/farm.h"
#include "tasks/hook.h"
#include "tasks/task.h"

/* An extra session during maintenance is better than no logins at all. */
struct x2gobroker_maintenance *
admit_maintenance(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config)
{
	struct x2gobroker_maintenance *all;
	struct x2gobroker_error err;

	if (x2gobroker_maintenance_load(config, &all, &err) == -1)
		report(&answer->reporter, X2GOBROKER_WARNING, err.file,
		    err.line, "whether there is maintenance is not known: %s",
		    err.text);
	return all;
}

int
x2gobroker_answer_admit(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	struct x2gobroker_maintenance *all;
	struct x2gobroker_profiles *profiles;
	bool is_closed;
	int result;

	if (hook_login(answer, config, user, "login", err) == -1)
		return -1;
	all = admit_maintenance(answer, config);
	is_closed = x2gobroker_maintenance_find(all, NULL) != NULL;
	x2gobroker_maintenance_free(all);
	if (!is_closed)
		return 0;
	if (x2gobroker_profiles_load(config, answer->reporter.fn,
	    answer->reporter.arg, &profiles, err) == -1)
		return -1;
	answer->profiles = profiles;
	answer->user = user;
	result = listsessions_admit(answer, err);
	answer->profiles = NULL;
	x2gobroker_profiles_free(profiles);
	return result;
}
