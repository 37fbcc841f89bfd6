/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

ssize_t
base64_decode(const char *text, size_t len, uint8_t *dst, size_t size)
{
	size_t i, used = 0, padding = 0;
	uint32_t bits = 0;
	const char *p;

	if (len % 4 != 0)
		return -1;
	while (len > 0 && padding < 2 && text[len - 1] == '=') {
		padding++;
		len--;
	}
	for (i = 0; i < len; i++) {
		p = memchr(alphabet, text[i], sizeof(alphabet) - 1);
		if (p == NULL)
			return -1;
		bits = bits << 6 | (uint32_t)(p - alphabet);
		if (i % 4 == 0)
			continue;
		if (used == size)
			return -1;
		dst[used++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	/* unused bits of the last character must be 0 */
	if (padding > 0 && (bits & (padding == 1 ? 3 : 15)) != 0)
		return -1;
	return (ssize_t)used;
}

void
base64_encode(const uint8_t *src, size_t len, char *dst)
{
	uint32_t bits = 0;
	int n = 0;

	for (; len > 0; len--) {
		bits = bits << 8 | *src++;
		for (n += 8; n >= 6; n -= 6)
			*dst++ = alphabet[bits >> (n - 6) & 63];
	}
	if (n > 0)
		*dst++ = alphabet[bits << (6 - n) & 63];
	*dst = '\0';
}
