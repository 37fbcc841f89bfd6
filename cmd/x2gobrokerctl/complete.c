/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl complete: what may come next on a command line.  The words are
 * those of the tables that the command line is parsed by, and what stands there
 * for an argument (USER, HOST, ...) says of what kind it is.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "servers.h"

/* What the shell knows best is left to it, in a line that begins with ':'. */
#define ASK_FILES	":files"
#define ASK_USERS	":users"
#define ASK_GROUPS	":groups"

#define TOKEN_SIZE	32	/* of how an argument is called */

struct completion {
	const struct command *command;		/* NULL: not said yet */
	const struct option_row *option;	/* whose value comes, or NULL */
	const char *config_file;
	size_t nwords;			/* behind the command */
	const char *before;		/* stands before each word: "--as=" */
	size_t before_len;
	const char *current;		/* what has been typed of the word */
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
	printf("%.*s%s\n", (int)c->before_len, c->before, word);
}

/*
 * Kinds of words
 */

static void
put_commands(const struct completion *c)
{
	const struct command *command;
	size_t i;

	for (i = 0; (command = command_get(i)) != NULL; i++)
		put_word(c, command->name);
}

static void
put_options(const struct completion *c)
{
	const struct option_row *option;
	char text[TOKEN_SIZE];
	size_t i;

	for (i = 0; (option = command_option(i)) != NULL; i++) {
		snprintf(text, sizeof(text), "--%s", option->name);
		if (command_takes(c->command, i))
			put_word(c, text);
	}
}

static void
put_files(const struct completion *c __attribute__((unused)))
{
	puts(ASK_FILES);
}

static void
put_users(const struct completion *c __attribute__((unused)))
{
	puts(ASK_USERS);
}

static void
put_groups(const struct completion *c __attribute__((unused)))
{
	puts(ASK_GROUPS);
}

/* Nothing is said where that fails: somebody is typing. */
static int
load(const struct completion *c, struct site *site)
{
	if (x2gobroker_config_load(c->config_file, NULL, NULL, &site->config,
	    NULL) == -1)
		return -1;
	if (x2gobroker_profiles_load(site->config, NULL, NULL,
	    &site->profiles, NULL) == 0)
		return 0;
	x2gobroker_config_free(site->config);
	return -1;
}

static void
put_profiles(const struct completion *c)
{
	const struct x2gobroker_profile *profile;
	struct site site;
	size_t i;

	if (load(c, &site) == -1)
		return;
	for (i = 0; (profile = x2gobroker_profiles_get(site.profiles, i)) !=
	    NULL; i++)
		put_word(c, x2gobroker_profile_id(profile));
	servers_close(&site);
}

static void
put_drained(const struct completion *c, const struct site *site)
{
	struct x2gobroker_drained *drained;
	const char *name;
	size_t i;

	if (x2gobroker_drained_load(site->config, &drained, NULL) == -1)
		return;
	for (i = 0; (name = x2gobroker_drained_get(drained, i)) != NULL; i++)
		put_word(c, name);
	x2gobroker_drained_free(drained);
}

static void
put_all_hosts(const struct completion *c, const struct site *site)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_server server;
	struct x2gobroker_farm *farm;
	size_t i;

	if (x2gobroker_farm_new(site->config, NULL, &farm, NULL) == -1)
		return;
	for (i = 0; (profile = x2gobroker_profiles_get(site->profiles, i)) !=
	    NULL; i++)
		servers_add_hosts_of(farm, profile);
	for (i = 0; x2gobroker_farm_server(farm, i, &server); i++)
		put_word(c, server.name);
	x2gobroker_farm_free(farm);
}

static void
put_hosts(const struct completion *c)
{
	struct site site;

	if (load(c, &site) == -1)
		return;
	if (c->command != NULL && c->command->run == undrain_main)
		put_drained(c, &site);
	else
		put_all_hosts(c, &site);
	servers_close(&site);
}

static void
put_nothing(const struct completion *c __attribute__((unused)))
{
}

/* By how the tables call them.  A test sees to it that all are here. */
static const struct kind {
	const char *token;
	void (*put)(const struct completion *c);
} kinds[] = {
	{ "ADDRESS", put_nothing },
	{ "COMMAND", put_commands },
	{ "FILE", put_files },
	{ "G,...", put_groups },
	{ "GROUP", put_groups },
	{ "HOST", put_hosts },
	{ "HOST,...", put_hosts },
	{ "KEY", put_nothing },
	{ "KEYFILE|-", put_files },
	{ "NAME", put_users },
	{ "PROFILE", put_profiles },
	{ "SESSION", put_nothing },	/* servers would have to be asked */
	{ "TYPE", put_nothing },
	{ "USER", put_users },
	{ "WORD", put_nothing },
};

/* A token that is no kind stands for itself. */
static void
put_kind(const struct completion *c, const char *token)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].token, token) == 0) {
			kinds[i].put(c);
			return;
		}
	put_word(c, token);
}

/*
 * The command line
 */

/* Token n of words such as "USER [PROFILE ...]", where the last one may come
 * again and again; "" past the end. */
static void
find_token(const char *words, size_t n, char token[static TOKEN_SIZE])
{
	size_t len;

	token[0] = '\0';
	for (words += strspn(words, " []"); *words != '\0';
	    words += strspn(words, " []")) {
		len = strcspn(words, " []");
		if (len == 3 && strncmp(words, "...", 3) == 0)
			return;
		snprintf(token, TOKEN_SIZE, "%.*s", (int)(len < TOKEN_SIZE ?
		    len : TOKEN_SIZE - 1), words);
		words += len;
		if (n-- == 0)
			return;
	}
	token[0] = '\0';
}

/* The option that word is, "--as" or "--as=USER" or "-C", or NULL. */
static const struct option_row *
find_option(const char *word)
{
	const struct option_row *option;
	size_t i, len;

	if (word[0] != '-')
		return NULL;
	for (i = 0; (option = command_option(i)) != NULL; i++) {
		len = strlen(option->name);
		if (word[1] == '-' && strncmp(word + 2, option->name, len) ==
		    0 && strchr("=", word[2 + len]) != NULL)
			return option;
		if (option->letter != '\0' && word[1] == option->letter &&
		    word[2] == '\0')
			return option;
	}
	return NULL;
}

static void
take_value(struct completion *c, const struct option_row *option,
    const char *value)
{
	if (option->offset == offsetof(struct ctl, config_file))
		c->config_file = value;
}

/* A word that is complete. */
static void
take_word(struct completion *c, const char *word)
{
	const struct option_row *option = find_option(word);
	const char *equals = strchr(word, '=');

	if (c->option != NULL) {
		if (strcmp(word, "=") == 0)	/* bash makes a word of it */
			return;
		take_value(c, c->option, word);
		c->option = NULL;
	} else if (option != NULL && option->argument != NULL) {
		if (equals != NULL)
			take_value(c, option, equals + 1);
		else
			c->option = option;
	} else if (word[0] == '-' && word[1] != '\0')
		return;
	else if (c->command != NULL)
		c->nwords++;
	else if ((c->command = command_find(word)) == NULL)
		c->nwords++;	/* nothing is known of what follows */
}

/* The word that is being typed. */
static void
take_current(struct completion *c, const char *word)
{
	const struct option_row *option = find_option(word);
	const char *equals = strchr(word, '=');

	c->current = word;
	c->before = "";
	if (c->option != NULL && strcmp(word, "=") == 0)
		c->current = "";
	else if (c->option == NULL && option != NULL && equals != NULL &&
	    option->argument != NULL) {
		c->option = option;
		c->before = word;
		c->before_len = (size_t)(equals + 1 - word);
		c->current = equals + 1;
	}
}

static void
put_next(const struct completion *c)
{
	char token[TOKEN_SIZE];

	if (c->option != NULL)
		put_kind(c, c->option->argument);
	else if (c->current[0] == '-')
		put_options(c);
	else if (c->command != NULL) {
		find_token(c->command->words, c->nwords, token);
		if (token[0] != '\0')
			put_kind(c, token);
		else
			put_options(c);
	} else if (c->nwords == 0)
		put_commands(c);
}

int
complete_main(const struct ctl *ctl)
{
	struct completion c = { .config_file = ctl->config_file };
	int i;

	for (i = 0; i < ctl->nwords - 1; i++)
		take_word(&c, ctl->words[i]);
	take_current(&c, ctl->words[ctl->nwords - 1]);
	put_next(&c);
	return fflush(stdout) == 0 ? EXIT_YES : EXIT_NO;
}
