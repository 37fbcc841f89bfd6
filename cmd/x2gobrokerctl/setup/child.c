/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/types.h>
#include <sys/wait.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spawn.h"
#include "../become.h"
#include "child.h"

#define OUTPUT_MAX	4096	/* bytes; these programs print little */
#define NOT_CALLED	255

bool
child_find(const char *program, char why[static WHY_SIZE])
{
	const char *name = strrchr(program, '-');

	if (access(program, X_OK) == 0)
		return true;
	snprintf(why, WHY_SIZE, "%s is missing; install it (on Debian, the "
	    "package systemd or systemd-standalone%s)", program, name);
	return false;
}

int
record_account(const struct record *record, const struct passwd **pw,
    char what[static WHY_SIZE])
{
	*pw = NULL;
	if (record->account[0] == '\0' ||
	    (*pw = getpwnam(record->account)) != NULL)
		return 0;
	snprintf(what, WHY_SIZE, "the account %s no longer exists",
	    record->account);
	return -1;
}

/* The child's process number, or -1. */
static pid_t
start(int (*fn)(void *arg), void *arg)
{
	pid_t pid;
	int result;

	fflush(NULL);	/* or the child would write it again */
	if ((pid = fork()) == -1)
		ctl_complain("cannot start a process: %s", strerror(errno));
	if (pid != 0)
		return pid;
	result = fn(arg);
	fflush(NULL);
	_exit(result);
}

int
child_call(int (*fn)(void *arg), void *arg)
{
	pid_t pid = start(fn, arg);
	int status;

	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct job {
	const struct passwd *account;
	int (*fn)(void *arg);
	void *arg;
};

static int
become_and_call(void *arg)
{
	const struct job *job = arg;

	if (become_account(job->account) == -1)
		return NOT_CALLED;
	return job->fn(job->arg);
}

int
child_call_as(const struct passwd *account, int (*fn)(void *arg), void *arg)
{
	struct job job = { .account = account, .fn = fn, .arg = arg };

	if (account == NULL)
		return fn(arg);
	return child_call(become_and_call, &job);
}

/*
 * Programs
 */

struct program {
	const char *const *argv;
	bool quiet;
};

/* For child_call_as(). */
static int
run_and_report(void *arg)
{
	static const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL
	};
	const struct program *program = arg;
	const struct spawn_options options = {
		.argv = program->argv, .env = env, .merge = true,
		.output_max = OUTPUT_MAX, .cut_output = true,
		.deadline = SPAWN_NO_DEADLINE,
	};
	cleanup_spawn struct spawn child = { 0 };
	char text[SPAWN_TEXT_SIZE];
	size_t len;

	if (spawn_run(&child, &options) == -1) {
		if (!program->quiet)
			ctl_complain("cannot start %s: %s", program->argv[0],
			    strerror(errno));
		return 1;
	}
	if (spawn_exit_status(&child) == 0)
		return 0;
	len = child.output.len;
	while (len > 0 && isspace((unsigned char)child.output.data[len - 1]))
		len--;
	if (!program->quiet)
		ctl_complain("%s %s%s%.*s", program->argv[0],
		    spawn_describe(&child, text), len > 0 ? ": " : "",
		    (int)len, len > 0 ? child.output.data : "");
	return 1;
}

int
child_run(const char *const *argv, const struct passwd *account, bool quiet)
{
	struct program program = { argv, quiet };

	return child_call_as(account, run_and_report, &program) == 0 ? 0 : -1;
}

void
child_show(const char *const *argv)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:,=";
	bool quote;

	printf("      ");
	for (; *argv != NULL; argv++) {
		quote = **argv == '\0' || (*argv)[strspn(*argv, plain)] != '\0';
		printf("%s%s%s%s", quote ? "'" : "", *argv, quote ? "'" : "",
		    argv[1] != NULL ? " " : "\n");
	}
}
