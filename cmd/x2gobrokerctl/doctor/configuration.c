/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor makes of the configuration, the profiles and the keys of users.
 * x2gobrokerctl check lists all that is wrong in them; here is said whether
 * that is worth a look.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/* What was reported. */
struct problems {
	unsigned int errors, warnings;
	struct x2gobroker_error first_error, first_warning;
};

static void
count_problem(void *arg, const struct x2gobroker_error *problem)
{
	struct problems *problems = arg;

	if (problem->code == X2GOBROKER_WARNING) {
		if (problems->warnings++ == 0)
			problems->first_warning = *problem;
	} else if (problems->errors++ == 0)
		problems->first_error = *problem;
}

/* Say the first of each kind, and how many more there are. */
static void
note_problems(struct doctor *d, const struct problems *problems)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (problems->errors > 0) {
		doctor_fail(d, "", "%u error%s, the first one: %s",
		    problems->errors, problems->errors == 1 ? "" : "s",
		    x2gobroker_error_format(&problems->first_error, text,
		    sizeof(text)));
		doctor_remedy(d, "x2gobrokerctl check lists them");
	}
	if (problems->warnings > 0) {
		doctor_warn(d, "", "%u warning%s, the first one: %s",
		    problems->warnings, problems->warnings == 1 ? "" : "s",
		    x2gobroker_error_format(&problems->first_warning, text,
		    sizeof(text)));
		doctor_remedy(d, "x2gobrokerctl check lists them");
	}
}

void
check_configuration(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_config_load(d->ctl->config_file, count_problem, &problems,
	    &d->config, NULL);
	note_problems(d, &problems);
}

void
check_profiles(struct doctor *d)
{
	struct problems problems = { 0 };
	struct x2gobroker_error err;
	size_t n, withheld;

	if (x2gobroker_profiles_load(d->config, count_problem, &problems,
	    &d->profiles, &err) == -1) {
		doctor_fail_error(d, "", &err);
		return;
	}
	n = x2gobroker_profiles_count(d->profiles);
	withheld = x2gobroker_profiles_count_withheld(d->profiles);
	note_problems(d, &problems);
	if (n == 0 && withheld == 0) {
		doctor_fail(d, "", "there is none, so that clients find "
		    "nothing and end");
		doctor_remedy(d, "write one, as x2gobroker-sessionprofiles(5) "
		    "has them, into %s", doctor_text(d, "profiles-dir"));
	} else if (doctor_count_bad(d) == 0)
		doctor_ok(d, "", "%zu, without errors", n);
}

void
check_nobodys(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_profiles_lint(d->profiles, count_problem, &problems);
	note_problems(d, &problems);
}

void
check_user_keys(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_keys_check(d->config, count_problem, &problems);
	note_problems(d, &problems);
	doctor_count_key_files(d);
}

/*
 * The same as the broker account
 */

static bool
is_readable(struct doctor *d, const char *path)
{
	struct x2gobroker_error err;

	if (*path == '\0' || x2gobroker_path_check(path, &err) == 0 ||
	    err.code == X2GOBROKER_ERR_NOTFOUND)
		return true;
	doctor_fail_error(d, path, &err);
	doctor_remedy(d, "let %s read it: chmod 644, directories 755",
	    d->account.name);
	return false;
}

/* Files that are there and cannot be read give no profiles, or fewer. */
void
check_readable(struct doctor *d)
{
	struct x2gobroker_profiles *profiles = NULL;
	struct x2gobroker_config *config = NULL;
	struct problems problems = { 0 };
	size_t before = x2gobroker_profiles_count(d->profiles);

	if (!is_readable(d, doctor_text(d, "profiles-dir")) ||
	    !is_readable(d, doctor_text(d, "keys-dir")))
		return;
	if (x2gobroker_config_load(d->ctl->config_file, count_problem,
	    &problems, &config, NULL) == 0 &&
	    x2gobroker_profiles_load(config, count_problem, &problems,
	    &profiles, NULL) == 0 &&
	    x2gobroker_profiles_count(profiles) >= before) {
		x2gobroker_profiles_free(profiles);
		x2gobroker_config_free(config);
		return;
	}
	doctor_fail_error(d, "", &problems.first_error);
	doctor_remedy(d, "let %s read it: chmod 644, directories 755",
	    d->account.name);
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
}

/*
 * Owners and modes, for whoever has started us; root is the strictest
 */

static void
check_owner(struct doctor *d, const char *path)
{
	struct x2gobroker_error err;

	/* that something is missing is for others to say */
	if (path == NULL || *path == '\0' ||
	    x2gobroker_path_check(path, &err) == 0 ||
	    err.code != X2GOBROKER_ERR_UNSAFE)
		return;
	doctor_fail_error(d, err.file, &err);
	doctor_remedy(d, "chown root %s; chmod go-w %s", err.file, err.file);
}

void
check_owners(struct doctor *d)
{
	check_owner(d, X2GO_ETC "/broker");
	check_owner(d, d->ctl->config_file != NULL ? d->ctl->config_file :
	    X2GO_ETC "/x2gobroker.conf");
	if (d->config == NULL)
		return;
	check_owner(d, doctor_text(d, "profiles-dir"));
	check_owner(d, doctor_text(d, "keys-dir"));
	check_owner(d, x2gobroker_config_text(d->config, "broker_inifile",
	    "session-profiles"));
}
