/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Automatic login: a key pair for one user, one server and one minute.  The
 * public half is put in place on the server, with all the limits that sshd can
 * see to; the private half goes to the client, and is nowhere else.
 */
#ifndef AUTOLOGIN_AUTOLOGIN_H
#define AUTOLOGIN_AUTOLOGIN_H

#include "farm/farm.h"
#include "autologin/keypair.h"

/* The making of a key pair, as a job to be done while servers are asked. */
struct autologin {
	struct parallel_job job;		/* first */
	enum autologin_key_type type;
	struct keypair keypair;		/* once the job is done */
};

/* Whether the client is to be let in at profile's servers by a key. */
bool	autologin_is_announced(const struct x2gobroker_profile *profile);

/* The same, and there is one to be made: an agent puts it in place, and the
 * user logs in as nobody else.  Where it is announced and will not come, the
 * reason is reported. */
bool	autologin_is_wanted(const struct x2gobroker_profile *profile,
	    const struct x2gobroker_user *user, struct reporter *rep);

struct autologin *autologin_new(const struct x2gobroker_config *config,
	    struct x2gobroker_error *err);
void	autologin_free(struct autologin *autologin);

/* Put the public key in place on host, and on the profile's SSH proxy, for the
 * farm's user, who comes from address (may be NULL).  What keeps it from being
 * taken out again is reported.  -1 where it is not in place on both. */
int	autologin_place(const struct autologin *autologin,
	    struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *host,
	    const char *address, struct reporter *rep,
	    struct x2gobroker_error *err);

#endif
