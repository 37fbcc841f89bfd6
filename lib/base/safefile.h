/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories that only root and the account of this process can have
 * written, and the system calls of files, done completely: lock, read, write,
 * replace.
 */
#ifndef BASE_SAFEFILE_H
#define BASE_SAFEFILE_H

#include <sys/types.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"

/* A file of 10,000 profiles has 4 MB; no configuration needs more than this. */
#define SAFEFILE_SIZE_MAX	(64 * 1024 * 1024)

/* Open path for reading if only root and the account of this process could have
 * written it: a regular file that belongs to one of them and is not writable by
 * group or others, and the same for all directories above it (but a sticky one
 * such as /tmp may be writable).  NULL with err filled in: ERR_NOTFOUND if it
 * does not exist, ERR_UNSAFE, or ERR_SYSTEM. */
FILE	*safefile_open(const char *path, struct x2gobroker_error *err);

/* The same for a file in a directory that safefile_check_dir() has just
 * accepted, which is not checked again for each of its files. */
FILE	*safefile_open_entry(const char *path, struct x2gobroker_error *err);

typedef FILE *safefile_opener(const char *path, struct x2gobroker_error *err);

/* The same check for a directory. */
int	 safefile_check_dir(const char *path, struct x2gobroker_error *err);

/* Open a directory in which files are created: checked as above, but a sticky
 * one must not be writable by others either.  If it is missing, create it with
 * the mode create, unless that is 0.  Returns a file descriptor, or -1. */
int	 safefile_open_dir(const char *path, mode_t create,
	    struct x2gobroker_error *err);

/* The entries of the directory name in the open directory dir, which is "." for
 * itself, from the first one, as by opendir(3).  A symbolic link has none.  The
 * caller closes them.  NULL: errno says why. */
DIR	*safefile_entries(int dir, const char *name);

/* Lock the open directory, which is called path, for those who change its
 * files.  The lock is a file of its own, ".lock", which only its owner can
 * open: everybody can lock with flock(2) what they can open for reading.
 * Returns its file descriptor, or -1 with err filled in, also after
 * timeout_ms. */
int	 safefile_lock(int dirfd, const char *path, int timeout_ms,
	    struct x2gobroker_error *err);

/* Write or read all bytes, in as many calls as it takes.  safefile_read() stops
 * early only at the end of the file and returns the number of bytes, or -1 with
 * errno. */
bool	 safefile_write(int fd, const char *text, size_t len);
ssize_t	 safefile_read(int fd, char *text, size_t size);

/* Read at most *len bytes into a text that the caller frees; it is terminated,
 * and *len is set to its length.  path names the file in err. */
char	*safefile_read_text(int fd, const char *path, size_t *len,
	    struct x2gobroker_error *err);

#define SAFEFILE_LOCK	".lock"

/* A file that is replaced atomically.  The caller holds a lock. */
struct safefile_new {
	int dirfd;
	const char *name;
	const char *temporary;	/* name of the new file until it is complete */
	mode_t mode;
	bool sync;		/* it must survive a power failure */
	time_t modified;	/* its time of modification; 0: now */
};

/* Replace the file by text; path names the file in err. */
int	 safefile_replace(const struct safefile_new *new,
	    const struct buf *text, const char *path,
	    struct x2gobroker_error *err);

#endif
