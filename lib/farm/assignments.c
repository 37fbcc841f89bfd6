/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each assignment, the oldest first:
 *
 *	SECONDS SERVER USER PROFILE
 *
 * SECONDS is time(3).  The id of a profile comes last because it may contain
 * blanks.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/statefile.h"
#include "farm/assignments.h"

#define FIELD_MAX	512	/* longer than any host, account or profile */
#define FUTURE_SECONDS	5	/* the clock may have been set back a little */
#define ROUNDING	2	/* seconds, between the clocks of two hosts */

enum field { SERVER, USER, PROFILE, NFIELDS };

struct assignment {
	int64_t when;
	const char *fields[NFIELDS];	/* in the file's text, or in arena */
};

struct assignments {
	struct statefile file;
	int64_t now;
	struct arena arena;
	struct assignment *list;
	size_t n, size;
	bool changed;
};

static bool
append(struct assignments *all, const struct assignment *new)
{
	size_t size = all->size != 0 ? 2 * all->size : 64;
	struct assignment *more;

	if (all->n == all->size) {
		more = reallocarray(all->list, size, sizeof(*more));
		if (more == NULL)
			return false;
		all->list = more;
		all->size = size;
	}
	all->list[all->n++] = *new;
	return true;
}

/* Remove those for which is_over(), given key, is true. */
static void
remove_if(struct assignments *all, bool (*is_over)(const struct assignment *,
    const struct assignment *), const struct assignment *key)
{
	size_t i, kept = 0;

	for (i = 0; i < all->n; i++)
		if (!is_over(&all->list[i], key))
			all->list[kept++] = all->list[i];
	all->changed |= kept != all->n;
	all->n = kept;
}

/* Whether the fields can be written in a line and read back. */
static bool
are_valid(const char *const fields[static NFIELDS])
{
	const char *p;
	int i;

	for (i = 0; i < NFIELDS; i++) {
		for (p = fields[i]; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f ||
			    (*p == ' ' && i != PROFILE))
				return false;
		if (p == fields[i] || p - fields[i] > FIELD_MAX)
			return false;
	}
	return true;
}

/* Keep the lines that are valid and not over.  We never write a file with more
 * than ASSIGNMENTS_MAX lines. */
static int
parse_lines(struct assignments *all, struct x2gobroker_error *err)
{
	struct assignment new;

	while (statefile_next(&all->file, " ", &new.when, new.fields,
	    NFIELDS)) {
		if (!are_valid(new.fields) ||
		    new.when > all->now + FUTURE_SECONDS ||
		    new.when < all->now - ASSIGNMENT_SECONDS)
			continue;
		if (all->n == ASSIGNMENTS_MAX) {
			all->n = 0;
			return 0;
		}
		if (!append(all, &new))
			return error_nomem(err);
	}
	return 0;
}

/*
 * Public functions
 */

int
assignments_open(const char *dir, time_t now, int timeout_ms,
    struct assignments **out, struct x2gobroker_error *err)
{
	struct assignments *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (all == NULL)
		return error_nomem(err);
	all->now = now;
	if (statefile_open(&all->file, dir, ASSIGNMENTS_FILE, timeout_ms,
	    err) == 0 && parse_lines(all, err) == 0) {
		*out = all;
		return 0;
	}
	assignments_close(all);
	return -1;
}

void
assignments_close(struct assignments *all)
{
	if (all == NULL)
		return;
	statefile_close(&all->file);
	arena_free(&all->arena);
	free(all->list);
	free(all);
}

int
assignments_save(struct assignments *all, struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	const struct assignment *a;

	if (!all->changed)
		return 0;
	for (a = all->list; a < all->list + all->n; a++)
		buf_printf(&text, "%lld %s %s %s\n", (long long)a->when,
		    a->fields[SERVER], a->fields[USER], a->fields[PROFILE]);
	if (statefile_replace(&all->file, &text, err) == -1)
		return -1;
	all->changed = false;
	return 0;
}

long
assignments_pending(const struct assignments *all, const char *server)
{
	long pending = 0;
	size_t i;

	for (i = 0; i < all->n; i++)
		pending += parse_same_word(all->list[i].fields[SERVER],
		    server);
	return pending;
}

/* Whether the session that began at key->when was started for it or later. */
static bool
has_started(const struct assignment *a, const struct assignment *key)
{
	return a->when <= key->when &&
	    strcmp(a->fields[USER], key->fields[USER]) == 0 &&
	    parse_same_word(a->fields[SERVER], key->fields[SERVER]);
}

void
assignments_started(struct assignments *all, const char *server,
    const char *user, long age)
{
	const struct assignment key = {
		.when = all->now - (age > 0 ? age : 0) + ROUNDING,
		.fields = { server, user },
	};

	remove_if(all, has_started, &key);
}

static bool
is_replaced(const struct assignment *a, const struct assignment *key)
{
	return strcmp(a->fields[USER], key->fields[USER]) == 0 &&
	    strcmp(a->fields[PROFILE], key->fields[PROFILE]) == 0;
}

int
assignments_add(struct assignments *all, const char *server, const char *user,
    const char *profile, struct x2gobroker_error *err)
{
	struct assignment new = { .when = all->now,
	    .fields = { server, user, profile } };
	char *copy;
	int i;

	if (!are_valid(new.fields))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the assignment of %.200s to %.200s cannot be stored: a "
		    "name has a control character or a blank, or is too long",
		    user, server);
	remove_if(all, is_replaced, &new);
	if (all->n == ASSIGNMENTS_MAX)
		memmove(all->list, all->list + 1,
		    --all->n * sizeof(*all->list));
	for (i = 0; i < NFIELDS; i++) {
		copy = arena_strndup(&all->arena, new.fields[i],
		    strlen(new.fields[i]));
		if (copy == NULL)
			return error_nomem(err);
		new.fields[i] = copy;
		for (; i == SERVER && *copy != '\0'; copy++)
			if (*copy >= 'A' && *copy <= 'Z')
				*copy = (char)(*copy - 'A' + 'a');
	}
	if (!append(all, &new))
		return error_nomem(err);
	all->changed = true;
	return 0;
}
