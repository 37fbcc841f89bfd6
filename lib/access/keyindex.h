/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An index of keys-dir, in state-dir: which file has which key, so that one
 * login among thousands of users need not read all files.
 *
 * It can be missing, stale or garbage, but it cannot let anybody in: it says
 * where to look, and the file there decides.  A key that is not found by it is
 * looked for in all files.  It is not used once a file has been added, removed
 * or replaced, nor after KEYINDEX_SECONDS.  So one thing can be noticed that
 * late: that a file which was changed in place now has the key of another
 * user, too.
 */
#ifndef ACCESS_KEYINDEX_H
#define ACCESS_KEYINDEX_H

#include "base/buf.h"
#include "config/config.h"

#define KEYINDEX_DIR		"keyindex"	/* in state-dir */
#define KEYINDEX_FILE		"index"
#define KEYINDEX_FILES_MIN	50	/* fewer are read as fast */
#define KEYINDEX_SECONDS	600
#define KEYINDEX_ENTRY_SIZE	256	/* of a file's name (NAME_MAX) */

#define KEYINDEX_PART		65536	/* a longer line is not found */

/* A part of it at a time: in a large one, to have memory for all of it takes
 * longer than to search it. */
struct keyindex {
	FILE *file;			/* owned; read by its descriptor only */
	char part[KEYINDEX_PART + 1];	/* begins with a line */
	size_t len, searched;		/* bytes of it */
};

/* Read the index.  False: it is missing, stale or damaged. */
bool	keyindex_read(struct keyindex *index,
	    const struct x2gobroker_config *config);
void	keyindex_free(struct keyindex *index);

/* Copy the name of the next file that had the key when the index was made. */
bool	keyindex_next(struct keyindex *index, const char *base64,
	    char entry[static KEYINDEX_ENTRY_SIZE]);

/* Make one: begin it before keys-dir is listed, put each file and then its
 * keys, and write it if this process may do so. */
void	keyindex_begin(struct buf *new, const struct x2gobroker_config *config);
void	keyindex_put_file(struct buf *new, const char *entry);
void	keyindex_put_key(struct buf *new, const char *base64);
void	keyindex_write(struct buf *new, const struct x2gobroker_config *config);

#endif
