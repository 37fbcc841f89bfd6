/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of state-dir: read and replaced by all brokers of this host, one at a
 * time.
 */
#ifndef BASE_STATEFILE_H
#define BASE_STATEFILE_H

#include "base/buf.h"
#include "base/error.h"

struct statefile {
	const char *name;	/* borrowed */
	char *path;		/* of the directory, for messages */
	int dir, lock;
	char *text;		/* what was in it, or NULL: nothing of use */
};

/* Lock the file of that name in the directory path, waiting no longer than
 * timeout_ms, and read it.  The directory must be one that only root and the
 * account of this process can write to; it is made if it is missing and its
 * parent is there.  -1 with err filled in, and nothing to close. */
int	statefile_open(struct statefile *file, const char *path,
	    const char *name, int timeout_ms, struct x2gobroker_error *err);

/* Put text in its place, atomically.  It is not synced: what is lost with the
 * power was about processes that are, too. */
int	statefile_replace(struct statefile *file, const struct buf *text,
	    struct x2gobroker_error *err);

/* Unlock and free. */
void	statefile_close(struct statefile *file);

#endif
