/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each, of fields that have a tab between them:
 *
 *	SECONDS SERVER USER FILE LINE
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "leases.h"
#include "statefile.h"
#include "value.h"

#define LOCK_MS		2000
#define LEASES_MAX	10000	/* the oldest ones are forgotten then */
#define SECONDS_MAX	12	/* digits */

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

/* Move those that have expired on server from all to taken. */
static void
sort_out(struct leases *all, const char *server, int64_t now,
    struct leases *taken)
{
	size_t i, kept = 0;

	for (i = 0; i < all->n; i++)
		if (all->list[i].expires < now &&
		    value_same_word(all->list[i].server, server))
			taken->list[taken->n++] = all->list[i];
		else
			all->list[kept++] = all->list[i];
	all->n = kept;
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
	if ((result = read_leases(&file, &all, err)) == 0) {
		taken->list = calloc(all.n + 1, sizeof(*taken->list));
		if (taken->list == NULL)
			result = error_nomem(err);
		else
			sort_out(&all, server, now, taken);
	}
	if (taken->n > 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	leases_free(&all);
	if (result == -1)
		leases_free(taken);
	return result;
}

int
leases_give(const char *dir, const struct leases *given,
    struct x2gobroker_error *err)
{
	struct leases all = { 0 };
	struct statefile file;
	size_t i;
	int result;

	if (given->n == 0)
		return 0;
	if (statefile_open(&file, dir, LEASES_FILE, LOCK_MS, err) == -1)
		return -1;
	result = read_leases(&file, &all, err);
	for (i = 0; i < given->n && result == 0; i++)
		result = leases_add(&all, &given->list[i], err);
	if (result == 0)
		result = write_leases(&file, &all, err);
	statefile_close(&file);
	leases_free(&all);
	return result;
}
