/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Decode len characters of base64 (RFC 4648, with padding) into dst.  Returns
 * the number of bytes, or -1 if the text is not base64 or has more than size
 * bytes.  b64_pton(3) of the C library would skip blanks and accept stray bits
 * at the end: one key could be written in many ways. */
ssize_t	base64_decode(const char *text, size_t len, uint8_t *dst, size_t size);

/* Encode len bytes without padding, as in fingerprints of keys, and terminate
 * the text.  dst must have room for 4 * (len + 2) / 3 + 1 bytes. */
void	base64_encode(const uint8_t *src, size_t len, char *dst);

#endif
