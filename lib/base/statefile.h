/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of state-dir, which only brokers read and write: one process at a time
 * locks, reads and replaces such a file.  It has a line "SECONDS FIELD..." for
 * each row.  A damaged file is an empty one, as no request may fail because of
 * it.
 */
#ifndef BASE_STATEFILE_H
#define BASE_STATEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define STATEFILE_FIELDS	4	/* at most */
#define STATEFILE_ROWS		10000	/* then the oldest are dropped */

struct staterow {
	int64_t seconds;		/* time(3) */
	const char *fields[STATEFILE_FIELDS];	/* NULL after the last */
};

/* Rows in memory. */
struct staterows {
	struct staterow *list;
	size_t n;
	struct arena arena;	/* of the texts that were added */
};

struct statefile {
	const struct statefile_type {
		const char *name;
		const char *separator;	/* the last field may contain it */
		size_t nfields;
	} *type;			/* borrowed */
	char *path;
	int dir, lock;
	char *text;		/* NULL: no file, or a damaged one */
	struct staterows rows;
};

/* Lock the file in the directory dir, waiting at most timeout_ms, and read it;
 * lines of another form are skipped.  Only root and the account of this process
 * may be able to write to the directory; a missing one is created if its parent
 * exists.  -1 with err filled in, and nothing to close. */
int	statefile_open(struct statefile *file, const char *dir,
	    const struct statefile_type *type, int timeout_ms,
	    struct x2gobroker_error *err);

/* Replace the file by its rows, atomically.  It is not synced: what a power
 * failure loses was about processes that are lost as well. */
int	statefile_save(struct statefile *file, struct x2gobroker_error *err);

/* Unlock and free. */
void	statefile_close(struct statefile *file);

/* Add a copy of row. */
int	staterows_add(struct staterows *rows, const struct staterow *row,
	    struct x2gobroker_error *err);

/* Remove each row for which matches(row, key).  Returns whether one did. */
bool	staterows_remove(struct staterows *rows, bool (*matches)(
	    const struct staterow *row, const struct staterow *key),
	    const struct staterow *key);
void	staterows_free(struct staterows *rows);

#endif
