/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Decode len characters (RFC 4648, with its padding, nothing else in between)
 * into dst.  Returns the bytes, or -1: no base64, or more than size bytes. */
ssize_t	base64_decode(const char *text, size_t len, uint8_t *dst, size_t size);

/* Encode len bytes without padding, as fingerprints of keys are written, and
 * end with a NUL.  dst has room for 4 * (len + 2) / 3 + 1. */
void	base64_encode(const uint8_t *src, size_t len, char *dst);

#endif
