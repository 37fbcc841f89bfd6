/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a profile's hosts a new session goes to.
 */
#ifndef FARM_BALANCE_H
#define FARM_BALANCE_H

#include "farm/farm.h"

/* Choose one of n hosts of profile, by what its farm has said; *chosen is its
 * number.  remember: user (not NULL) is going to be sent there.  What keeps it
 * from doing its best is reported.  -1: none is left, and err says of each
 * one why. */
int	balance_choose_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, const char *user, bool remember, struct reporter *rep,
	    size_t *chosen, struct x2gobroker_error *err);

#endif
