/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that is freed all at once: the thousands of small strings of a
 * profile file need no allocation of their own.
 */
struct arena {
	struct arena_block *head;
};

/* Return size bytes, aligned for pointers, or NULL. */
void	*arena_alloc(struct arena *arena, size_t size);

/* Return a NUL-terminated copy of len bytes, or NULL. */
char	*arena_strndup(struct arena *arena, const char *s, size_t len);
void	 arena_free(struct arena *arena);

#endif
