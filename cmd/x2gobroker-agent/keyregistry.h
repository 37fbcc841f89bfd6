/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of the key files that have temporary lines, so that a sweep once a
 * minute can remove expired ones.  Without the registry's directory, they stay
 * until the user gets another key.
 */
#ifndef X2GOBROKER_AGENT_KEYREGISTRY_H
#define X2GOBROKER_AGENT_KEYREGISTRY_H

#include <stdbool.h>

#include "base/error.h"

/* Record that a line is about to be added to the user's file, a template as in
 * keypath_make().  Returns a descriptor, or -1 with err filled in; ERR_NOTFOUND
 * if there is no registry.  No sweep touches the file while the descriptor is
 * open, so close it after the line has been added. */
int	keyregistry_note(const char *user, const char *file,
	    struct x2gobroker_error *err);

/* The line was not added after all: nothing is to be swept, unless the entry is
 * older, or another process has written it, too. */
void	keyregistry_forget(void);

/* Remove expired lines of all users in the registry that are not in use, each
 * as that user.  Files that have no temporary line any more, or have failed for
 * hours, are removed from the registry.  A failure is logged, and the others
 * are still swept.  False: one has failed. */
bool	keyregistry_sweep(void);

#endif
