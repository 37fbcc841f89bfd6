/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The value of a profile's host= key: NAME, NAME (ADDRESS),
 * NAME (ADDRESS:PORT) or NAME:PORT, separated by commas.
 */
#ifndef CONFIG_HOSTLIST_H
#define CONFIG_HOSTLIST_H

#include <stddef.h>

#include "base/error.h"

#define SSH_PORT	22
#define HOST_TEXT_MAX	255	/* a name has 253 bytes at most (RFC 1035) */

struct host {
	char name[HOST_TEXT_MAX + 1];
	char address[HOST_TEXT_MAX + 1];	/* "": not given */
	int port;				/* 0: the profile's sshport */
};

/* Read text into *out (n hosts, in order, at least one; the caller frees it).
 * Returns -1 at the first invalid item, which the text of err quotes. */
int	hostlist_parse(const char *text, struct host **out, size_t *n,
	    struct x2gobroker_error *err);

/* Read the next item of *text (may be NULL) into *host.  Returns 1, or 0 at the
 * end, or -1 if it is invalid. */
int	hostlist_next(const char **text, struct host *host,
	    struct x2gobroker_error *err);

/* Set err to say that a host= key has no server, and return -1. */
int	hostlist_no_server(struct x2gobroker_error *err);

/* Read only the first item of text into *host. */
int	hostlist_first(const char *text, struct host *host,
	    struct x2gobroker_error *err);

/* Find the host that calls itself name: the one of n hosts with that name, or
 * else with that address, regardless of case and a final dot; or else, if one
 * of the two names has no domain, the host with the same first label.  NULL if
 * there is none, or more than one. */
const struct host *hostlist_match(const struct host *hosts, size_t n,
	    const char *name);

/* An order of names, as by strcmp(3), in which those are equal that
 * hostlist_match() may find to be one host: addresses, or first labels. */
int	hostlist_compare_labels(const char *a, const char *b);

/* Its own port, or that of setting (the value of sshport= or sshproxyport=; may
 * be NULL), or SSH_PORT. */
int	host_port(const struct host *host, const char *setting);

/* The name or address that the client can connect to, or NULL.  The client ends
 * a host at the first ':', so this is never an IPv6 address. */
const char *host_for_client(const struct host *host);

/* Call fn (may be NULL) for each item of text, the value of this key:
 * NAME:NUMBER, separated by commas, where an IPv6 address is in brackets.
 * Returns -1 at the first invalid item, which the text of err quotes. */
typedef void hostnumbers_item(void *arg, const char *name, int number);
int	hostnumbers_parse(const char *key, const char *text,
	    hostnumbers_item *fn, void *arg, struct x2gobroker_error *err);

/* Check such a value: the same, and no host may have two numbers. */
int	hostnumbers_check(const char *key, const char *text,
	    struct x2gobroker_error *err);

#endif
