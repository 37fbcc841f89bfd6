/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: keys that sshd reads for a user from a file of root's, named after
 * the user, beside those in the home directory.
 */
#ifndef X2GOBROKER_AGENT_KEYSTORE_H
#define X2GOBROKER_AGENT_KEYSTORE_H

#include "base/error.h"

#define KEYSTORE_KEYS		AGENT_STORE "/keys"

/* Add a line from temporarykey_make() to the user's file, and remove lines and
 * files that have expired.  user is an account's name.  The process must have
 * become root. */
int	keystore_add(const char *user, const char *line,
	    struct x2gobroker_error *err);

/* Check that sshd reads the store when that user logs in.  The process must
 * have become root. */
int	keystore_check_sshd(const char *user, struct x2gobroker_error *err);

#endif
