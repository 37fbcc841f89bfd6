/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/*
 * Memory that is released all at once: thousands of small strings of a
 * profile file need neither their own allocation nor their own free.
 */
struct arena {
	struct arena_block *head;
};

/* Memory of that size, aligned for pointers, or NULL. */
void	*arena_alloc(struct arena *arena, size_t size);

/* A copy of len bytes with a NUL behind, or NULL. */
char	*arena_strndup(struct arena *arena, const char *s, size_t len);
void	 arena_free(struct arena *arena);

#endif
