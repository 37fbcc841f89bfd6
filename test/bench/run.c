/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run programs in turn (A B C A B C ...) and print what each run took.  It is
 * small and linked statically where it can be: what the kernel counts as the
 * peak memory of a program is never less than that of who started it.
 *
 * usage: run COMMAND [; COMMAND] ...
 *
 * with COMMAND: TURNS [NAME=VALUE ...] PROGRAM [ARGUMENT ...], and ";" a word
 * of its own.  PROGRAM is a path.  It gets the variables beside our own, /dev/null
 * as stdin and stdout, and our stderr.  As soon as a run fails, all is over.
 *
 * A line for each run: the command's number, from 0; nanoseconds from before
 * the process was made to after its status was fetched, so with fork, exec, the
 * dynamic linker and all that the kernel does to take the process away;
 * microseconds of user and of system time, of the process and of the children
 * that it has waited for (only their sum is exact); peak memory of the largest
 * of these in KiB; page faults; how often it waited, and how often something
 * else was run in its place.
 */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct command {
	long turns;
	char **argv, **env;
};

extern char **environ;

static long long
nanos(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000LL + ts->tv_nsec;
}

static long
micros(const struct timeval *tv)
{
	return tv->tv_sec * 1000000L + tv->tv_usec;
}

/* vfork(2), as posix_spawn(3) does it here, costs the same however large we
 * are, and leaves no page to be copied. */
static void
run(int number, const struct command *command,
    const posix_spawn_file_actions_t *actions)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	errno = posix_spawn(&pid, command->argv[0], actions, NULL,
	    command->argv, command->env);
	if (errno != 0)
		err(1, "%s", command->argv[0]);
	if (wait4(pid, &status, 0, &usage) == -1)
		err(1, "wait4");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		errx(1, "%s failed: wait status %#x", command->argv[0],
		    (unsigned int)status);
	printf("%d %lld %ld %ld %ld %ld %ld %ld\n", number,
	    nanos(&end) - nanos(&start), micros(&usage.ru_utime),
	    micros(&usage.ru_stime), usage.ru_maxrss,
	    usage.ru_minflt + usage.ru_majflt, usage.ru_nvcsw,
	    usage.ru_nivcsw);
}

/* argv is NULL-terminated and its own.  Of two variables with one name, the
 * first counts. */
static struct command
parse(char **argv)
{
	struct command command = { .turns = 0 };
	size_t own = 0, n = 0;

	if (*argv != NULL)
		command.turns = atol(*argv++);
	while (argv[own] != NULL && strchr(argv[own], '=') != NULL)
		own++;
	command.argv = argv + own;
	if (command.turns <= 0 || *command.argv == NULL)
		errx(2, "usage: run TURNS [NAME=VALUE ...] PROGRAM "
		    "[ARGUMENT ...] [; TURNS ...]");
	while (environ[n] != NULL)
		n++;
	command.env = calloc(own + n + 1, sizeof(*command.env));
	if (command.env == NULL)
		err(1, NULL);
	memcpy(command.env, argv, own * sizeof(*argv));
	memcpy(command.env + own, environ, n * sizeof(*argv));
	return command;
}

int
main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct command *commands = calloc((size_t)argc + 1, sizeof(*commands));
	char **from = argv + 1, **to;
	long turn, most = 0;
	int i, n = 0;

	if (commands == NULL)
		err(1, NULL);
	for (to = from; from <= argv + argc; from = ++to) {
		while (*to != NULL && strcmp(*to, ";") != 0)
			to++;
		*to = NULL;
		commands[n] = parse(from);
		if (commands[n].turns > most)
			most = commands[n].turns;
		n++;
	}
	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
	    "/dev/null", O_RDONLY, 0) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
	    "/dev/null", O_WRONLY, 0) != 0)
		errx(1, "out of memory");
	for (turn = 0; turn < most; turn++)
		for (i = 0; i < n; i++)
			if (turn < commands[i].turns)
				run(i, &commands[i], &actions);
	return 0;
}
