/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include <stdbool.h>
#include <time.h>

#include <x2gobroker.h>

/* What the one line of a request says.  Text may be NULL: not known. */
struct audit {
	const struct x2gobroker_request *request;
	const char *user;	/* the identity */
	bool pinned;		/* it is the operator's --user */
	const char *address;	/* the client's */
	const char *key;	/* fingerprint of the key it logged in with */
	const char *summary;	/* of a granted answer */
	const struct x2gobroker_error *why;	/* NULL: granted */
	struct timespec started;
};

/* Write the line to the log. */
void	audit_log(const struct audit *audit);

/* The fingerprint of the public key in the file that sshd makes with
 * ExposeAuthInfo, "SHA256:...", which the caller frees; NULL where there is
 * none. */
char	*audit_key_fingerprint(const char *path);

#endif
