/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of lines that an administrator writes, by x2gobrokerctl or with an
 * editor: read as a whole, and changed by one process at a time, which locks
 * the directory and replaces the file.
 */
#ifndef BASE_TEXTFILE_H
#define BASE_TEXTFILE_H

#include <stdbool.h>

#include "base/safefile.h"

struct textfile {
	const char *path;	/* borrowed */
	char *line;		/* the current line without its '\n' */
	unsigned int number;	/* of the current line, from 1 */
	char *text, *rest;
};

#define cleanup_textfile	__attribute__((cleanup(textfile_close)))

/* Read the file that open_file opens; one that does not exist has no lines.  In
 * either case close it later.  NUL bytes become \1, which no parser accepts, so
 * they do not hide what follows them. */
int	textfile_read(struct textfile *file, const char *path,
	    safefile_opener *open_file, struct x2gobroker_error *err);

/* Go to the next line, which may be modified.  False at the end. */
bool	textfile_next(struct textfile *file);
void	textfile_close(struct textfile *file);

/* A locked directory, whose files may be changed. */
struct textlock {
	int dir;
	int lock;
};

#define TEXTLOCK_NONE	{ -1, -1 }
#define cleanup_textlock	__attribute__((cleanup(textfile_unlock)))

/* Lock the directory of the file path for those who change its files; create
 * it, readable by all, if create says so.  Returns 0, or -1 with err filled in:
 * ERR_NOTFOUND if there is no such directory. */
int	textfile_lock(struct textlock *lock, const char *path, bool create,
	    struct x2gobroker_error *err);
void	textfile_unlock(struct textlock *lock);

/* Replace the file path in the locked directory, readable by all. */
int	textfile_replace(const struct textlock *lock, const char *path,
	    const struct buf *text, struct x2gobroker_error *err);

#endif
