/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a program a number of times and print what each run took, one line a
 * run: wall clock and processor time in microseconds, peak memory in KiB.  It
 * is small itself, so that the memory is the program's and not ours.
 *
 * usage: run COUNT PROGRAM [ARGUMENT ...]
 */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long
micros(const struct timeval *tv)
{
	return tv->tv_sec * 1000000L + tv->tv_usec;
}

static int
run(char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int fd, status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if ((pid = fork()) == -1)
		return -1;
	if (pid == 0) {
		if ((fd = open("/dev/null", O_RDWR)) != -1)
			dup2(fd, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) == -1)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return -1;
	printf("%ld %ld %ld\n", (end.tv_sec - start.tv_sec) * 1000000L +
	    (end.tv_nsec - start.tv_nsec) / 1000,
	    micros(&usage.ru_utime) + micros(&usage.ru_stime),
	    usage.ru_maxrss);
	return 0;
}

int
main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[1]) : 0;

	if (count <= 0) {
		fprintf(stderr, "usage: run COUNT PROGRAM [ARGUMENT ...]\n");
		return 2;
	}
	while (count-- > 0) {
		if (run(argv + 2) == -1) {
			fprintf(stderr, "%s failed\n", argv[2]);
			return 1;
		}
	}
	return 0;
}
