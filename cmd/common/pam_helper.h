/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking PAM takes privilege, which the broker does not have.  It starts
 * x2gobroker-pam(8) for that; helper is the absolute path of that program.  In
 * both functions, name is the account, and address the client's IP address or
 * NULL.  They return 0, or -1 with err filled in: refuse.
 */
#ifndef COMMON_PAM_HELPER_H
#define COMMON_PAM_HELPER_H

#include <stdbool.h>

struct x2gobroker_error;

/* The exit statuses of x2gobroker-pam(8). */
enum helper_status {
	HELPER_OK = 0,
	HELPER_REFUSED = 1,	/* understood, and the answer is no */
	HELPER_USAGE = 2,	/* wrong arguments */
	HELPER_SYSTEM = 3,	/* something is broken or set up wrongly */
};

/* The longest password, in bytes.  crypt(3) takes no more, and neither does
 * PAM: it is PAM_MAX_RESP_SIZE without the NUL. */
#define PASSWORD_MAX	511

/* May the account be used now? */
int	pam_helper_check(const char *helper, const char *name,
	    const char *address, struct x2gobroker_error *err);

/* Is this the password of the account, and may that be used now?  With
 * password_only, only the first is checked: to set a new password in place of
 * an expired one.  ERR_DENIED: no.  The caller wipes password. */
int	pam_helper_login(const char *helper, const char *name,
	    const char *address, const char *password, bool password_only,
	    struct x2gobroker_error *err);

/* Check the account and set its password.  The caller wipes password. */
int	pam_helper_set_password(const char *helper, const char *name,
	    const char *address, const char *password,
	    struct x2gobroker_error *err);

#endif
