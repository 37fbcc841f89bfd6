/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command and an option are.  The command line is read by these rows;
 * the help, the completion in shells and a test of the manual page take their
 * words from them.  main.c has the table of commands.
 */
#ifndef X2GOBROKERCTL_COMMANDS_H
#define X2GOBROKERCTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl.h"

enum {
	OPT_AS,
	OPT_GROUPS,
	OPT_FROM,
	OPT_USER,
	OPT_SSHD_CONFIG,
	OPT_URL,
	OPT_LIST,
	OPT_OFF,
	OPT_UNTIL,
	OPT_PROFILE,
	OPT_SERVER,
	OPT_STATE,
	OPT_OLDER_THAN,
	OPT_NO_RESUME,
	OPT_POLL,
	OPT_OUTPUT,
	OPT_ALL,
	OPT_GRANTS,
	OPT_YES,
	OPT_DRY_RUN,
	OPT_SHARED,
	OPT_GROUP,
	OPT_HTTP,
	OPT_HOST,
	OPT_SERVERS,
	OPT_UNDO,
	OPT_JSON,
	OPT_CONFIG_FILE,
	OPT_VERSION,
	OPT_HELP,
	NOPTIONS
};

#define OPT(name)	(1u << OPT_##name)

struct option_row {
	const char *name;
	char letter;
	const char *argument;	/* its name in help; "": the value is a bool */
	size_t offset;		/* of the value in struct ctl */
	const char *help;
};

struct command {
	const char *name;	/* NULL ends a table */
	ctl_command *run;
	const char *arguments;	/* as in help: "USER [PROFILE ...]" */
	unsigned int needs, takes;	/* options, a bit for each */
	const char *help;
};

extern const struct option_row command_options[NOPTIONS];

/* The command of that name, or NULL. */
const struct command *command_find(const struct command *commands,
	    const char *name);

/* What the argument after n others is: *len bytes in command->arguments.  0
 * bytes: the command takes only n. */
const char *command_argument(const struct command *command, int n,
	    size_t *len);

/* Whether the command takes option i; NULL: whether all commands do. */
bool	command_takes(const struct command *command, int i);

/* Read the next option, anywhere in argv, into ctl with getopt_long(3).  *i is
 * its number.  Returns 0, -1 if none is left, ':' if its value is missing, '?'
 * for other errors. */
int	command_read_option(int argc, char **argv, struct ctl *ctl, int *i);

/* Check the arguments and the options, which given has a bit for each, and
 * print what is wrong.  Returns an exit status. */
int	command_check_usage(const struct command *command,
	    const struct ctl *ctl, unsigned int given);

void	command_print_help(const struct command *command);
void	command_print_help_on_all(const struct command *commands, FILE *fp);

#endif
