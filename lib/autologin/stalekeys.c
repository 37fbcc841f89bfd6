/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each, with a tab between two fields:
 *
 *	SECONDS SERVER USER FILE LINE
 */
#include <string.h>

#include "autologin/autologin.h"
#include "base/parse.h"

#define LOCK_MS		2000
#define RETRY_SECONDS	60	/* longer than most requests take */
/* Few, so that a login does not wait for them when many have expired; more than
 * one, so that their number shrinks. */
#define TAKE_MAX	5

static const struct statefile_type type = { STALEKEYS_FILE, "\t", STALE_FIELDS };

int
stalekeys_take(const char *dir, const char *server, int64_t now,
    struct staterows *taken, struct x2gobroker_error *err)
{
	struct statefile file;
	struct staterow *key;
	size_t i;
	int result = statefile_open(&file, dir, &type, LOCK_MS, err);

	*taken = (struct staterows){ 0 };
	for (i = 0; result == 0 && i < file.rows.n && taken->n < TAKE_MAX;
	    i++) {
		key = &file.rows.list[i];
		if (key->seconds >= now ||
		    !parse_same_word(key->fields[STALE_SERVER], server))
			continue;
		result = staterows_add(taken, key, err);
		key->seconds = now + RETRY_SECONDS;
	}
	if (result == 0 && taken->n > 0)
		result = statefile_save(&file, err);
	statefile_close(&file);
	if (result == -1)
		staterows_free(taken);
	return result;
}

/* Whether it is the same line, whenever it expires. */
static bool
is_same(const struct staterow *a, const struct staterow *b)
{
	int i;

	for (i = STALE_USER; i < STALE_FIELDS; i++)
		if (strcmp(a->fields[i], b->fields[i]) != 0)
			return false;
	return parse_same_word(a->fields[STALE_SERVER],
	    b->fields[STALE_SERVER]);
}

int
stalekeys_update(const char *dir, const struct staterows *removed,
    const struct staterow *new, struct x2gobroker_error *err)
{
	struct statefile file;
	size_t i;
	int result;

	if (removed->n == 0 && new == NULL)
		return 0;
	if (statefile_open(&file, dir, &type, LOCK_MS, err) == -1)
		return -1;
	for (i = 0; i < removed->n; i++)
		staterows_remove(&file.rows, is_same, &removed->list[i]);
	result = new != NULL ? staterows_add(&file.rows, new, err) : 0;
	if (result == 0)
		result = statefile_save(&file, err);
	statefile_close(&file);
	return result;
}
