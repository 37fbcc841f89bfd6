/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYPATH_H
#define X2GOBROKER_AGENT_KEYPATH_H

#include "account.h"
#include "base/error.h"

#define KEYPATH_SIZE	4096	/* PATH_MAX */

/* Where an authorized_keys file is. */
struct keypath {
	char text[KEYPATH_SIZE];	/* absolute */
	char *below;	/* the part of text that follows the home directory, or
			 * the first / */
	bool in_home;
};

/* Expand %h, %u, %U, %G and %% in a template, take a relative path as one below
 * the home directory, and check that it can be the path of a key file. */
int	keypath_make(const char *template, const struct account *account,
	    struct keypath *path, struct x2gobroker_error *err);

/* Open the directory of the file, and set *name to the file's name in
 * path->below.  Symbolic links are followed only up to the home directory.  All
 * directories on the way must belong to the account or to root, and be writable
 * only by them.  With make, missing ones below the home directory are created.
 * Returns a descriptor, or -1 with err filled in; ERR_NOTFOUND if one does not
 * exist. */
int	keypath_open_dir(const struct keypath *path,
	    const struct account *account, bool make, const char **name,
	    struct x2gobroker_error *err);

/* Whether the file name in dir is still the open one. */
bool	keypath_is_open(int dir, const char *name, int fd);

#endif
