/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the configuration, the profiles and the keys of users.  They give
 * the first error; x2gobrokerctl check lists all.
 */
#include <stdlib.h>
#include <string.h>

#include "findings.h"

/* What the library reported. */
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

static void
report_first(struct doctor *d, enum finding finding, const char *what,
    unsigned int n, const struct x2gobroker_error *first)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (n == 0)
		return;
	findings_add(d, finding, "", "%u %s%s, the first: %s", n, what,
	    n == 1 ? "" : "s", x2gobroker_error_format(first, text,
	    sizeof(text)));
	doctor_remedy(d, "x2gobrokerctl check lists them");
}

static void
report_problems(struct doctor *d, const struct problems *problems)
{
	report_first(d, FINDING_FAILED, "error", problems->errors,
	    &problems->first_error);
	report_first(d, FINDING_WARNING, "warning", problems->warnings,
	    &problems->first_warning);
}

void
check_configuration(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_config_load(d->ctl->config_file, count_problem, &problems,
	    &d->config, NULL);
	report_problems(d, &problems);
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
	report_problems(d, &problems);
	if (n == 0 && withheld == 0) {
		doctor_fail(d, "", "there is no profile, so clients get "
		    "nothing");
		doctor_remedy(d, "write one in %s; see "
		    "x2gobroker-sessionprofiles(5)",
		    doctor_text(d, "profiles-dir"));
	} else if (d->out.bad == 0)
		doctor_ok(d, "", "%zu without errors", n);
}

void
check_visible(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_profiles_lint(d->profiles, count_problem, &problems);
	report_problems(d, &problems);
}

void
check_user_keys(struct doctor *d)
{
	struct problems problems = { 0 };

	x2gobroker_keys_check(d->config, count_problem, &problems);
	report_problems(d, &problems);
	doctor_count_key_files(d);
}

/*
 * As the broker account
 */

static bool
is_readable(struct doctor *d, const char *path)
{
	struct x2gobroker_error err;

	if (*path == '\0' || x2gobroker_path_check(path, &err) == 0 ||
	    err.code == X2GOBROKER_ERR_NOTFOUND)
		return true;
	doctor_fail_error(d, path, &err);
	doctor_remedy(d, "make it readable for %s: chmod 644, directories 755",
	    d->account.name);
	return false;
}

/* If files cannot be read, there are fewer profiles. */
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
	    &problems, &config, NULL) == -1 ||
	    x2gobroker_profiles_load(config, count_problem, &problems,
	    &profiles, NULL) == -1 ||
	    x2gobroker_profiles_count(profiles) < before) {
		doctor_fail_error(d, "", &problems.first_error);
		doctor_remedy(d, "make it readable for %s: chmod 644, "
		    "directories 755", d->account.name);
	}
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
}

/*
 * Owners and modes, as the user who runs doctor; root is the strictest
 */

static void
check_owner(struct doctor *d, const char *path)
{
	struct x2gobroker_error err;

	/* other checks report missing files */
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
