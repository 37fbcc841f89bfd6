/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of authorized_keys (sshd(8)): those that a broker wants there, of which
 * nothing is taken that is not known to be harmless, and those that are there
 * already, which can be anything.
 */
#ifndef X2GOBROKER_AGENT_KEYLINE_H
#define X2GOBROKER_AGENT_KEYLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"

#define KEYLINE_MAX	(8 * 1024)	/* bytes of a new line */

/* The first word of the comment of a line that we may remove again. */
#define KEYLINE_MARK	"x2gobroker"

struct span {
	const char *at;
	size_t len;
};

/* Pieces of a line, which are in it. */
struct keyline {
	struct span options;	/* len 0: none */
	struct span type, base64;
	struct span comment;	/* to the end of the line */
};

/* Take apart a line without its '\n'.  False: there is no key in it. */
bool	keyline_split(const char *line, size_t len, struct keyline *out);

/* Whether the two have the same key, whatever else is in the lines. */
bool	keyline_same_key(const struct keyline *a, const struct keyline *b);

/* Whether the line is one for a while, put there for a broker: it has an
 * expiry-time, and our mark. */
bool	keyline_is_temporary(const struct keyline *line);

/* The same, and the time is over. */
bool	keyline_is_expired(const struct keyline *line, time_t now);

/* The time that expiry-time= means: YYYYMMDD or YYYYMMDDHHMM[SS], local or, with
 * a Z behind it, UTC.  False: it is none. */
bool	keyline_parse_time(const char *text, size_t len, time_t *out);

/* Check a line that is to be added or removed, and put it into out as sshd
 * reads it.  -1 with err filled in: it is not one that we would add. */
int	keyline_make(const char *text, struct buf *out,
	    struct x2gobroker_error *err);

#endif
