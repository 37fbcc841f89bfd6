/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each assignment, the oldest first:
 *
 *	SECONDS SERVER USER PROFILE
 *
 * SECONDS is time(3).  The id of a profile comes last because it may contain
 * blanks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/statefile.h"
#include "farm/farm.h"

#define FIELD_MAX	512	/* longer than any host, account or profile */
#define FUTURE_SECONDS	5	/* the clock may have been set back a little */
#define ROUNDING	2	/* seconds, between the clocks of two hosts */

enum field { SERVER, USER, PROFILE, NFIELDS };

static const struct statefile_type type = { ASSIGNMENTS_FILE, " ", NFIELDS };

struct assignments {
	struct statefile file;
	int64_t now;
	bool changed;
};

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

static bool
is_over(const struct staterow *row, const struct staterow *now)
{
	return !are_valid(row->fields) ||
	    row->seconds > now->seconds + FUTURE_SECONDS ||
	    row->seconds < now->seconds - ASSIGNMENT_SECONDS;
}

int
assignments_open(const char *dir, time_t now, int timeout_ms,
    struct assignments **out, struct x2gobroker_error *err)
{
	struct assignments *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (all == NULL)
		return error_nomem(err);
	all->now = now;
	if (statefile_open(&all->file, dir, &type, timeout_ms, err) == -1) {
		free(all);
		return -1;
	}
	staterows_remove(&all->file.rows, is_over,
	    &(struct staterow){ .seconds = now });
	*out = all;
	return 0;
}

void
assignments_close(struct assignments *all)
{
	if (all == NULL)
		return;
	statefile_close(&all->file);
	free(all);
}

int
assignments_save(struct assignments *all, struct x2gobroker_error *err)
{
	if (all->changed && statefile_save(&all->file, err) == -1)
		return -1;
	all->changed = false;
	return 0;
}

long
assignments_pending(const struct assignments *all, const char *server)
{
	long pending = 0;
	size_t i;

	for (i = 0; i < all->file.rows.n; i++)
		pending += parse_same_word(all->file.rows.list[i].fields[
		    SERVER], server);
	return pending;
}

/* Whether the session that began at key->seconds started after it. */
static bool
has_started(const struct staterow *a, const struct staterow *key)
{
	return a->seconds <= key->seconds &&
	    strcmp(a->fields[USER], key->fields[USER]) == 0 &&
	    parse_same_word(a->fields[SERVER], key->fields[SERVER]);
}

void
assignments_started(struct assignments *all, const char *server,
    const char *user, long age)
{
	const struct staterow key = {
		.seconds = all->now - (age > 0 ? age : 0) + ROUNDING,
		.fields = { server, user },
	};

	all->changed |= staterows_remove(&all->file.rows, has_started, &key);
}

static bool
is_replaced(const struct staterow *a, const struct staterow *key)
{
	return strcmp(a->fields[USER], key->fields[USER]) == 0 &&
	    strcmp(a->fields[PROFILE], key->fields[PROFILE]) == 0;
}

int
assignments_add(struct assignments *all, const char *server, const char *user,
    const char *profile, struct x2gobroker_error *err)
{
	const struct staterow new = { .seconds = all->now,
	    .fields = { server, user, profile } };

	if (!are_valid(new.fields))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the assignment of %.200s to %.200s cannot be stored: a "
		    "name has a control character or a blank, or is too long",
		    user, server);
	staterows_remove(&all->file.rows, is_replaced, &new);
	all->changed = true;
	return staterows_add(&all->file.rows, &new, err);
}
