/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row for each assignment:
 *
 *	SECONDS SERVER USER PROFILE
 *
 * SECONDS is time(3).  The id of a profile comes last because it may contain
 * blanks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/statedir.h"
#include "farm/farm.h"

#define FIELD_MAX	512	/* longer than any host, account or profile */
#define FUTURE_SECONDS	5	/* the clock may have been set back a little */
#define ROUNDING	2	/* seconds, between the clocks of two hosts */

enum field { SERVER, USER, PROFILE, NFIELDS };

static const struct statedir_type type = { ASSIGNMENTS_DIR, " ", NFIELDS };

struct assignments {
	struct statedir dir;
	int64_t now;
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
assignments_open(const char *dir, time_t now, struct assignments **out,
    struct x2gobroker_error *err)
{
	struct assignments *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (all == NULL)
		return error_nomem(err);
	all->now = now;
	if (statedir_open(&all->dir, dir, &type, err) == -1) {
		free(all);
		return -1;
	}
	statedir_remove_all(&all->dir, is_over,
	    &(struct staterow){ .seconds = now });
	*out = all;
	return 0;
}

int
assignments_read_more(struct assignments *all, struct x2gobroker_error *err)
{
	return statedir_read_more(&all->dir, err);
}

void
assignments_close(struct assignments *all)
{
	if (all == NULL)
		return;
	statedir_close(&all->dir);
	free(all);
}

/* Is it the user's session that the report counts, begun at or after the
 * assignment? */
static bool
has_started(const struct assignments *all, const struct staterow *row,
    const struct agent_report *report)
{
	const struct agent_tally *start;
	size_t i;

	for (i = 0; report != NULL && i < report->nstarts; i++) {
		start = &report->starts[i];
		if (row->seconds <= all->now - start->number + ROUNDING &&
		    strcmp(row->fields[USER], start->name) == 0)
			return true;
	}
	return false;
}

long
assignments_pending(const struct assignments *all, const char *server,
    const struct agent_report *report, const char *user, const char *profile,
    long *own)
{
	const struct staterow *row = all->dir.rows.list;
	const struct staterow *end = row + all->dir.rows.n;
	long pending = 0;

	for (; row < end; row++) {
		if (!parse_same_word(row->fields[SERVER], server) ||
		    has_started(all, row, report))
			continue;
		pending++;
		*own += user != NULL && strcmp(row->fields[USER], user) == 0 &&
		    strcmp(row->fields[PROFILE], profile) == 0;
	}
	return pending;
}

static bool
is_replaced(const struct staterow *a, const struct staterow *key)
{
	return a->number < key->number &&
	    strcmp(a->fields[USER], key->fields[USER]) == 0 &&
	    strcmp(a->fields[PROFILE], key->fields[PROFILE]) == 0;
}

int
assignments_add(struct assignments *all, const char *server, const char *user,
    const char *profile, struct x2gobroker_error *err)
{
	struct staterow new = { .seconds = all->now,
	    .fields = { server, user, profile } };
	int result;

	if (!are_valid(new.fields))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the assignment of %.200s to %.200s cannot be stored: a "
		    "name has a control character or a blank, or is too long",
		    user, server);
	if ((result = statedir_add(&all->dir, &new, err)) != 0)
		return result;
	new.number = all->dir.last;
	statedir_remove_all(&all->dir, is_replaced, &new);
	return 0;
}
