/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decode the character at the start of s (len bytes) into *cp.  Returns its
 * length, or 0 if len is 0 or the bytes are not UTF-8 (RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF). */
size_t	utf8_decode(const char *s, size_t len, uint32_t *cp);

/* Copy s into dst (size bytes, always terminated) so that it is safe to show on
 * a terminal and in a log.  Control characters, Unicode's line separators and
 * characters that change the direction of writing, and bytes that are not UTF-8
 * become \ooo.  A text that is too long is cut between characters. */
void	utf8_escape(char *dst, size_t size, const char *s);

#endif
