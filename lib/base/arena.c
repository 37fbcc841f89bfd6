/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* The first block is small, because most files are: each page of memory that a
 * program touches costs as much as dozens of system calls. */
#define ARENA_FIRST	480
#define ARENA_BLOCK	4000	/* the usual one; with both headers, a page */
#define ARENA_ALIGN	sizeof(void *)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	char data[];
};

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->head;
	size_t room;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (block == NULL || block->size - block->used < size) {
		room = block == NULL ? ARENA_FIRST : block->size * 2;
		if (room > ARENA_BLOCK)
			room = ARENA_BLOCK;
		if (room < size)
			room = size;
		if ((block = malloc(sizeof(*block) + room)) == NULL)
			return NULL;
		block->next = arena->head;
		block->used = 0;
		block->size = room;
		arena->head = block;
	}
	p = block->data + block->used;
	block->used += size;
	return p;
}

char *
arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy;

	if (len == SIZE_MAX || (copy = arena_alloc(arena, len + 1)) == NULL)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

void
arena_free(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->head; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	arena->head = NULL;
}
