/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs jobs in threads, one job for each server.  Any of them may hang: a job
 * that is not done at the deadline has failed.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

/* So many jobs are started at once, and as many more each time that this long
 * has passed, so that jobs that hang do not keep others from being started. */
#define PARALLEL_BATCH		64
#define PARALLEL_BATCH_MS	250

struct parallel_job {
	/* Set by the caller.  Called in a thread with all signals blocked.  It
	 * may use only data that belongs to the job or does not change.
	 * Returns 0, or -1 with *err filled in. */
	int (*run)(struct parallel_job *job, struct x2gobroker_error *err);
	/* Called when the job is no longer needed. */
	void (*free)(struct parallel_job *job);

	/* Results. */
	bool done;		/* the other results are valid */
	bool failed;
	struct x2gobroker_error error;
	int64_t started, ended;	/* clock_ms() */

	/* private to parallel.c */
	struct round *round;
	bool told;		/* progress was called */
	bool left;		/* abandoned: no longer waited for */
};

/* Called for each job that is done, in the thread that called
 * parallel_run(). */
typedef void parallel_progress(void *arg, struct parallel_job *job);

/* Run n jobs until all are done or the deadline has passed.  A job that hangs
 * in a call without a deadline (of a resolver) is abandoned: its slot in jobs
 * becomes NULL, and the job is freed when that call returns, if ever. */
int	parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
	    parallel_progress *progress, void *arg,
	    struct x2gobroker_error *err);

/* The deadline, which a job itself must observe. */
int64_t	parallel_deadline(const struct parallel_job *job);

#endif
