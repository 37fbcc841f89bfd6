/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sshd -T prints, and behind a form feed a pattern and, in a line of its
 * own, a text for it.  Each value is found behind its keyword, as often as it
 * is there.
 */
#include "base/parse.h"
#include "fuzz.h"

#include "../../cmd/common/sshd_query.c"

static const uint8_t *the_text;
static size_t the_len;

int	__wrap_spawn_run(struct spawn *, const struct spawn_options *);

int
__wrap_spawn_run(struct spawn *child, const struct spawn_options *options)
{
	must(strcmp(options->argv[0], SSHD_PROGRAM) == 0 &&
	    options->argv[6] == NULL);
	buf_put(&child->output, the_text, the_len);
	child->end = the_len <= options->output_max ? SPAWN_EXITED :
	    SPAWN_TOO_MUCH;
	return 0;
}

static void
check_values(const struct sshd *sshd, const char *keyword)
{
	const char *value, *before = NULL;
	size_t i;

	for (i = 0; (value = sshd_query_get_one(sshd, keyword, i)) != NULL; i++) {
		must(value > sshd->text && value <= sshd->text + sshd->len);
		must(strchr(value, '\n') == NULL && value[-1] == ' ');
		must(before == NULL || value > before);
		before = value;
	}
	must((sshd_query_get(sshd, keyword)[0] != '\0') <= (i > 0));
}

/* A pattern that has no wildcard means itself. */
static void
check_pattern(char *pattern)
{
	char *text = strchr(pattern, '\n');
	size_t i, stars = 0;

	if (text == NULL)
		return;
	*text++ = '\0';
	for (i = 0; pattern[i] != '\0'; i++)
		stars += pattern[i] == '*';
	if (pattern[strcspn(pattern, "*?")] == '\0')
		must(parse_matches_pattern(text, pattern, false) ==
		    (strcmp(text, pattern) == 0));
	must(parse_matches_pattern(text, "*", false));
	must(!parse_matches_pattern(text, pattern, false) || stars > 0 ||
	    strlen(text) == strlen(pattern));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	char *pattern, why[100];
	struct sshd sshd;

	the_text = data;
	the_len = end != NULL ? (size_t)(end - data) : size;
	if (sshd_query_ask(&sshd, NULL, "alice", why, sizeof(why)) == 0) {
		check_values(&sshd, "forcecommand");
		check_values(&sshd, "acceptenv");
		check_values(&sshd, "");
		sshd_query_free(&sshd);
	}
	pattern = end != NULL ? fuzz_string(end + 1, size - the_len - 1) :
	    fuzz_string("", 0);
	check_pattern(pattern);
	free(pattern);
	return 0;
}
