/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Release by scope: a variable declared with one of these attributes is
 * released at every return; steal() hands it to the caller instead.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_free	__attribute__((cleanup(cleanup_freep)))
#define cleanup_fd	__attribute__((cleanup(cleanup_closep)))
#define cleanup_file	__attribute__((cleanup(cleanup_fclosep)))
#define cleanup_buf	__attribute__((cleanup(buf_free)))

static inline void
cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline void
cleanup_closep(int *fd)
{
	int save = errno;

	if (*fd >= 0)
		close(*fd);
	errno = save;
}

static inline void
cleanup_fclosep(FILE **fp)
{
	int save = errno;

	if (*fp != NULL)
		fclose(*fp);
	errno = save;
}

/* Return the value of *p and set *p to NULL. */
#define steal(p) ({ __typeof__(*(p)) stolen_ = *(p); *(p) = NULL; stolen_; })

#endif
