/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adds keys for one login to files of authorized keys on servers, with the help
 * of their agents, and removes expired ones.
 */
#ifndef AUTOLOGIN_INSTALL_H
#define AUTOLOGIN_INSTALL_H

#include "farm/farm.h"

#define INSTALL_PLACES_MAX	2	/* a server and its SSH proxy */

struct installation {
	struct connection_target target;
	const char *line;
	const char *file;	/* may contain %h and the like, for the agent */
	int64_t expires;	/* time(3) */
};

/* Add the lines at all n places at the same time, for the farm's user.  Reports
 * what will keep a line from being removed.  Returns -1 if one of them was not
 * added. */
int	install_keys(struct x2gobroker_farm *farm,
	    const struct installation *places, size_t n, struct reporter *rep,
	    struct x2gobroker_error *err);

#endif
