/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

size_t
utf8_decode(const char *s, size_t len, uint32_t *cp)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t i, n;
	uint32_t c;

	if (len == 0)
		return 0;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	if ((u[0] & 0xe0) == 0xc0) {
		n = 2;
		c = u[0] & 0x1f;
	} else if ((u[0] & 0xf0) == 0xe0) {
		n = 3;
		c = u[0] & 0x0f;
	} else if ((u[0] & 0xf8) == 0xf0) {
		n = 4;
		c = u[0] & 0x07;
	} else
		return 0;
	if (n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

/* Whether a terminal acts on the character, or it can make one line look like
 * another: control characters, line and paragraph separators, and characters
 * that change the direction of writing. */
static bool
is_harmful(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c ||
	    (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

void
utf8_escape(char *dst, size_t size, const char *s)
{
	size_t len = strlen(s), used = 0, n, width;
	char escaped[5];
	const char *piece;
	uint32_t cp;

	for (; len > 0; s += n, len -= n) {
		piece = s;
		width = n = utf8_decode(s, len, &cp);
		if (n == 0 || is_harmful(cp)) {
			snprintf(escaped, sizeof(escaped), "\\%03o",
			    (unsigned int)(unsigned char)*s);
			piece = escaped;
			width = sizeof(escaped) - 1;
			n = 1;
		}
		if (used + width + 1 > size)
			break;
		memcpy(dst + used, piece, width);
		used += width;
	}
	if (size > 0)
		dst[used] = '\0';
}
