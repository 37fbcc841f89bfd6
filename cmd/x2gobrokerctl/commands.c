/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <string.h>

#include "commands.h"

#define TEXT_SIZE	64	/* of an option with its argument */

#define AT(member)	offsetof(struct ctl, member)

const struct option_row command_options[NOPTIONS] = {
	[OPT_AS] = { "as", 0, "USER", AT(as),
	    "the user the question is about" },
	[OPT_GROUPS] = { "groups", 0, "G,...", AT(groups),
	    "assume that USER is in these groups" },
	[OPT_FROM] = { "from", 0, "ADDRESS", AT(from),
	    "the address of the user's client" },
	[OPT_USER] = { "user", 0, "USER", AT(user),
	    "count or list the sessions of USER, or check USER as well" },
	[OPT_SSHD_CONFIG] = { "sshd-config", 0, "FILE", AT(sshd_config),
	    "check FILE as the configuration of sshd" },
	[OPT_URL] = { "url", 0, "URL", AT(url),
	    "ask the web server at this URL, as clients do" },
	[OPT_LIST] = { "list", 0, "", AT(list),
	    "list the drained hosts, as without HOST" },
	[OPT_OFF] = { "off", 0, "", AT(off), "end the maintenance" },
	[OPT_UNTIL] = { "until", 0, "TIME", AT(until),
	    "when it ends by itself: HH:MM or \"YYYY-MM-DD HH:MM\"" },
	[OPT_PROFILE] = { "profile", 0, "PROFILE", AT(profile),
	    "only for this profile" },
	[OPT_SERVER] = { "server", 0, "HOST", AT(server),
	    "only for this server" },
	[OPT_STATE] = { "state", 0, "STATE", AT(state),
	    "only sessions that are running (R) or suspended (S)" },
	[OPT_OLDER_THAN] = { "older-than", 0, "TIME", AT(older_than),
	    "only sessions not changed since TIME, or for 30m, 8h, 3d" },
	[OPT_NO_RESUME] = { "no-resume", 0, "", AT(no_resume),
	    "let nobody resume a session either" },
	[OPT_POLL] = { "poll", 0, "", AT(poll), "ask all X2Go servers once" },
	[OPT_OUTPUT] = { "output", 0, "FILE", AT(output),
	    "write to FILE, which is replaced when all is there" },
	[OPT_ALL] = { "all", 0, "", AT(all),
	    "all servers of all profiles, or all sessions there" },
	[OPT_GRANTS] = { "grants", 0, "", AT(grants),
	    "print the SQL for the role of the broker" },
	[OPT_YES] = { "yes", 'y', "", AT(yes), "do it without asking" },
	[OPT_DRY_RUN] = { "dry-run", 'n', "", AT(dry_run),
	    "show what would be done, and change nothing" },
	[OPT_SHARED] = { "shared", 0, "", AT(shared),
	    "one account for all users, with a key for each" },
	[OPT_GROUP] = { "group", 0, "GROUP", AT(group),
	    "members of GROUP get the broker and nothing else" },
	[OPT_HTTP] = { "http", 0, "", AT(http),
	    "serve clients with https, behind a web server" },
	[OPT_HOST] = { "host", 0, "HOST", AT(host),
	    "the X2Go server of the first profile" },
	[OPT_SERVERS] = { "servers", 0, "HOST,...", AT(servers),
	    "X2Go servers to be asked with a service key" },
	[OPT_UNDO] = { "undo", 0, "", AT(undo), "undo what setup has done" },
	[OPT_JSON] = { "json", 0, "", AT(json), "print JSON, for programs" },
	[OPT_CONFIG_FILE] = { "config-file", 'C', "FILE", AT(config_file),
	    "read FILE instead of " X2GO_ETC "/x2gobroker.conf" },
	[OPT_VERSION] = { "version", 'V', "", AT(version),
	    "print the version" },
	[OPT_HELP] = { "help", 'h', "", AT(help),
	    "print help, also on a command" },
};

const struct command *
command_find(const struct command *commands, const char *name)
{
	for (; commands->name != NULL; commands++)
		if (strcmp(name, commands->name) == 0)
			return commands;
	return NULL;
}

const char *
command_argument(const struct command *command, int n, size_t *len)
{
	const char *p = command->arguments;

	for (;; p += *len) {
		p += strspn(p, " [");
		*len = strcspn(p, " ]");
		if (n-- == 0 || strncmp(p + *len, " ...", 4) == 0)
			return p;
	}
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

	snprintf(text, TEXT_SIZE, "--%s%s%s", row->name,
	    *row->argument != '\0' ? " " : "", row->argument);
	return text;
}

/* "poll [PROFILE ...] [--user USER] [--json]" */
static void
print_synopsis(FILE *fp, const struct command *command)
{
	char text[TEXT_SIZE];
	bool needed;
	int i;

	fprintf(fp, "%s%s%s", command->name,
	    *command->arguments != '\0' ? " " : "", command->arguments);
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

int
command_read_option(int argc, char **argv, struct ctl *ctl, int *i)
{
	struct option longs[NOPTIONS + 1] = { { 0 } };
	const struct option_row *row;
	int c, found;
	char *place;

	for (*i = 0; *i < NOPTIONS; (*i)++) {
		row = &command_options[*i];
		longs[*i] = (struct option){ .name = row->name,
		    .has_arg = *row->argument != '\0', .val = *i };
	}
	c = getopt_long(argc, argv, ":C:Vhny", longs, NULL);
	if (c == -1 || c == '?')
		return c;
	found = c == ':' ? optopt : c;	/* its number or its letter */
	for (*i = 0, row = command_options; *i != found && row->letter != found;
	    row++)
		(*i)++;
	if (c == ':')
		return c;
	place = (char *)ctl + row->offset;
	if (*row->argument != '\0')
		memcpy(place, &optarg, sizeof(optarg));
	else
		*(bool *)place = true;
	return 0;
}

static int
print_usage_error(const struct command *command, const char *does,
    const char *what, size_t len)
{
	ctl_complain("%s %s %.*s; try x2gobrokerctl help %s", command->name,
	    does, (int)len, what, command->name);
	return EXIT_USAGE;
}

int
command_check_usage(const struct command *command, const struct ctl *ctl,
    unsigned int given)
{
	char text[TEXT_SIZE];
	const char *before, *next = NULL;
	size_t len;
	int i;

	for (i = 0; i < NOPTIONS; i++) {
		write_option(i, text);
		if ((given >> i & 1) != 0 && !command_takes(command, i))
			return print_usage_error(command, "does not take",
			    text, strlen(text));
		if ((command->needs & ~given) >> i & 1)
			return print_usage_error(command, "needs", text,
			    strlen(text));
	}
	for (i = 0;; i++) {
		before = next;
		next = command_argument(command, i, &len);
		if (i == ctl->nwords)
			break;
		if (len == 0)
			return print_usage_error(command,
			    "does not take the argument", ctl->words[i],
			    strlen(ctl->words[i]));
	}
	/* the last one is repeated, or what follows is optional */
	if (next == before ||
	    next >= command->arguments + strcspn(command->arguments, "["))
		return EXIT_YES;
	return print_usage_error(command, "needs", next, len);
}
