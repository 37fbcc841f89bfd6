/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many things at the same time, each of which may hang: a job per server, done
 * by threads, and a deadline at which all that is not done has failed.
 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

#define PARALLEL_THREADS_MAX	64	/* more jobs take their turn */

struct parallel_job {
	/* Set by the caller.  Called in a thread of its own, in which all
	 * signals are blocked, and may use only what is its own or does not
	 * change.  0, or -1 with *err filled in. */
	int (*run)(struct parallel_job *job, struct x2gobroker_error *err);
	/* Called when nobody needs the job any more. */
	void (*free)(struct parallel_job *job);

	/* Filled in. */
	bool done;		/* and its result can be looked at */
	bool failed;
	struct x2gobroker_error error;
	int64_t started, ended;	/* clock_ms() */

	/* of round.c */
	struct round *round;
	bool told;		/* progress was */
	bool left;		/* to itself: nobody waits for it any more */
};

/* Told of each job that is done, in the thread that called parallel_run(). */
typedef void parallel_progress(void *arg, struct parallel_job *job);

/* Do all n jobs, until each is done or the deadline is over.  A job that hangs
 * in a call that knows no deadline (a resolver's) is left to itself: its slot
 * in jobs is NULL then, and it is freed when it comes back, if ever. */
int	parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
	    parallel_progress *progress, void *arg, struct x2gobroker_error *err);

/* For jobs: the deadline, which they have to keep to by themselves. */
int64_t	parallel_deadline(const struct parallel_job *job);

#endif
