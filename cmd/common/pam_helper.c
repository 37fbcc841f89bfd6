/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What needs privilege is done by a small setuid program, x2gobroker-pam(8).
 * It is told by arguments who, through a pipe the new password, and says by its
 * exit status how it went and in a line on stderr why.  That it cannot be
 * started, or does not end, is a refusal.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pam_helper.h"

#define DEADLINE_MS	22000	/* the helper ends itself after 20 s */
#define WHY_SIZE	1024	/* of what it may say on stderr */
#define PASSWORD_MAX	511	/* bytes that it takes; fits into any pipe */

/* Exit statuses of x2gobroker-pam(8). */
enum { HELPER_OK, HELPER_REFUSED };

struct helper {
	const char *path;
	pid_t pid;
	int in;			/* its standard input, or -1 */
	int out;		/* where it writes standard error, or -1 */
	int why;		/* where we read that, or -1 */
	long long deadline;	/* as now_ms() counts */
};

static int fail(struct x2gobroker_error *, enum x2gobroker_code, const char *,
    const char *, ...) __attribute__((format(printf, 4, 5)));

static int
fail(struct x2gobroker_error *err, enum x2gobroker_code code, const char *file,
    const char *fmt, ...)
{
	va_list ap;

	memset(err, 0, sizeof(*err));
	err->code = code;
	snprintf(err->file, sizeof(err->file), "%s", file != NULL ? file : "");
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* A descriptor from which password, or nothing, can be read.  The pipe holds
 * all of it, so that nobody has to wait for a reader. */
static int
open_input(const char *password)
{
	size_t len = password != NULL ? strlen(password) : 0;
	int fds[2];

	if (password == NULL)
		return open(_PATH_DEVNULL, O_RDONLY | O_CLOEXEC);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return -1;
	if (write(fds[1], password, len) != (ssize_t)len)
		close_fd(&fds[0]);
	close(fds[1]);
	return fds[0];
}

/* With an empty environment and no descriptors but 0 to 2.  Returns an errno
 * value; EACCES and its kind are those of execve(2). */
static int
spawn(struct helper *helper, char *const argv[])
{
	char *const no_environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return error;
	error = posix_spawn_file_actions_adddup2(&actions, helper->in, 0);
	if (error == 0)
		error = posix_spawn_file_actions_addopen(&actions, 1,
		    _PATH_DEVNULL, O_WRONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions,
		    helper->out, 2);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	if (error == 0)
		error = posix_spawn(&helper->pid, helper->path, &actions, NULL,
		    argv, no_environment);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* What the administrator can do about a helper that does not start. */
static int
fail_spawn(const char *path, int error, struct x2gobroker_error *err)
{
	switch (error) {
	case ENOENT:
		return fail(err, X2GOBROKER_ERR_SYSTEM, path, "not there, and "
		    "accounts cannot be checked without it; install it, or "
		    "see account-check in x2gobroker.conf(5)");
	case EACCES:
		return fail(err, X2GOBROKER_ERR_SYSTEM, path, "the account "
		    "that runs the broker may not start it; chgrp it to that "
		    "account's group, then chmod 4750");
	default:
		return fail(err, X2GOBROKER_ERR_SYSTEM, path, "does not "
		    "start: %s", strerror(error));
	}
}

static int
start(struct helper *helper, const char *what, const char *name,
    const char *address, const char *password, struct x2gobroker_error *err)
{
	/* posix_spawn(3) does not write to them */
	char *const argv[] = { (char *)(uintptr_t)"x2gobroker-pam",
	    (char *)(uintptr_t)what, (char *)(uintptr_t)name,
	    (char *)(uintptr_t)address, NULL };
	int fds[2], error;

	helper->deadline = now_ms() + DEADLINE_MS;
	if ((helper->in = open_input(password)) == -1 ||
	    pipe2(fds, O_CLOEXEC) == -1)
		return fail(err, X2GOBROKER_ERR_SYSTEM, NULL, "no pipe to "
		    "%s: %s", helper->path, strerror(errno));
	helper->why = fds[0];
	helper->out = fds[1];
	error = spawn(helper, argv);
	close_fd(&helper->in);
	close_fd(&helper->out);
	return error == 0 ? 0 : fail_spawn(helper->path, error, err);
}

/* Read what it says.  False: it could say more, but the time is over. */
static bool
listen_to(const struct helper *helper, char *why, size_t size)
{
	struct pollfd pollfd = { .fd = helper->why, .events = POLLIN };
	char rest[256];
	long long left;
	size_t len = 0;
	ssize_t n;

	for (;;) {
		why[len] = '\0';
		if ((left = helper->deadline - now_ms()) <= 0)
			return false;
		if (poll(&pollfd, 1, (int)left) <= 0)
			continue;
		/* all of it, or it would wait for us; but not to keep it */
		if (len < size - 1)
			n = read(helper->why, why + len, size - 1 - len);
		else
			n = read(helper->why, rest, sizeof(rest));
		if (n == 0 || (n == -1 && errno != EINTR))
			return true;
		if (n > 0 && len < size - 1)
			len += (size_t)n;
	}
}

/* How it ended, in *status; who has closed stderr is about to.  -1: it does
 * not.  It is root's, so that we may not even kill it, unless we are root; but
 * it has set itself an end, and init will bury it. */
static int
wait_for(const struct helper *helper, bool silent, int *status)
{
	pid_t pid;

	do
		pid = waitpid(helper->pid, status, silent ? 0 : WNOHANG);
	while (pid == -1 && errno == EINTR);
	if (pid == 0)
		kill(helper->pid, SIGKILL);
	return pid == helper->pid ? 0 : -1;
}

/* What its end means; anything but a clean "yes" is a refusal. */
static int
judge(const char *path, const char *what, int status, char *why,
    struct x2gobroker_error *err)
{
	why[strcspn(why, "\n")] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == HELPER_OK)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == HELPER_REFUSED)
		return fail(err, X2GOBROKER_ERR_DENIED, NULL,
		    "account %s: %s", what, why);
	if (WIFEXITED(status))
		return fail(err, X2GOBROKER_ERR_SYSTEM, path, "%s: %s", what,
		    why);
	return fail(err, X2GOBROKER_ERR_SYSTEM, path, "%s: ended by signal "
	    "%d; 9 is its own, after 20 seconds: does PAM wait for a server?",
	    what, WTERMSIG(status));
}

static int
run(const char *path, const char *what, const char *name, const char *address,
    const char *password, struct x2gobroker_error *err)
{
	struct helper helper = { .path = path, .in = -1, .out = -1,
	    .why = -1 };
	char why[WHY_SIZE];
	int status, result;
	bool silent;

	/* who ignores it is not told how a child ended, and whoever started us
	 * may have chosen that */
	signal(SIGCHLD, SIG_DFL);
	if ((result = start(&helper, what, name, address, password,
	    err)) == 0) {
		silent = listen_to(&helper, why, sizeof(why));
		if (wait_for(&helper, silent, &status) == 0)
			result = judge(path, what, status, why, err);
		else
			result = fail(err, X2GOBROKER_ERR_SYSTEM, path,
			    "%s: does not come to an end", what);
	}
	close_fd(&helper.in);
	close_fd(&helper.why);
	return result;
}

int
account_check(const char *helper, const char *name, const char *address,
    struct x2gobroker_error *err)
{
	return run(helper, "check", name, address, NULL, err);
}

int
pam_helper_set_password(const char *helper, const char *name, const char *address,
    const char *password, struct x2gobroker_error *err)
{
	const char *p;

	if (strlen(password) > PASSWORD_MAX)
		return fail(err, X2GOBROKER_ERR_DENIED, NULL, "the new "
		    "password is longer than %d bytes", PASSWORD_MAX);
	/* the client sends Latin-1, and "?" for what is not in it: nobody
	 * could be sure to type this password again */
	for (p = password; *p != '\0'; p++)
		if ((unsigned char)*p > 0x7e || (unsigned char)*p < 0x20)
			return fail(err, X2GOBROKER_ERR_DENIED, NULL, "the "
			    "new password has a character beyond ASCII in it");
	return run(helper, "setpass", name, address, password, err);
}
