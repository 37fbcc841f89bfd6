/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A clock that the test sets.  Linked with --wrap=time. */
#ifndef TEST_FAKE_TIME_H
#define TEST_FAKE_TIME_H

#include <time.h>

static time_t now;

time_t	__wrap_time(time_t *out);

time_t
__wrap_time(time_t *out)
{
	if (out != NULL)
		*out = now;
	return now;
}

#endif
