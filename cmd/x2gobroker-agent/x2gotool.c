/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs of X2Go's server, run without a shell: found at one place, with
 * an environment of their own, heard out, and waited for not too long.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "x2gotool.h"

#define DEADLINE_MS	20000
#define WHY_MAX		4096	/* bytes of stderr that are looked at */
#define CHUNKS_MAX	100	/* of 16 KiB, before the clock is looked at */
#define ARGS_MAX	4
#define PATH_VALUE	"/usr/local/bin:/usr/bin:/bin"
#define FAILED		"ERROR:"	/* how their words on stderr begin */

enum { OUT, WHY, PIPES };

struct tool {
	const char *name;
	pid_t pid;
	bool ended;
	int status;
	int64_t deadline;
	int fds[PIPES];		/* where we read; -1: at its end */
	int ends[PIPES];	/* where it writes, until it has started */
	struct buf text[PIPES];
};

static int
fail(const struct tool *tool, const char *why, struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s %s",
	    tool->name, why);
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
make_path(struct buf *path, const char *name)
{
	buf_printf(path, "%s/%s", X2GO_BIN, name);
}

bool
x2gotool_exists(const char *name)
{
	cleanup_buf struct buf path = { 0 };

	make_path(&path, name);
	return !path.failed && access(path.data, X_OK) == 0;
}

/*
 * Starting it
 */

static void
put_variable(struct buf *env, const char *name, const char *value)
{
	buf_printf(env, "%s=%s", name, value);
	buf_putc(env, '\0');
}

/* One after the other, each ended by a NUL. */
static void
make_environment(struct buf *env, const struct account *account)
{
	put_variable(env, "PATH", PATH_VALUE);
	put_variable(env, "HOME", account->home);
	put_variable(env, "USER", account->name);
	put_variable(env, "LOGNAME", account->name);
	put_variable(env, "SHELL", account->shell);
	put_variable(env, "LANG", "C.UTF-8");
}

static int
add_actions(posix_spawn_file_actions_t *actions, const struct tool *tool)
{
	int error;

	if ((error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
	    _PATH_DEVNULL, O_RDONLY, 0)) != 0 ||
	    (error = posix_spawn_file_actions_adddup2(actions,
	    tool->ends[OUT], STDOUT_FILENO)) != 0)
		return error;
	return posix_spawn_file_actions_adddup2(actions, tool->ends[WHY],
	    STDERR_FILENO);
}

/* A process group of its own, and signals as a login would have them. */
static int
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	if ((error = posix_spawnattr_setflags(attributes,
	    POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF)) != 0 ||
	    (error = posix_spawnattr_setpgroup(attributes, 0)) != 0 ||
	    (error = posix_spawnattr_setsigmask(attributes, &none)) != 0)
		return error;
	return posix_spawnattr_setsigdefault(attributes, &all);
}

static int
spawn(struct tool *tool, const char *path, char *const argv[],
    char *const envp[])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	if ((error = posix_spawn_file_actions_init(&actions)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attributes)) == 0) {
		if ((error = add_actions(&actions, tool)) == 0 &&
		    (error = set_attributes(&attributes)) == 0)
			error = posix_spawn(&tool->pid, path, &actions,
			    &attributes, argv, envp);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static int
make_pipes(struct tool *tool)
{
	int fds[2];
	size_t i;

	for (i = 0; i < PIPES; i++) {
		if (pipe2(fds, O_CLOEXEC) == -1)
			return -1;
		tool->fds[i] = fds[0];
		tool->ends[i] = fds[1];
		if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
			return -1;
	}
	return 0;
}

static int
start(struct tool *tool, const char *const *args,
    const struct account *account, struct x2gobroker_error *err)
{
	cleanup_buf struct buf path = { 0 }, env = { 0 };
	char *argv[ARGS_MAX + 2] = { NULL }, *envp[8] = { NULL }, *p;
	size_t i;
	int error;

	make_path(&path, tool->name);
	make_environment(&env, account);
	if (path.failed || env.failed)
		return error_nomem(err);
	/* posix_spawn(3) does not write to them */
	argv[0] = path.data;
	for (i = 0; i < ARGS_MAX && args[i] != NULL; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	for (i = 0, p = env.data; p < env.data + env.len; p += strlen(p) + 1)
		envp[i++] = p;
	if (make_pipes(tool) == -1)
		return error_errno(err, NULL, "%s: no pipe", tool->name);
	/* what it makes may be for others, too, as at a login */
	umask(022);
	if ((error = spawn(tool, path.data, argv, envp)) == 0)
		return 0;
	tool->ended = true;
	errno = error;
	return error_errno(err, NULL, "%s does not start", path.data);
}

/*
 * Listening to it
 */

/* Read what is there now, but not for ever.  Of stdout all is kept and too much
 * an error, of stderr only the beginning. */
static bool
listen_to(struct tool *tool, size_t i)
{
	struct buf *text = &tool->text[i];
	char chunk[16384];
	int times = CHUNKS_MAX;
	ssize_t n;

	while (tool->fds[i] != -1 && times-- > 0) {
		n = read(tool->fds[i], chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n <= 0)
			close_fd(&tool->fds[i]);
		else if (i == OUT || text->len < WHY_MAX)
			buf_put(text, chunk, (size_t)n);
		if (text->failed || text->len > X2GOTOOL_OUTPUT_MAX)
			return false;
	}
	return true;
}

static void
child_signal(int sig __attribute__((unused)))
{
}

/* So that the end of a child ends ppoll(2), with old being the signals to wait
 * with: what it has started may keep its pipes open for longer. */
static void
watch_children(sigset_t *old)
{
	const struct sigaction action = { .sa_handler = child_signal };
	sigset_t child;

	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, old);
}

/* Until there is something to read, or it has ended. */
static void
wait_for(struct tool *tool, const sigset_t *signals)
{
	struct pollfd fds[PIPES];
	struct timespec left;
	int ms = clock_left(tool->deadline);
	size_t i;

	left.tv_sec = ms / 1000;
	left.tv_nsec = ms % 1000 * 1000000L;
	for (i = 0; i < PIPES; i++) {
		fds[i].fd = tool->fds[i];	/* -1 is skipped */
		fds[i].events = POLLIN;
	}
	if (waitpid(tool->pid, &tool->status, WNOHANG) == tool->pid)
		tool->ended = true;
	else
		ppoll(fds, PIPES, &left, signals);
}

static int
collect(struct tool *tool, const sigset_t *signals,
    struct x2gobroker_error *err)
{
	while (!tool->ended) {
		if (clock_left(tool->deadline) == 0)
			return fail(tool, "does not come to an end", err);
		wait_for(tool, signals);
		/* also once more when it has ended */
		if (!listen_to(tool, OUT) || !listen_to(tool, WHY))
			return fail(tool, "prints too much", err);
	}
	return 0;
}

/* End it with all that it has started, if it has not ended by itself. */
static void
put_down(struct tool *tool)
{
	if (!tool->ended && tool->pid > 0) {
		kill(-tool->pid, SIGKILL);
		while (waitpid(tool->pid, &tool->status, 0) == -1 &&
		    errno == EINTR)
			continue;
	}
	close_fd(&tool->fds[OUT]);
	close_fd(&tool->fds[WHY]);
	close_fd(&tool->ends[OUT]);
	close_fd(&tool->ends[WHY]);
}

/*
 * What it has said
 */

/* Lines of text: no other control characters, and an end to the last one. */
static void
put_text(struct buf *out, const struct buf *text)
{
	size_t i;

	for (i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->data[i];

		buf_putc(out, (c < 0x20 && c != '\n') || c == 0x7f ? '?' :
		    (char)c);
	}
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		buf_putc(out, '\n');
}

/* Without a status that tells it, there may be a line on stderr. */
static int
judge(const struct tool *tool, struct x2gobroker_error *err)
{
	const char *why = tool->text[WHY].data;
	const char *failed = why != NULL ? strstr(why, FAILED) : NULL;

	if (WIFEXITED(tool->status) && WEXITSTATUS(tool->status) == 0 &&
	    failed == NULL)
		return 0;
	if (WIFSIGNALED(tool->status))
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "%s was ended by signal %d", tool->name,
		    WTERMSIG(tool->status));
	if (failed == NULL)
		failed = why != NULL ? why : "it does not say why";
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
	    "%s has failed with status %d: %.*s", tool->name,
	    WEXITSTATUS(tool->status), (int)strcspn(failed, "\n"), failed);
}

int
x2gotool_run(const char *name, const char *const *args,
    const struct account *account, struct buf *out,
    struct x2gobroker_error *err)
{
	struct tool tool = {
		.name = name, .deadline = clock_ms() + DEADLINE_MS,
		.fds = { -1, -1 }, .ends = { -1, -1 },
	};
	sigset_t signals;
	int result;

	watch_children(&signals);
	if ((result = start(&tool, args, account, err)) == 0) {
		close_fd(&tool.ends[OUT]);
		close_fd(&tool.ends[WHY]);
		result = collect(&tool, &signals, err);
	}
	put_down(&tool);
	if (result == 0 && (result = judge(&tool, err)) == 0)
		put_text(out, &tool.text[OUT]);
	buf_free(&tool.text[OUT]);
	buf_free(&tool.text[WHY]);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return result == 0 && out->failed ? error_nomem(err) : result;
}
