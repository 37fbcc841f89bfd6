/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How X2Go clients wrap what they want to say into a line of shell.  The
 * wrapping is compared with the forms that clients are known to send; none of
 * it is ever given to a shell.
 */
#ifndef CLIENT_ENVELOPE_H
#define CLIENT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_LEN	36	/* 8-4-4-4-12 lower-case hex digits */

struct envelope {
	char uuid[UUID_LEN + 1];	/* "": there are no markers */
	const char *text;		/* what is inside, borrowed */
	size_t len;
};

/* Take command apart.  A command that is in none of the wrappings is its own
 * content, with no uuid. */
void	envelope_open(const char *command, struct envelope *out);

#endif
