/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the brokers of this host share: a directory of state-dir with a file for
 * each row.  No process ever holds a lock, because a setuid broker can be
 * stopped by its caller, and all others would wait for it.
 *
 * The file of a row is a symbolic link whose name is a number and whose target
 * is the text "SECONDS FIELD...".  One system call makes it, completely or not
 * at all, and only one process can make number N.  A process that has decided
 * by the rows up to N - 1 thereby notices that another one has been faster.
 */
#ifndef BASE_STATEDIR_H
#define BASE_STATEDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define STATEDIR_FIELDS	4	/* at most */
#define STATEDIR_ROWS	10000	/* then the oldest are dropped */

struct staterow {
	int64_t seconds;		/* time(3) */
	const char *fields[STATEDIR_FIELDS];	/* NULL after the last */
	uint64_t number;		/* of its file, or 0 */
};

/* Rows in memory. */
struct staterows {
	struct staterow *list;
	size_t n;
	struct arena arena;	/* of their texts */
};

struct statedir {
	const struct statedir_type {
		const char *name;
		const char *separator;	/* the last field may contain it */
		size_t nfields;
	} *type;			/* borrowed */
	char *path;
	int fd;
	uint64_t last;			/* the highest number */
	struct staterows rows;		/* sorted by number */
};

/* Open the directory name in dir, as statedir_open() does.  The caller frees
 * *path, its path or NULL.  Returns a file descriptor, or -1. */
int	statedir_open_dir(const char *dir, const char *name, char **path,
	    struct x2gobroker_error *err);

/* Open the directory type->name in dir, and read its rows.  Only root and the
 * account of this process may be able to write to either; missing ones are
 * created if the parent of dir exists.  What is not a row is skipped, as no
 * request may fail because of it.  -1 with err filled in, and nothing to
 * close. */
int	statedir_open(struct statedir *all, const char *dir,
	    const struct statedir_type *type, struct x2gobroker_error *err);

/* Read the rows that have been added since. */
int	statedir_read_more(struct statedir *all, struct x2gobroker_error *err);

/* Add a copy of row, here and in the directory.  Returns 1 with nothing added
 * if another process has added one since the last reading: read more, and
 * decide anew. */
int	statedir_add(struct statedir *all, const struct staterow *row,
	    struct x2gobroker_error *err);

/* Add a copy of row behind all others, in any case, and remove those that it
 * replaces (NULL: none). */
int	statedir_put(struct statedir *all, const struct staterow *row,
	    bool (*replaces)(const struct staterow *old,
	    const struct staterow *row), struct x2gobroker_error *err);

/* Remove the row with that index.  Returns whether it was this process that
 * removed its file. */
bool	statedir_remove(struct statedir *all, size_t i);

/* Remove each row for which matches(row, key). */
void	statedir_remove_all(struct statedir *all, bool (*matches)(
	    const struct staterow *row, const struct staterow *key),
	    const struct staterow *key);

void	statedir_close(struct statedir *all);

/* Add a copy of row. */
int	staterows_add(struct staterows *rows, const struct staterow *row,
	    struct x2gobroker_error *err);
void	staterows_free(struct staterows *rows);

#endif
