/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operator's options.  In a forced command, argv is what the administrator
 * wrote.  Otherwise it contains a client's options too, so getopt(3) cannot be
 * used: it must know all options.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "options.h"

#define FIELD(name)	offsetof(struct options, name)

static const struct option_row {
	const char *name;
	char letter;
	const char *argument;	/* NULL: takes none */
	size_t field;		/* const char *, or bool without argument */
	const char *help;
} rows[] = {
	{ "config-file", 'C', "FILE", FIELD(config_file),
	    "read FILE instead of " X2GO_ETC "/x2gobroker.conf" },
	{ "user", 0, "NAME", FIELD(user),
	    "answer for NAME (broker account and root only)" },
	{ "backend", 0, "NAME", FIELD(backend),
	    "serve the backend NAME: inifile or zeroconf" },
	{ "listed-key", 0, "KEY", FIELD(listed_key),
	    "the user has come with KEY, which must still be in keys-dir" },
	{ "debug", 'd', NULL, FIELD(debug),
	    "write the log to stderr as well" },
	{ "version", 'V', NULL, FIELD(version), "print the version" },
	{ "help", 'h', NULL, FIELD(help), "print this help" },
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* Behind words of the client, --version comes with the client's own. */
static bool
is_client_version(const struct options *out, const char *word)
{
	return out->nclient > 0 && strcmp(word, "--version") == 0;
}

/* The row of an option; *value is the text after its "=", or NULL. */
static const struct option_row *
find_row(const char *word, const char **value)
{
	size_t i, len;

	*value = NULL;
	for (i = 0; i < NROWS && word[0] == '-'; i++) {
		len = strlen(rows[i].name);
		if (word[1] == rows[i].letter && word[1] != '\0' &&
		    word[2] == '\0')
			return &rows[i];
		if (word[1] != '-' ||
		    strncmp(word + 2, rows[i].name, len) != 0)
			continue;
		if (word[2 + len] == '\0')
			return &rows[i];
		if (word[2 + len] == '=' && rows[i].argument != NULL) {
			*value = word + 2 + len + 1;
			return &rows[i];
		}
	}
	return NULL;
}

static int
option_error(struct x2gobroker_error *err, const char *what, const char *word)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "%s: %.100s; try --help", what, word);
}

static int
set(struct options *out, const struct option_row *row, const char *value,
    const char *word, struct x2gobroker_error *err)
{
	void *field = (char *)out + row->field;

	if (row->argument == NULL)
		*(bool *)field = true;
	else if (*(const char **)field != NULL)
		return option_error(err, "given more than once", word);
	else
		*(const char **)field = value;
	return 0;
}

void
options_wipe_client(const struct options *options)
{
	int i;

	for (i = 0; i < options->nclient; i++)
		explicit_bzero(options->client[i],
		    strlen(options->client[i]));
}

/* After an error nothing of argv is used, and a client's part is not known. */
static int
wipe_all(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		explicit_bzero(argv[i], strlen(argv[i]));
	return -1;
}

int
options_parse(int argc, char **argv, bool forced, struct options *out,
    struct x2gobroker_error *err)
{
	const struct option_row *row;
	const char *value;
	int i;

	memset(out, 0, sizeof(*out));
	if ((out->client = calloc((size_t)argc + 1, sizeof(char *))) == NULL)
		return option_error(err, "out of memory", argv[0]);
	for (i = 1; i < argc; i++) {
		row = is_client_version(out, argv[i]) ? NULL :
		    find_row(argv[i], &value);
		if (row == NULL && forced)
			return option_error(err, "no such option in the "
			    "forced command", argv[i]);
		if (row == NULL) {
			out->client[out->nclient++] = argv[i];
			continue;
		}
		if (row->argument != NULL && value == NULL && !forced &&
		    row->field == FIELD(user) && i + 1 < argc &&
		    strncmp(argv[i + 1], "--", 2) == 0)
			value = "";	/* the client sent no name */
		else if (row->argument != NULL && value == NULL) {
			if (++i == argc) {
				option_error(err, "needs an argument",
				    argv[i - 1]);
				return wipe_all(argc, argv);
			}
			value = argv[i];
		}
		if (set(out, row, value, argv[i], err) == -1)
			return wipe_all(argc, argv);
	}
	return 0;
}

void
options_print_help(void)
{
	char left[40];
	size_t i;

	printf("usage: x2gobroker [options]                     "
	    "as sshd's forced command\n"
	    "       x2gobroker [options] --task TASK [...]   by hand\n\n");
	for (i = 0; i < NROWS; i++) {
		snprintf(left, sizeof(left), "%c%c%s --%s%s%s",
		    rows[i].letter != 0 ? '-' : ' ',
		    rows[i].letter != 0 ? rows[i].letter : ' ',
		    rows[i].letter != 0 ? "," : " ", rows[i].name,
		    rows[i].argument != NULL ? " " : "",
		    rows[i].argument != NULL ? rows[i].argument : "");
		printf("  %-24s %s\n", left, rows[i].help);
	}
	printf("\ntasks, and their options:\n");
	for (i = 0; x2gobroker_task_name(i) != NULL; i++)
		printf("  --task %s%s\n", x2gobroker_task_name(i),
		    x2gobroker_task_help(i));
	printf("\nSee x2gobroker(8).\n");
}
