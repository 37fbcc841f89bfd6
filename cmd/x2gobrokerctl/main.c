/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl: questions that an administrator has about the broker and its
 * X2Go servers.  Every answer comes out of libx2gobroker, from the functions
 * that the broker calls.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "ctl.h"

#define OPT(name)	(1u << OPT_##name)

enum {
	OPT_AS,
	OPT_GROUPS,
	OPT_FROM,
	OPT_USER,
	OPT_SSHD_CONFIG,
	OPT_LIST,
	OPT_ALL,
	OPT_YES,
	OPT_DRY_RUN,
	OPT_SHARED,
	OPT_GROUP,
	OPT_HOST,
	OPT_SERVERS,
	OPT_UNDO,
	OPT_JSON,
	OPT_CONFIG_FILE,
	OPT_VERSION,
	OPT_HELP,
	NOPTIONS
};

#define OPT_ANYWHERE	(OPT(CONFIG_FILE) | OPT(VERSION) | OPT(HELP))
#define WHO		(OPT(AS) | OPT(GROUPS) | OPT(FROM))
#define SETUP		(OPT(SHARED) | OPT(GROUP) | OPT(HOST) | OPT(SERVERS) | \
			    OPT(UNDO) | OPT(DRY_RUN) | OPT(YES))

/* By their numbers. */
static const struct option_row options[NOPTIONS] = {
	{ "as", 0, "USER", offsetof(struct ctl, as),
	    "the user the question is about" },
	{ "groups", 0, "G,...", offsetof(struct ctl, groups),
	    "groups to assume; else they are looked up" },
	{ "from", 0, "ADDRESS", offsetof(struct ctl, from),
	    "the address of the user's client" },
	{ "user", 0, "USER", offsetof(struct ctl, user),
	    "the user whose sessions are counted, or who is looked at" },
	{ "sshd-config", 0, "FILE", offsetof(struct ctl, sshd_config),
	    "look at FILE as sshd's configuration" },
	{ "list", 0, NULL, offsetof(struct ctl, list),
	    "list them, as without HOST" },
	{ "all", 0, NULL, offsetof(struct ctl, all),
	    "all servers of all profiles" },
	{ "yes", 0, NULL, offsetof(struct ctl, yes),
	    "do it without asking" },
	{ "dry-run", 0, NULL, offsetof(struct ctl, dry_run),
	    "show what would be done, and change nothing" },
	{ "shared", 0, NULL, offsetof(struct ctl, shared),
	    "one account for all, with a key for each user" },
	{ "group", 0, "GROUP", offsetof(struct ctl, group),
	    "who is in GROUP gets the broker and nothing else" },
	{ "host", 0, "HOST", offsetof(struct ctl, host),
	    "the X2Go server of the first profile" },
	{ "servers", 0, "HOST,...", offsetof(struct ctl, servers),
	    "X2Go servers that are asked, with a service key" },
	{ "undo", 0, NULL, offsetof(struct ctl, undo),
	    "take back what setup has done" },
	{ "json", 0, NULL, offsetof(struct ctl, json),
	    "print JSON, for programs" },
	{ "config-file", 'C', "FILE", offsetof(struct ctl, config_file),
	    "read FILE instead of " X2GO_ETC "/x2gobroker.conf" },
	{ "version", 'V', NULL, offsetof(struct ctl, version),
	    "print the version" },
	{ "help", 'h', NULL, offsetof(struct ctl, help),
	    "print help, also on a command" },
};

static int help_main(const struct ctl *);

static const struct command commands[] = {
	{ "setup", setup_main, "", 0, 0, 0, SETUP,
	    "make all that the broker needs here, or take it back" },
	{ "check", check_main, "", 0, 0, 0, OPT(JSON),
	    "say what is wrong in the configuration and the profiles" },
	{ "doctor", doctor_main, "", 0, 0, 0,
	    OPT(USER) | OPT(SSHD_CONFIG) | OPT(JSON),
	    "say what is wrong around the broker, and what to do about it" },
	{ "list", list_main, "", 0, 0, OPT(AS), WHO | OPT(JSON),
	    "list the profiles that USER would see" },
	{ "explain", explain_main, "PROFILE", 1, 1, OPT(AS), WHO | OPT(JSON),
	    "say why USER sees PROFILE, or why not" },
	{ "poll", poll_main, "[PROFILE ...]", 0, INT_MAX, 0,
	    OPT(USER) | OPT(JSON),
	    "ask X2Go servers how they are, and who would be chosen" },
	{ "drain", drain_main, "[HOST ...]", 0, INT_MAX, 0,
	    OPT(LIST) | OPT(JSON),
	    "give HOST no new sessions; without HOST, list those" },
	{ "undrain", undrain_main, "HOST ...", 1, INT_MAX, 0, 0,
	    "give HOST new sessions again" },
	{ "known-hosts", known_hosts_main, "add [HOST ...]", 1, INT_MAX, 0,
	    OPT(ALL) | OPT(YES),
	    "show host keys of servers, and add them when they are right" },
	{ "sessions", sessions_main, "USER [PROFILE ...]", 1, INT_MAX, 0,
	    OPT(JSON), "list the sessions of USER on X2Go servers" },
	{ "suspend", suspend_main, "USER SESSION", 2, 2, 0, 0,
	    "suspend a session of USER" },
	{ "terminate", terminate_main, "USER SESSION", 2, 2, 0, OPT(YES),
	    "end a session of USER, with all that runs in it" },
	{ "authorize", authorize_main, "NAME KEYFILE|-", 2, 2, 0, 0,
	    "let NAME in with the public keys of KEYFILE" },
	{ "revoke", revoke_main, "NAME [KEYFILE|-]", 1, 2, 0, 0,
	    "take the keys of KEYFILE, or all keys, from NAME" },
	{ "authorized-keys", authorized_keys_main, "USER TYPE KEY", 3, 3, 0,
	    0, "tell sshd whose key it is (AuthorizedKeysCommand)" },
	{ "complete", complete_main, "WORD ...", 1, INT_MAX, 0, 0,
	    "say what may come next on a command line, for shells" },
	{ "help", help_main, "[COMMAND]", 0, 1, 0, 0,
	    "print help, also on a command" },
};

#define NCOMMANDS	(sizeof(commands) / sizeof(commands[0]))

const struct command *
command_get(size_t i)
{
	return i < NCOMMANDS ? &commands[i] : NULL;
}

const struct command *
command_find(const char *name)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return &commands[i];
	return NULL;
}

const struct option_row *
command_option(size_t i)
{
	return i < NOPTIONS ? &options[i] : NULL;
}

bool
command_takes(const struct command *command, size_t i)
{
	unsigned int takes = OPT_ANYWHERE;

	if (command != NULL)
		takes |= command->takes;
	return (takes >> i & 1) != 0;
}

/*
 * Help
 */

/* "poll [PROFILE ...] [--user USER] [--json]" */
static void
print_synopsis(FILE *fp, const struct command *command)
{
	bool needed;
	size_t i;

	fprintf(fp, "%s%s%s", command->name, *command->words != '\0' ? " " : "",
	    command->words);
	for (i = 0; i < NOPTIONS; i++) {
		if ((command->takes >> i & 1) == 0)
			continue;
		needed = (command->needs >> i & 1) != 0;
		fprintf(fp, " %s--%s%s%s%s", needed ? "" : "[",
		    options[i].name, options[i].argument != NULL ? " " : "",
		    options[i].argument != NULL ? options[i].argument : "",
		    needed ? "" : "]");
	}
	fprintf(fp, "\n");
}

static void
print_options(FILE *fp, unsigned int which)
{
	const struct option_row *row;
	char text[64];

	for (row = options; row < options + NOPTIONS; row++) {
		if ((which >> (row - options) & 1) == 0)
			continue;
		snprintf(text, sizeof(text), "%c%c%s --%s %s",
		    row->letter != 0 ? '-' : ' ',
		    row->letter != 0 ? row->letter : ' ',
		    row->letter != 0 ? "," : " ", row->name,
		    row->argument != NULL ? row->argument : "");
		fprintf(fp, "  %-23s  %s\n", text, row->help);
	}
}

static void
print_help(FILE *fp)
{
	size_t i;

	fprintf(fp, "usage: x2gobrokerctl [-C FILE] COMMAND [arguments]\n\n");
	for (i = 0; i < NCOMMANDS; i++) {
		fprintf(fp, "  ");
		print_synopsis(fp, &commands[i]);
		fprintf(fp, "      %s\n", commands[i].help);
	}
	fprintf(fp, "\n");
	print_options(fp, ~0u);
	fprintf(fp, "\nSee x2gobrokerctl(8).\n");
}

static void
print_command_help(FILE *fp, const struct command *command)
{
	fprintf(fp, "usage: x2gobrokerctl [-C FILE] ");
	print_synopsis(fp, command);
	fprintf(fp, "\n  %s\n\n", command->help);
	print_options(fp, command->takes | OPT(CONFIG_FILE) | OPT(HELP));
	fprintf(fp, "\nSee x2gobrokerctl(8).\n");
}

static int
help_main(const struct ctl *ctl)
{
	const struct command *command;

	if (ctl->nwords == 0) {
		print_help(stdout);
		return EXIT_YES;
	}
	if ((command = command_find(ctl->words[0])) == NULL) {
		ctl_complain("no such command: %s; try x2gobrokerctl --help",
		    ctl->words[0]);
		return EXIT_USAGE;
	}
	print_command_help(stdout, command);
	return EXIT_YES;
}

/*
 * The command line
 */

static void
set_option(struct ctl *ctl, const struct option_row *row, const char *value)
{
	char *place = (char *)ctl + row->offset;

	if (row->argument != NULL)
		memcpy(place, &value, sizeof(value));
	else
		*(bool *)place = true;
}

/* Read all options, which may stand anywhere.  given: a bit for each. */
static int
read_options(int argc, char **argv, struct ctl *ctl, unsigned int *given)
{
	struct option longs[NOPTIONS + 1] = { { 0 } };
	int c, i;

	for (i = 0; i < NOPTIONS; i++)
		longs[i] = (struct option){ .name = options[i].name,
		    .has_arg = options[i].argument != NULL, .val = i };
	while ((c = getopt_long(argc, argv, "C:Vh", longs, NULL)) != -1) {
		for (i = 0; c >= ' ' && i < NOPTIONS; i++)
			if (options[i].letter == c)
				c = i;
		if (c >= NOPTIONS)
			return -1;
		set_option(ctl, &options[c], optarg);
		*given |= 1u << c;
	}
	return 0;
}

static int
usage_error(const struct command *command, const char *what,
    const char *which)
{
	ctl_complain("%s%s; try x2gobrokerctl help %s", what, which,
	    command->name);
	return EXIT_USAGE;
}

/* What is wrong with the command line, if anything. */
static int
check_usage(const struct command *command, const struct ctl *ctl,
    unsigned int given)
{
	char text[64];
	size_t i;

	for (i = 0; i < NOPTIONS; i++) {
		snprintf(text, sizeof(text), "%s --%s%s%s", command->name,
		    options[i].name, options[i].argument != NULL ? " " : "",
		    options[i].argument != NULL ? options[i].argument : "");
		if ((given & ~(command->takes | OPT_ANYWHERE)) >> i & 1)
			return usage_error(command, "there is no ", text);
		if ((command->needs & ~given) >> i & 1)
			return usage_error(command, "this is needed: ", text);
	}
	if (ctl->nwords > command->most)
		return usage_error(command, "what is meant by ",
		    ctl->words[command->most]);
	if (ctl->nwords < command->least) {
		snprintf(text, sizeof(text), "%s %s", command->name,
		    command->words);
		return usage_error(command, "this is needed: ", text);
	}
	return EXIT_YES;
}

int
main(int argc, char **argv)
{
	const struct command *command;
	struct ctl ctl = { 0 };
	unsigned int given = 0;
	int result;

	if (read_options(argc, argv, &ctl, &given) == -1) {
		ctl_complain("see above; try x2gobrokerctl --help");
		return EXIT_USAGE;
	}
	if (ctl.version) {
		printf("x2gobrokerctl %s\n", x2gobroker_version());
		return EXIT_YES;
	}
	if (optind == argc) {
		print_help(ctl.help ? stdout : stderr);
		return ctl.help ? EXIT_YES : EXIT_USAGE;
	}
	if ((command = command_find(argv[optind])) == NULL) {
		ctl_complain("no such command: %s; try x2gobrokerctl --help",
		    argv[optind]);
		return EXIT_USAGE;
	}
	ctl.words = argv + optind + 1;
	ctl.nwords = argc - optind - 1;
	if (ctl.help) {
		print_command_help(stdout, command);
		return EXIT_YES;
	}
	result = check_usage(command, &ctl, given);
	return result != EXIT_YES ? result : command->run(&ctl);
}
