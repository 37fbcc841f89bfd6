/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs in threads, one for each server.  Any of them may hang.
 */
#ifndef POLL_PARALLEL_H
#define POLL_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

/* So many jobs are started at once, and as many more each time that this long
 * has passed, so that jobs that hang do not keep others from being started. */
#define PARALLEL_BATCH		64
#define PARALLEL_BATCH_MS	250

/* After the deadline, the time for jobs that observe it to return. */
#define PARALLEL_GRACE_MS	250

/* Of each thread; modules of the resolver need some. */
#define PARALLEL_STACK_SIZE	(256 * 1024)

struct parallel {
	size_t n;
	int64_t deadline;		/* which jobs must observe */
	/* Do job i, in a thread. */
	void (*run)(void *arg, size_t i);
	/* Job i is done; or, if it was not started in time, will not be.  Not
	 * called by two threads at once. */
	void (*done)(void *arg, size_t i, int started);
	void *arg;
};

/* Returns 0 when all jobs are done; then it may be called again.  Returns 1 a
 * moment after the deadline: jobs that hang in a call without a deadline (of a
 * resolver) still run, and are no longer told of, so the caller has to end the
 * process.  Returns -1 with errno set if no thread can be started. */
int	parallel_run(const struct parallel *jobs);

#endif
