/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl complete: what may come next on a command line.  The command
 * line is read like that of x2gobrokerctl itself, by the same rows.
 */
#include <getopt.h>
#include <paths.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "commands.h"
#include "servers.h"

#define TEXT_SIZE	32	/* of an option's name */

struct completion {
	struct ctl typed;	/* the words before the current one */
	const struct command *command;		/* or NULL */
	const char *prefix;	/* of each completion: "--as=" */
	size_t prefix_len;
	const char *current;	/* the word that is being typed */
};

static void
put_word(const struct completion *c, const char *word)
{
	const char *p;

	if (strncmp(word, c->current, strlen(c->current)) != 0)
		return;
	for (p = word; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return;
	printf("%.*s%s\n", (int)c->prefix_len, c->prefix, word);
}

/*
 * Kinds of words
 */

static void
put_commands(const struct completion *c)
{
	const struct command *command;

	for (command = c->typed.commands; command->name != NULL; command++)
		put_word(c, command->name);
}

static void
put_options(const struct completion *c)
{
	char text[TEXT_SIZE];
	int i;

	for (i = 0; i < NOPTIONS; i++) {
		snprintf(text, sizeof(text), "--%s", command_options[i].name);
		if (command_takes(c->command, i))
			put_word(c, text);
	}
}

static void
put_profiles(const struct completion *c, const struct site *site)
{
	const struct x2gobroker_profile *profile;
	size_t i;

	for (i = 0; (profile = x2gobroker_profiles_get(site->profiles, i)) !=
	    NULL; i++)
		put_word(c, x2gobroker_profile_id(profile));
}

static void
put_drained(const struct completion *c, const struct site *site, bool blocked)
{
	struct x2gobroker_drained *drained;
	const char *name;
	size_t i;

	if (x2gobroker_drained_load(site->config, &drained, NULL) == -1)
		return;
	for (i = 0; (name = x2gobroker_drained_get(drained, i)) != NULL; i++)
		if (x2gobroker_drained_is_blocked(drained, i) == blocked)
			put_word(c, name);
	x2gobroker_drained_free(drained);
}

static void
put_hosts(const struct completion *c, const struct site *site)
{
	const struct x2gobroker_profile *profile;
	const struct x2gobroker_server *server;
	struct x2gobroker_farm *farm;
	size_t i;

	if (c->command != NULL && (c->command->run == undrain_main ||
	    c->command->run == unblock_main)) {
		put_drained(c, site, c->command->run == unblock_main);
		return;
	}
	if (x2gobroker_farm_new(site->config, NULL, &farm, NULL) == -1)
		return;
	for (i = 0; (profile = x2gobroker_profiles_get(site->profiles, i)) !=
	    NULL; i++)
		servers_add_hosts_of(farm, profile);
	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++)
		put_word(c, server->name);
	x2gobroker_farm_free(farm);
}

/* What completes an argument: the shell, or names from the files. */
static const struct kind {
	const char *argument, *shell;
	void (*put)(const struct completion *c, const struct site *site);
} kinds[] = {
	{ "FILE", ":files" },
	{ "KEYFILE|-", ":files" },
	{ "GROUP", ":groups" },
	{ "G,...", ":groups" },
	{ "NAME", ":users" },
	{ "USER", ":users" },
	{ "PROFILE", .put = put_profiles },
	{ "HOST", .put = put_hosts },
	{ "HOST,...", .put = put_hosts },
};

static void
put_kind(const struct completion *c, const struct kind *kind)
{
	const struct ctl ctl = { .config_file = c->typed.config_file };
	struct site site;

	if (kind->shell != NULL)
		puts(kind->shell);
	else if (ctl_open(&ctl, &site) == EXIT_YES) {
		kind->put(c, &site);
		ctl_close(&site);
	}
}

static void
put_argument(const struct completion *c, const char *argument, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (parse_item_is(argument, len, kinds[i].argument))
			put_kind(c, &kinds[i]);
	if (len == 0)
		put_options(c);
	else if (parse_item_is(argument, len, "add"))
		put_word(c, "add");
	else if (parse_item_is(argument, len, "STATE")) {
		put_word(c, "running");
		put_word(c, "suspended");
	} else if (parse_item_is(argument, len, "COMMAND"))
		put_commands(c);
}

/*
 * The command line
 */

/* Read the words that are complete.  Returns the option that waits for its
 * value, or -1. */
static int
read_words(struct completion *c, int argc, char **argv)
{
	int i, result, waiting = -1;

	optind = 0;		/* getopt(3) begins anew */
	while ((result = command_read_option(argc, argv, &c->typed, &i)) !=
	    -1)
		if (result == ':')
			waiting = i;
	if (optind < argc)
		c->command = command_find(c->typed.commands, argv[optind]);
	c->typed.nwords = argc - optind;
	return waiting;
}

/* The option whose value begins in the current word, "--as=US", or -1. */
static int
split_current(struct completion *c)
{
	const char *equals = strchr(c->current, '=');
	char text[TEXT_SIZE];
	int i;

	for (i = 0; i < NOPTIONS && equals != NULL; i++) {
		snprintf(text, sizeof(text), "--%s=", command_options[i].name);
		if (*command_options[i].argument == '\0' ||
		    strncmp(c->current, text, strlen(text)) != 0)
			continue;
		c->prefix = c->current;
		c->prefix_len = strlen(text);
		c->current += c->prefix_len;
		return i;
	}
	return -1;
}

static void
put_next(struct completion *c, int option)
{
	const char *argument;
	size_t len;

	if (option == -1)
		option = split_current(c);
	if (option != -1) {
		argument = command_options[option].argument;
		put_argument(c, argument, strlen(argument));
	} else if (c->current[0] == '-')
		put_options(c);
	else if (c->command != NULL) {
		argument = command_argument(c->command, c->typed.nwords - 1,
		    &len);
		put_argument(c, argument, len);
	} else if (c->typed.nwords == 0)
		put_commands(c);
}

int
complete_main(const struct ctl *ctl)
{
	static char name[] = "x2gobrokerctl";
	struct completion c = { .typed = *ctl, .prefix = "" };
	char **argv = calloc((size_t)ctl->nwords + 1, sizeof(*argv));
	int i, argc = 0;

	/* somebody is typing, and wants no error messages there */
	if (argv == NULL || freopen(_PATH_DEVNULL, "we", stderr) == NULL)
		return EXIT_NO;
	argv[argc++] = name;
	/* bash makes three words of --as=USER */
	for (i = 0; i < ctl->nwords - 1; i++)
		if (strcmp(ctl->words[i], "=") != 0)
			argv[argc++] = ctl->words[i];
	c.current = strcmp(ctl->words[i], "=") == 0 ? "" : ctl->words[i];
	put_next(&c, read_words(&c, argc, argv));
	free(argv);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}
