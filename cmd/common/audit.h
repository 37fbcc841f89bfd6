/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include <stdbool.h>
#include <time.h>

#include <x2gobroker.h>

/* The contents of a request's line.  A text may be NULL: unknown. */
struct audit {
	const struct x2gobroker_request *request;
	const char *user;	/* the identity */
	const char *by;		/* what has proved the identity */
	const char *address;	/* the client's */
	const char *key;	/* fingerprint of the key used to log in */
	const char *summary;	/* of a granted answer */
	const struct x2gobroker_error *why;	/* NULL: granted */
	struct timespec started;
};

/* Write the line to the log, and count the request. */
void	audit_log(const struct audit *audit);

/* The text of the file that sshd writes with ExposeAuthInfo, which the caller
 * frees; NULL: it cannot be read. */
char	*audit_auth_info(const char *path);

/* Cut the next public key off *rest, which points into that text at first. */
bool	audit_next_key(char **rest, const char **type, const char **base64);

/* The fingerprint, "SHA256:...", of a key.  The caller frees it.  NULL: it is
 * no key. */
char	*audit_key_fingerprint(const char *base64);

#endif
