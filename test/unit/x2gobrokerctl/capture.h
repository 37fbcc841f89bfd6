/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a function prints to stdout, and a stdout that is full.
 */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <fcntl.h>
#include <stdio_ext.h>

#include "support.h"

/* What is printed to stdout between the two calls. */
static struct {
	int before, ends[2];
	char text[4096];
} capture;

static unused void
begin_capture(void)
{
	assert_int_equal(fflush(stdout), 0);
	capture.before = dup(STDOUT_FILENO);
	assert_int_not_equal(capture.before, -1);
	assert_int_equal(pipe(capture.ends), 0);
	assert_int_not_equal(dup2(capture.ends[1], STDOUT_FILENO), -1);
}

static unused const char *
end_capture(void)
{
	ssize_t n;

	dup2(capture.before, STDOUT_FILENO);
	close(capture.before);
	close(capture.ends[1]);
	n = read(capture.ends[0], capture.text, sizeof(capture.text) - 1);
	close(capture.ends[0]);
	capture.text[n > 0 ? n : 0] = '\0';
	return capture.text;
}

/* What print(arg) returns where the disk is full. */
static unused int
print_to_full_disk(int (*print)(void *arg), void *arg)
{
	int fd, before, result;

	fflush(stdout);
	before = dup(STDOUT_FILENO);
	fd = open("/dev/full", O_WRONLY);
	dup2(fd, STDOUT_FILENO);
	result = print(arg);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	close(fd);
	return result;
}

#endif
