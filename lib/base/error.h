/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "x2gobroker.h"

/* Fill err (may be NULL) and return -1, so that a caller can return the
 * result.  file may be NULL. */
int	error_set(struct x2gobroker_error *err, enum x2gobroker_code code,
	    const char *file, unsigned int line, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* The same with ": strerror(errno)" behind the text. */
int	error_errno(struct x2gobroker_error *err, const char *file,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Memory is out. */
int	error_nomem(struct x2gobroker_error *err);

#ifdef __clang_analyzer__
/* It reads one file at a time, and would take it that they may return 0. */
#define error_set(...)		(error_set(__VA_ARGS__), -1)
#define error_errno(...)	(error_errno(__VA_ARGS__), -1)
#define error_nomem(err)	(error_nomem(err), -1)
#endif

/* Where the problems of a file go, and how many errors came by. */
struct reporter {
	x2gobroker_report *fn;	/* may be NULL */
	void *arg;
	unsigned int errors;	/* not counting warnings */
	bool nomem;		/* one of them was that memory is out */
	struct x2gobroker_error first;
};

void	report(struct reporter *rep, enum x2gobroker_code code,
	    const char *file, unsigned int line, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));

/* Pass on an error that a function below has filled in. */
void	report_error(struct reporter *rep, const struct x2gobroker_error *err);

#endif
