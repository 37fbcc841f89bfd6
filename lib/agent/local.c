/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "agent/local.h"

#define MESSAGE_MAX	400	/* of what it says on its stderr */

struct child {
	pid_t pid;
	int out, err;		/* what it prints, -1 at the end of it */
	char message[MESSAGE_MAX + 1];
	size_t message_len;
};

/* Ours are closed on exec; those of the program that we are part of may not
 * be. */
static int
close_others(posix_spawn_file_actions_t *files)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
	return posix_spawn_file_actions_addclosefrom_np(files,
	    STDERR_FILENO + 1);
#else
	(void)files;
	return 0;
#endif
}

/* What posix_spawn(3) is told: the ends of the pipes, no other descriptors, a
 * process group of its own, and no signals blocked, as ours may be. */
static int
spawn(struct child *child, const char *const *argv, int out, int err)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	char *environment[] = { path, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int result;

	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0)
		return -1;
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return -1;
	}
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	if ((errno = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
	    _PATH_DEVNULL, O_RDONLY, 0)) == 0 &&
	    (errno = posix_spawn_file_actions_adddup2(&files, out,
	    STDOUT_FILENO)) == 0 &&
	    (errno = posix_spawn_file_actions_adddup2(&files, err,
	    STDERR_FILENO)) == 0 &&
	    (errno = close_others(&files)) == 0)
		/* it changes neither argv nor its words */
		errno = posix_spawn(&child->pid, argv[0], &files, &attr,
		    (char *const *)(uintptr_t)argv, environment);
	result = errno == 0 ? 0 : -1;
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return result;
}

static int
start(struct child *child, const char *const *argv,
    struct x2gobroker_error *err)
{
	int out[2], errs[2], result;

	if (pipe2(out, O_CLOEXEC) == -1)
		return error_errno(err, NULL, "cannot make a pipe");
	if (pipe2(errs, O_CLOEXEC) == -1) {
		error_errno(err, NULL, "cannot make a pipe");
		close(out[0]);
		close(out[1]);
		return -1;
	}
	if ((result = spawn(child, argv, out[1], errs[1])) == -1) {
		error_errno(err, argv[0], "the agent cannot be started here");
		close(out[0]);
		close(errs[0]);
	}
	close(out[1]);
	close(errs[1]);
	child->out = out[0];
	child->err = errs[0];
	return result;
}

static void
close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

/* All but its beginning is of no interest, and read all the same, or the child
 * would wait for that. */
static void
read_message(struct child *child)
{
	char chunk[512];
	size_t room = MESSAGE_MAX - child->message_len;
	ssize_t n = read(child->err, chunk, sizeof(chunk));

	if (n == -1 && errno == EINTR)
		return;
	if (n <= 0) {
		close_end(&child->err);
		return;
	}
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(child->message + child->message_len, chunk, room);
	child->message_len += room;
}

static int
read_output(struct child *child, size_t max, struct buf *out, size_t begin,
    struct x2gobroker_error *err)
{
	char chunk[8192];
	ssize_t n = read(child->out, chunk, sizeof(chunk));

	if (n == -1 && errno == EINTR)
		return 0;
	if (n == -1)
		return error_errno(err, NULL, "the agent's answer");
	if (n == 0) {
		close_end(&child->out);
		return 0;
	}
	buf_put(out, chunk, (size_t)n);
	if (out->failed)
		return error_nomem(err);
	if (out->len - begin > max)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "its answer has more than %zu bytes", max);
	return 0;
}

/* Read until the child has closed both ends. */
static int
read_both(struct child *child, int64_t deadline, size_t max, struct buf *out,
    struct x2gobroker_error *err)
{
	size_t begin = out->len;
	int n;

	while (child->out != -1 || child->err != -1) {
		struct pollfd fds[] = {
			{ .fd = child->out, .events = POLLIN },
			{ .fd = child->err, .events = POLLIN },
		};

		n = poll(fds, 2, clock_left(deadline));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_errno(err, NULL, "the agent's answer");
		if (n == 0)
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "the agent here did not answer in time");
		if (fds[1].revents != 0)
			read_message(child);
		if (fds[0].revents != 0 && read_output(child, max, out, begin,
		    err) == -1)
			return -1;
	}
	return 0;
}

static int
check_exit(const struct child *child, int status, bool silent,
    struct x2gobroker_error *err)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
	    (child->message_len == 0 || !silent))
		return 0;
	if (child->message_len > 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the agent here says: %s", child->message);
	if (WIFEXITED(status))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the agent here ended with status %d",
		    WEXITSTATUS(status));
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "the agent here was killed");
}

/* One line of it, without the end. */
static void
tidy_message(struct child *child)
{
	size_t i;

	for (i = 0; i < child->message_len; i++)
		if (child->message[i] == '\n' || child->message[i] == '\0')
			child->message[i] = ' ';
	while (child->message_len > 0 &&
	    child->message[child->message_len - 1] == ' ')
		child->message_len--;
	child->message[child->message_len] = '\0';
}

int
local_run(const char *const *argv, int64_t deadline, size_t max,
    struct buf *out, struct x2gobroker_error *err)
{
	struct child child = { 0 };
	size_t begin = out->len;
	int result, status = 0;

	if (start(&child, argv, err) == -1)
		return -1;
	result = read_both(&child, deadline, max, out, err);
	if (result == -1)
		/* an agent that runs as somebody else by now cannot be killed;
		 * it has a deadline of its own */
		kill(-child.pid, SIGKILL);
	if (child.out != -1)
		close(child.out);
	if (child.err != -1)
		close(child.err);
	while (waitpid(child.pid, &status, result == -1 ? WNOHANG : 0) == -1 &&
	    errno == EINTR)
		continue;
	if (result == -1)
		return -1;
	tidy_message(&child);
	return check_exit(&child, status, out->len == begin, err);
}
