/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share.  A target ends the process where the library
 * breaks a promise; the sanitizers do so where it breaks memory.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(promise) do {						\
	if (!(promise)) {						\
		fprintf(stderr, "%s:%d: broken promise: %s\n",		\
		    __FILE__, __LINE__, #promise);			\
		abort();						\
	}								\
} while (0)

/* The input as a file.  fmemopen(3) does not write in mode "r". */
static inline FILE *
fuzz_open(const void *data, size_t size)
{
	FILE *fp = fmemopen((void *)(uintptr_t)data, size, "r");

	must(fp != NULL);
	return fp;
}

/* Whether s has no control characters but line breaks and tabs. */
static inline bool
fuzz_is_text(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 && *s != '\n' && *s != '\t')
			return false;
	return true;
}

/* The input as a string, up to its first NUL. */
static inline char *
fuzz_string(const void *data, size_t size)
{
	char *s = strndup(size > 0 ? data : "", size);

	must(s != NULL);
	return s;
}

#endif
