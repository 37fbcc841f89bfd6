/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/spawn.h"

/* How many bytes of one child are read before others get their turn: more than
 * a full pipe has, so that none are left of a child that has ended. */
#define TURN_MAX	(2 * 1024 * 1024)

#define LOOK_MS		20	/* how often to look at a child without pidfd */
#define KILLED_MS	200	/* how long a child that was killed may take */

enum { IN, OUT, ERR, PIDFD, POLLFDS };	/* ERR is the last of struct spawn */

static void
close_end(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
close_ends(int fds[3])
{
	int i;

	for (i = IN; i <= ERR; i++)
		close_end(&fds[i]);
}

/* If some of 0 to 2 are closed here, ours may be among them; opened in this
 * order and duplicated in this order, none of its is overwritten before its
 * turn. */
static int
open_ends(const struct spawn_options *options, int ours[3], int its[3])
{
	int i, fds[2];

	if (options->input == NULL)
		its[IN] = open(_PATH_DEVNULL, O_RDONLY | O_CLOEXEC);
	/* unlike write(2) to a pipe, send(2) can do without SIGPIPE */
	else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0) {
		ours[IN] = fds[0];
		its[IN] = fds[1];
	}
	if (its[IN] == -1)
		return -1;
	for (i = OUT; i <= (options->merge ? OUT : ERR); i++) {
		if (pipe2(fds, O_CLOEXEC) == -1)
			return -1;
		ours[i] = fds[0];
		its[i] = fds[1];
		if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
			return -1;
	}
	return 0;
}

/* Returns an errno value. */
static int
add_actions(posix_spawn_file_actions_t *actions, const int its[3], bool merge)
{
	int i, error = 0;

	for (i = IN; i <= ERR && error == 0; i++)
		error = posix_spawn_file_actions_adddup2(actions,
		    its[merge && i == ERR ? OUT : i], i);
#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 34)
	/* ours have O_CLOEXEC, but the rest of this program is not ours */
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(actions,
		    STDERR_FILENO + 1);
#endif
#endif
	return error;
}

static void
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP |
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
}

/* Returns an errno value. */
static int
start_program(struct spawn *child, const int its[3])
{
	const struct spawn_options *options = &child->options;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attributes)) == 0) {
		set_attributes(&attributes);
		error = add_actions(&actions, its, options->merge);
		if (error == 0)
			/* it changes none of these strings */
			error = posix_spawn(&child->pid, options->argv[0],
			    &actions, &attributes,
			    (char *const *)(uintptr_t)options->argv,
			    (char *const *)(uintptr_t)options->env);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0)
		child->pid = 0;
	return error;
}

/* Returns an errno value. */
static int
set_limits(const struct spawn *child)
{
	const struct spawn_options *options = &child->options;
	struct rlimit limit;
	size_t i;

	for (i = 0; i < options->nlimits; i++) {
		limit.rlim_cur = limit.rlim_max = options->limits[i].value;
		/* ESRCH: it has ended already */
		if (prlimit(child->pid, options->limits[i].resource, &limit,
		    NULL) == -1 && errno != ESRCH)
			return errno;
	}
	return 0;
}

int
spawn_start(struct spawn *child, const struct spawn_options *options)
{
	int its[3] = { -1, -1, -1 }, error;

	*child = (struct spawn){ .options = *options, .pidfd = -1,
	    .fds = { -1, -1, -1 } };
	error = open_ends(options, child->fds, its) == -1 ? errno :
	    start_program(child, its);
	close_ends(its);
	if (error == 0)
		error = set_limits(child);
	if (error != 0) {
		close_ends(child->fds);
		spawn_finish(child);
		errno = error;
		return -1;
	}
#ifdef SYS_pidfd_open
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0U);
#endif
	return 0;
}

void
spawn_send(struct spawn *child, const char *input, size_t len,
    int64_t deadline)
{
	child->options.input = input;
	child->options.input_len = len;
	child->options.deadline = deadline;
	child->written = 0;
}

static void
give_up(struct spawn *child, enum spawn_end end, int error)
{
	if (child->end != SPAWN_RUNNING)
		return;
	child->end = end;
	child->error = error;
}

/* Has it all input that there is, but may get more? */
static bool
awaits_input(const struct spawn *child)
{
	return child->options.keep_input &&
	    child->written == child->options.input_len;
}

static void
write_input(struct spawn *child)
{
	const struct spawn_options *options = &child->options;
	ssize_t n;

	if (child->fds[IN] == -1 || awaits_input(child))
		return;
	n = send(child->fds[IN], options->input + child->written,
	    options->input_len - child->written, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		child->written += (size_t)n;
	else if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	/* a child need not read all of it */
	if (n == -1 || (child->written == options->input_len &&
	    !options->keep_input))
		close_end(&child->fds[IN]);
}

static void
hand_out_lines(struct spawn *child)
{
	const struct spawn_options *options = &child->options;
	const struct buf *output = &child->output;
	const char *line, *end;

	while (options->line != NULL && child->end == SPAWN_RUNNING &&
	    child->handed < output->len) {
		line = output->data + child->handed;
		end = memchr(line, '\n', output->len - child->handed);
		if (end == NULL)
			break;
		child->handed += (size_t)(end - line) + 1;
		if (options->line(options->arg, line,
		    (size_t)(end - line)) == -1)
			give_up(child, SPAWN_BROKEN, ECANCELED);
	}
}

static void
keep(struct spawn *child, int i, const char *data, size_t len)
{
	const struct spawn_options *options = &child->options;
	struct buf *text = i == OUT ? &child->output : &child->message;
	size_t max = i == OUT ? options->output_max : options->message_max;
	bool too_much = len > max - text->len;

	if (i == OUT && options->data != NULL) {
		if (options->data(options->arg, data, len) == -1)
			give_up(child, SPAWN_BROKEN, ECANCELED);
		return;
	}
	buf_put(text, data, too_much ? max - text->len : len);
	if (text->failed)
		give_up(child, SPAWN_BROKEN, ENOMEM);
	if (i == OUT)
		hand_out_lines(child);
	if (i == OUT && too_much && !options->cut_output)
		give_up(child, SPAWN_TOO_MUCH, 0);
}

/* Read what is available now, with a limit. */
static void
read_output(struct spawn *child, int i)
{
	char chunk[16384];
	size_t turn = 0;
	ssize_t n;

	while (child->fds[i] != -1 && child->end == SPAWN_RUNNING &&
	    turn < TURN_MAX) {
		n = read(child->fds[i], chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1)
			give_up(child, SPAWN_BROKEN, errno);
		if (n > 0) {
			turn += (size_t)n;
			keep(child, i, chunk, (size_t)n);
		} else
			close_end(&child->fds[i]);
	}
	explicit_bzero(chunk, sizeof(chunk));
}

static enum spawn_end
reap(struct spawn *child)
{
	pid_t pid;

	do
		pid = waitpid(child->pid, &child->status, WNOHANG);
	while (pid == -1 && errno == EINTR);
	return pid == 0 ? SPAWN_RUNNING : pid == -1 ? SPAWN_LOST :
	    SPAWN_EXITED;
}

/* Do not wait for a program that runs as another user and cannot be killed, nor
 * long for one that hangs in the kernel. */
static void
kill_group(struct spawn *child)
{
	struct pollfd end = { .fd = child->pidfd, .events = POLLIN };
	int64_t deadline = clock_ms() + KILLED_MS;

	kill(-child->pid, SIGKILL);
	if (kill(child->pid, SIGKILL) == -1)
		return;
	while (reap(child) == SPAWN_RUNNING && clock_left(deadline) > 0)
		poll(&end, 1, LOOK_MS);
}

/* The order matters: once a child is known to have ended, all that it has
 * written is in the pipes. */
static void
step(struct spawn *child)
{
	enum spawn_end ended = reap(child);

	write_input(child);
	read_output(child, OUT);
	read_output(child, ERR);
	if (child->end == SPAWN_RUNNING)
		child->end = ended;
	if (child->end == SPAWN_RUNNING &&
	    clock_left(child->options.deadline) == 0)
		child->end = SPAWN_LATE;
	if (child->end == SPAWN_RUNNING)
		return;
	if (ended == SPAWN_RUNNING)
		kill_group(child);
	close_ends(child->fds);
	close_end(&child->pidfd);
}

bool
spawn_is_running(struct spawn *child)
{
	if (child->pid > 0 && child->end == SPAWN_RUNNING)
		step(child);
	return child->pid > 0 && child->end == SPAWN_RUNNING;
}

/* Fill in the descriptors to wait for; poll(2) skips -1.  Returns the longest
 * time to wait, in milliseconds. */
static int
prepare_poll(const struct spawn *child, struct pollfd fds[POLLFDS])
{
	int i, ms = clock_left(child->options.deadline);

	for (i = 0; i < POLLFDS; i++) {
		fds[i].fd = child->end != SPAWN_RUNNING ||
		    (i == IN && awaits_input(child)) ? -1 : i == PIDFD ?
		    child->pidfd : child->fds[i];
		fds[i].events = i == IN ? POLLOUT : POLLIN;
		fds[i].revents = 0;
	}
	if (child->end != SPAWN_RUNNING)
		return INT_MAX;
	return child->pidfd == -1 && ms > LOOK_MS ? LOOK_MS : ms;
}

size_t
spawn_step(struct spawn *const *children, size_t n)
{
	struct pollfd fds[SPAWN_CHILDREN_MAX * POLLFDS];
	size_t i, running = 0;
	int ms, left = INT_MAX, error = 0;

	for (i = 0; i < n; i++) {
		ms = prepare_poll(children[i], &fds[i * POLLFDS]);
		left = ms < left ? ms : left;
		running += children[i]->end == SPAWN_RUNNING;
	}
	if (running == 0)
		return 0;
	if (poll(fds, n * POLLFDS, left) == -1 && errno != EINTR)
		error = errno;
	for (i = 0; i < n; i++) {
		if (children[i]->end != SPAWN_RUNNING)
			continue;
		if (error != 0)
			give_up(children[i], SPAWN_BROKEN, error);
		step(children[i]);
		running -= children[i]->end != SPAWN_RUNNING;
	}
	return running;
}

void
spawn_finish(struct spawn *child)
{
	if (child->pid > 0 && child->end == SPAWN_RUNNING) {
		give_up(child, SPAWN_BROKEN, ECANCELED);
		step(child);
	}
	buf_free(&child->output);
	buf_free(&child->message);
}

int
spawn_run(struct spawn *child, const struct spawn_options *options)
{
	if (spawn_start(child, options) == -1)
		return -1;
	while (spawn_step(&child, 1) > 0)
		continue;
	return 0;
}

int
spawn_exit_status(const struct spawn *child)
{
	return child->end == SPAWN_EXITED && WIFEXITED(child->status) ?
	    WEXITSTATUS(child->status) : -1;
}

const char *
spawn_describe(const struct spawn *child, char text[static SPAWN_TEXT_SIZE])
{
	static const char *const ends[] = {
		[SPAWN_RUNNING] = "is still running",
		[SPAWN_LOST] = "ended, but its exit status is unknown",
		[SPAWN_LATE] = "did not end in time",
		[SPAWN_TOO_MUCH] = "printed too much",
	};

	if (child->end == SPAWN_BROKEN)
		snprintf(text, SPAWN_TEXT_SIZE, "could not be read from: %s",
		    strerror(child->error));
	else if (child->end != SPAWN_EXITED)
		snprintf(text, SPAWN_TEXT_SIZE, "%s", ends[child->end]);
	else if (WIFEXITED(child->status))
		snprintf(text, SPAWN_TEXT_SIZE, "exited with status %d",
		    WEXITSTATUS(child->status));
	else
		snprintf(text, SPAWN_TEXT_SIZE, "was killed by signal %d",
		    WTERMSIG(child->status));
	return text;
}
