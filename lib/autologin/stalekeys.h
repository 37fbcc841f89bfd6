/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of authorized_keys on servers whose agent does not remove them itself,
 * as Debian's does not.  sshd no longer accepts an expired line; its place in
 * the file is remembered here, and the line is removed when the next key is
 * added.
 *
 * No process in the background does that, as it would have to outlive the
 * request and a reboot.
 */
#ifndef AUTOLOGIN_STALEKEYS_H
#define AUTOLOGIN_STALEKEYS_H

#include "base/statefile.h"

#define STALEKEYS_FILE	"leases"	/* in state-dir */

/* The fields of a row, whose time is that of its expiry. */
enum {
	STALE_SERVER,		/* "NAME:PORT" */
	STALE_USER,
	STALE_FILE, STALE_LINE,	/* as the agent was given them */
	STALE_FIELDS
};

/* Take a few of the server's lines that have expired, for the caller to remove.
 * They stay on the list and are not taken again for a minute, in case the
 * caller fails. */
int	stalekeys_take(const char *dir, const char *server, int64_t now,
	    struct staterows *taken, struct x2gobroker_error *err);

/* Drop the lines that have been removed from the list, and add a new one (may
 * be NULL). */
int	stalekeys_update(const char *dir, const struct staterows *removed,
	    const struct staterow *new, struct x2gobroker_error *err);

#endif
