/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each, of fields that have a tab between them:
 *
 *	SECONDS SERVER USER FILE LINE
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "autologin/leases.h"
#include "base/statefile.h"
#include "base/value.h"

#define LOCK_MS		2000
#define LEASES_MAX	10000	/* the oldest ones are forgotten then */
#define SECONDS_MAX	12	/* digits */
#define RETRY_SECONDS	60	/* longer than most requests take */
/* So few that nobody waits for them when a class has logged in before, and more
 * than one, so that they come to an end. */
#define TAKE_MAX	5

void
lease_free(struct lease *lease)
{
	free(lease->server);
	free(lease->user);
	free(lease->file);
	free(lease->line);
}

void
leases_free(struct leases *leases)
{
	size_t i;

	for (i = 0; i < leases->n; i++)
		lease_free(&leases->list[i]);
	free(leases->list);
	*leases = (struct leases){ 0 };
}

int
leases_add(struct leases *leases, const struct lease *lease,
    struct x2gobroker_error *err)
{
	struct lease *more = reallocarray(leases->list, leases->n + 1,
	    sizeof(*more));
	struct lease copy = { .expires = lease->expires };

	if (more == NULL)
		return error_nomem(err);
	leases->list = more;
	copy.server = strdup(lease->server);
	copy.user = strdup(lease->user);
	copy.file = strdup(lease->file);
	copy.line = strdup(lease->line);
	if (copy.server == NULL || copy.user == NULL || copy.file == NULL ||
	    copy.line == NULL) {
		lease_free(&copy);
		return error_nomem(err);
	}
	more[leases->n++] = copy;
	return 0;
}

/* What is no line of ours is left out: the file is ours alone. */
static bool
parse_line(char *line, struct lease *lease)
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
read_leases(const struct statefile *file, struct leases *leases,
    struct x2gobroker_error *err)
{
	char *rest = file->text, *line;
	struct lease lease;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse_line(line, &lease) &&
		    leases_add(leases, &lease, err) == -1)
			return -1;
	return 0;
}

static int
write_leases(struct statefile *file, const struct leases *leases,
    struct x2gobroker_error *err)
{
	size_t i = leases->n > LEASES_MAX ? leases->n - LEASES_MAX : 0;
	cleanup_buf struct buf text = { 0 };
	const struct lease *lease;

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
pick(struct leases *all, const char *server, int64_t now, struct leases *taken,
    struct x2gobroker_error *err)
{
	struct lease *lease;
	size_t i;

	for (i = 0; i < all->n && taken->n < TAKE_MAX; i++) {
		lease = &all->list[i];
		if (lease->expires >= now ||
		    !value_same_word(lease->server, server))
			continue;
		if (leases_add(taken, lease, err) == -1)
			return -1;
		lease->expires = now + RETRY_SECONDS;
	}
	return 0;
}

int
leases_take(const char *dir, const char *server, int64_t now,
    struct leases *taken, struct x2gobroker_error *err)
{
	struct leases all = { 0 };
	struct statefile file;
	int result;

	*taken = (struct leases){ 0 };
	if (statefile_open(&file, dir, LEASES_FILE, LOCK_MS, err) == -1)
		return -1;
	if ((result = read_leases(&file, &all, err)) == 0)
		result = pick(&all, server, now, taken, err);
	if (result == 0 && taken->n > 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	leases_free(&all);
	if (result == -1)
		leases_free(taken);
	return result;
}

/* When it expires is no part of what it is. */
static bool
is_same(const struct lease *a, const struct lease *b)
{
	return value_same_word(a->server, b->server) &&
	    strcmp(a->user, b->user) == 0 && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->line, b->line) == 0;
}

static void
drop(struct leases *all, const struct lease *done)
{
	size_t i, kept = 0;

	for (i = 0; i < all->n; i++)
		if (is_same(&all->list[i], done))
			lease_free(&all->list[i]);
		else
			all->list[kept++] = all->list[i];
	all->n = kept;
}

int
leases_settle(const char *dir, const struct leases *done,
    const struct lease *new, struct x2gobroker_error *err)
{
	struct leases all = { 0 };
	struct statefile file;
	size_t i;
	int result;

	if (done->n == 0 && new == NULL)
		return 0;
	if (statefile_open(&file, dir, LEASES_FILE, LOCK_MS, err) == -1)
		return -1;
	result = read_leases(&file, &all, err);
	for (i = 0; i < done->n && result == 0; i++)
		drop(&all, &done->list[i]);
	if (result == 0 && new != NULL)
		result = leases_add(&all, new, err);
	if (result == 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	leases_free(&all);
	return result;
}
