/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include "agent/connection.h"
#include "base/cleanup.h"
#include "base/safefile.h"

/* One write(2) to a file opened with O_APPEND is not mixed with another. */
int
knownhosts_add(const char *path, const char *line,
    struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(path), *text = NULL;
	cleanup_fd int dir = -1, fd = -1;
	char last = '\n';
	off_t size;
	ssize_t n;

	if (copy == NULL)
		return error_nomem(err);
	/* ~/.ssh, with the mode that ssh(1) gives it */
	if ((dir = safefile_open_dir(dirname(copy), 0700, err)) == -1)
		return -1;
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (fd == -1)
		return error_errno(err, path, "cannot be written");
	/* an editor may have left the last line without its newline */
	size = lseek(fd, 0, SEEK_END);
	if (size > 0 && pread(fd, &last, 1, size - 1) == -1)
		return error_errno(err, path, "cannot be read");
	if (asprintf(&text, "%s%.*s\n", last != '\n' ? "\n" : "",
	    (int)strcspn(line, "\n"), line) == -1) {
		text = NULL;
		return error_nomem(err);
	}
	n = write(fd, text, strlen(text));
	if (n == (ssize_t)strlen(text))
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return error_errno(err, path, "cannot be written");
}
