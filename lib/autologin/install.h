/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of authorized_keys, put in place on servers by their agents, and taken
 * out again.
 */
#ifndef AUTOLOGIN_INSTALL_H
#define AUTOLOGIN_INSTALL_H

#include "farm/farm.h"

struct installation {
	struct connection_target target;
	const char *line;
	const char *file;	/* with %h and the like, for the agent */
	int64_t expires;	/* time(3) */
};

/* Have the lines put in all n places at the same time, for the farm's user.  What
 * keeps lines from being taken out again is reported.  -1 where one of them is
 * not in place. */
int	install_keys(struct x2gobroker_farm *farm, const struct installation *places,
	    size_t n, struct reporter *rep, struct x2gobroker_error *err);

#endif
