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

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define STALEKEYS_FILE	"leases"	/* in state-dir */

struct stalekey {
	int64_t expires;	/* time(3) */
	const char *server;	/* "NAME:PORT" */
	const char *user;
	const char *file, *line;	/* as the agent was given them */
};

struct stalekeys {
	struct stalekey *list;
	size_t n;
	struct arena arena;	/* of the texts */
};

/* Take a few of the server's lines that have expired, for the caller to remove.
 * They stay on the list and are not taken again for a minute, in case the
 * caller fails. */
int	stalekeys_take(const char *dir, const char *server, int64_t now,
	    struct stalekeys *taken, struct x2gobroker_error *err);

/* Drop the lines that have been removed from the list, and add a new one (may
 * be NULL). */
int	stalekeys_update(const char *dir, const struct stalekeys *removed,
	    const struct stalekey *new, struct x2gobroker_error *err);

/* Add a copy of one to a list in memory. */
int	stalekeys_add(struct stalekeys *keys, const struct stalekey *key,
	    struct x2gobroker_error *err);
void	stalekeys_free(struct stalekeys *keys);

#endif
