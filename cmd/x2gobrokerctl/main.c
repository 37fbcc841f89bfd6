/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl: questions that an administrator has about the broker and its
 * X2Go servers.  libx2gobroker answers them with the functions that the broker
 * calls.
 */
#include <getopt.h>
#include <stdio.h>

#include "commands.h"

#define WHO		(OPT(AS) | OPT(GROUPS) | OPT(FROM))
#define SETUP		(OPT(SHARED) | OPT(GROUP) | OPT(HTTP) | OPT(HOST) | \
			    OPT(SERVERS) | OPT(UNDO) | OPT(DRY_RUN) | OPT(YES))

#define SELECTION	(OPT(ALL) | OPT(USER) | OPT(PROFILE) | OPT(SERVER) | \
			    OPT(STATE) | OPT(OLDER_THAN))
#define END		(SELECTION | OPT(DRY_RUN) | OPT(YES))

static int help_main(const struct ctl *);

static const struct command commands[] = {
	{ "setup", setup_main, "", 0, SETUP,
	    "set up what the broker needs on this host, or undo it" },
	{ "check", check_main, "", 0, OPT(JSON),
	    "check the configuration and the profiles" },
	{ "doctor", doctor_main, "", 0,
	    OPT(USER) | OPT(SSHD_CONFIG) | OPT(URL) | OPT(JSON),
	    "check all that the broker depends on, and say how to fix it" },
	{ "list", list_main, "", OPT(AS), WHO | OPT(JSON),
	    "list the profiles that USER sees" },
	{ "explain", explain_main, "PROFILE", OPT(AS), WHO | OPT(JSON),
	    "say why USER sees PROFILE, or why not" },
	{ "poll", poll_main, "[PROFILE ...]", 0, OPT(USER) | OPT(JSON),
	    "ask the X2Go servers for their load and sessions" },
	{ "drain", drain_main, "[HOST ...]", 0, OPT(LIST) | OPT(JSON),
	    "give HOST no new sessions; without HOST, list drained hosts" },
	{ "undrain", undrain_main, "HOST ...", 0, 0,
	    "give HOST new sessions again" },
	{ "block", block_main, "HOST ...", 0, 0,
	    "do not use HOST at all: neither ask it nor resume sessions" },
	{ "unblock", unblock_main, "HOST ...", 0, 0,
	    "use HOST again" },
	{ "maintenance", maintenance_main, "[TEXT]", 0,
	    OPT(UNTIL) | OPT(PROFILE) | OPT(SERVER) | OPT(NO_RESUME) |
	    OPT(OFF) | OPT(JSON),
	    "give no new sessions and tell users TEXT, or show what is set" },
	{ "database", database_main, "", 0, OPT(GRANTS) | OPT(JSON),
	    "ask the session database how it is, or print the SQL for it" },
	{ "known-hosts", known_hosts_main, "add [HOST ...]", 0,
	    OPT(ALL) | OPT(YES),
	    "show the host keys of servers, and add them to known_hosts" },
	{ "sessions", sessions_main, "[USER [PROFILE ...]]", 0,
	    SELECTION | OPT(JSON),
	    "list the sessions of USER, or --all, on the X2Go servers" },
	{ "who", who_main, "", 0, OPT(JSON),
	    "list the users who are connected to a session now" },
	{ "metrics", metrics_main, "", 0, OPT(POLL) | OPT(OUTPUT),
	    "print numbers about the farm, for Prometheus" },
	{ "suspend", suspend_main, "[USER SESSION]", 0, END,
	    "suspend a session of USER, or --all" },
	{ "terminate", terminate_main, "[USER SESSION]", 0, END,
	    "end a session of USER, or --all, and all its programs" },
	{ "authorize", authorize_main, "NAME KEYFILE|-", 0, 0,
	    "let NAME log in with the public keys in KEYFILE" },
	{ "revoke", revoke_main, "NAME [KEYFILE|-]", 0, 0,
	    "remove the keys in KEYFILE, or all keys, of NAME" },
	{ "authorized-keys", authorized_keys_main, "USER TYPE KEY", 0, 0,
	    "tell sshd whose key it is (AuthorizedKeysCommand)" },
	{ "authorized-principals", authorized_principals_main, "USER ID", 0, 0,
	    "tell sshd whose certificate it is (AuthorizedPrincipalsCommand)" },
	{ "complete", complete_main, "WORD ...", 0, 0,
	    "print completions of the last WORD, for shells" },
	{ "help", help_main, "[COMMAND]", 0, 0,
	    "print help, also on a command" },
	{ .name = NULL }
};

/* The command of that name, or NULL with a message. */
static const struct command *
find_command(const char *name)
{
	const struct command *command = command_find(commands, name);

	if (command == NULL)
		ctl_complain("no such command: %s; try x2gobrokerctl --help",
		    name);
	return command;
}

static int
help_main(const struct ctl *ctl)
{
	const struct command *command;

	if (ctl->nwords == 0)
		command_print_help_on_all(commands, stdout);
	else if ((command = find_command(ctl->words[0])) != NULL)
		command_print_help(command);
	else
		return EXIT_USAGE;
	return EXIT_YES;
}

static int
read_options(int argc, char **argv, struct ctl *ctl, unsigned int *given)
{
	char letter[] = "-?";
	int i, result;

	while ((result = command_read_option(argc, argv, ctl, &i)) == 0)
		*given |= 1u << i;
	if (result == ':')
		ctl_complain("--%s needs a value; try x2gobrokerctl --help",
		    command_options[i].name);
	letter[1] = (char)optopt;
	if (result == '?')
		ctl_complain("invalid option: %s; try x2gobrokerctl --help",
		    optopt > ' ' ? letter : argv[optind - 1]);
	return result == -1 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	const struct command *command;
	struct ctl ctl = { .commands = commands };
	unsigned int given = 0;
	int result;

	if (read_options(argc, argv, &ctl, &given) == -1)
		return EXIT_USAGE;
	if (ctl.version) {
		printf("x2gobrokerctl %s\n", x2gobroker_version());
		return EXIT_YES;
	}
	if (optind == argc) {
		command_print_help_on_all(commands, ctl.help ? stdout : stderr);
		return ctl.help ? EXIT_YES : EXIT_USAGE;
	}
	if ((command = find_command(argv[optind])) == NULL)
		return EXIT_USAGE;
	ctl.words = argv + optind + 1;
	ctl.nwords = argc - optind - 1;
	if (ctl.help) {
		command_print_help(command);
		return EXIT_YES;
	}
	result = command_check_usage(command, &ctl, given);
	return result != EXIT_YES ? result : command->run(&ctl);
}
