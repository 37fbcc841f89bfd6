/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define BUF_FIRST	1024	/* a small listing needs no second allocation */

/* Make room for len more bytes and the NUL. */
static bool
grow(struct buf *buf, size_t len)
{
	size_t size = buf->size != 0 ? buf->size : BUF_FIRST;
	char *data = NULL;

	if (len < buf->size - buf->len && !buf->failed)
		return true;
	if (!buf->failed && len < SIZE_MAX / 4 - buf->len) {
		while (size <= buf->len + len)
			size *= 2;
		/* wipes the old memory, which realloc(3) would not */
		data = recallocarray(buf->data, buf->size, size, 1);
	}
	if (data == NULL) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->size = size;
	return true;
}

void
buf_reserve(struct buf *buf, size_t len)
{
	if (len > buf->len)
		grow(buf, len - buf->len);
}

void
buf_put(struct buf *buf, const void *data, size_t len)
{
	if (!grow(buf, len))
		return;
	if (len > 0)	/* else data may be NULL */
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *s)
{
	buf_put(buf, s, strlen(s));
}

void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	if (!grow(buf, (size_t)len))
		return;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

void
buf_truncate(struct buf *buf, size_t len)
{
	if (buf->data == NULL || len >= buf->len)
		return;
	explicit_bzero(buf->data + len, buf->len - len);
	buf->len = len;
}

void
buf_free(struct buf *buf)
{
	freezero(buf->data, buf->size);
	*buf = (struct buf){ 0 };
}
