/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers that get no new sessions, in drain-file: a name a line, as somebody
 * wrote it, '#' begins a comment line.  It outlives a reboot of the broker, as
 * work on a server may.
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

/* Whether the host is one of them (full or short name, hostlist_match()). */
bool	drain_has(const struct x2gobroker_drained *drained,
	    const struct host *host);

#endif
