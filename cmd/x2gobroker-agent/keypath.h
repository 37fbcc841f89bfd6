/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_KEYPATH_H
#define X2GOBROKER_AGENT_KEYPATH_H

#include "account.h"
#include "base/error.h"

#define KEYPATH_SIZE	4096	/* PATH_MAX */

/* Where an authorized_keys file is. */
struct keypath {
	char text[KEYPATH_SIZE];	/* from / on, as it is told to people */
	char *below;	/* what of it comes after the home directory, or after
			 * the first / */
	bool in_home;
};

/* Replace %h, %u, %U, %G and %% in a template, put what is relative below the
 * home directory, and check that it can be the path of a file with keys. */
int	keypath_make(const char *template, const struct account *account,
	    struct keypath *path, struct x2gobroker_error *err);

/* Open the directory that the file is in, without following any symbolic link
 * but those that lead to the home directory, and set *name to the rest of
 * path->below.  All directories on the way must be the account's or root's, and
 * nobody else's to write.  make: those that are missing are made, below the home
 * directory.  -1 with ERR_NOTFOUND where there is none. */
int	keypath_open_dir(const struct keypath *path,
	    const struct account *account, bool make, const char **name,
	    struct x2gobroker_error *err);

#endif
