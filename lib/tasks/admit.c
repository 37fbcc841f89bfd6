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
		maintenance_report_unknown(&err, &answer->reporter);
	return all;
}

static int
admit_during(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config, struct x2gobroker_user *user,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	struct x2gobroker_profiles *profiles;
	int result;

	if (x2gobroker_profiles_load(config, answer->reporter.fn,
	    answer->reporter.arg, &profiles, err) == -1)
		return -1;
	answer->profiles = profiles;
	answer->user = user;
	result = listsessions_admit(answer, notice, err);
	answer->profiles = NULL;
	x2gobroker_profiles_free(profiles);
	return result;
}

int
x2gobroker_answer_admit(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	struct x2gobroker_maintenance *all;
	const struct x2gobroker_notice *notice;
	int result = 0;

	if (hook_login(answer, config, user, "login", err) == -1)
		return -1;
	all = admit_maintenance(answer, config);
	if ((notice = x2gobroker_maintenance_find(all, NULL)) != NULL)
		result = admit_during(answer, config, user, notice, err);
	x2gobroker_maintenance_free(all);
	return result;
}
