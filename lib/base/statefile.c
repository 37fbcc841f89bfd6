/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock is a separate file, because the state file itself is replaced. */
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "base/statefile.h"

#define NAME_SIZE	64
#define SECONDS_MAX	999999999999	/* 12 digits */

static int
open_lock(struct statefile *file, int timeout_ms, struct x2gobroker_error *err)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.lock", file->type->name);
	file->lock = openat(file->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (file->lock == -1 || safefile_lock(file->lock, timeout_ms) == -1)
		return error_errno(err, file->path, "cannot be locked");
	return 0;
}

/* A file that we would not have written is replaced as if it were empty; one
 * that cannot be read at the moment must not be. */
static bool
may_be_replaced(int error)
{
	return error == ENOENT || error == ELOOP || error == ENXIO ||
	    error == EACCES;
}

static bool
parse_row(char *line, const struct statefile_type *type, struct staterow *row)
{
	const char *number = strsep(&line, type->separator), *error;
	size_t i;

	*row = (struct staterow){ 0 };
	for (i = 0; i + 1 < type->nfields; i++)
		row->fields[i] = strsep(&line, type->separator);
	row->fields[i] = line;
	if (line == NULL || *number < '0' || *number > '9')
		return false;
	row->seconds = strtonum(number, 0, SECONDS_MAX, &error);
	return error == NULL;
}

/* Add row, whose texts must outlive rows. */
static int
append(struct staterows *rows, const struct staterow *row,
    struct x2gobroker_error *err)
{
	struct staterow *more = reallocarray(rows->list, rows->n + 1,
	    sizeof(*more));

	if (more == NULL)
		return error_nomem(err);
	rows->list = more;
	more[rows->n++] = *row;
	return 0;
}

/* We never write a file with more than STATEFILE_ROWS lines. */
static int
parse_rows(struct statefile *file, struct x2gobroker_error *err)
{
	char *line, *rest = file->text;
	struct staterow row;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (parse_row(line, file->type, &row) &&
		    append(&file->rows, &row, err) == -1)
			return -1;
	if (file->rows.n > STATEFILE_ROWS)
		file->rows.n = 0;
	return 0;
}

static int
read_text(struct statefile *file, struct x2gobroker_error *err)
{
	cleanup_fd int fd = openat(file->dir, file->type->name, O_RDONLY |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t len;

	if (fd == -1 && may_be_replaced(errno))
		return 0;
	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, file->path, "cannot be opened");
	if (!S_ISREG(st.st_mode) || st.st_size > SAFEFILE_SIZE_MAX)
		return 0;
	len = (size_t)st.st_size;
	file->text = safefile_read_text(fd, file->path, &len, err);
	if (file->text == NULL)
		return -1;
	return len == (size_t)st.st_size && strlen(file->text) == len ?
	    parse_rows(file, err) : 0;
}

int
statefile_open(struct statefile *file, const char *dir,
    const struct statefile_type *type, int timeout_ms,
    struct x2gobroker_error *err)
{
	*file = (struct statefile){ .type = type, .dir = -1, .lock = -1 };
	if (asprintf(&file->path, "%s/%s", dir, type->name) == -1) {
		file->path = NULL;
		error_nomem(err);
	} else if ((file->dir = safefile_open_dir(dir, 0700, err)) != -1 &&
	    open_lock(file, timeout_ms, err) == 0 && read_text(file, err) == 0)
		return 0;
	statefile_close(file);
	return -1;
}

int
statefile_save(struct statefile *file, struct x2gobroker_error *err)
{
	const struct statefile_type *type = file->type;
	const struct staterows *rows = &file->rows;
	cleanup_buf struct buf text = { 0 };
	char temporary[NAME_SIZE];
	const struct safefile_new new = { .dirfd = file->dir,
	    .name = type->name, .temporary = temporary, .mode = 0600 };
	size_t i, j;

	i = rows->n > STATEFILE_ROWS ? rows->n - STATEFILE_ROWS : 0;
	for (; i < rows->n; i++) {
		buf_printf(&text, "%lld", (long long)rows->list[i].seconds);
		for (j = 0; j < type->nfields; j++)
			buf_printf(&text, "%s%s", type->separator,
			    rows->list[i].fields[j]);
		buf_putc(&text, '\n');
	}
	snprintf(temporary, sizeof(temporary), "%s.new", type->name);
	return safefile_replace(&new, &text, file->path, err);
}

void
statefile_close(struct statefile *file)
{
	if (file->lock != -1)
		close(file->lock);	/* and so unlocks it */
	if (file->dir != -1)
		close(file->dir);
	free(file->text);
	free(file->path);
	staterows_free(&file->rows);
	*file = (struct statefile){ .dir = -1, .lock = -1 };
}

int
staterows_add(struct staterows *rows, const struct staterow *row,
    struct x2gobroker_error *err)
{
	struct staterow copy = *row;
	size_t i;

	for (i = 0; i < STATEFILE_FIELDS && copy.fields[i] != NULL; i++) {
		copy.fields[i] = arena_strndup(&rows->arena, copy.fields[i],
		    strlen(copy.fields[i]));
		if (copy.fields[i] == NULL)
			return error_nomem(err);
	}
	return append(rows, &copy, err);
}

bool
staterows_remove(struct staterows *rows, bool (*matches)(
    const struct staterow *row, const struct staterow *key),
    const struct staterow *key)
{
	size_t i, kept = 0, n = rows->n;

	for (i = 0; i < n; i++)
		if (!matches(&rows->list[i], key))
			rows->list[kept++] = rows->list[i];
	rows->n = kept;
	return kept != n;
}

void
staterows_free(struct staterows *rows)
{
	free(rows->list);
	arena_free(&rows->arena);
	*rows = (struct staterows){ 0 };
}
