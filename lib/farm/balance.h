/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the server for a new session is chosen.
 */
#ifndef FARM_BALANCE_H
#define FARM_BALANCE_H

#include "farm/farm.h"

/* Choose one of n hosts of profile by the reports of its farm, and set *chosen
 * to its index.  remember: user (not NULL) will be sent there.  Reports problems
 * that make the choice worse.  Returns -1 if no host can be used; err says why
 * for each. */
int	balance_choose_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, const char *user, bool remember, struct reporter *rep,
	    size_t *chosen, struct x2gobroker_error *err);

#endif
