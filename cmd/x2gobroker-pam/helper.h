/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_PAM_HELPER_H
#define X2GOBROKER_PAM_HELPER_H

#include <sys/types.h>

#include <stdbool.h>

#include "common/pam_helper.h"

/* What to do, fully checked. */
struct order {
	const char *name;	/* of an account that exists */
	const char *rhost;	/* an IP address, or NULL */
	bool sets_password;
	bool authenticates;	/* the user has to prove who they are */
	bool checks_account;
	const char *password;	/* the new one, or the user's, or NULL */
	uid_t caller;		/* real uid of the caller */
};

/* process.c: report the reason, in one line, to the caller and to syslog.
 * Returns status. */
enum helper_status	report_status(enum helper_status status,
			    const char *fmt, ...)
			    __attribute__((format(printf, 2, 3)));

/* process.c: reset what the process has inherited.  This needs no privilege.
 * If it fails, the process exits, as it cannot even report that. */
void			process_init(void);

/* process.c: become root for good, out of the caller's reach.  Sets *caller. */
enum helper_status	process_become_root(uid_t *caller);

/* pam.c: do what the order says: authenticate the user, check whether the
 * account may be used now, set its password. */
enum helper_status	pam_run(const struct order *order);

#endif
