/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rounds that do not come about, or leave a job behind.  A test that includes this
 * is linked with --wrap=parallel_run.
 */
#ifndef TEST_ROUND_H
#define TEST_ROUND_H

#include "base/parallel.h"
#include "support.h"

int	__real_parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
	    parallel_progress *progress, void *arg, struct x2gobroker_error *err);
int	__wrap_parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
	    parallel_progress *progress, void *arg, struct x2gobroker_error *err);

static bool round_fails, round_hangs;

/* Where it hangs, the first job is left to itself. */
int
__wrap_parallel_run(struct parallel_job **jobs, size_t n, int64_t deadline,
    parallel_progress *progress, void *arg, struct x2gobroker_error *err)
{
	if (round_fails)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "no threads");
	if (!round_hangs)
		return __real_parallel_run(jobs, n, deadline, progress, arg, err);
	jobs[0]->free(jobs[0]);
	jobs[0] = NULL;
	return 0;
}

#endif
