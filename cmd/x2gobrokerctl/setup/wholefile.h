/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small text files, read and written as a whole.
 */
#ifndef X2GOBROKERCTL_SETUP_WHOLEFILE_H
#define X2GOBROKERCTL_SETUP_WHOLEFILE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SIZE	65	/* SHA-256, in hexadecimal digits */
void	wholefile_digest(const char *text, size_t len,
	    char digest[static DIGEST_SIZE]);

/* The text of the file, which the caller frees, or NULL with errno.  Symbolic
 * links are not followed. */
char	*wholefile_read(const char *path, size_t *len);

/* Create the file, or replace the one whose stat is old.  -1 with errno, and
 * nothing changed. */
int	wholefile_write(const char *path, const char *text, size_t len,
	    const struct stat *old);

/* Does the file contain text? */
bool	wholefile_contains(const char *path, const char *text);

/* Print the lines of text, each behind a "+"; if brief, without comments. */
void	wholefile_show(const char *text, bool brief);

#endif
