/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl check: everything that is wrong in the configuration, in the
 * words that the broker logs.
 */
#include <stdio.h>

#include "ctl.h"

struct count {
	unsigned int errors, warnings;
};

static void
count_and_print(void *arg, const struct x2gobroker_error *problem)
{
	struct count *count = arg;

	if (problem->code == X2GOBROKER_WARNING)
		count->warnings++;
	else
		count->errors++;
	ctl_print_problem(stdout, problem);
}

static void
print_number(unsigned long n, const char *what, const char *after)
{
	printf("%lu %s%s%s", n, what, n == 1 ? "" : "s", after);
}

int
check_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles = NULL;
	struct x2gobroker_error err;
	struct count count = { 0 };

	if (x2gobroker_config_load(ctl->config_file, count_and_print, &count,
	    &config, &err) == -1) {
		printf("the configuration is not in order, so every request "
		    "is refused\n");
		return EXIT_NO;
	}
	if (x2gobroker_profiles_load(config, count_and_print, &count, &profiles,
	    &err) == -1) {
		ctl_print_problem(stdout, &err);
		x2gobroker_config_free(config);
		return EXIT_NO;
	}
	x2gobroker_profiles_lint(profiles, count_and_print, &count);
	x2gobroker_keys_check(config, count_and_print, &count);
	print_number(x2gobroker_profiles_count(profiles), "profile", " served, ");
	print_number(x2gobroker_profiles_count_withheld(profiles), "profile",
	    " withheld; ");
	print_number(count.errors, "error", ", ");
	print_number(count.warnings, "warning", "\n");
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	return count.errors == 0 && fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}
