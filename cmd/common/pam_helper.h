/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_PAM_HELPER_H
#define COMMON_PAM_HELPER_H

#include <x2gobroker.h>

/* What PAM says about an account, for which the broker has no privilege, so
 * that it starts helper, which is x2gobroker-pam(8) (an absolute path).  name
 * is the identity; address the client's IP address, or NULL.  Both return 0,
 * or -1 with err filled in: refuse. */

/* May the account be used now? */
int	account_check(const char *helper, const char *name,
	    const char *address, struct x2gobroker_error *err);

/* The same, and set its password.  The caller wipes password. */
int	pam_helper_set_password(const char *helper, const char *name,
	    const char *address, const char *password,
	    struct x2gobroker_error *err);

#endif
