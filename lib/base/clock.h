/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deadlines: times of the monotonic clock, in milliseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>

static inline int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The milliseconds until deadline, for poll(2): 0 when it has passed. */
static inline int
clock_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* poll(2) for one file descriptor until deadline. */
static inline int
clock_poll(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	int n;

	while ((n = poll(&pollfd, 1, clock_left(deadline))) == -1 &&
	    errno == EINTR)
		continue;
	return n;
}

#endif
