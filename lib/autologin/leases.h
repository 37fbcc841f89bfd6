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
#ifndef LEASES_H
#define LEASES_H

#include <stdint.h>

#include "base/error.h"

#define LEASES_FILE	"leases"	/* in state-dir */

struct lease {
	int64_t expires;	/* time(3) */
	char *server;		/* "NAME:PORT" */
	char *user;
	char *file;		/* as the agent was told it */
	char *line;		/* the same */
};

struct leases {
	struct lease *list;
	size_t n;
};

/* Of those of server that have expired, a few, to be seen to by the caller.  They
 * stay on the list, and are nobody else's for a minute; who comes after that takes
 * them for not done. */
int	leases_take(const char *dir, const char *server, int64_t now,
	    struct leases *taken, struct x2gobroker_error *err);

/* Take those that are done off the list, and put a new one on it (may be NULL:
 * there is none). */
int	leases_settle(const char *dir, const struct leases *done,
	    const struct lease *new, struct x2gobroker_error *err);

/* Add a copy of one to those in memory. */
int	leases_add(struct leases *leases, const struct lease *lease,
	    struct x2gobroker_error *err);
void	lease_free(struct lease *lease);
void	leases_free(struct leases *leases);

#endif
