/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that decides who gets in must have been written by those who may
 * decide that.  The file is checked after it is opened, so it cannot be
 * exchanged in between.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include "x2gobroker_admin.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"

#define LOCK_PAUSE_MS	10	/* the longest pause between two attempts */

static int
not_found_or(struct x2gobroker_error *err, const char *path, const char *what)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, path, 0,
		    "no such file or directory");
	return error_errno(err, path, "%s", what);
}

/* Check that only root and this process's account can write what st
 * describes. */
static int
check_owner_and_mode(const struct stat *st, const char *path, bool sticky_ok,
    struct x2gobroker_error *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not used: it belongs to uid %u and must belong to root "
		    "(chown root)", (unsigned int)st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	if (sticky_ok && (st->st_mode & S_ISVTX) != 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
	    "not used: its group or others may write it (chmod go-w)");
}

/* Check dir and all directories above it; dir is modified.  Returns 1 at the
 * first symbolic link, unless follow is set. */
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

/* Check the directories of path as it is written and, if there is a symbolic
 * link in it, those of the path that it leads to. */
int
safefile_check_dir(const char *path, struct x2gobroker_error *err)
{
	cleanup_free char *real = NULL;
	int result = 1;

	/* nearly always there is no link, and one pass is enough */
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

/* Check the directory that contains path. */
static int
check_parent(const char *path, struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(path);

	return copy != NULL ? safefile_check_dir(dirname(copy), err) :
	    error_nomem(err);
}

int
safefile_open_dir(const char *path, mode_t create,
    struct x2gobroker_error *err)
{
	bool is_new = create != 0 && mkdir(path, create) == 0;
	cleanup_fd int fd = -1;
	struct stat st;
	int result;

	if (create != 0 && !is_new && errno != EEXIST && errno != ENOENT)
		return error_errno(err, path, "cannot be created");
	if (safefile_check_dir(path, err) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, path, "cannot be opened");
	if (check_owner_and_mode(&st, path, false, err) == -1)
		return -1;
	/* whatever the umask is */
	if (is_new && fchmod(fd, create) == -1)
		return error_errno(err, path, "its mode cannot be set");
	result = fd;
	fd = -1;
	return result;
}

/* Check the open file fd, whose name is path. */
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
		    "larger than %d MiB; a configuration file is smaller",
		    SAFEFILE_SIZE_MAX / 1024 / 1024);
	return 0;
}

static FILE *
open_checked(const char *path, bool parent_is_checked,
    struct x2gobroker_error *err)
{
	/* without O_NONBLOCK a FIFO would block for ever */
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	cleanup_free char *real = NULL;
	cleanup_fd int fd = -1;
	FILE *fp;

	if (strlen(path) >= X2GOBROKER_FILE_SIZE)
		return error_null(error_set(err, X2GOBROKER_ERR_SYSTEM, path, 0,
		    "the path is too long"));
	if (!parent_is_checked && check_parent(path, err) == -1)
		return NULL;
	fd = open(path, flags | O_NOFOLLOW);
	if (fd == -1 && errno == ELOOP) {
		/* a link in a safe directory: follow it if its target is in a
		 * safe directory as well */
		if ((real = realpath(path, NULL)) == NULL)
			return error_null(not_found_or(err, path,
			    "cannot be looked up"));
		if (check_parent(real, err) == -1)
			return NULL;
		fd = open(real, flags | O_NOFOLLOW);
	}
	if (fd == -1)
		return error_null(not_found_or(err, path, "cannot be opened"));
	if (check_file(fd, path, err) == -1)
		return NULL;
	if ((fp = fdopen(fd, "r")) == NULL)
		return error_null(error_errno(err, path, "cannot be opened"));
	fd = -1;	/* it belongs to fp */
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
		if (safefile_check_dir(path, err) == -1)
			return -1;
		return eaccess(path, R_OK | X_OK) == 0 ? 0 :
		    error_errno(err, path, "cannot be read");
	}
	if ((fp = safefile_open(path, err)) == NULL)
		return -1;
	fclose(fp);
	return 0;
}

/* A lock file that root makes belongs to the owner of the directory, who has to
 * open it, too. */
static int
open_lock(int dirfd)
{
	cleanup_fd int fd = openat(dirfd, SAFEFILE_LOCK, O_RDWR | O_CREAT |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st, dir;
	int result;

	if (fd == -1 || fstat(fd, &st) == -1 || fstat(dirfd, &dir) == -1)
		return -1;
	errno = EPERM;
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != dir.st_uid))
		return -1;
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0 && fchmod(fd, 0600) == -1)
		return -1;
	if (st.st_uid != dir.st_uid && geteuid() == 0 &&
	    fchown(fd, dir.st_uid, dir.st_gid) == -1)
		return -1;
	result = fd;
	fd = -1;
	return result;
}

DIR *
safefile_entries(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	DIR *list = fd != -1 ? fdopendir(fd) : NULL;

	if (list == NULL && fd != -1)
		close(fd);
	return list;
}

/* The pauses are random, so that many processes that wait do not try at the
 * same moment. */
int
safefile_lock(int dirfd, const char *path, int timeout_ms,
    struct x2gobroker_error *err)
{
	int64_t deadline = clock_ms() + timeout_ms;
	int fd = open_lock(dirfd);

	while (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    clock_left(deadline) == 0) {
			error_errno(err, path, "cannot be locked (lslocks "
			    "shows the process that holds the lock of its "
			    SAFEFILE_LOCK ")");
			close(fd);
			return -1;
		}
		usleep(1000 * (1 + arc4random_uniform(LOCK_PAUSE_MS)));
	}
	return fd != -1 ? fd : error_errno(err, path, "its file " SAFEFILE_LOCK
	    " cannot be used as a lock");
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

char *
safefile_read_text(int fd, const char *path, size_t *len,
    struct x2gobroker_error *err)
{
	cleanup_free char *text = malloc(*len + 1);
	ssize_t n;

	if (text == NULL)
		return error_null(error_nomem(err));
	if ((n = safefile_read(fd, text, *len)) == -1)
		return error_null(error_errno(err, path, "cannot be read"));
	text[n] = '\0';
	*len = (size_t)n;
	return steal(&text);
}

int
safefile_replace(const struct safefile_new *new, const struct buf *text,
    const char *path, struct x2gobroker_error *err)
{
	const struct timespec time = { .tv_sec = new->modified };
	cleanup_fd int fd = -1;

	if (text->failed)
		return error_nomem(err);
	/* left by a process that did not finish */
	unlinkat(new->dirfd, new->temporary, 0);
	fd = openat(new->dirfd, new->temporary, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1 && fchmod(fd, new->mode) == 0 && safefile_write(fd,
	    text->data, text->len) && (new->modified == 0 ||
	    futimens(fd, (const struct timespec[]){ time, time }) == 0) &&
	    (!new->sync || fsync(fd) == 0) && renameat(new->dirfd,
	    new->temporary, new->dirfd, new->name) == 0 &&
	    (!new->sync || fsync(new->dirfd) == 0))
		return 0;
	error_errno(err, path, "cannot be written");
	unlinkat(new->dirfd, new->temporary, 0);
	return -1;
}
