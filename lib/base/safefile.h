/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SAFEFILE_H
#define BASE_SAFEFILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

/* A file of 10,000 profiles has 4 MB; beyond this it is no configuration. */
#define SAFEFILE_SIZE_MAX	(64 * 1024 * 1024)

/* Open path for reading if nobody but root and the account this process runs
 * as could have written it: a regular file of theirs, not writable by group or
 * others, in directories of which the same is true up to / (a sticky one such
 * as /tmp may be writable).  NULL with err filled in: ERR_NOTFOUND where there
 * is none, ERR_UNSAFE, or ERR_SYSTEM. */
FILE	*safefile_open(const char *path, struct x2gobroker_error *err);

/* The same for a file in a directory that safefile_check_dir() has just passed, so
 * that its way is not walked again for each of a hundred files. */
FILE	*safefile_open_entry(const char *path, struct x2gobroker_error *err);

typedef FILE *safefile_opener(const char *path, struct x2gobroker_error *err);

/* The same check for a directory. */
int	 safefile_check_dir(const char *path, struct x2gobroker_error *err);

/* Lock the open file for ourselves alone, with flock(2).  Whoever can open it
 * can lock it, so nobody is waited for without end: -1 with errno. */
int	 safefile_lock(int fd, int timeout_ms);

/* All of it, also where it comes or goes in parts, or a signal is in the way.
 * safefile_read() stops early only at the end of the file; how much it has read, or
 * -1 with errno. */
bool	 safefile_write(int fd, const char *text, size_t len);
ssize_t	 safefile_read(int fd, char *text, size_t size);

/* A file that is replaced as a whole: whoever reads it meanwhile gets all of
 * the old or all of the new.  Whoever calls this holds a lock. */
struct safefile_new {
	int dirfd;
	const char *name;
	const char *temporary;	/* its name while it is made, in dirfd, too */
	mode_t mode;
	bool sync;		/* what is to outlive a power failure */
};

/* Put text there; path names the file in err. */
int	 safefile_replace(const struct safefile_new *new, const struct buf *text,
	    const char *path, struct x2gobroker_error *err);

#endif
