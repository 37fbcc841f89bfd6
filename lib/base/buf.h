/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Text that grows.  A failed allocation is remembered and makes all further
 * calls do nothing, so that a caller asks once, at the end (buf.failed).
 * Memory is wiped before it goes back: an answer can hold a private key.
 */
struct buf {
	char *data;	/* always ended by a NUL once something was put in */
	size_t len;
	size_t size;	/* allocated */
	bool failed;
};

void	buf_put(struct buf *buf, const void *data, size_t len);
void	buf_puts(struct buf *buf, const char *s);
void	buf_putc(struct buf *buf, char c);
void	buf_printf(struct buf *buf, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* Room for len bytes in all, where that can be guessed: saves growing. */
void	buf_reserve(struct buf *buf, size_t len);

/* Cut to len, which is at most buf->len. */
void	buf_truncate(struct buf *buf, size_t len);
void	buf_free(struct buf *buf);

#endif
