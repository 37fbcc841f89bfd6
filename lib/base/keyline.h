/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of authorized_keys (sshd(8)), which can contain anything: their parts,
 * the options, and the times of expiry-time.
 */
#ifndef BASE_KEYLINE_H
#define BASE_KEYLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define KEYLINE_TIME	sizeof("YYYYMMDDHHMMSSZ")

struct span {
	const char *at;
	size_t len;
};

bool	span_begins_with(const struct span *span, const char *text);

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

/* An option: its name, and what follows the '=', without quotes. */
struct keyoption {
	struct span name, value;
	bool has_value;
};

/* Cut the next option off *rest.  False: *rest is empty. */
bool	keyline_next_option(struct span *rest, struct keyoption *option);

/* Parse the value of expiry-time: YYYYMMDD or YYYYMMDDHHMM[SS] in local time,
 * or in UTC with a Z at the end.  False: it is invalid. */
bool	keyline_parse_time(const char *text, size_t len, time_t *out);

/* Write such a value with seconds: in UTC, which sshd reads since OpenSSH 9.1,
 * or in the local time of this host, which it reads since 7.7.  False: the
 * time cannot be written so. */
bool	keyline_format_time(time_t when, bool local,
	    char text[static KEYLINE_TIME]);

#endif
