/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lock is a separate file, because the state file itself is replaced.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "base/statefile.h"

#define NAME_SIZE	64
#define SECONDS_MAX	999999999999	/* 12 digits */

static int
open_lock(struct statefile *file, int timeout_ms, struct x2gobroker_error *err)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.lock", file->name);
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

static int
read_text(struct statefile *file, struct x2gobroker_error *err)
{
	cleanup_fd int fd = openat(file->dir, file->name, O_RDONLY |
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
	if (len == (size_t)st.st_size && strlen(file->text) == len)
		file->rest = file->text;
	return 0;
}

int
statefile_open(struct statefile *file, const char *dir, const char *name,
    int timeout_ms, struct x2gobroker_error *err)
{
	*file = (struct statefile){ .name = name, .dir = -1, .lock = -1 };
	if (asprintf(&file->path, "%s/%s", dir, name) == -1) {
		file->path = NULL;
		error_nomem(err);
	} else if ((file->dir = safefile_open_dir(dir, 0700, err)) != -1 &&
	    open_lock(file, timeout_ms, err) == 0 && read_text(file, err) == 0)
		return 0;
	statefile_close(file);
	return -1;
}

bool
statefile_next(struct statefile *file, const char *separator,
    int64_t *seconds, const char **fields, size_t n)
{
	const char *number, *error;
	char *line;
	size_t i;

	while ((line = strsep(&file->rest, "\n")) != NULL) {
		number = strsep(&line, separator);
		for (i = 0; i + 1 < n; i++)
			fields[i] = strsep(&line, separator);
		fields[i] = line;
		if (line == NULL || *number < '0' || *number > '9')
			continue;
		*seconds = strtonum(number, 0, SECONDS_MAX, &error);
		if (error == NULL)
			return true;
	}
	return false;
}

int
statefile_replace(struct statefile *file, const struct buf *text,
    struct x2gobroker_error *err)
{
	char temporary[NAME_SIZE];
	const struct safefile_new new = { .dirfd = file->dir,
	    .name = file->name, .temporary = temporary, .mode = 0600 };

	snprintf(temporary, sizeof(temporary), "%s.new", file->name);
	return safefile_replace(&new, text, file->path, err);
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
	*file = (struct statefile){ .dir = -1, .lock = -1 };
}
