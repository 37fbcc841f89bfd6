/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocations that fail, one after the other.  A test that includes this is
 * linked with --wrap for each of the functions below, of which it may do without
 * asprintf.
 */
#ifndef TEST_ALLOC_H
#define TEST_ALLOC_H

#include "support.h"

void	*__real_malloc(size_t size);
void	*__real_calloc(size_t n, size_t size);
void	*__real_reallocarray(void *p, size_t n, size_t size);
char	*__real_strdup(const char *s);
char	*__real_strndup(const char *s, size_t len);

void	*__wrap_malloc(size_t size);
void	*__wrap_calloc(size_t n, size_t size);
void	*__wrap_reallocarray(void *p, size_t n, size_t size);
char	*__wrap_strdup(const char *s);
char	*__wrap_strndup(const char *s, size_t len);
int	__wrap_asprintf(char **out, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
int	__wrap___asprintf_chk(char **out, int flag, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* How many allocations there are until one fails; 0: none will. */
static int alloc_countdown;

static bool
alloc_fails(void)
{
	return alloc_countdown > 0 && --alloc_countdown == 0;
}

void *
__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return alloc_fails() ? NULL : __real_strdup(s);
}

char *
__wrap_strndup(const char *s, size_t len)
{
	return alloc_fails() ? NULL : __real_strndup(s, len);
}

int
__wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = alloc_fails() ? -1 : vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

/* The same in a build with optimisation. */
int
__wrap___asprintf_chk(char **out, int flag unused, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = alloc_fails() ? -1 : vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

/* Let the n-th allocation from now on fail, from 1. */
static void
alloc_fail(int n)
{
	alloc_countdown = n;
}

/* Let no more fail.  Whether one has. */
static bool
alloc_failed(void)
{
	bool failed = alloc_countdown == 0;

	alloc_countdown = 0;
	return failed;
}

#endif
