/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "support.h"

#define JOBS	200

static atomic_int freed;

struct work {
	struct parallel_job job;
	int number;
	int ms;			/* how long it takes */
	bool until_deadline;
};

static void
pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static int
do_work(struct parallel_job *job, struct x2gobroker_error *err)
{
	struct work *work = (struct work *)job;

	if (work->until_deadline) {
		pause_ms(clock_left(parallel_deadline(job)) + 20);
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "late");
	}
	pause_ms(work->ms);
	if (work->number % 3 == 2)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "number %d", work->number);
	return 0;
}

static void
free_work(struct parallel_job *job)
{
	freed++;
	free(job);
}

static struct parallel_job *
make_work(int number, int ms, bool until_deadline)
{
	struct work *work = calloc(1, sizeof(*work));

	assert_non_null(work);
	work->job.run = do_work;
	work->job.free = free_work;
	work->number = number;
	work->ms = ms;
	work->until_deadline = until_deadline;
	return &work->job;
}

struct told {
	size_t n;
	bool seen[JOBS];
	pthread_t thread;
};

static void
note(void *arg, struct parallel_job *job)
{
	struct told *told = arg;
	const struct work *work = (const struct work *)job;

	assert_true(pthread_equal(told->thread, pthread_self()));
	assert_true(job->done);
	assert_false(told->seen[work->number]);
	told->seen[work->number] = true;
	told->n++;
}

static void
all_jobs_are_done_and_told_of_once(void **state unused)
{
	static const size_t counts[] = { 1, 2, 63, 64, 65, JOBS };
	struct parallel_job *jobs[JOBS];
	char text[32];
	size_t c, i;

	for (c = 0; c < LENGTH(counts); c++) {
		struct told told = { .thread = pthread_self() };

		for (i = 0; i < counts[c]; i++)
			jobs[i] = make_work((int)i, (int)(i % 7), false);
		assert_int_equal(parallel_run(jobs, counts[c], clock_ms() + 20000,
		    note, &told, NULL), 0);
		assert_int_equal(told.n, counts[c]);
		for (i = 0; i < counts[c]; i++) {
			assert_true(jobs[i]->done);
			assert_int_equal(jobs[i]->failed, i % 3 == 2);
			snprintf(text, sizeof(text), "number %zu", i);
			assert_string_equal(jobs[i]->error.text,
			    i % 3 == 2 ? text : "");
			assert_true(jobs[i]->ended >= jobs[i]->started);
			free(jobs[i]);
		}
	}
}

static void
they_run_at_the_same_time(void **state unused)
{
	struct parallel_job *jobs[64];
	int64_t start = clock_ms();
	size_t i;

	for (i = 0; i < LENGTH(jobs); i++)
		jobs[i] = make_work(0, 300, false);
	assert_int_equal(parallel_run(jobs, LENGTH(jobs), start + 20000, NULL,
	    NULL, NULL), 0);
	/* one after the other they would take 19 seconds */
	assert_in_range(clock_ms() - start, 300, 5000);
	for (i = 0; i < LENGTH(jobs); i++)
		free(jobs[i]);
}

static void
who_notices_the_deadline_is_waited_for(void **state unused)
{
	struct parallel_job *jobs[2];
	int64_t start = clock_ms();

	jobs[0] = make_work(0, 0, true);
	jobs[1] = make_work(1, 0, false);
	assert_int_equal(parallel_run(jobs, 2, start + 200, NULL, NULL, NULL), 0);
	assert_in_range(clock_ms() - start, 200, 5000);
	assert_non_null(jobs[0]);
	assert_true(jobs[0]->done && jobs[0]->failed);
	assert_string_equal(jobs[0]->error.text, "late");
	assert_true(jobs[1]->done && !jobs[1]->failed);
	free(jobs[0]);
	free(jobs[1]);
}

static void
a_job_that_hangs_is_left_to_itself(void **state unused)
{
	struct parallel_job *jobs[3];
	int64_t start = clock_ms();
	int i;

	freed = 0;
	jobs[0] = make_work(0, 0, false);
	jobs[1] = make_work(1, 1500, false);
	jobs[2] = make_work(2, 0, false);
	assert_int_equal(parallel_run(jobs, 3, start + 100, NULL, NULL, NULL), 0);
	assert_in_range(clock_ms() - start, 100, 1400);
	assert_true(jobs[0]->done && jobs[2]->done);
	assert_null(jobs[1]);
	assert_int_equal(freed, 0);
	/* and cleans up after itself */
	for (i = 0; i < 100 && freed == 0; i++)
		pause_ms(50);
	assert_int_equal(freed, 1);
	free(jobs[0]);
	free(jobs[2]);
}

/* More of them hang than are started at once. */
static void
jobs_that_hang_keep_no_other_from_being_started(void **state unused)
{
	struct parallel_job *jobs[JOBS];
	int64_t start = clock_ms();
	size_t i;

	for (i = 0; i < JOBS; i++)
		jobs[i] = make_work(0, 0, i < JOBS - 50);
	assert_int_equal(parallel_run(jobs, JOBS, start + 4000, NULL, NULL,
	    NULL), 0);
	for (i = 0; i < JOBS; i++) {
		assert_non_null(jobs[i]);
		assert_true(jobs[i]->done);
		assert_int_equal(jobs[i]->failed, i < JOBS - 50);
		free(jobs[i]);
	}
}

static void
who_waits_for_its_turn_too_long_has_failed(void **state unused)
{
	struct parallel_job *jobs[JOBS];
	int64_t start = clock_ms();
	size_t i, late = 0;

	for (i = 0; i < JOBS; i++)
		jobs[i] = make_work(0, 200, false);
	assert_int_equal(parallel_run(jobs, JOBS, start + 300, NULL, NULL, NULL),
	    0);
	for (i = 0; i < JOBS; i++) {
		if (jobs[i] == NULL)
			continue;
		assert_true(jobs[i]->done);
		if (jobs[i]->failed) {
			assert_string_equal(jobs[i]->error.text,
			    "there was no time left to ask it");
			late++;
		}
		free(jobs[i]);
	}
	assert_true(late > 0 && late < JOBS);
	pause_ms(400);
}

static void
signals_are_the_callers(void **state unused)
{
	struct parallel_job *jobs[1];
	sigset_t before, after;
	int sig;

	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	jobs[0] = make_work(0, 0, false);
	assert_int_equal(parallel_run(jobs, 1, clock_ms() + 5000, NULL, NULL,
	    NULL), 0);
	free(jobs[0]);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&before, sig),
		    sigismember(&after, sig));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_jobs_are_done_and_told_of_once),
		cmocka_unit_test(they_run_at_the_same_time),
		cmocka_unit_test(who_notices_the_deadline_is_waited_for),
		cmocka_unit_test(a_job_that_hangs_is_left_to_itself),
		cmocka_unit_test(
		    jobs_that_hang_keep_no_other_from_being_started),
		cmocka_unit_test(who_waits_for_its_turn_too_long_has_failed),
		cmocka_unit_test(signals_are_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
