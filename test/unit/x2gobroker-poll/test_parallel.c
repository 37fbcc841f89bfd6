/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each run is in a process of its own, which it ends with jobs that still run. */
#include <sys/mman.h>
#include <sys/wait.h>

#include <poll.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "support.h"
#include "x2gobroker-poll/parallel.h"

#define JOBS	200

/* What is only to end at some time, however busy the machine is, ends by then. */
#define PATIENCE_MS	100000

/* How long jobs take, and what became of them; shared with that process. */
static struct work {
	int ms[JOBS];		/* -1: until the deadline */
	atomic_int done[JOBS], late[JOBS], at_once, most;
	int64_t deadline;
} *work;

static void
pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

static void
do_work(void *arg, size_t i)
{
	int now = atomic_fetch_add(&work->at_once, 1) + 1;

	assert_ptr_equal(arg, work);
	if (now > work->most)
		work->most = now;
	pause_ms(work->ms[i] >= 0 ? work->ms[i] :
	    clock_left(work->deadline) + 20);
	atomic_fetch_sub(&work->at_once, 1);
}

static void
note(void *arg unused, size_t i, int started)
{
	atomic_fetch_add(started ? &work->done[i] : &work->late[i], 1);
}

/* Run n jobs, with ms left, so often.  Returns how many milliseconds it took. */
static int64_t
run_rounds(size_t n, int ms, int rounds)
{
	int64_t start = clock_ms();
	struct parallel jobs = { .n = n, .deadline = start + ms,
	    .run = do_work, .done = note, .arg = work };
	int status;
	pid_t pid;

	work->deadline = jobs.deadline;
	if ((pid = fork()) == 0) {
		while (--rounds > 0)
			if (parallel_run(&jobs) != 0)
				_exit(2);
		_exit(parallel_run(&jobs) == -1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return clock_ms() - start;
}

static int64_t
run(size_t n, int ms)
{
	return run_rounds(n, ms, 1);
}

static int
setup(void **state unused)
{
	if (work == NULL)
		work = mmap(NULL, sizeof(*work), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (work == MAP_FAILED)
		return -1;
	memset(work, 0, sizeof(*work));
	return 0;
}

static void
all_jobs_are_done_once(void **state)
{
	static const size_t counts[] = { 1, 2, 63, 64, 65, JOBS };
	size_t c, i;

	for (c = 0; c < LENGTH(counts); c++) {
		setup(state);
		for (i = 0; i < counts[c]; i++)
			work->ms[i] = (int)(i % 7);
		run(counts[c], PATIENCE_MS);
		for (i = 0; i < JOBS; i++) {
			assert_int_equal(work->done[i], i < counts[c]);
			assert_int_equal(work->late[i], 0);
		}
	}
}

static void
another_round_can_follow(void **state unused)
{
	size_t i;

	for (i = 0; i < JOBS; i++)
		work->ms[i] = (int)(i % 3);
	run_rounds(JOBS, PATIENCE_MS, 20);
	for (i = 0; i < JOBS; i++)
		assert_int_equal(work->done[i], 20);
}

static void
they_run_at_the_same_time(void **state unused)
{
	size_t i;

	for (i = 0; i < 64; i++)
		work->ms[i] = 3000;
	run(64, PATIENCE_MS);
	assert_true(work->most > 32);
}

/* On a busy machine, the time for it may pass before they return. */
static void
jobs_that_observe_the_deadline_are_waited_for(void **state unused)
{
	int64_t ms;

	work->ms[0] = -1;
	ms = run(2, 3000);
	assert_int_in_range(ms, 3000, PATIENCE_MS);
	assert_true(work->done[0] == 1 || ms >= 3000 + PARALLEL_GRACE_MS);
	assert_int_equal(work->done[1], 1);
}

static void
a_job_that_hangs_is_not_waited_for(void **state unused)
{
	work->ms[1] = 2 * PATIENCE_MS;
	assert_int_in_range(run(3, 3000), 3000, PATIENCE_MS);
	assert_int_equal(work->done[0], 1);
	assert_int_equal(work->done[1], 0);
	assert_int_equal(work->done[2], 1);
}

/* More of them hang than are started at once. */
static void
jobs_that_hang_keep_no_other_from_being_started(void **state unused)
{
	size_t i;

	for (i = 0; i < JOBS - 50; i++)
		work->ms[i] = -1;
	run(JOBS, 20000);
	for (i = 0; i < JOBS; i++) {
		assert_int_equal(work->late[i], 0);
		assert_true(work->done[i] == 1 || work->ms[i] == -1);
	}
}

static void
jobs_that_are_not_started_in_time_are_told_of(void **state unused)
{
	size_t i, late = 0;

	for (i = 0; i < JOBS; i++)
		work->ms[i] = 3000;
	/* the last batch would start 50 ms later */
	run(JOBS, 3 * PARALLEL_BATCH_MS - 50);
	for (i = 0; i < JOBS; i++) {
		assert_true(work->done[i] + work->late[i] <= 1);
		late += (size_t)work->late[i];
	}
	assert_true(late > 0 && late < JOBS);
}

#define TEST(fn)	cmocka_unit_test_setup(fn, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_jobs_are_done_once),
		TEST(another_round_can_follow),
		TEST(they_run_at_the_same_time),
		TEST(jobs_that_observe_the_deadline_are_waited_for),
		TEST(a_job_that_hangs_is_not_waited_for),
		TEST(jobs_that_hang_keep_no_other_from_being_started),
		TEST(jobs_that_are_not_started_in_time_are_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
