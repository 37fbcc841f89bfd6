/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl: questions that an administrator has about the broker.  Every
 * answer comes out of libx2gobroker, from the functions that the broker calls.
 */
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static const struct command {
	const char *name;
	int (*run)(const struct ctl *ctl);
	const char *arguments;
	bool needs_profile, needs_user;
	const char *help;
	int least, most;	/* further words that it takes */
} commands[] = {
	{ "check", check_main, "", false, false,
	    "say what is wrong in the configuration and the profiles" },
	{ "list", list_main, "--as USER [--groups G,...] [--from ADDRESS]",
	    false, true, "list the profiles that USER would see" },
	{ "explain", explain_main,
	    "PROFILE --as USER [--groups G,...] [--from ADDRESS]", true, true,
	    "say why USER sees PROFILE, or why not" },
	{ "authorize", authorize_main, "NAME KEYFILE|-", false, false,
	    "let NAME in with the public keys of KEYFILE", 2, 2 },
	{ "revoke", revoke_main, "NAME [KEYFILE|-]", false, false,
	    "take the keys of KEYFILE, or all keys, from NAME", 1, 2 },
	{ "authorized-keys", authorized_keys_main, "USER TYPE KEY", false,
	    false, "tell sshd whose key it is (AuthorizedKeysCommand)", 3, 3 },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

static void
print_help(FILE *fp)
{
	size_t i;

	fprintf(fp, "usage: x2gobrokerctl [-C FILE] COMMAND [arguments]\n\n");
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(fp, "  %s %s\n      %s\n", commands[i].name,
		    commands[i].arguments, commands[i].help);
	fprintf(fp, "\n"
	    "  -C, --config-file FILE   read FILE instead of "
	    X2GO_ETC "/x2gobroker.conf\n"
	    "      --as USER            the user in question\n"
	    "      --groups G,...       groups to assume; else they are looked "
	    "up\n"
	    "      --from ADDRESS       the address of the user's client\n"
	    "  -V, --version            print the version\n"
	    "  -h, --help               print this help\n"
	    "\nSee x2gobrokerctl(8).\n");
}

static int
usage_error(const char *what, const char *which)
{
	fprintf(stderr, "x2gobrokerctl: %s%s; try x2gobrokerctl --help\n", what,
	    which);
	return EXIT_USAGE;
}

void
ctl_print_problem(void *arg, const struct x2gobroker_error *problem)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];
	FILE *fp = arg;

	x2gobroker_error_format(problem, text, sizeof(text));
	fprintf(fp, "%s%s\n",
	    problem->code == X2GOBROKER_WARNING ? "warning: " : "", text);
}

void
ctl_print_error(const struct x2gobroker_error *err)
{
	fprintf(stderr, "x2gobrokerctl: ");
	ctl_print_problem(stderr, err);
}

/* Warnings are the business of check. */
static void
print_withholding(void *arg, const struct x2gobroker_error *problem)
{
	if (problem->code != X2GOBROKER_WARNING)
		ctl_print_problem(arg, problem);
}

int
ctl_load_config(const struct ctl *ctl, struct x2gobroker_config **config)
{
	struct x2gobroker_error err;

	if (x2gobroker_config_load(ctl->config_file, print_withholding, stderr,
	    config, &err) == 0)
		return 0;
	fprintf(stderr, "x2gobrokerctl: the configuration is not in order, so "
	    "every request is refused\n");
	return -1;
}

int
ctl_load(const struct ctl *ctl, struct x2gobroker_config **config,
    struct x2gobroker_profiles **profiles)
{
	struct x2gobroker_error err;

	if (ctl_load_config(ctl, config) == -1)
		return -1;
	if (x2gobroker_profiles_load(*config, print_withholding, stderr,
	    profiles, &err) == -1) {
		ctl_print_error(&err);
		x2gobroker_config_free(*config);
		return -1;
	}
	return 0;
}

/* Take the groups "a,b" apart. */
static int
set_groups(struct x2gobroker_user *user, const char *text,
    struct x2gobroker_error *err)
{
	char *copy = strdup(text), *rest = copy, *name;
	const char **names = calloc(strlen(text) + 1, sizeof(*names));
	size_t n = 0;
	int result = -1;

	if (copy != NULL && names != NULL) {
		while ((name = strsep(&rest, ",")) != NULL)
			if (*name != '\0')
				names[n++] = name;
		result = x2gobroker_user_set_groups(user, names, n, err);
	}
	free(names);
	free(copy);
	return result;
}

struct x2gobroker_user *
ctl_user(const struct ctl *ctl)
{
	struct x2gobroker_user *user;
	struct x2gobroker_error err = { .text = "out of memory" };

	if (x2gobroker_user_new(ctl->as, ctl->from, &user, &err) == -1) {
		ctl_print_error(&err);
		return NULL;
	}
	if (ctl->groups == NULL) {
		if (getpwnam(ctl->as) == NULL)
			fprintf(stderr, "x2gobrokerctl: there is no account "
			    "%s here, so it has no groups and the broker "
			    "would refuse it; --groups says which to assume\n",
			    ctl->as);
		return user;
	}
	if (set_groups(user, ctl->groups, &err) == -1) {
		ctl_print_error(&err);
		x2gobroker_user_free(user);
		return NULL;
	}
	return user;
}

static int
run(const struct command *command, struct ctl *ctl, int argc, char **argv)
{
	if (command->needs_profile && argc > 0) {
		ctl->profile = argv[0];
		argc--;
		argv++;
	}
	if (argc > command->most)
		return usage_error("what is meant by ", argv[command->most]);
	if (argc < command->least)
		return usage_error("what is needed is ", command->arguments);
	ctl->words = argv;
	ctl->nwords = argc;
	if (command->needs_profile && ctl->profile == NULL)
		return usage_error("which PROFILE? ", command->name);
	if (command->needs_user && ctl->as == NULL)
		return usage_error("--as USER is needed by ", command->name);
	return command->run(ctl);
}

int
main(int argc, char **argv)
{
	enum { AS = 1000, FROM, GROUPS };
	static const struct option options[] = {
		{ "config-file", required_argument, NULL, 'C' },
		{ "as", required_argument, NULL, AS },
		{ "from", required_argument, NULL, FROM },
		{ "groups", required_argument, NULL, GROUPS },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl ctl = { 0 };
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "C:Vh", options, NULL)) != -1) {
		switch (c) {
		case 'C':
			ctl.config_file = optarg;
			break;
		case AS:
			ctl.as = optarg;
			break;
		case FROM:
			ctl.from = optarg;
			break;
		case GROUPS:
			ctl.groups = optarg;
			break;
		case 'V':
			printf("x2gobrokerctl %s\n", x2gobroker_version());
			return EXIT_YES;
		case 'h':
			print_help(stdout);
			return EXIT_YES;
		default:
			return usage_error("", "see above");
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return run(&commands[i], &ctl, argc - optind - 1,
			    argv + optind + 1);
	return usage_error("no such command: ", argv[optind]);
}
