/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl check: all errors and warnings about the configuration, in the
 * words that the broker logs.
 */
#include "base/json.h"
#include "ctl.h"

struct findings {
	unsigned int errors, warnings;
	struct json *json;	/* NULL: print lines */
};

static void
note_problem(void *arg, const struct x2gobroker_error *problem)
{
	bool warning = problem->code == X2GOBROKER_WARNING;
	struct findings *findings = arg;

	if (warning)
		findings->warnings++;
	else
		findings->errors++;
	if (findings->json == NULL) {
		ctl_print_problem(stdout, problem);
		return;
	}
	json_object(findings->json, NULL);
	json_bool(findings->json, "warning", warning);
	json_text(findings->json, "file", problem->file);
	json_known(findings->json, "line", problem->line > 0, problem->line);
	json_string(findings->json, "text", problem->text);
	json_close(findings->json);
}

/* -1: no profile at all is served. */
static int
find_problems(const struct ctl *ctl, struct findings *findings,
    struct x2gobroker_config **config, struct x2gobroker_profiles **profiles)
{
	struct x2gobroker_error err;

	if (x2gobroker_config_load(ctl->config_file, note_problem, findings,
	    config, &err) == -1)
		return -1;
	if (x2gobroker_profiles_load(*config, note_problem, findings, profiles,
	    &err) == -1) {
		note_problem(findings, &err);
		return -1;
	}
	x2gobroker_profiles_lint(*profiles, note_problem, findings);
	x2gobroker_keys_check(*config, note_problem, findings);
	return 0;
}

static void
print_number(unsigned long n, const char *what, const char *after)
{
	printf("%lu %s%s%s", n, what, n == 1 ? "" : "s", after);
}

static void
print_summary(const struct findings *findings, unsigned long served,
    unsigned long withheld)
{
	print_number(served, "profile", " served, ");
	print_number(withheld, "profile", " withheld; ");
	print_number(findings->errors, "error", ", ");
	print_number(findings->warnings, "warning", "\n");
}

static int
put_summary(const struct findings *findings, unsigned long served,
    unsigned long withheld)
{
	json_close(findings->json);
	json_integer(findings->json, "served", (long long)served);
	json_integer(findings->json, "withheld", (long long)withheld);
	json_integer(findings->json, "errors", findings->errors);
	json_integer(findings->json, "warnings", findings->warnings);
	return json_print(findings->json);
}

int
check_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config = NULL;
	struct x2gobroker_profiles *profiles = NULL;
	struct json json;
	/* cppcheck-suppress uninitvar ; it is begun below */
	struct findings findings = { .json = ctl->json ? &json : NULL };
	unsigned long served = 0, withheld = 0;
	int result;

	if (ctl->json) {
		json_begin(&json);
		json_array(&json, "problems");
	}
	result = find_problems(ctl, &findings, &config, &profiles);
	if (result == 0) {
		served = x2gobroker_profiles_count(profiles);
		withheld = x2gobroker_profiles_count_withheld(profiles);
	}
	if (ctl->json && put_summary(&findings, served, withheld) == -1)
		result = -1;
	else if (!ctl->json && result == 0)
		print_summary(&findings, served, withheld);
	else if (!ctl->json && config == NULL)
		puts(CTL_BAD_CONFIG);
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	return result == 0 && findings.errors == 0 && fflush(stdout) == 0 ?
	    EXIT_YES : EXIT_NO;
}
