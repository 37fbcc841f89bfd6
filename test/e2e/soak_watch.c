/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs one broker in the place of sshd, and writes down what becomes of it: a
 * line when it has begun, and one when it has ended.
 *
 * usage: soak_watch LOG PROGRAM ARGUMENT ...
 *
 *	began PID UUID WHAT MILLISECONDS
 *	ended PID UUID WHAT MILLISECONDS STATUS KIBIBYTES
 *
 * UUID is that of the client's command, or "-"; MILLISECONDS are those of
 * CLOCK_MONOTONIC, STATUS is what wait4(2) says, and KIBIBYTES are the most
 * memory that the broker had at a time.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MARKER		"X2GODATABEGIN:"
#define UUID_SIZE	37

static const char *const tasks[] = {
	"listsessions", "selectsession", "clientevent", "LOGIN",
};

static void
find_uuid(const char *command, char uuid[static UUID_SIZE])
{
	const char *found = strstr(command, MARKER);
	size_t len = 0;

	if (found != NULL) {
		found += strlen(MARKER);
		len = strspn(found, "0123456789abcdef-");
	}
	if (len != UUID_SIZE - 1) {
		found = "-";
		len = 1;
	}
	memcpy(uuid, found, len);
	uuid[len] = '\0';
}

static const char *
find_task(const char *command)
{
	size_t i;

	for (i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
		if (strstr(command, tasks[i]) != NULL)
			return tasks[i];
	return "other";
}

static long long
now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* A line is one write(2), as many of us write there. */
static void
note(int log, const char *line)
{
	if (write(log, line, strlen(line)) != (ssize_t)strlen(line))
		_exit(97);
}

/* What it holds of the broker's would keep the client waiting. */
static void
let_go(void)
{
	int fd, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) == -1)
			_exit(96);
}

int
main(int argc, char **argv)
{
	const char *command = getenv("SSH_ORIGINAL_COMMAND");
	char about[100], line[300], uuid[UUID_SIZE];
	struct rusage usage;
	int log, status;
	pid_t pid;

	if (argc < 3 || (log = open(argv[1], O_WRONLY | O_APPEND |
	    O_CLOEXEC)) == -1)
		return 99;
	find_uuid(command != NULL ? command : "", uuid);
	/* a terminal that is hung up is the broker's matter */
	signal(SIGHUP, SIG_IGN);
	if ((pid = fork()) == -1)
		return 98;
	if (pid == 0) {
		signal(SIGHUP, SIG_DFL);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	let_go();
	snprintf(about, sizeof(about), "%d %s %s", (int)pid, uuid,
	    find_task(command != NULL ? command : ""));
	snprintf(line, sizeof(line), "began %s %lld\n", about, now_ms());
	note(log, line);
	if (wait4(pid, &status, 0, &usage) != pid)
		return 95;
	snprintf(line, sizeof(line), "ended %s %lld %d %ld\n", about,
	    now_ms(), status, usage.ru_maxrss);
	note(log, line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 94;
}
