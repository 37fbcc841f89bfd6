/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers that get no new sessions.  drain-file has one name in a line; '#'
 * begins a comment line.  It survives a reboot of the broker, as maintenance of
 * a server can take longer.
 */
#ifndef FARM_DRAIN_H
#define FARM_DRAIN_H

#include "x2gobroker_admin.h"
#include "config/config.h"
#include "config/hostlist.h"

struct x2gobroker_drained {
	char **names;
	size_t n;
};

/* Whether the host is drained, by its full or short name (hostlist_match()). */
bool	drain_has(const struct x2gobroker_drained *drained,
	    const struct host *host);

#endif
