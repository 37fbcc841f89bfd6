/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of a profile's host= key: NAME, NAME (ADDRESS),
 * NAME (ADDRESS:PORT) or NAME:PORT, separated by commas.
 */
#ifndef CONFIG_HOSTLIST_H
#define CONFIG_HOSTLIST_H

#include <stddef.h>

#include "base/error.h"

#define HOST_TEXT_MAX	255	/* a name has 253 bytes at most (RFC 1035) */

struct host {
	char name[HOST_TEXT_MAX + 1];
	char address[HOST_TEXT_MAX + 1];	/* "": the name is all we have */
	int port;				/* 0: the profile's sshport */
};

/* Read text into *out (n hosts, in order, at least one; the caller frees it).
 * -1 with the text of err filled in: what is wrong with which item. */
int	hostlist_parse(const char *text, struct host **out, size_t *n,
	    struct x2gobroker_error *err);

/* Read only the first item of text into *host. */
int	hostlist_first(const char *text, struct host *host,
	    struct x2gobroker_error *err);

/* The one of n hosts that name means, which is what an X2Go server calls
 * itself: the host of that name, or else of that address, without regard to
 * case or a dot at the end; else, where one of the two names has no domain, the
 * host with the same first label.  NULL: none, or it could be several. */
const struct host *hostlist_match(const struct host *hosts, size_t n,
	    const char *name);

/* What the client can be told to connect to: it takes all up to the first ':'
 * for the host, so never an IPv6 literal.  NULL: there is nothing. */
const char *host_for_client(const struct host *host);

#endif
