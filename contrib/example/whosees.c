/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which profiles a user sees, and which rule says so: a program that uses
 * libx2gobroker.  x2gobroker.h is the manual of all that is called here.
 *
 *	gcc -o whosees whosees.c $(pkg-config --cflags --libs x2gobroker)
 *	./whosees alice 192.0.2.17
 */
#include <stdio.h>
#include <x2gobroker.h>

/* Called for each error in a file.  Profiles without errors are served
 * nevertheless. */
static void
print_problem(void *arg, const struct x2gobroker_error *problem)
{
	char text[X2GOBROKER_FILE_SIZE + X2GOBROKER_TEXT_SIZE];

	fprintf(stderr, "%s: %s\n", (const char *)arg,
	    x2gobroker_error_format(problem, text, sizeof(text)));
}

static void
show_verdict(const struct x2gobroker_profile *profile,
    struct x2gobroker_user *user)
{
	char text[X2GOBROKER_FILE_SIZE + X2GOBROKER_TEXT_SIZE];
	struct x2gobroker_error why;
	enum x2gobroker_verdict verdict;

	verdict = x2gobroker_acl_check(profile, user, &why);
	printf("%s\t%s\t%s\n", x2gobroker_profile_id(profile),
	    verdict == X2GOBROKER_ALLOW ? "yes" : "no",
	    x2gobroker_error_format(&why, text, sizeof(text)));
}

int
main(int argc, char **argv)
{
	struct x2gobroker_config *config = NULL;
	struct x2gobroker_profiles *profiles = NULL;
	struct x2gobroker_user *user = NULL;
	struct x2gobroker_error err;
	size_t i;
	int status = 1;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: whosees USER [ADDRESS [CONFIG-FILE]]\n");
		return 2;
	}
	/* Whatever fails, err says why; what was made is freed, NULL or not. */
	if (x2gobroker_config_load(argc > 3 ? argv[3] : NULL, print_problem,
	    argv[0], &config, &err) == -1 ||
	    x2gobroker_profiles_load(config, print_problem, argv[0], &profiles,
	    &err) == -1 ||
	    x2gobroker_user_new(argv[1], argc > 2 ? argv[2] : NULL, &user,
	    &err) == -1) {
		print_problem(argv[0], &err);
	} else {
		for (i = 0; i < x2gobroker_profiles_count(profiles); i++)
			show_verdict(x2gobroker_profiles_get(profiles, i),
			    user);
		status = 0;
	}
	x2gobroker_user_free(user);
	x2gobroker_profiles_free(profiles);
	x2gobroker_config_free(config);
	return status;
}
