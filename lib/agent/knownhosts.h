/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host keys that are new: told of, or added to known_hosts.
 */
#ifndef AGENT_KNOWNHOSTS_H
#define AGENT_KNOWNHOSTS_H

#include "farm/farm.h"

/* Append line (without its end) to the file, which is made if it is missing, and
 * so is its directory.  Many may do this at once. */
int	knownhosts_add(const char *path, const char *line,
	    struct x2gobroker_error *err);

/* A server was asked though its key was not known, as the policy has it: add
 * the key (AutoAddPolicy), and let server->warning tell of it. */
void	knownhosts_follow_policy(struct x2gobroker_farm *farm,
	    struct farm_server *server);

#endif
