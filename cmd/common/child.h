/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A child process of libx2gobroker that speaks with foreign programs: how it
 * begins, reads its order, and writes its replies (agent/record.h).  Nothing is
 * released: it ends by _exit(2).
 */
#ifndef COMMON_CHILD_H
#define COMMON_CHILD_H

#include <stddef.h>

#include "base/buf.h"
#include "priv.h"

/* A build with sanitizers has no sandbox and no limit of memory: it needs much,
 * and when it has found something it opens files and starts a symbolizer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	true
#elif defined(__has_feature)
#define SANITIZED	(__has_feature(address_sanitizer) || \
			__has_feature(memory_sanitizer) || \
			__has_feature(thread_sanitizer) || \
			__has_feature(undefined_behavior_sanitizer))
#else
#define SANITIZED	false
#endif

/* Say why on stderr, which is for the log, and exit with 1. */
void	child_end(const char *why) __attribute__((noreturn));

/* Reset what was inherited, and keep the caller of a setuid broker away: all
 * ids become the effective ones. */
void	child_init(void);

/* Limit the memory that may be written to. */
void	child_limit_memory(size_t bytes);

/* Read an order from stdin, or end.  Its head is so many bytes, which say in
 * digits how many follow; text gets these. */
void	child_read_order(struct buf *text, size_t head);

/* Write all of it to stdout, or end. */
void	child_write(const struct buf *text);

#endif
