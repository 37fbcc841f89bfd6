/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines that were put into files of authorized keys on servers whose agent does
 * not take them out by itself, as Debian's does not.  sshd lets nobody in with
 * them any more once they have expired; here they are remembered until the next
 * key is put there, and the old ones are taken out on the way.
 *
 * Nothing that waits in the background does that: it would have to outlive the
 * request, and be there after a reboot.
 */
#ifndef AUTOLOGIN_STALEKEYS_H
#define AUTOLOGIN_STALEKEYS_H

#include <stdint.h>

#include "base/error.h"

#define STALEKEYS_FILE	"leases"	/* in state-dir */

struct stalekey {
	int64_t expires;	/* time(3) */
	char *server;		/* "NAME:PORT" */
	char *user;
	char *file;		/* as the agent was told it */
	char *line;		/* the same */
};

struct stalekeys {
	struct stalekey *list;
	size_t n;
};

/* Of those of server that have expired, a few, to be seen to by the caller.  They
 * stay on the list, and are nobody else's for a minute; who comes after that takes
 * them for not done. */
int	stalekeys_take(const char *dir, const char *server, int64_t now,
	    struct stalekeys *taken, struct x2gobroker_error *err);

/* Take those that are done off the list, and put a new one on it (may be NULL:
 * there is none). */
int	stalekeys_settle(const char *dir, const struct stalekeys *done,
	    const struct stalekey *new, struct x2gobroker_error *err);

/* Add a copy of one to those in memory. */
int	stalekeys_add(struct stalekeys *leases, const struct stalekey *lease,
	    struct x2gobroker_error *err);
void	stalekey_free(struct stalekey *lease);
void	stalekeys_free(struct stalekeys *leases);

#endif
