/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of authorized_keys (sshd(8)): new ones from a broker, in which only
 * what is known to be harmless is allowed, and existing ones, which can be
 * anything.
 */
#ifndef X2GOBROKER_AGENT_KEYLINE_H
#define X2GOBROKER_AGENT_KEYLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"

#define KEYLINE_MAX	(8 * 1024)	/* bytes of a new line */

/* The comment of a line that we may remove begins with this word. */
#define KEYLINE_MARK	"x2gobroker"

struct span {
	const char *at;
	size_t len;
};

/* The parts of a line; they point into it. */
struct keyline {
	struct span options;	/* len 0: none */
	struct span type, base64;
	struct span comment;	/* to the end of the line */
};

/* Split a line without its '\n'.  False: it contains no key. */
bool	keyline_split(const char *line, size_t len, struct keyline *out);

/* Whether two lines have the same key, whatever else is in them. */
bool	keyline_same_key(const struct keyline *a, const struct keyline *b);

/* Whether the line is a temporary one of a broker: it has our mark and an
 * expiry-time, to which *expiry is set. */
bool	keyline_is_temporary(const struct keyline *line, time_t *expiry);

/* Parse the value of expiry-time: YYYYMMDD or YYYYMMDDHHMM[SS] in local time,
 * or in UTC with a Z at the end.  False: it is invalid. */
bool	keyline_parse_time(const char *text, size_t len, time_t *out);

/* Check a line from a broker, and append it to out in the form that sshd reads.
 * Returns 0, or -1 with err filled in if such a line is not allowed. */
int	keyline_make(const char *text, struct buf *out,
	    struct x2gobroker_error *err);

#endif
