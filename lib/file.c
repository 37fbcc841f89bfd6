/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that decide who gets in must come from those who may decide it.  What
 * is checked is the open file, then the directories that lead to it.
 */
#include <sys/stat.h>
#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"

#define READ_SIZE	65536	/* most files are read in one go */

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

/* Check the directories that lead to real, which realpath(3) has made, and with
 * self, real itself. */
static int
check_path(char *real, bool self, struct x2gobroker_error *err)
{
	struct stat st;
	char *slash;

	for (;; self = true) {
		if (self) {
			if (stat(real, &st) == -1)
				return error_errno(err, real,
				    "cannot be looked up");
			if (!S_ISDIR(st.st_mode))
				return error_set(err, X2GOBROKER_ERR_UNSAFE,
				    real, 0, "not a directory");
			if (check_owner_and_mode(&st, real, true, err) == -1)
				return -1;
		}
		if (strcmp(real, "/") == 0)
			return 0;
		slash = strrchr(real, '/');
		slash[slash == real ? 1 : 0] = '\0';
	}
}

static int
look_up_and_check(const char *path, bool self, struct x2gobroker_error *err)
{
	cleanup_free char *real = realpath(path, NULL);

	if (real == NULL)
		return not_found_or(err, path, "cannot be looked up");
	return check_path(real, self, err);
}

int
file_check_dir(const char *path, struct x2gobroker_error *err)
{
	return look_up_and_check(path, true, err);
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
	if (st.st_size > FILE_SIZE_MAX)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, path, 0,
		    "larger than %d MiB: this is no configuration file",
		    FILE_SIZE_MAX / 1024 / 1024);
	return 0;
}

static FILE *
open_checked(const char *path, bool parent_is_checked,
    struct x2gobroker_error *err)
{
	/* without O_NONBLOCK a FIFO would hold the request for ever */
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	cleanup_fd int fd = -1;
	FILE *fp;

	if (strlen(path) >= X2GOBROKER_FILE_SIZE) {
		error_set(err, X2GOBROKER_ERR_SYSTEM, path, 0,
		    "the path is too long");
		return NULL;
	}
	fd = open(path, parent_is_checked ? flags | O_NOFOLLOW : flags);
	if (fd == -1 && errno == ELOOP && parent_is_checked)
		return open_checked(path, false, err);	/* leads elsewhere */
	if (fd == -1) {
		not_found_or(err, path, "cannot be opened");
		return NULL;
	}
	if (check_file(fd, path, err) == -1 ||
	    (!parent_is_checked && look_up_and_check(path, false, err) == -1))
		return NULL;
	if ((fp = fdopen(fd, "r")) == NULL) {
		error_errno(err, path, "cannot be opened");
		return NULL;
	}
	fd = -1;	/* it is fp's now */
	setvbuf(fp, NULL, _IOFBF, READ_SIZE);
	return fp;
}

FILE *
file_open(const char *path, struct x2gobroker_error *err)
{
	return open_checked(path, false, err);
}

FILE *
file_open_entry(const char *path, struct x2gobroker_error *err)
{
	return open_checked(path, true, err);
}
