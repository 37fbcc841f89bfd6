/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every SSH connection to a server needs: libssh, the broker's service
 * keys (agent-identity-files), and the path of agent-known-hosts.
 */
#ifndef AGENT_SERVICEKEYS_H
#define AGENT_SERVICEKEYS_H

#include "x2gobroker_admin.h"
#include "agent/libssh.h"
#include "config/config.h"

/* Connections only read it, so threads may share it. */
struct ssh_setup {
	struct libssh lib;
	char *user;			/* the account on the servers */
	char *known_hosts;		/* path */
	struct ssh_identity {
		char *path;
		ssh_key key;		/* private; libssh wipes it */
	} *identities;
	size_t nidentities;
	char *tried;			/* their paths, for messages */
};

/* Load libssh and, with_keys, the service keys.  Fails if there is no key, or
 * if others may write a key or the known hosts; that file may be missing. */
int	ssh_setup_load(const struct x2gobroker_config *config, bool with_keys,
	    struct ssh_setup *setup, struct x2gobroker_error *err);
void	ssh_setup_free(struct ssh_setup *setup);

/* Append line, and a newline, to the file of known hosts.  Creates the file and
 * its directory.  Several processes may do so at the same time. */
int	knownhosts_add(const char *path, const char *line,
	    struct x2gobroker_error *err);

#endif
