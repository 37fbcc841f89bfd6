/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "x2gobroker.h"

/* Fill in err (may be NULL) and return -1, which the caller can return in turn.
 * file may be NULL. */
int	error_set(struct x2gobroker_error *err, enum x2gobroker_code code,
	    const char *file, unsigned int line, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* The same, and append ": " and strerror(errno). */
int	error_errno(struct x2gobroker_error *err, const char *file,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* The same for an allocation that failed. */
int	error_nomem(struct x2gobroker_error *err);

/* The same where the caller returns a pointer: NULL. */
static inline void *
error_null(int set __attribute__((unused)))
{
	return NULL;
}

/* err; or if it is NULL, that there was no memory for it.  For errors that take
 * memory only when they happen. */
const struct x2gobroker_error *error_or_nomem(
	    const struct x2gobroker_error *err);

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time and would assume that they can return
 * 0. */
#define error_set(...)		(error_set(__VA_ARGS__), -1)
#define error_errno(...)	(error_errno(__VA_ARGS__), -1)
#define error_nomem(err)	(error_nomem(err), -1)
#endif

/* Where the problems of a file are reported, and what has been reported. */
struct reporter {
	x2gobroker_report *fn;	/* may be NULL */
	void *arg;
	unsigned int errors;	/* not counting warnings */
	bool nomem;		/* one of them was ERR_NOMEM */
	struct x2gobroker_error *first;	/* filled in with the first of them;
					 * or NULL */
};

void	report(struct reporter *rep, enum x2gobroker_code code,
	    const char *file, unsigned int line, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* Report an error that another function has filled in. */
void	report_error(struct reporter *rep, const struct x2gobroker_error *err);

#endif
