/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many things at the same time, each of which may hang: a job per server, done
 * by threads, and a deadline at which all that is not done has failed.
 */
#ifndef ROUND_H
#define ROUND_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

#define ROUND_THREADS_MAX	64	/* more jobs take their turn */

struct round_job {
	/* Set by the caller.  Called in a thread of its own, in which all signals
	 * are blocked, and may use only what is its own or does not change.
	 * 0, or -1 with *err filled in. */
	int (*run)(struct round_job *job, struct x2gobroker_error *err);
	/* Called when nobody needs the job any more. */
	void (*free)(struct round_job *job);

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

/* Told of each job that is done, in the thread that called round_run(). */
typedef void round_progress(void *arg, const struct round_job *job);

/* Do all n jobs, until each is done or the deadline is over.  A job that hangs
 * in a call that knows no deadline (a resolver's) is left to itself: its slot in
 * jobs is NULL then, and it is freed when it comes back, if ever. */
int	round_run(struct round_job **jobs, size_t n, int64_t deadline,
	    round_progress *progress, void *arg, struct x2gobroker_error *err);

/* For jobs: the deadline, which they have to keep to by themselves. */
int64_t	round_deadline(const struct round_job *job);

#endif
