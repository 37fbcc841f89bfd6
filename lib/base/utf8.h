/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decode the character at s, of which len bytes are there, into *cp.  Returns
 * the bytes it takes, or 0 where they are not UTF-8 (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF) or len is 0. */
size_t	utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Copy s into dst (size bytes, always ended) so that it is safe on a terminal
 * and in a log: control characters, also those of Unicode that break lines or
 * turn the direction of writing, and bytes that are not UTF-8, become \ooo.
 * What has no room is cut between characters. */
void	utf8_escape(char *dst, size_t size, const char *s);

#endif
