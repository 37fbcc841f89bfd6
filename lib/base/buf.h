/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Text that grows.  After a failed allocation all further calls do nothing, so
 * a caller checks once, at the end (buf.failed).  Memory is wiped before it is
 * freed, because an answer can contain a private key.
 */
struct buf {
	char *data;	/* NUL-terminated; NULL until something is put in */
	size_t len;
	size_t size;	/* allocated */
	bool failed;
};

void	buf_put(struct buf *buf, const void *data, size_t len);
void	buf_puts(struct buf *buf, const char *s);
void	buf_putc(struct buf *buf, char c);
void	buf_printf(struct buf *buf, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Make room for len bytes in total, to avoid growing step by step. */
void	buf_reserve(struct buf *buf, size_t len);

/* Shorten the text to len bytes.  What is cut off is wiped. */
void	buf_truncate(struct buf *buf, size_t len);
void	buf_free(struct buf *buf);

#endif
