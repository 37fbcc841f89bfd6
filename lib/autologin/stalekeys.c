/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each, with a tab between two fields:
 *
 *	SECONDS SERVER USER FILE LINE
 */
#include <stdlib.h>
#include <string.h>

#include "autologin/stalekeys.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/statefile.h"

#define LOCK_MS		2000
#define KEYS_MAX	10000	/* then the oldest are forgotten */
#define RETRY_SECONDS	60	/* longer than most requests take */
/* Few, so that a login does not wait for them when many have expired; more than
 * one, so that their number shrinks. */
#define TAKE_MAX	5

void
stalekeys_free(struct stalekeys *keys)
{
	free(keys->list);
	arena_free(&keys->arena);
	*keys = (struct stalekeys){ 0 };
}

/* Add key, whose texts must outlive the list. */
static int
append(struct stalekeys *keys, const struct stalekey *key,
    struct x2gobroker_error *err)
{
	struct stalekey *more = reallocarray(keys->list, keys->n + 1,
	    sizeof(*more));

	if (more == NULL)
		return error_nomem(err);
	keys->list = more;
	more[keys->n++] = *key;
	return 0;
}

int
stalekeys_add(struct stalekeys *keys, const struct stalekey *key,
    struct x2gobroker_error *err)
{
	struct stalekey copy = *key;
	const char **texts[] = { &copy.server, &copy.user, &copy.file,
	    &copy.line };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i] = arena_strndup(&keys->arena, *texts[i],
		    strlen(*texts[i]));
		if (*texts[i] == NULL)
			return error_nomem(err);
	}
	return append(keys, &copy, err);
}

/* Open the file and read all keys, whose texts are in file. */
static int
open_file(struct statefile *file, const char *dir, struct stalekeys *all,
    struct x2gobroker_error *err)
{
	struct stalekey key;
	const char *fields[4];

	if (statefile_open(file, dir, STALEKEYS_FILE, LOCK_MS, err) == -1)
		return -1;
	while (statefile_next(file, "\t", &key.expires, fields, 4)) {
		key.server = fields[0];
		key.user = fields[1];
		key.file = fields[2];
		key.line = fields[3];
		if (append(all, &key, err) == -1)
			return -1;
	}
	return 0;
}

static int
write_file(struct statefile *file, const struct stalekeys *all,
    struct x2gobroker_error *err)
{
	size_t i = all->n > KEYS_MAX ? all->n - KEYS_MAX : 0;
	cleanup_buf struct buf text = { 0 };
	const struct stalekey *key;

	for (; i < all->n; i++) {
		key = &all->list[i];
		buf_printf(&text, "%lld\t%s\t%s\t%s\t%s\n",
		    (long long)key->expires, key->server, key->user,
		    key->file, key->line);
	}
	return statefile_replace(file, &text, err);
}

/* Copy some keys that have expired on server to taken. */
static int
take(struct stalekeys *all, const char *server, int64_t now,
    struct stalekeys *taken, struct x2gobroker_error *err)
{
	struct stalekey *key;
	size_t i;

	for (i = 0; i < all->n && taken->n < TAKE_MAX; i++) {
		key = &all->list[i];
		if (key->expires >= now ||
		    !parse_same_word(key->server, server))
			continue;
		if (stalekeys_add(taken, key, err) == -1)
			return -1;
		key->expires = now + RETRY_SECONDS;
	}
	return 0;
}

int
stalekeys_take(const char *dir, const char *server, int64_t now,
    struct stalekeys *taken, struct x2gobroker_error *err)
{
	struct stalekeys all = { 0 };
	struct statefile file;
	int result;

	*taken = (struct stalekeys){ 0 };
	if ((result = open_file(&file, dir, &all, err)) == 0)
		result = take(&all, server, now, taken, err);
	if (result == 0 && taken->n > 0)
		result = write_file(&file, &all, err);
	statefile_close(&file);
	stalekeys_free(&all);
	if (result == -1)
		stalekeys_free(taken);
	return result;
}

/* Whether it is the same line, whenever it expires. */
static bool
is_same(const struct stalekey *a, const struct stalekey *b)
{
	return parse_same_word(a->server, b->server) &&
	    strcmp(a->user, b->user) == 0 && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->line, b->line) == 0;
}

static void
drop(struct stalekeys *all, const struct stalekey *removed)
{
	size_t i, kept = 0;

	for (i = 0; i < all->n; i++)
		if (!is_same(&all->list[i], removed))
			all->list[kept++] = all->list[i];
	all->n = kept;
}

int
stalekeys_update(const char *dir, const struct stalekeys *removed,
    const struct stalekey *new, struct x2gobroker_error *err)
{
	struct stalekeys all = { 0 };
	struct statefile file;
	size_t i;
	int result;

	if (removed->n == 0 && new == NULL)
		return 0;
	result = open_file(&file, dir, &all, err);
	for (i = 0; i < removed->n && result == 0; i++)
		drop(&all, &removed->list[i]);
	if (result == 0 && new != NULL)
		result = append(&all, new, err);
	if (result == 0)
		result = write_file(&file, &all, err);
	statefile_close(&file);
	stalekeys_free(&all);
	return result;
}
