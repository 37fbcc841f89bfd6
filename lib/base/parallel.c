/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parallel.h"

#define STACK_SIZE	(512 * 1024)	/* modules of the resolver need some */

/* After the deadline, the time for jobs that observe it to return. */
#define GRACE_MS	250

struct round {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct parallel_job **jobs;	/* the caller's, until over */
	size_t n, next;			/* next: the first not started */
	size_t busy;			/* jobs that are running */
	int64_t deadline;
	bool over;
	size_t users;			/* threads, and the caller */
};

static void
release(struct round *round)
{
	bool last;

	last = --round->users == 0;
	pthread_mutex_unlock(&round->lock);
	if (!last)
		return;
	pthread_cond_destroy(&round->changed);
	pthread_mutex_destroy(&round->lock);
	free(round);
}

/* With the lock held. */
static struct parallel_job *
take_job(struct round *round)
{
	struct parallel_job *job;

	if (round->over || round->next == round->n)
		return NULL;
	job = round->jobs[round->next++];
	job->started = clock_ms();
	round->busy++;
	return job;
}

static void *
work(void *arg)
{
	struct round *round = arg;
	struct parallel_job *job;
	bool failed;

	pthread_mutex_lock(&round->lock);
	while ((job = take_job(round)) != NULL) {
		pthread_mutex_unlock(&round->lock);
		failed = job->run(job, &job->error) == -1;
		pthread_mutex_lock(&round->lock);
		if (job->left) {
			job->free(job);
			break;
		}
		job->failed = failed;
		job->ended = clock_ms();
		job->done = true;
		round->busy--;
		pthread_cond_signal(&round->changed);
	}
	release(round);
	return NULL;
}

static struct round *
make_round(struct parallel_job **jobs, size_t n, int64_t deadline)
{
	struct round *round = calloc(1, sizeof(*round));
	pthread_condattr_t attr;
	size_t i;

	if (round == NULL)
		return NULL;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&round->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&round->lock, NULL);
	round->jobs = jobs;
	round->n = n;
	round->deadline = deadline;
	round->users = 1;
	for (i = 0; i < n; i++)
		jobs[i]->round = round;
	return round;
}

/* With the lock held.  One thread is enough, though more are faster. */
static int
start_threads(struct round *round)
{
	size_t waiting = round->n - round->next;
	size_t i, n = waiting < PARALLEL_BATCH ? waiting : PARALLEL_BATCH;
	sigset_t all, old;
	pthread_attr_t attr;
	pthread_t thread;
	int result = 0;

	/* signals are for the caller's thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (i = 0; i < n && result == 0; i++) {
		result = pthread_create(&thread, &attr, work, round);
		if (result == 0)
			round->users++;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = result;
	return round->users > 1 || n == 0 ? 0 : -1;
}

/* The first job that is done and not reported yet, or NULL. */
static struct parallel_job *
find_done(const struct round *round)
{
	size_t i;

	for (i = 0; i < round->n; i++)
		if (round->jobs[i]->done && !round->jobs[i]->told)
			return round->jobs[i];
	return NULL;
}

/* With the lock held, which is released during the calls; so search again after
 * each. */
static void
tell_progress(struct round *round, size_t *told, parallel_progress *progress,
    void *arg)
{
	struct parallel_job *job;

	while ((job = find_done(round)) != NULL) {
		job->told = true;
		++*told;
		if (progress == NULL)
			continue;
		pthread_mutex_unlock(&round->lock);
		progress(arg, job);
		pthread_mutex_lock(&round->lock);
	}
}

/* With the lock held: wait for a change until the deadline. */
static bool
wait_for_change(struct round *round, int64_t deadline)
{
	const struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = deadline % 1000 * 1000000,
	};

	return pthread_cond_timedwait(&round->changed, &round->lock,
	    &until) != ETIMEDOUT;
}

/* With the lock held: wait a moment for jobs that are late, and abandon those
 * that hang. */
static void
end_round(struct round *round)
{
	struct parallel_job *job;
	int64_t until;
	size_t i;

	round->over = true;
	until = clock_ms() + GRACE_MS;
	while (round->busy > 0 && wait_for_change(round, until))
		continue;
	for (i = 0; i < round->n; i++) {
		job = round->jobs[i];
		if (job->done)
			continue;
		if (job->started != 0) {
			job->left = true;
			round->jobs[i] = NULL;
			continue;
		}
		error_set(&job->error, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "there was no time left to ask it");
		job->failed = job->done = true;
	}
}

int
parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
    parallel_progress *progress, void *arg, struct x2gobroker_error *err)
{
	struct round *round = make_round(jobs, n, deadline);
	int64_t next_batch = clock_ms() + PARALLEL_BATCH_MS;
	size_t told = 0;
	int result;

	if (round == NULL)
		return error_nomem(err);
	pthread_mutex_lock(&round->lock);
	if ((result = start_threads(round)) == -1)
		error_errno(err, NULL, "cannot start a thread");
	while (result == 0 && told < n && clock_left(deadline) > 0) {
		tell_progress(round, &told, progress, arg);
		if (told < n)
			wait_for_change(round, round->next < n &&
			    next_batch < deadline ? next_batch : deadline);
		if (round->next < n && clock_left(next_batch) == 0) {
			/* those that run suffice if no more can be started */
			start_threads(round);
			next_batch += PARALLEL_BATCH_MS;
		}
	}
	end_round(round);
	release(round);
	return result;
}

int64_t
parallel_deadline(const struct parallel_job *job)
{
	return job->round->deadline;
}
