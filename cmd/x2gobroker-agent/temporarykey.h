/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of authorized_keys that a broker may add.  Only what is known to be
 * harmless is allowed in them, and each has an end.
 */
#ifndef X2GOBROKER_AGENT_TEMPORARYKEY_H
#define X2GOBROKER_AGENT_TEMPORARYKEY_H

#include "base/buf.h"
#include "base/error.h"
#include "base/keyline.h"

#define TEMPORARYKEY_MAX	(8 * 1024)	/* bytes of a new line */
#define TEMPORARYKEY_SECONDS_MAX (60 * 60)	/* until its end */
#define TEMPORARYKEY_SECONDS	60		/* if the broker names no end */

/* The comment of a line that we may remove begins with this word. */
#define TEMPORARYKEY_MARK	"x2gobroker"

/* Whether the line is a temporary one of a broker: it has our mark and an
 * expiry-time, to which *expiry is set. */
bool	temporarykey_check(const struct keyline *line, time_t *expiry);

enum temporarykey_end {
	END_ANY,	/* for removal: none is needed, and it may be over */
	END_AS_SENT,	/* within TEMPORARYKEY_SECONDS_MAX from now */
	END_LOCAL,	/* the same, but written in the local time of this host,
			 * for an sshd that does not read UTC */
};

/* Check a line from a broker, and append it to out in the form that sshd reads:
 * except for removal, with our mark and an end.  Returns 0, or -1 with err
 * filled in if such a line is not allowed. */
int	temporarykey_make(const char *text, enum temporarykey_end end,
	    time_t now, struct buf *out, struct x2gobroker_error *err);

#endif
