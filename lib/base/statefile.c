/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file beside it is locked, as this one is replaced.
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

/* Open the directory.  Somebody who could write to it could put a link there in
 * place of the file. */
static int
open_dir(struct statefile *file, struct x2gobroker_error *err)
{
	const char *path = file->path;
	struct stat st;

	if (mkdir(path, 0700) == -1 && errno != EEXIST && errno != ENOENT)
		return error_errno(err, path, "cannot be made");
	if (safefile_check_dir(path, err) == -1)
		return -1;
	file->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->dir == -1 || fstat(file->dir, &st) == -1)
		return error_errno(err, path, "cannot be opened");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not used: its group or others may write it (chmod go-w)");
	return 0;
}

static int
open_lock(struct statefile *file, int timeout_ms, struct x2gobroker_error *err)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s.lock", file->name);
	file->lock = openat(file->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (file->lock == -1)
		return error_errno(err, file->path, "%s in it cannot be opened",
		    name);
	if (safefile_lock(file->lock, timeout_ms) == -1)
		return error_errno(err, file->path, "%s in it cannot be locked",
		    name);
	return 0;
}

/* What is there can be read, or is none of ours and goes with the next one.
 * But what only cannot be read just now must not be replaced. */
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
	cleanup_free char *text = NULL;
	struct stat st;
	ssize_t size, n;

	if (fd == -1 && may_be_replaced(errno))
		return 0;
	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, file->path, "%s in it cannot be opened",
		    file->name);
	if (!S_ISREG(st.st_mode) || st.st_size > SAFEFILE_SIZE_MAX)
		return 0;
	size = (ssize_t)st.st_size;
	if ((text = malloc((size_t)size + 1)) == NULL)
		return error_nomem(err);
	if ((n = safefile_read(fd, text, (size_t)size)) == -1)
		return error_errno(err, file->path, "%s in it cannot be read",
		    file->name);
	/* it is replaced and never written to, so it has not become shorter */
	if (n != size || memchr(text, '\0', (size_t)size) != NULL)
		return 0;
	text[size] = '\0';
	file->text = steal(&text);
	return 0;
}

int
statefile_open(struct statefile *file, const char *path, const char *name,
    int timeout_ms, struct x2gobroker_error *err)
{
	*file = (struct statefile){ .name = name, .dir = -1, .lock = -1 };
	if ((file->path = strdup(path)) == NULL)
		error_nomem(err);
	else if (open_dir(file, err) == 0 &&
	    open_lock(file, timeout_ms, err) == 0 && read_text(file, err) == 0)
		return 0;
	statefile_close(file);
	return -1;
}

int
statefile_replace(struct statefile *file, const struct buf *text,
    struct x2gobroker_error *err)
{
	char temporary[NAME_SIZE];
	const struct safefile_new new = { .dirfd = file->dir, .name = file->name,
	    .temporary = temporary, .mode = 0600 };

	/* whoever has the lock may use it */
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
