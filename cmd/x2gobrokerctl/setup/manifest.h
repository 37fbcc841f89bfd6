/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What setup has changed here, a record a change, in their order.  It is in a
 * directory of root's alone, as whoever could write it could have root remove
 * files.
 */
#ifndef X2GOBROKERCTL_SETUP_MANIFEST_H
#define X2GOBROKERCTL_SETUP_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

/* Each is a text without tabs and line ends.  Owned. */
struct record {
	char *kind;
	char *name;		/* a path, an account, a group */
	char *before, *after;	/* what the kind needs to take it back */
	char *account;		/* whose directory it is in; "": root's */
};

struct manifest;

/* Read it, and lock it.  Where there is none: an empty one, or, unless make,
 * *out is NULL.  -1: why not was said. */
int	manifest_open(bool make, struct manifest **out);

/* Close it, and remove it if nothing is in it any more. */
void	manifest_close(struct manifest *manifest);

size_t	manifest_count(const struct manifest *manifest);
const struct record *manifest_get(const struct manifest *manifest, size_t i);

/* Both have reached the disk when they return.  -1: why not was said. */
int	manifest_add(struct manifest *manifest, const char *kind,
	    const char *name, const char *before, const char *after,
	    const char *account);
int	manifest_drop(struct manifest *manifest, size_t i);

#endif
