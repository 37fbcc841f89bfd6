/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "base/statedir.h"

#define NAME_SIZE	24
#define TEXT_SIZE	4096	/* PATH_MAX, of the target of a link */
#define NUMBER_MAX	999999999999999999	/* 18 digits */
#define SECONDS_MAX	999999999999		/* 12 digits */

static int
append(struct staterows *rows, const struct staterow *row,
    struct x2gobroker_error *err)
{
	struct staterow *more = array_grow(rows->list, rows->n, sizeof(*more));

	if (more == NULL)
		return error_nomem(err);
	rows->list = more;
	more[rows->n++] = *row;
	return 0;
}

/* A whole number without a sign, from 0 to max. */
static bool
parse_number(const char *text, int64_t max, int64_t *out)
{
	const char *error;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtonum(text, 0, max, &error);
	return error == NULL;
}

static bool
parse_row(char *line, const struct statedir_type *type, struct staterow *row)
{
	const char *number = strsep(&line, type->separator);
	size_t i;

	*row = (struct staterow){ 0 };
	for (i = 0; i + 1 < type->nfields; i++)
		row->fields[i] = strsep(&line, type->separator);
	row->fields[i] = line;
	return line != NULL &&
	    parse_number(number, SECONDS_MAX, &row->seconds);
}

/* Read the row of a file, and skip a file that is not a row. */
static int
read_row(struct statedir *all, const char *name, int64_t number,
    struct x2gobroker_error *err)
{
	char text[TEXT_SIZE], *copy;
	ssize_t len = readlinkat(all->fd, name, text, sizeof(text));
	struct staterow row;

	if (len <= 0 || len == sizeof(text))
		return 0;
	copy = arena_strndup(&all->rows.arena, text, (size_t)len);
	if (copy == NULL)
		return error_nomem(err);
	if (!parse_row(copy, all->type, &row))
		return 0;
	row.number = (uint64_t)number;
	return append(&all->rows, &row, err);
}

static int
compare_numbers(const void *a, const void *b)
{
	const struct staterow *ra = a, *rb = b;

	return (ra->number > rb->number) - (ra->number < rb->number);
}

int
statedir_read_more(struct statedir *all, struct x2gobroker_error *err)
{
	DIR *dir = safefile_entries(all->fd, ".");
	uint64_t before = all->last;
	const struct dirent *entry;
	int64_t number;
	int result = 0;

	if (dir == NULL)
		return error_errno(err, all->path, "cannot be listed");
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		if (!parse_number(entry->d_name, NUMBER_MAX, &number) ||
		    (uint64_t)number <= before)
			continue;
		result = read_row(all, entry->d_name, number, err);
		if ((uint64_t)number > all->last)
			all->last = (uint64_t)number;
	}
	closedir(dir);
	if (all->rows.n > 0)
		qsort(all->rows.list, all->rows.n, sizeof(struct staterow),
		    compare_numbers);
	while (all->rows.n > STATEDIR_ROWS)
		statedir_remove(all, 0);
	return result;
}

int
statedir_open_dir(const char *dir, const char *name, char **path,
    struct x2gobroker_error *err)
{
	cleanup_fd int parent = safefile_open_dir(dir, 0700, err);

	*path = NULL;
	if (parent == -1)
		return -1;
	if (asprintf(path, "%s/%s", dir, name) == -1) {
		*path = NULL;
		return error_nomem(err);
	}
	return safefile_open_dir(*path, 0700, err);
}

int
statedir_open(struct statedir *all, const char *dir,
    const struct statedir_type *type, struct x2gobroker_error *err)
{
	*all = (struct statedir){ .type = type };
	all->fd = statedir_open_dir(dir, type->name, &all->path, err);
	if (all->fd != -1 && statedir_read_more(all, err) == 0)
		return 0;
	statedir_close(all);
	return -1;
}

int
statedir_add(struct statedir *all, const struct staterow *row,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	struct staterow numbered = *row;
	char name[NAME_SIZE];
	size_t i;

	buf_printf(&text, "%" PRId64, row->seconds);
	for (i = 0; i < all->type->nfields; i++)
		buf_printf(&text, "%s%s", all->type->separator,
		    row->fields[i]);
	if (text.failed)
		return error_nomem(err);
	numbered.number = all->last + 1;
	snprintf(name, sizeof(name), "%" PRIu64, numbered.number);
	if (staterows_add(&all->rows, &numbered, err) == -1)
		return -1;
	if (symlinkat(text.data, all->fd, name) == 0) {
		all->last++;
		return 0;
	}
	all->rows.n--;
	return errno == EEXIST ? 1 : error_errno(err, all->path,
	    "a file in it cannot be created");
}

int
statedir_put(struct statedir *all, const struct staterow *row,
    bool (*replaces)(const struct staterow *old, const struct staterow *row),
    struct x2gobroker_error *err)
{
	size_t i = 0;
	int result;

	do
		result = statedir_add(all, row, err);
	while (result == 1 && (result = statedir_read_more(all, err)) == 0);
	while (result == 0 && replaces != NULL && i + 1 < all->rows.n)
		if (replaces(&all->rows.list[i], row))
			statedir_remove(all, i);
		else
			i++;
	return result;
}

bool
statedir_remove(struct statedir *all, size_t i)
{
	struct staterow *row = &all->rows.list[i];
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%" PRIu64, row->number);
	all->rows.n--;
	memmove(row, row + 1, (all->rows.n - i) * sizeof(*row));
	return unlinkat(all->fd, name, 0) == 0;
}

void
statedir_remove_all(struct statedir *all, bool (*matches)(
    const struct staterow *row, const struct staterow *key),
    const struct staterow *key)
{
	size_t i = 0;

	while (i < all->rows.n)
		if (matches(&all->rows.list[i], key))
			statedir_remove(all, i);
		else
			i++;
}

void
statedir_close(struct statedir *all)
{
	if (all->fd != -1)
		close(all->fd);
	free(all->path);
	staterows_free(&all->rows);
	*all = (struct statedir){ .fd = -1 };
}

int
staterows_add(struct staterows *rows, const struct staterow *row,
    struct x2gobroker_error *err)
{
	struct staterow copy = *row;
	size_t i;

	for (i = 0; i < STATEDIR_FIELDS && copy.fields[i] != NULL; i++) {
		copy.fields[i] = arena_strndup(&rows->arena, copy.fields[i],
		    strlen(copy.fields[i]));
		if (copy.fields[i] == NULL)
			return error_nomem(err);
	}
	return append(rows, &copy, err);
}

void
staterows_free(struct staterows *rows)
{
	free(rows->list);
	arena_free(&rows->arena);
	*rows = (struct staterows){ 0 };
}
