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
	char *before, *after;	/* what its kind needs to undo it */
	char *account;		/* that owns the directory; "": root */
};

struct manifest;

/* Read and lock it.  If there is none: an empty one, or, unless make, *out is
 * NULL.  -1: failed, with a message printed. */
int	manifest_open(bool make, struct manifest **out);

/* Close it; remove it if it is empty. */
void	manifest_close(struct manifest *manifest);

size_t	manifest_count(const struct manifest *manifest);
const struct record *manifest_get(const struct manifest *manifest, size_t i);
bool	manifest_has(const struct manifest *manifest, const char *name);

/* Both return when the change is on disk.  -1: failed, with a message
 * printed. */
int	manifest_add(struct manifest *manifest, const char *kind,
	    const char *name, const char *before, const char *after,
	    const char *account);
int	manifest_drop(struct manifest *manifest, size_t i);

#endif
