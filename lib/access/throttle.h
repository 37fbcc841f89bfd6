/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many passwords may be tried: counted for each user and for each address,
 * over all processes, before PAM is asked.
 */
#ifndef ACCESS_THROTTLE_H
#define ACCESS_THROTTLE_H

#include <time.h>

#include "access/user.h"
#include "config/config.h"

#define THROTTLE_DIR	"passwords"	/* in state-dir */
#define THROTTLE_WAIT_MS	20000	/* for other calls to end */

/* One password of one user that is being checked. */
struct throttle {
	const struct x2gobroker_config *config;
	char *user;		/* owned */
	char address[48], hash[8], pid[16];
};

/* May PAM be asked for the password of user now?  Too many calls at a time are
 * waited for, for wait_ms at most.  0: yes, and throttle_end() has to follow.
 * -1 with err filled in: no. */
int	throttle_begin(struct throttle *throttle,
	    const struct x2gobroker_config *config,
	    const struct x2gobroker_user *user, const char *password,
	    time_t now, int wait_ms, struct x2gobroker_error *err);

/* PAM has answered.  wrong: it was not the password. */
void	throttle_end(struct throttle *throttle, bool wrong, time_t now);

#endif
