/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_PAM_HELPER_H
#define X2GOBROKER_PAM_HELPER_H

#include <sys/types.h>

#include "common/pam_helper.h"

/* What is to be done, all of it checked. */
struct order {
	const char *name;	/* of an account that exists */
	const char *rhost;	/* an IP address, or NULL */
	const char *password;	/* the new one, or NULL */
	uid_t caller;		/* real uid of whoever started us */
};

/* Say why not, in one line, to the caller and to syslog.  Returns status. */
enum helper_status	tell(enum helper_status status, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

/* process.c: make the process ours.  Needs no privilege and cannot fail in a
 * way that it could report: it exits then. */
void		process_settle(void);

/* Become root for good, and safe from whoever started us.  *caller is who that
 * was. */
enum helper_status	process_become_root(uid_t *caller);

/* pam.c: ask PAM whether the account may be used now, and if it may and the
 * order has a password, set it. */
enum helper_status	pam_run(const struct order *order);

#endif
