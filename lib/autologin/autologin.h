/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Automatic login: a key pair for one user, one server and one minute.  The
 * public key is installed on the server, with every restriction that sshd can
 * enforce; the private key is sent to the client, and stored nowhere.
 */
#ifndef AUTOLOGIN_AUTOLOGIN_H
#define AUTOLOGIN_AUTOLOGIN_H

#include "farm/farm.h"
#include "autologin/keypair.h"

/* Generates a key pair, as a job to do while servers are asked. */
struct autologin {
	struct parallel_job job;		/* first */
	enum autologin_key_type type;
	struct keypair keypair;		/* once the job is done */
};

/* Does the listing announce a key to the client? */
bool	autologin_is_announced(const struct x2gobroker_profile *profile);

/* Is one to be made as well?  That takes an agent, and a user who logs in to an
 * account of their own.  Reports why an announced key is not made. */
bool	autologin_is_wanted(const struct x2gobroker_profile *profile,
	    const struct x2gobroker_user *user, struct reporter *rep);

struct autologin *autologin_new(const struct x2gobroker_config *config,
	    struct x2gobroker_error *err);
void	autologin_free(struct autologin *autologin);

/* Install the public key on host, and on the profile's SSH proxy, for the
 * farm's user, who connects from address (may be NULL).  Reports what will keep
 * it from being removed.  Returns -1 unless it is installed on both. */
int	autologin_place(const struct autologin *autologin,
	    struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *host,
	    const char *address, struct reporter *rep,
	    struct x2gobroker_error *err);

#endif
