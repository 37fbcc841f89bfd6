/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "commands.h"

#define TEXT_SIZE	64	/* of an option with its argument */

const struct option_row command_options[NOPTIONS] = {
	[OPT_AS] = { "as", 0, ARG_USER, offsetof(struct ctl, as),
	    "the user the question is about" },
	[OPT_GROUPS] = { "groups", 0, ARG_GROUPS, offsetof(struct ctl, groups),
	    "assume that USER is in these groups" },
	[OPT_FROM] = { "from", 0, ARG_ADDRESS, offsetof(struct ctl, from),
	    "the address of the user's client" },
	[OPT_USER] = { "user", 0, ARG_USER, offsetof(struct ctl, user),
	    "count the sessions of USER, or check USER as well" },
	[OPT_SSHD_CONFIG] = { "sshd-config", 0, ARG_FILE,
	    offsetof(struct ctl, sshd_config),
	    "check FILE as the configuration of sshd" },
	[OPT_LIST] = { "list", 0, ARG_NONE, offsetof(struct ctl, list),
	    "list the drained hosts, as without HOST" },
	[OPT_ALL] = { "all", 0, ARG_NONE, offsetof(struct ctl, all),
	    "all servers of all profiles" },
	[OPT_YES] = { "yes", 0, ARG_NONE, offsetof(struct ctl, yes),
	    "do it without asking" },
	[OPT_DRY_RUN] = { "dry-run", 0, ARG_NONE, offsetof(struct ctl, dry_run),
	    "show what would be done, and change nothing" },
	[OPT_SHARED] = { "shared", 0, ARG_NONE, offsetof(struct ctl, shared),
	    "one account for all users, with a key for each" },
	[OPT_GROUP] = { "group", 0, ARG_GROUP, offsetof(struct ctl, group),
	    "members of GROUP get the broker and nothing else" },
	[OPT_HOST] = { "host", 0, ARG_HOST, offsetof(struct ctl, host),
	    "the X2Go server of the first profile" },
	[OPT_SERVERS] = { "servers", 0, ARG_HOSTS,
	    offsetof(struct ctl, servers),
	    "X2Go servers to be asked with a service key" },
	[OPT_UNDO] = { "undo", 0, ARG_NONE, offsetof(struct ctl, undo),
	    "undo what setup has done" },
	[OPT_JSON] = { "json", 0, ARG_NONE, offsetof(struct ctl, json),
	    "print JSON, for programs" },
	[OPT_CONFIG_FILE] = { "config-file", 'C', ARG_FILE,
	    offsetof(struct ctl, config_file),
	    "read FILE instead of " X2GO_ETC "/x2gobroker.conf" },
	[OPT_VERSION] = { "version", 'V', ARG_NONE,
	    offsetof(struct ctl, version), "print the version" },
	[OPT_HELP] = { "help", 'h', ARG_NONE, offsetof(struct ctl, help),
	    "print help, also on a command" },
};

const struct argument_row command_arguments[ARG_MORE] = {
	[ARG_NONE] = { "" },
	[ARG_ADD] = { "add" },
	[ARG_ADDRESS] = { "ADDRESS" },
	[ARG_COMMAND] = { "COMMAND" },
	[ARG_DRAINED] = { "HOST" },
	[ARG_FILE] = { "FILE", ":files" },
	[ARG_GROUP] = { "GROUP", ":groups" },
	[ARG_GROUPS] = { "G,...", ":groups" },
	[ARG_HOST] = { "HOST" },
	[ARG_HOSTS] = { "HOST,..." },
	[ARG_KEY] = { "KEY" },
	[ARG_KEY_TYPE] = { "TYPE" },
	[ARG_KEYFILE] = { "KEYFILE|-", ":files" },
	[ARG_NAME] = { "NAME", ":users" },
	[ARG_PROFILE] = { "PROFILE" },
	[ARG_SESSION] = { "SESSION" },
	[ARG_USER] = { "USER", ":users" },
	[ARG_WORD] = { "WORD" },
};

const struct command *
command_find(const struct command *commands, const char *name)
{
	for (; commands->name != NULL; commands++)
		if (strcmp(name, commands->name) == 0)
			return commands;
	return NULL;
}

enum argument
command_argument(const struct command *command, int n)
{
	const enum argument *arguments = command->arguments;
	int i;

	for (i = 0; arguments[i] != ARG_NONE; i++) {
		if (arguments[i] == ARG_MORE)
			return arguments[i - 1];
		if (i == n)
			return arguments[i];
	}
	return ARG_NONE;
}

bool
command_takes(const struct command *command, int i)
{
	unsigned int takes = OPT(CONFIG_FILE) | OPT(VERSION) | OPT(HELP);

	if (command != NULL)
		takes |= command->takes;
	return (takes >> i & 1) != 0;
}

/*
 * Help
 */

/* "--as USER".  Returns text. */
static const char *
write_option(int i, char text[static TEXT_SIZE])
{
	const struct option_row *row = &command_options[i];
	const char *argument = command_arguments[row->argument].name;

	snprintf(text, TEXT_SIZE, "--%s%s%s", row->name,
	    row->argument != ARG_NONE ? " " : "", argument);
	return text;
}

/* "poll [PROFILE ...] [--user USER] [--json]" */
static void
print_synopsis(FILE *fp, const struct command *command)
{
	const enum argument *arguments = command->arguments;
	char text[TEXT_SIZE];
	bool needed;
	int i;

	fprintf(fp, "%s", command->name);
	/* the last one is ARG_NONE or ARG_MORE */
	for (i = 0; arguments[i] != ARG_NONE && arguments[i] != ARG_MORE;
	    i++) {
		needed = i < command->needed;
		fprintf(fp, " %s%s%s%s", needed ? "" : "[",
		    command_arguments[arguments[i]].name,
		    arguments[i + 1] == ARG_MORE ? " ..." : "",
		    needed ? "" : "]");
	}
	for (i = 0; i < NOPTIONS; i++) {
		needed = (command->needs >> i & 1) != 0;
		if ((command->takes >> i & 1) != 0)
			fprintf(fp, " %s%s%s", needed ? "" : "[",
			    write_option(i, text), needed ? "" : "]");
	}
	fprintf(fp, "\n");
}

static void
print_options(FILE *fp, unsigned int which)
{
	char text[TEXT_SIZE], letter;
	int i;

	for (i = 0; i < NOPTIONS; i++) {
		if ((which >> i & 1) == 0)
			continue;
		letter = command_options[i].letter;
		fprintf(fp, "  %c%c%c %-19s  %s\n", letter != 0 ? '-' : ' ',
		    letter != 0 ? letter : ' ', letter != 0 ? ',' : ' ',
		    write_option(i, text), command_options[i].help);
	}
}

void
command_print_help_on_all(const struct command *commands, FILE *fp)
{
	fprintf(fp, "usage: x2gobrokerctl [-C FILE] COMMAND [arguments]\n\n");
	for (; commands->name != NULL; commands++) {
		fprintf(fp, "  ");
		print_synopsis(fp, commands);
		fprintf(fp, "      %s\n", commands->help);
	}
	fprintf(fp, "\n");
	print_options(fp, ~0u);
	fprintf(fp, "\nSee x2gobrokerctl(8).\n");
}

void
command_print_help(const struct command *command)
{
	printf("usage: x2gobrokerctl [-C FILE] ");
	print_synopsis(stdout, command);
	printf("\n  %s\n\n", command->help);
	print_options(stdout, command->takes | OPT(CONFIG_FILE) | OPT(HELP));
	printf("\nSee x2gobrokerctl(8).\n");
}

/*
 * The command line
 */

static void
set_option(struct ctl *ctl, const struct option_row *row, const char *value)
{
	char *place = (char *)ctl + row->offset;

	if (row->argument != ARG_NONE)
		memcpy(place, &value, sizeof(value));
	else
		*(bool *)place = true;
}

int
command_read_option(int argc, char **argv, struct ctl *ctl, int *i)
{
	struct option longs[NOPTIONS + 1] = { { 0 } };
	const struct option_row *row;
	int c, found;

	for (*i = 0; *i < NOPTIONS; (*i)++) {
		row = &command_options[*i];
		longs[*i] = (struct option){ .name = row->name,
		    .has_arg = row->argument != ARG_NONE, .val = *i };
	}
	c = getopt_long(argc, argv, ":C:Vh", longs, NULL);
	if (c == -1 || c == '?')
		return c;
	found = c == ':' ? optopt : c;	/* its number or its letter */
	for (*i = 0, row = command_options; *i != found && row->letter != found;
	    row++)
		(*i)++;
	if (c == ':')
		return c;
	set_option(ctl, row, optarg);
	return 0;
}

static int
print_usage_error(const struct command *command, const char *does,
    const char *what)
{
	ctl_complain("%s %s %s; try x2gobrokerctl help %s", command->name,
	    does, what, command->name);
	return EXIT_USAGE;
}

int
command_check_usage(const struct command *command, const struct ctl *ctl,
    unsigned int given)
{
	char text[TEXT_SIZE];
	int i;

	for (i = 0; i < NOPTIONS; i++) {
		write_option(i, text);
		if ((given >> i & 1) != 0 && !command_takes(command, i))
			return print_usage_error(command, "does not take",
			    text);
		if ((command->needs & ~given) >> i & 1)
			return print_usage_error(command, "needs", text);
	}
	for (i = 0; i < ctl->nwords; i++)
		if (command_argument(command, i) == ARG_NONE)
			return print_usage_error(command,
			    "does not take the argument", ctl->words[i]);
	if (i < command->needed)
		return print_usage_error(command, "needs",
		    command_arguments[command_argument(command, i)].name);
	return EXIT_YES;
}
