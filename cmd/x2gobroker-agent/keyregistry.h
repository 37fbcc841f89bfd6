/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of keys that lines for a while were put into, so that somebody takes
 * them out again: keyregistry_sweep(), once a minute.  Where there is no such
 * directory, that is left to the user's next key.
 */
#ifndef X2GOBROKER_AGENT_KEYREGISTRY_H
#define X2GOBROKER_AGENT_KEYREGISTRY_H

#include "base/error.h"

/* Note that a line is about to be put into file, a template, of that user.  The
 * descriptor that is returned is to stay open until that has happened or failed;
 * so long, nobody sweeps there.  -1 with err filled in, ERR_NOTFOUND where there
 * is no registry. */
int	keyregistry_note(const char *user, const char *file,
	    struct x2gobroker_error *err);

enum swept { SWEPT_FAILED, SWEPT_SOME_LEFT, SWEPT_CLEAN };

/* Takes out what has expired. */
typedef enum swept keyregistry_sweeper(void *arg, const char *user,
	    const char *file);

/* Have that done for each that is noted and in nobody's hands, and forget those
 * that are clean, and those that fail for hours.  -1 where the registry cannot
 * be read. */
int	keyregistry_sweep(keyregistry_sweeper *fn, void *arg,
	    struct x2gobroker_error *err);

#endif
