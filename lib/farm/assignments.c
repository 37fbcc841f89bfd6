/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each choice, the oldest one first:
 *
 *	SECONDS SERVER USER PROFILE
 *
 * SECONDS is time(3); the id of a profile may have blanks in it, and so comes
 * last.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "farm/assignments.h"
#include "base/cleanup.h"
#include "base/statefile.h"
#include "base/parse.h"

#define WORD_MAX	512	/* a host, an account, a profile: all shorter */
#define SECONDS_MAX	12	/* digits */
#define FUTURE_SECONDS	5	/* clocks are set, but not by much */
#define ROUNDING	2	/* seconds, between two hosts' clocks */

struct choice {
	int64_t when;
	const char *server, *user, *profile;	/* in text, or arena */
};

struct assignments {
	struct statefile file;	/* its text is taken apart */
	int64_t now;
	struct arena arena;
	struct choice *list;
	size_t n, size;
	bool changed;
};

static bool
append(struct assignments *choices, const struct choice *choice)
{
	size_t size = choices->size != 0 ? 2 * choices->size : 64;
	struct choice *more;

	if (choices->n == choices->size) {
		more = reallocarray(choices->list, size, sizeof(*more));
		if (more == NULL)
			return false;
		choices->list = more;
		choices->size = size;
	}
	choices->list[choices->n++] = *choice;
	return true;
}

/* Take out those that gone says so of, and keep the order. */
static void
remove_if(struct assignments *choices, bool (*gone)(const struct choice *choice,
    const struct choice *key), const struct choice *key)
{
	size_t i, kept = 0;

	for (i = 0; i < choices->n; i++)
		if (!gone(&choices->list[i], key))
			choices->list[kept++] = choices->list[i];
	choices->changed |= kept != choices->n;
	choices->n = kept;
}

/*
 * Reading
 */

/* Whether it can stand in a line, and be found again there. */
static bool
is_word(const char *text, bool blanks)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f ||
		    (*p == ' ' && !blanks))
			return false;
	return p != text && p - text <= WORD_MAX;
}

static bool
parse_line(char *line, struct choice *choice)
{
	const char *seconds = strsep(&line, " ");
	size_t len = strlen(seconds);

	choice->server = strsep(&line, " ");
	choice->user = strsep(&line, " ");
	choice->profile = line;
	if (len == 0 || len > SECONDS_MAX ||
	    strspn(seconds, "0123456789") != len || line == NULL ||
	    !is_word(choice->server, false) || !is_word(choice->user, false) ||
	    !is_word(choice->profile, true))
		return false;
	choice->when = strtoll(seconds, NULL, 10);
	return true;
}

/* Keep what counts of the text.  A file with more lines than we write is none
 * of ours. */
static int
parse_text(struct assignments *choices, struct x2gobroker_error *err)
{
	char *rest = choices->file.text, *line;
	struct choice choice;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!parse_line(line, &choice) ||
		    choice.when > choices->now + FUTURE_SECONDS ||
		    choice.when < choices->now - ASSIGNMENT_SECONDS)
			continue;
		if (choices->n == ASSIGNMENTS_MAX) {
			choices->n = 0;
			return 0;
		}
		if (!append(choices, &choice))
			return error_nomem(err);
	}
	return 0;
}

/*
 * Opening and closing
 */

int
assignments_open(const char *dir, time_t now, int timeout_ms,
    struct assignments **out, struct x2gobroker_error *err)
{
	struct assignments *choices = calloc(1, sizeof(*choices));

	*out = NULL;
	if (choices == NULL)
		return error_nomem(err);
	choices->now = now;
	if (statefile_open(&choices->file, dir, ASSIGNMENTS_FILE, timeout_ms,
	    err) == -1) {
		free(choices);
		return -1;
	}
	if (parse_text(choices, err) == -1) {
		assignments_close(choices);
		return -1;
	}
	*out = choices;
	return 0;
}

void
assignments_close(struct assignments *choices)
{
	if (choices == NULL)
		return;
	statefile_close(&choices->file);
	arena_free(&choices->arena);
	free(choices->list);
	free(choices);
}

int
assignments_save(struct assignments *choices, struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	const struct choice *c;

	if (!choices->changed)
		return 0;
	for (c = choices->list; c < choices->list + choices->n; c++)
		buf_printf(&text, "%lld %s %s %s\n", (long long)c->when,
		    c->server, c->user, c->profile);
	if (statefile_replace(&choices->file, &text, err) == -1)
		return -1;
	choices->changed = false;
	return 0;
}

/*
 * Choices
 */

long
assignments_pending(const struct assignments *choices, const char *server)
{
	long pending = 0;
	size_t i;

	for (i = 0; i < choices->n; i++)
		pending += parse_same_word(choices->list[i].server, server);
	return pending;
}

/* Whether the session that began at key->when was the one, or a later one. */
static bool
has_started(const struct choice *choice, const struct choice *key)
{
	return choice->when <= key->when &&
	    strcmp(choice->user, key->user) == 0 &&
	    parse_same_word(choice->server, key->server);
}

void
assignments_started(struct assignments *choices, const char *server,
    const char *user, long age)
{
	const struct choice key = {
		.when = choices->now - (age > 0 ? age : 0) + ROUNDING,
		.server = server,
		.user = user,
	};

	remove_if(choices, has_started, &key);
}

static bool
is_chosen_anew(const struct choice *choice, const struct choice *key)
{
	return strcmp(choice->user, key->user) == 0 &&
	    strcmp(choice->profile, key->profile) == 0;
}

int
assignments_add(struct assignments *choices, const char *server, const char *user,
    const char *profile, struct x2gobroker_error *err)
{
	struct choice choice = { .when = choices->now, .user = user,
	    .profile = profile };
	char *lower;

	if (!is_word(server, false) || !is_word(user, false) ||
	    !is_word(profile, true))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the choice of %.200s for %.200s cannot be written down: "
		    "there is a control character, a blank or too much in it",
		    server, user);
	remove_if(choices, is_chosen_anew, &choice);
	if (choices->n == ASSIGNMENTS_MAX)
		memmove(choices->list, choices->list + 1,
		    --choices->n * sizeof(*choices->list));
	choice.server = lower = arena_strndup(&choices->arena, server,
	    strlen(server));
	choice.user = arena_strndup(&choices->arena, user, strlen(user));
	choice.profile = arena_strndup(&choices->arena, profile,
	    strlen(profile));
	if (lower == NULL || choice.user == NULL || choice.profile == NULL ||
	    !append(choices, &choice))
		return error_nomem(err);
	for (; *lower != '\0'; lower++)
		if (*lower >= 'A' && *lower <= 'Z')
			*lower = (char)(*lower - 'A' + 'a');
	choices->changed = true;
	return 0;
}
