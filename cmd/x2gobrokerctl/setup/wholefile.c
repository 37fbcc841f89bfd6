/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "wholefile.h"

#define FILE_MAX	(1024 * 1024)	/* setup writes less */
#define FILE_MODE	0644

void
wholefile_digest(const char *text, size_t len, char digest[static DIGEST_SIZE])
{
	SHA256Data((const uint8_t *)text, len, digest);
}

char *
wholefile_read(const char *path, size_t *len)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX))
		errno = EFBIG;
	else if ((text = malloc(FILE_MAX + 1)) != NULL)
		n = safefile_read(fd, text, FILE_MAX);
	if (n == -1) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*len = (size_t)n;
	return text;
}

/* A file that somebody else created in the meantime is not replaced. */
int
wholefile_write(const char *path, const char *text, size_t len,
    const struct stat *old)
{
	char temporary[PATH_MAX];
	bool good;
	int fd, save;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(temporary);	/* left by an interrupted setup */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	good = safefile_write(fd, text, len) &&
	    (old == NULL || fchown(fd, old->st_uid, old->st_gid) == 0) &&
	    fchmod(fd, old != NULL ? old->st_mode & 07777 : FILE_MODE) == 0 &&
	    fsync(fd) == 0 && renameat2(AT_FDCWD, temporary, AT_FDCWD, path,
	    old != NULL ? 0 : RENAME_NOREPLACE) == 0;
	save = errno;
	close(fd);
	if (!good)
		unlink(temporary);
	errno = save;
	return good ? 0 : -1;
}

bool
wholefile_contains(const char *path, const char *text)
{
	size_t len;
	cleanup_free char *whole = wholefile_read(path, &len);

	return whole != NULL && strstr(whole, text) != NULL;
}

void
wholefile_show(const char *text, bool brief)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (!brief || (len > 0 && text[0] != '#'))
			printf("      + %.*s\n", (int)len, text);
	}
}
