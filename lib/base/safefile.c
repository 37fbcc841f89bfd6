/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that decide who gets in must come from those who may decide it.  What
 * is checked is the open file, then the directories that lead to it.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "x2gobroker_admin.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"

#define LOCK_PAUSE_MS	10	/* at most, before a lock is tried again */

static int
not_found_or(struct x2gobroker_error *err, const char *path, const char *what)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, path, 0,
		    "no such file or directory");
	return error_errno(err, path, "%s", what);
}

/* Whether only root and this process's account may write what st describes. */
static int
check_owner_and_mode(const struct stat *st, const char *path, bool sticky_ok,
    struct x2gobroker_error *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not used: it belongs to uid %u; it must be root's "
		    "(chown root)", (unsigned int)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	if (sticky_ok && (st->st_mode & S_ISVTX) != 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
	    "not used: its group or others may write it (chmod go-w)");
}

/* Check dir, which is changed, and all directories above it.  Returns 1 at the
 * first that is a symbolic link, unless those are followed. */
static int
check_path(char *dir, bool follow, struct x2gobroker_error *err)
{
	struct stat st;
	char *slash;

	for (;;) {
		if ((follow ? stat(dir, &st) : lstat(dir, &st)) == -1)
			return not_found_or(err, dir, "cannot be looked up");
		if (S_ISLNK(st.st_mode))
			return 1;
		if (!S_ISDIR(st.st_mode))
			return error_set(err, X2GOBROKER_ERR_UNSAFE, dir, 0,
			    "not a directory");
		if (check_owner_and_mode(&st, dir, true, err) == -1)
			return -1;
		if (strcmp(dir, "/") == 0 ||
		    (slash = strrchr(dir, '/')) == NULL)
			return 0;
		slash[slash == dir ? 1 : 0] = '\0';
	}
}

/* check_path() with a copy of path. */
static int
check_copy(const char *path, bool follow, struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(path);

	return copy != NULL ? check_path(copy, follow, err) : error_nomem(err);
}

/* Check the directory path, the way to it as it is written, and, where a
 * symbolic link leads elsewhere, the way as it is. */
static int
check_way(const char *path, struct x2gobroker_error *err)
{
	cleanup_free char *real = NULL;
	int result = 1;

	/* nearly always there is no link, and one look at each will do */
	if (path[0] == '/')
		result = check_copy(path, false, err);
	if (result != 1)
		return result;
	if ((real = realpath(path, NULL)) == NULL)
		return not_found_or(err, path, "cannot be looked up");
	if (path[0] == '/' && check_copy(path, true, err) == -1)
		return -1;
	return check_path(real, true, err);
}

/* The same for the directory that path is in. */
static int
check_way_to(const char *path, struct x2gobroker_error *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = NULL;

	if (slash == NULL)
		return check_way(".", err);
	if ((dir = strndup(path, slash == path ? 1 :
	    (size_t)(slash - path))) == NULL)
		return error_nomem(err);
	return check_way(dir, err);
}

int
safefile_check_dir(const char *path, struct x2gobroker_error *err)
{
	return check_way(path, err);
}

/* Check the open file fd, which path names. */
static int
check_file(int fd, const char *path, struct x2gobroker_error *err)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return error_errno(err, path, "cannot be looked up");
	if (!S_ISREG(st.st_mode))
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not a regular file");
	if (check_owner_and_mode(&st, path, false, err) == -1)
		return -1;
	if (st.st_size > SAFEFILE_SIZE_MAX)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, path, 0,
		    "larger than %d MiB: this is no configuration file",
		    SAFEFILE_SIZE_MAX / 1024 / 1024);
	return 0;
}

static FILE *
open_checked(const char *path, bool parent_is_checked,
    struct x2gobroker_error *err)
{
	/* without O_NONBLOCK a FIFO would hold the request for ever */
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	cleanup_free char *real = NULL;
	cleanup_fd int fd = -1;
	FILE *fp;

	if (strlen(path) >= X2GOBROKER_FILE_SIZE) {
		error_set(err, X2GOBROKER_ERR_SYSTEM, path, 0,
		    "the path is too long");
		return NULL;
	}
	if (!parent_is_checked && check_way_to(path, err) == -1)
		return NULL;
	fd = open(path, flags | O_NOFOLLOW);
	if (fd == -1 && errno == ELOOP) {
		/* a link, in a directory that is in order: follow it, if what
		 * it leads to is in one, too */
		if ((real = realpath(path, NULL)) == NULL) {
			not_found_or(err, path, "cannot be looked up");
			return NULL;
		}
		if (check_way_to(real, err) == -1)
			return NULL;
		fd = open(real, flags | O_NOFOLLOW);
	}
	if (fd == -1) {
		not_found_or(err, path, "cannot be opened");
		return NULL;
	}
	if (check_file(fd, path, err) == -1)
		return NULL;
	if ((fp = fdopen(fd, "r")) == NULL) {
		error_errno(err, path, "cannot be opened");
		return NULL;
	}
	fd = -1;	/* it is fp's now */
	return fp;
}

FILE *
safefile_open(const char *path, struct x2gobroker_error *err)
{
	return open_checked(path, false, err);
}

FILE *
safefile_open_entry(const char *path, struct x2gobroker_error *err)
{
	return open_checked(path, true, err);
}

int
x2gobroker_path_check(const char *path, struct x2gobroker_error *err)
{
	struct stat st;
	FILE *fp;

	if (stat(path, &st) == -1)
		return not_found_or(err, path, "cannot be looked up");
	if (S_ISDIR(st.st_mode)) {
		if (check_way(path, err) == -1)
			return -1;
		return eaccess(path, R_OK | X_OK) == 0 ? 0 :
		    error_errno(err, path, "cannot be read");
	}
	if ((fp = safefile_open(path, err)) == NULL)
		return -1;
	fclose(fp);
	return 0;
}

/* Each one pauses for a time of its own, so that many who wait do not come back
 * at once. */
int
safefile_lock(int fd, int timeout_ms)
{
	int64_t deadline = clock_ms() + timeout_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    clock_left(deadline) == 0)
			return -1;
		usleep(1000 * (1 + arc4random_uniform(LOCK_PAUSE_MS)));
	}
	return 0;
}

bool
safefile_write(int fd, const char *text, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = write(fd, text + done, len - done);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			done += (size_t)n;
	}
	return true;
}

ssize_t
safefile_read(int fd, char *text, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, text + done, size - done);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	return (ssize_t)done;
}

int
safefile_replace(const struct safefile_new *new, const struct buf *text,
    const char *path, struct x2gobroker_error *err)
{
	cleanup_fd int fd = -1;

	if (text->failed)
		return error_nomem(err);
	/* of somebody who did not finish */
	unlinkat(new->dirfd, new->temporary, 0);
	fd = openat(new->dirfd, new->temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1 && fchmod(fd, new->mode) == 0 && safefile_write(fd,
	    text->data, text->len) &&
	    (!new->sync || fsync(fd) == 0) && renameat(new->dirfd,
	    new->temporary, new->dirfd, new->name) == 0 &&
	    (!new->sync || fsync(new->dirfd) == 0))
		return 0;
	error_errno(err, path, "cannot be written");
	unlinkat(new->dirfd, new->temporary, 0);
	return -1;
}
