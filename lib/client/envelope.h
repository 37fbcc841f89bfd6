/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X2Go clients wrap a command in a line of shell.  The line is compared with
 * the forms that known clients send; no shell ever sees it.
 */
#ifndef CLIENT_ENVELOPE_H
#define CLIENT_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#define UUID_LEN	36	/* 8-4-4-4-12 lower-case hex digits */

struct envelope {
	char uuid[UUID_LEN + 1];	/* "": no markers */
	const char *text;		/* the content, borrowed */
	size_t len;
};

/* Find the content of command.  A command in another form is its own content,
 * without a uuid. */
void	envelope_open(const char *command, struct envelope *out);

#endif
