/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include "base/clock.h"
#include "parallel.h"

/* One for the process, as threads may outlive the call. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct parallel jobs;
	size_t next;		/* the first job not started */
	size_t ended;
	size_t threads;		/* that were started for these jobs */
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *
work(void *arg)
{
	const struct parallel *jobs = &pool.jobs;
	size_t i;

	pthread_mutex_lock(&pool.lock);
	while (pool.next < jobs->n) {
		i = pool.next++;
		pthread_mutex_unlock(&pool.lock);
		jobs->run(jobs->arg, i);
		pthread_mutex_lock(&pool.lock);
		jobs->done(jobs->arg, i, 1);
		pool.ended++;
		pthread_cond_signal(&pool.changed);
	}
	pthread_mutex_unlock(&pool.lock);
	return arg;
}

/* With the lock held.  Returns an errno value, though one thread is enough. */
static int
start_threads(void)
{
	size_t waiting = pool.jobs.n - pool.next;
	size_t i, n = waiting < PARALLEL_BATCH ? waiting : PARALLEL_BATCH;
	pthread_attr_t attr;
	pthread_t thread;
	int result = 0;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, PARALLEL_STACK_SIZE);
	for (i = 0; i < n && result == 0; i++) {
		result = pthread_create(&thread, &attr, work, NULL);
		if (result == 0)
			pool.threads++;
	}
	pthread_attr_destroy(&attr);
	return pool.threads > 0 ? 0 : result;
}

/* With the lock held: wait for a change until the deadline. */
static void
wait_for_change(int64_t deadline)
{
	const struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = deadline % 1000 * 1000000,
	};

	pthread_cond_timedwait(&pool.changed, &pool.lock, &until);
}

/* With the lock held.  A thread of the last round may still be about to see
 * that there was no job left, and takes one of these. */
static void
init_round(const struct parallel *jobs)
{
	static bool initialized;
	pthread_condattr_t attr;

	if (!initialized) {
		pthread_condattr_init(&attr);
		pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
		pthread_cond_init(&pool.changed, &attr);
		pthread_condattr_destroy(&attr);
		initialized = true;
	}
	pool.jobs = *jobs;
	pool.next = pool.ended = pool.threads = 0;
}

int
parallel_run(const struct parallel *jobs)
{
	int64_t late = jobs->deadline + PARALLEL_GRACE_MS;
	int64_t next_batch = clock_ms() + PARALLEL_BATCH_MS;
	int error, result;

	pthread_mutex_lock(&pool.lock);
	init_round(jobs);
	if ((error = start_threads()) != 0) {
		pthread_mutex_unlock(&pool.lock);
		errno = error;
		return -1;
	}
	while (pool.ended < jobs->n && clock_left(late) > 0) {
		if (clock_left(jobs->deadline) == 0)
			/* no time is left for those that are not started */
			for (; pool.next < jobs->n; pool.ended++)
				jobs->done(jobs->arg, pool.next++, 0);
		if (pool.ended < jobs->n)
			wait_for_change(pool.next < jobs->n &&
			    next_batch < jobs->deadline ? next_batch :
			    pool.next < jobs->n ? jobs->deadline : late);
		if (pool.next < jobs->n && clock_left(next_batch) == 0) {
			/* those that run suffice if no more can be started */
			start_threads();
			next_batch += PARALLEL_BATCH_MS;
		}
	}
	result = pool.ended < jobs->n;
	if (result == 0)
		pthread_mutex_unlock(&pool.lock);
	/* else no thread may report anything */
	return result;
}
