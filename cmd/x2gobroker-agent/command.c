/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define PROGRAM		"x2gobroker-agent"
/* The ASCII characters allowed outside of quotes.  In the middle of a word, no
 * shell gives them a meaning. */
#define BARE		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789%+,-./:=@_"

static int
refuse_text(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "the command %s", why);
}

/* End the quoted word at *p, and move *p behind it.  A shell would expand $, `
 * and \ in double quotes, so refuse them there. */
static int
take_quoted(char **p, struct x2gobroker_error *err)
{
	char quote = *(*p)++;
	size_t len = strcspn(*p, quote == '"' ? "\"$`\\" : "'");

	if ((*p)[len] == '\0')
		return refuse_text(err, "has an unclosed quote");
	if ((*p)[len] != quote)
		return refuse_text(err, "has $, ` or \\ in double quotes");
	(*p)[len] = '\0';
	*p += len + 1;
	if (**p != '\0' && **p != ' ')
		return refuse_text(err, "has a partly quoted word");
	return 0;
}

static int
take_bare(char **p, struct x2gobroker_error *err)
{
	/* any other character than an ASCII one is allowed */
	while (**p != '\0' && ((**p & 0x80) != 0 || strchr(BARE, **p) != NULL))
		(*p)++;
	if (**p == '\0' || **p == ' ')
		return 0;
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "the command contains %c, which is not allowed", **p);
}

/* Split text into words->list. */
static int
split(char *text, struct words *words, struct x2gobroker_error *err)
{
	char *p = text + strspn(text, " ");

	words->n = 0;
	while (*p != '\0') {
		bool quoted = *p == '\'' || *p == '"';

		if (words->n == WORDS_MAX)
			return refuse_text(err, "has too many words");
		words->list[words->n++] = p + quoted;
		if ((quoted ? take_quoted(&p, err) : take_bare(&p, err)) == -1)
			return -1;
		if (*p == ' ')
			*p++ = '\0';
		p += strspn(p, " ");
	}
	words->list[words->n] = NULL;
	return 0;
}

/* Drop the first n words. */
static void
shift(struct words *words, size_t n)
{
	words->n -= n;
	memmove(words->list, words->list + n,
	    (words->n + 1) * sizeof(words->list[0]));
}

/* sh -c takes one word, but the Debian agent starts itself with several,
 * without quotes. */
static int
unwrap(struct words *words, struct x2gobroker_error *err)
{
	if (words->n < 3 || strcmp(words->list[0], "sh") != 0 ||
	    strcmp(words->list[1], "-c") != 0)
		return 0;
	if (words->n == 3)
		return split(words->list[2], words, err);
	shift(words, 2);
	return 0;
}

static bool
is_program(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, PROGRAM) == 0;
}

int
command_parse(const char *command, struct words *words,
    struct x2gobroker_error *err)
{
	const unsigned char *p;

	memset(words, 0, sizeof(*words));
	if (strlen(command) > COMMAND_MAX)
		return refuse_text(err, "is longer than 16 KiB");
	for (p = (const unsigned char *)command; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			return refuse_text(err, "contains control characters");
	if ((words->text = strdup(command)) == NULL)
		return error_nomem(err);
	if (split(words->text, words, err) == 0 && unwrap(words, err) == 0) {
		if (words->n > 0 && is_program(words->list[0])) {
			shift(words, 1);
			return 0;
		}
		refuse_text(err, "is not one for " PROGRAM);
	}
	command_free(words);
	return -1;
}

void
command_free(struct words *words)
{
	free(words->text);
	memset(words, 0, sizeof(*words));
}
