/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each, of fields that have a tab between them:
 *
 *	SECONDS SERVER USER FILE LINE
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "autologin/stalekeys.h"
#include "base/statefile.h"
#include "base/parse.h"

#define LOCK_MS		2000
#define LEASES_MAX	10000	/* the oldest ones are forgotten then */
#define SECONDS_MAX	12	/* digits */
#define RETRY_SECONDS	60	/* longer than most requests take */
/* So few that nobody waits for them when a class has logged in before, and more
 * than one, so that they come to an end. */
#define TAKE_MAX	5

void
stalekey_free(struct stalekey *lease)
{
	free(lease->server);
	free(lease->user);
	free(lease->file);
	free(lease->line);
}

void
stalekeys_free(struct stalekeys *leases)
{
	size_t i;

	for (i = 0; i < leases->n; i++)
		stalekey_free(&leases->list[i]);
	free(leases->list);
	*leases = (struct stalekeys){ 0 };
}

int
stalekeys_add(struct stalekeys *leases, const struct stalekey *lease,
    struct x2gobroker_error *err)
{
	struct stalekey *more = reallocarray(leases->list, leases->n + 1,
	    sizeof(*more));
	struct stalekey copy = { .expires = lease->expires };

	if (more == NULL)
		return error_nomem(err);
	leases->list = more;
	copy.server = strdup(lease->server);
	copy.user = strdup(lease->user);
	copy.file = strdup(lease->file);
	copy.line = strdup(lease->line);
	if (copy.server == NULL || copy.user == NULL || copy.file == NULL ||
	    copy.line == NULL) {
		stalekey_free(&copy);
		return error_nomem(err);
	}
	more[leases->n++] = copy;
	return 0;
}

/* What is no line of ours is left out: the file is ours alone. */
static bool
parse_line(char *line, struct stalekey *lease)
{
	const char *seconds = strsep(&line, "\t");
	size_t len = strlen(seconds);

	lease->server = strsep(&line, "\t");
	lease->user = strsep(&line, "\t");
	lease->file = strsep(&line, "\t");
	lease->line = line;
	if (line == NULL || len == 0 || len > SECONDS_MAX ||
	    strspn(seconds, "0123456789") != len)
		return false;
	lease->expires = strtoll(seconds, NULL, 10);
	return true;
}

static int
read_leases(const struct statefile *file, struct stalekeys *leases,
    struct x2gobroker_error *err)
{
	char *rest = file->text, *line;
	struct stalekey lease;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse_line(line, &lease) &&
		    stalekeys_add(leases, &lease, err) == -1)
			return -1;
	return 0;
}

static int
write_leases(struct statefile *file, const struct stalekeys *leases,
    struct x2gobroker_error *err)
{
	size_t i = leases->n > LEASES_MAX ? leases->n - LEASES_MAX : 0;
	cleanup_buf struct buf text = { 0 };
	const struct stalekey *lease;

	for (; i < leases->n; i++) {
		lease = &leases->list[i];
		buf_printf(&text, "%lld\t%s\t%s\t%s\t%s\n",
		    (long long)lease->expires, lease->server, lease->user,
		    lease->file, lease->line);
	}
	return statefile_replace(file, &text, err);
}

/* Copy some of those that have expired on server to taken. */
static int
pick(struct stalekeys *all, const char *server, int64_t now, struct stalekeys *taken,
    struct x2gobroker_error *err)
{
	struct stalekey *lease;
	size_t i;

	for (i = 0; i < all->n && taken->n < TAKE_MAX; i++) {
		lease = &all->list[i];
		if (lease->expires >= now ||
		    !parse_same_word(lease->server, server))
			continue;
		if (stalekeys_add(taken, lease, err) == -1)
			return -1;
		lease->expires = now + RETRY_SECONDS;
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
	if (statefile_open(&file, dir, STALEKEYS_FILE, LOCK_MS, err) == -1)
		return -1;
	if ((result = read_leases(&file, &all, err)) == 0)
		result = pick(&all, server, now, taken, err);
	if (result == 0 && taken->n > 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	stalekeys_free(&all);
	if (result == -1)
		stalekeys_free(taken);
	return result;
}

/* When it expires is no part of what it is. */
static bool
is_same(const struct stalekey *a, const struct stalekey *b)
{
	return parse_same_word(a->server, b->server) &&
	    strcmp(a->user, b->user) == 0 && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->line, b->line) == 0;
}

static void
drop(struct stalekeys *all, const struct stalekey *done)
{
	size_t i, kept = 0;

	for (i = 0; i < all->n; i++)
		if (is_same(&all->list[i], done))
			stalekey_free(&all->list[i]);
		else
			all->list[kept++] = all->list[i];
	all->n = kept;
}

int
stalekeys_settle(const char *dir, const struct stalekeys *done,
    const struct stalekey *new, struct x2gobroker_error *err)
{
	struct stalekeys all = { 0 };
	struct statefile file;
	size_t i;
	int result;

	if (done->n == 0 && new == NULL)
		return 0;
	if (statefile_open(&file, dir, STALEKEYS_FILE, LOCK_MS, err) == -1)
		return -1;
	result = read_leases(&file, &all, err);
	for (i = 0; i < done->n && result == 0; i++)
		drop(&all, &done->list[i]);
	if (result == 0 && new != NULL)
		result = stalekeys_add(&all, new, err);
	if (result == 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	stalekeys_free(&all);
	return result;
}
