/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "agent/knownhosts.h"

/* ~/.ssh, with the mode that ssh(1) gives it. */
static int
make_directory(const char *path, struct x2gobroker_error *err)
{
	cleanup_free char *dir = strdup(path);
	char *slash;

	if (dir == NULL)
		return error_nomem(err);
	if ((slash = strrchr(dir, '/')) == NULL || slash == dir)
		return 0;
	*slash = '\0';
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return error_errno(err, dir, "cannot be created");
	return safefile_check_dir(dir, err);
}

/* An editor may have left the last line without its newline. */
static bool
ends_with_newline(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	off_t size = fd != -1 ? lseek(fd, 0, SEEK_END) : 0;
	char last;

	return size <= 0 || pread(fd, &last, 1, size - 1) != 1 || last == '\n';
}

/* One write(2) to a file opened with O_APPEND is not mixed with another. */
int
knownhosts_add(const char *path, const char *line,
    struct x2gobroker_error *err)
{
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	size_t len = strcspn(line, "\n");
	ssize_t n;

	if (make_directory(path, err) == -1)
		return -1;
	if (asprintf(&text, "%s%.*s\n", ends_with_newline(path) ? "" : "\n",
	    (int)len, line) == -1) {
		text = NULL;
		return error_nomem(err);
	}
	len = strlen(text);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (fd == -1)
		return error_errno(err, path, "cannot be written");
	n = write(fd, text, len);
	if (n == (ssize_t)len)
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return error_errno(err, path, "cannot be written");
}
