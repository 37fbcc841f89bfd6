/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of state-dir, which only brokers read and write: one process at a time
 * locks, reads and replaces such a file.  A damaged file is an empty one, as no
 * request may fail because of it.
 */
#ifndef BASE_STATEFILE_H
#define BASE_STATEFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct statefile {
	const char *name;	/* borrowed */
	char *path;
	int dir, lock;
	char *text;		/* NULL: no file, or a damaged one */
	char *rest;		/* what statefile_next() has not read */
};

/* Lock the file of that name in the directory dir, waiting at most timeout_ms,
 * and read it.  Only root and the account of this process may be able to write
 * to the directory; a missing one is created if its parent exists.  -1 with err
 * filled in, and nothing to close. */
int	statefile_open(struct statefile *file, const char *dir,
	    const char *name, int timeout_ms, struct x2gobroker_error *err);

/* Parse the next line "SECONDS FIELD...", with one separator between two
 * fields, of which the last may contain it.  The n fields point into the text.
 * Other lines are skipped.  False at the end. */
bool	statefile_next(struct statefile *file, const char *separator,
	    int64_t *seconds, const char **fields, size_t n);

/* Replace the file atomically.  It is not synced: what a power failure loses
 * was about processes that are lost as well. */
int	statefile_replace(struct statefile *file, const struct buf *text,
	    struct x2gobroker_error *err);

/* Unlock and free. */
void	statefile_close(struct statefile *file);

#endif
