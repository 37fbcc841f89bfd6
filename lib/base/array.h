/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdlib.h>

/* Make room for one more item of size bytes behind n items, or return NULL.
 * The list doubles when n is a power of two, so its size is not stored. */
static inline void *
array_grow(void *list, size_t n, size_t size)
{
	if (n != 0 && (n & (n - 1)) != 0)
		return list;
	return reallocarray(list, n != 0 ? 2 * n : 1, size);
}

#endif
