/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What setup changed on this host: one record for each change, in order.  Only
 * root can write to its directory: anybody else could make root remove files.
 */
#ifndef X2GOBROKERCTL_SETUP_MANIFEST_H
#define X2GOBROKERCTL_SETUP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

/* Text without tabs and line ends. */
struct record {
	char *line;		/* owned; the others are parts of it */
	char *kind;
	char *name;		/* a path, an account, a group */
	char *before, *after;	/* states; before is "" if it is new */
	char *account;		/* that owns the directory; "": root */
};

struct manifest {
	int dir;
	struct record *records;
	size_t n;
};

/* Read and lock it.  If there is none: an empty one, or, unless make, *out is
 * NULL.  -1: failed, with a message printed. */
int	manifest_open(bool make, struct manifest **out);

/* Close it, which may be NULL; remove it if it is empty. */
void	manifest_close(struct manifest *manifest);

bool	manifest_has(const struct manifest *manifest, const char *name);

/* Both return when the change is on disk.  -1: failed, with a message
 * printed. */
int	manifest_add(struct manifest *manifest, const char *kind,
	    const char *name, const char *before, const char *after,
	    const char *account);
int	manifest_drop(struct manifest *manifest, size_t i);

#endif
