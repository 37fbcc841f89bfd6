/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of the key files that have temporary lines, so that a sweep once a
 * minute can remove expired ones.  Without the registry's directory, they stay
 * until the user gets another key.
 */
#ifndef X2GOBROKER_AGENT_KEYREGISTRY_H
#define X2GOBROKER_AGENT_KEYREGISTRY_H

#include "base/error.h"

/* Record that a line is about to be added to the user's file, a template as in
 * keypath_make().  Returns a descriptor, or -1 with err filled in; ERR_NOTFOUND
 * if there is no registry.  No sweep touches the file while the descriptor is
 * open, so close it after the line has been added. */
int	keyregistry_note(const char *user, const char *file,
	    struct x2gobroker_error *err);

enum swept { SWEPT_FAILED, SWEPT_SOME_LEFT, SWEPT_CLEAN };

/* Removes the expired lines of a file. */
typedef enum swept keyregistry_sweeper(void *arg, const char *user,
	    const char *file);

/* Call fn for each recorded file that is not in use.  Remove the records of
 * those that are clean, or have failed for hours.  Returns 0, or -1 with err
 * filled in if the registry cannot be read. */
int	keyregistry_sweep(keyregistry_sweeper *fn, void *arg,
	    struct x2gobroker_error *err);

#endif
