/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children are scripts here, as a script does in a line what is to be seen.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "base/clock.h"
#include "base/spawn.h"
#include "support.h"

#define PATIENCE_MS	20000
#define BIG		(1024 * 1024)

int	__real_kill(pid_t, int);
int	__wrap_kill(pid_t, int);
long	__real_syscall(long, ...);
long	__wrap_syscall(long, ...);

ssize_t	__real_read(int, void *, size_t);
ssize_t	__wrap_read(int, void *, size_t);

static bool no_pidfd, may_not_kill, reads_one_byte;

ssize_t
__wrap_read(int fd, void *buf, size_t size)
{
	return __real_read(fd, buf, reads_one_byte && size > 1 ? 1 : size);
}

long
__wrap_syscall(long number, ...)
{
	long a[6];
	va_list ap;
	size_t i;

	if (number == SYS_pidfd_open && no_pidfd) {
		errno = ENOSYS;
		return -1;
	}
	va_start(ap, number);
	for (i = 0; i < LENGTH(a); i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int
__wrap_kill(pid_t pid, int sig)
{
	if (!may_not_kill)
		return __real_kill(pid, sig);
	errno = EPERM;
	return -1;
}

static int
have_no_pidfd(void **state unused)
{
	no_pidfd = true;
	return 0;
}

static int
have_pidfd(void **state unused)
{
	no_pidfd = false;
	return 0;
}

/* Options of a script, with bounds that it does not come near. */
static struct spawn_options
script_options(const char *script)
{
	static const char *argv[16][4];
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	static size_t next;
	const char **words = argv[next++ % LENGTH(argv)];

	words[0] = "/bin/sh";
	words[1] = "-c";
	words[2] = script;
	return (struct spawn_options){ .argv = words, .env = env,
	    .output_max = 2 * BIG, .message_max = 1000,
	    .deadline = clock_ms() + PATIENCE_MS };
}

static void
run(struct spawn *child, const struct spawn_options *options)
{
	memset(child, 0, sizeof(*child));
	assert_int_equal(spawn_run(child, options), 0);
	assert_int_not_equal(child->end, SPAWN_RUNNING);
}

static void
run_script(struct spawn *child, const char *script)
{
	const struct spawn_options options = script_options(script);

	run(child, &options);
}

static bool
is_alive(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return access(path, F_OK) == 0;
}

static void
assert_gone(int pid)
{
	int i;

	assert_true(pid > 1);
	for (i = 0; i < 100 && is_alive(pid); i++)
		poll(NULL, 0, 50);
	assert_false(is_alive(pid));
}

static void
a_child_has_what_it_is_given_and_no_more(void **state unused)
{
	static const struct {
		const char *script, *output;
	} rows[] = {
		{ "echo \"$0 $#\"", "/bin/sh 0\n" },
		{ "env | grep -v '^PWD=\\|^_=\\|^SHLVL='", "PATH=/usr/bin:/bin\n" },
		{ "ls /proc/self/fd | wc -l", "4\n" },
		{ "cat", "" },
		{ "test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own group",
		    "own group\n" },
		{ "exec grep SigBlk /proc/self/status", "SigBlk:\t0000000000000000\n" },
		{ "printf half; exit 0", "half" },
	};
	struct spawn child;
	sigset_t all, old;
	int spare = dup(STDOUT_FILENO);		/* without O_CLOEXEC */
	size_t i;

	assert_true(spare > STDERR_FILENO);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < LENGTH(rows); i++) {
		run_script(&child, rows[i].script);
		check(rows[i].script, spawn_exit_status(&child) == 0);
		check_text(rows[i].script, child.output.len > 0 ?
		    child.output.data : "", rows[i].output);
		spawn_finish(&child);
	}
	run_script(&child, "kill -PIPE $$");
	assert_true(WIFSIGNALED(child.status));
	assert_int_equal(WTERMSIG(child.status), SIGPIPE);
	spawn_finish(&child);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(spare);
}

static void
arguments_are_words_and_not_commands(void **state unused)
{
	const char *const argv[] = { "/usr/bin/env", "-i", "/bin/echo", "$(id)",
	    "a  b", "`id`;id", "'\"\\", NULL };
	const struct spawn_options options = { .argv = argv, .output_max = 100,
	    .deadline = SPAWN_NO_DEADLINE };
	struct spawn child;

	run(&child, &options);
	assert_string_equal(child.output.data, "$(id) a  b `id`;id '\"\\\n");
	spawn_finish(&child);
}

static void
without_variables_the_environment_is_empty(void **state unused)
{
	const char *const argv[] = { "/usr/bin/env", NULL };
	const struct spawn_options options = { .argv = argv, .output_max = 100,
	    .deadline = SPAWN_NO_DEADLINE };
	struct spawn child;

	run(&child, &options);
	assert_int_equal(spawn_exit_status(&child), 0);
	assert_int_equal(child.output.len, 0);
	spawn_finish(&child);
}

static void
a_caller_may_have_closed_its_own_descriptors(void **state unused)
{
	struct spawn_options options = script_options("cat; echo err >&2");
	int saved[3], closed, fd;
	struct spawn child;

	options.input = "in";
	options.input_len = 2;
	for (fd = 0; fd < 3; fd++)
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	for (closed = 1; closed < 8; closed++) {
		for (fd = 0; fd < 3; fd++)
			if ((closed & (1 << fd)) != 0)
				close(fd);
		memset(&child, 0, sizeof(child));
		spawn_run(&child, &options);
		for (fd = 0; fd < 3; fd++)
			dup2(saved[fd], fd);
		assert_int_equal(spawn_exit_status(&child), 0);
		assert_string_equal(child.output.data, "in");
		assert_string_equal(child.message.data, "err\n");
		spawn_finish(&child);
	}
	for (fd = 0; fd < 3; fd++)
		close(saved[fd]);
}

static void
a_text_for_stdin_is_of_any_size(void **state unused)
{
	struct spawn_options options = script_options("cat");
	char *text = malloc(BIG);
	struct spawn child;

	assert_non_null(text);
	memset(text, 'x', BIG);
	text[BIG - 1] = '\0';
	options.input = text;
	options.input_len = BIG;
	run(&child, &options);
	assert_int_equal(spawn_exit_status(&child), 0);
	assert_int_equal(child.output.len, BIG);
	assert_memory_equal(child.output.data, text, BIG);
	spawn_finish(&child);
	options.input_len = 0;
	run(&child, &options);
	assert_int_equal(spawn_exit_status(&child), 0);
	assert_int_equal(child.output.len, 0);
	spawn_finish(&child);
	free(text);
}

/* SIGPIPE would end this program. */
static void
a_child_may_leave_its_stdin_unread(void **state unused)
{
	static const char *const scripts[] = {
		"exec <&-; sleep 0.1; echo done; exit 3",
		"head -c 1 >/dev/null; exec </dev/null; echo done; exit 3",
		"echo done; exit 3",
	};
	struct spawn_options options;
	char *text = calloc(1, BIG);
	struct spawn child;
	size_t i;

	assert_non_null(text);
	for (i = 0; i < LENGTH(scripts); i++) {
		options = script_options(scripts[i]);
		options.input = text;
		options.input_len = BIG;
		run(&child, &options);
		check(scripts[i], spawn_exit_status(&child) == 3);
		check_text(scripts[i], child.output.data, "done\n");
		spawn_finish(&child);
	}
	free(text);
}

static void
outputs_have_bounds(void **state unused)
{
	static const struct {
		const char *script;
		bool cut, merge;
		enum spawn_end end;
		size_t output, message;
	} rows[] = {
		{ "printf 12345678", false, false, SPAWN_EXITED, 8, 0 },
		{ "printf 123456789", false, false, SPAWN_TOO_MUCH, 8, 0 },
		{ "printf 123456789", true, false, SPAWN_EXITED, 8, 0 },
		{ "printf 1; cat /dev/zero", false, false, SPAWN_TOO_MUCH, 8, 0 },
		{ "head -c 1000000 /dev/zero", true, false, SPAWN_EXITED, 8, 0 },
		{ "printf 1 >&2", false, false, SPAWN_EXITED, 0, 1 },
		{ "head -c 1000000 /dev/zero >&2; echo", false, false,
		    SPAWN_EXITED, 1, 4 },
		{ "printf 1; printf 2 >&2", false, true, SPAWN_EXITED, 2, 0 },
	};
	struct spawn_options options;
	struct spawn child;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		options = script_options(rows[i].script);
		options.output_max = 8;
		options.message_max = 4;
		options.cut_output = rows[i].cut;
		options.merge = rows[i].merge;
		run(&child, &options);
		check(rows[i].script, child.end == rows[i].end);
		check(rows[i].script, child.output.len == rows[i].output);
		check(rows[i].script, child.message.len == rows[i].message);
		spawn_finish(&child);
	}
}

static void
at_the_deadline_the_group_is_killed(void **state unused)
{
	struct spawn_options options = script_options("exec 2>&-; sleep 1000 & "
	    "echo $!; echo $$; wait");
	int64_t start = clock_ms();
	struct spawn child;
	int job, shell;

	options.deadline = start + 3000;
	run(&child, &options);
	assert_int_in_range(clock_ms() - start, 3000, 60000);
	assert_int_equal(child.end, SPAWN_LATE);
	assert_int_equal(spawn_exit_status(&child), -1);
	assert_int_equal(sscanf(child.output.data, "%d %d", &job, &shell), 2);
	spawn_finish(&child);
	assert_gone(job);
	assert_gone(shell);
	assert_int_equal(waitpid(shell, NULL, WNOHANG), -1);
}

/* As one that runs as another user. */
static void
a_child_that_cannot_be_killed_keeps_nobody(void **state unused)
{
	struct spawn_options options = script_options("exec sleep 1000");
	int64_t start = clock_ms();
	struct spawn child;

	options.deadline = start + 200;
	may_not_kill = true;
	run(&child, &options);
	may_not_kill = false;
	assert_int_in_range(clock_ms() - start, 200, 60000);
	assert_int_equal(child.end, SPAWN_LATE);
	assert_int_equal(kill(child.pid, SIGKILL), 0);
	assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
	spawn_finish(&child);
}

static void
a_child_that_closes_its_outputs_is_waited_for(void **state unused)
{
	struct spawn_options options = script_options("exec >&- 2>&-; "
	    "sleep 1000");
	struct spawn child;

	run_script(&child, "echo done; exec >&- 2>&-; sleep 0.2; exit 3");
	assert_int_equal(spawn_exit_status(&child), 3);
	assert_string_equal(child.output.data, "done\n");
	spawn_finish(&child);
	options.deadline = clock_ms() + 200;
	run(&child, &options);
	assert_int_equal(child.end, SPAWN_LATE);
	spawn_finish(&child);
}

/* However little a read returns, what a child wrote before it ended is read. */
static void
all_that_a_child_has_written_is_read(void **state unused)
{
	struct spawn_options options = script_options("printf %0300d 0; "
	    "printf %0200d 0 >&2");
	siginfo_t info;
	struct spawn child;

	assert_int_equal(spawn_start(&child, &options), 0);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &info,
	    WEXITED | WNOWAIT), 0);
	reads_one_byte = true;
	while (child.end == SPAWN_RUNNING)
		spawn_step((struct spawn *[]){ &child }, 1);
	reads_one_byte = false;
	assert_int_equal(child.end, SPAWN_EXITED);
	assert_int_equal(child.output.len, 300);
	assert_int_equal(child.message.len, 200);
	spawn_finish(&child);
}

static void
a_grandchild_that_keeps_the_pipes_is_not_waited_for(void **state unused)
{
	int64_t start = clock_ms();
	struct spawn child;
	int pid;

	run_script(&child, "sleep 1000 & echo $!; exit 3");
	assert_int_in_range(clock_ms() - start, 0, PATIENCE_MS / 2);
	assert_int_equal(spawn_exit_status(&child), 3);
	pid = atoi(child.output.data);
	assert_true(is_alive(pid));
	assert_int_equal(kill(pid, SIGKILL), 0);
	spawn_finish(&child);
	/* and not if it never stops talking */
	run_script(&child, "yes >&2 & echo $!; exit 3");
	assert_int_equal(spawn_exit_status(&child), 3);
	assert_int_equal(kill(atoi(child.output.data), SIGKILL), 0);
	spawn_finish(&child);
}

static void
ignore_alarm(int sig unused)
{
}

static void
signals_of_the_caller_do_no_harm(void **state unused)
{
	const struct sigaction action = { .sa_handler = ignore_alarm };
	const struct itimerval often = { { 0, 500 }, { 0, 500 } }, off = { 0 };
	struct sigaction old;
	struct spawn child;

	sigaction(SIGALRM, &action, &old);
	setitimer(ITIMER_REAL, &often, NULL);
	run_script(&child, "sleep 0.1; head -c 300000 /dev/zero; sleep 0.1; "
	    "exit 3");
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &old, NULL);
	assert_int_equal(spawn_exit_status(&child), 3);
	assert_int_equal(child.output.len, 300000);
	spawn_finish(&child);
}

static void
a_caller_that_ignores_sigchld_does_not_know_the_status(void **state unused)
{
	struct spawn_options options = script_options("sleep 1000");
	char text[SPAWN_TEXT_SIZE];
	struct spawn child;

	signal(SIGCHLD, SIG_IGN);
	run_script(&child, "sleep 0.1; echo done");
	assert_int_equal(child.end, SPAWN_LOST);
	assert_int_equal(spawn_exit_status(&child), -1);
	assert_string_equal(child.output.data, "done\n");
	assert_string_equal(spawn_describe(&child, text),
	    "ended, but its exit status is unknown");
	spawn_finish(&child);
	options.deadline = clock_ms() + 200;
	run(&child, &options);
	assert_int_equal(child.end, SPAWN_LATE);
	spawn_finish(&child);
	signal(SIGCHLD, SIG_DFL);
}

static int
count_line(void *arg, const char *line, size_t len)
{
	if (len == 4 && memcmp(line, "stop", 4) == 0)
		return -1;
	assert_true(len == 3 && memcmp(line, "one", 3) == 0);
	++*(int *)arg;
	return 0;
}

static void
lines_are_handed_out_as_they_arrive(void **state unused)
{
	struct spawn_options options = script_options("printf 'one\\none\\no';"
	    "sleep 0.1; printf 'ne\\none'");
	struct spawn child;
	int lines = 0;

	options.line = count_line;
	options.arg = &lines;
	run(&child, &options);
	assert_int_equal(spawn_exit_status(&child), 0);
	assert_int_equal(lines, 3);
	assert_string_equal(child.output.data, "one\none\none\none");
	assert_string_equal(child.output.data + child.handed, "one");
	spawn_finish(&child);
	options = script_options("printf 'one\\nstop\\none\\n'; sleep 1000");
	options.line = count_line;
	options.arg = &lines;
	run(&child, &options);
	assert_int_equal(child.end, SPAWN_BROKEN);
	assert_int_equal(child.error, ECANCELED);
	assert_int_equal(lines, 4);
	spawn_finish(&child);
}

static void
several_children_run_at_the_same_time(void **state unused)
{
	static const char *const scripts[] = { "sleep 0.5; echo one; exit 1",
	    "sleep 0.5; echo one; exit 2", "sleep 0.5; echo one; kill -9 $$",
	    "echo one; sleep 1000", "exit 5" };
	struct spawn children[LENGTH(scripts)], *list[LENGTH(scripts)];
	struct spawn_options options;
	int64_t start = clock_ms();
	int lines = 0;
	size_t i, running, last = LENGTH(scripts);

	for (i = 0; i < LENGTH(scripts); i++) {
		options = script_options(scripts[i]);
		options.line = count_line;
		options.arg = &lines;
		if (i == 3)
			options.deadline = start + 3000;
		assert_int_equal(spawn_start(&children[i], &options), 0);
		list[i] = &children[i];
	}
	for (; (running = spawn_step(list, LENGTH(list))) > 0; last = running)
		assert_true(running <= last);
	assert_int_in_range(clock_ms() - start, 3000, 60000);
	assert_int_equal(lines, 4);
	assert_int_equal(spawn_exit_status(&children[0]), 1);
	assert_int_equal(spawn_exit_status(&children[1]), 2);
	assert_true(WIFSIGNALED(children[2].status));
	assert_int_equal(children[3].end, SPAWN_LATE);
	assert_int_equal(spawn_exit_status(&children[4]), 5);
	assert_int_equal(spawn_step(list, LENGTH(list)), 0);
	for (i = 0; i < LENGTH(scripts); i++)
		spawn_finish(&children[i]);
}

/* A limit may come after the first words of a script, so they wait for us. */
static void
a_child_has_limits(void **state unused)
{
	static const struct spawn_limit limits[] = {
		{ RLIMIT_NOFILE, 20 }, { RLIMIT_CORE, 0 },
	};
	static const struct spawn_limit wrong[] = { { 1000, 1 } };
	struct spawn_options options = script_options("read x; ulimit -n; "
	    "ulimit -c; ulimit -Hn");
	struct spawn child;

	options.input = "go\n";
	options.input_len = 3;
	options.limits = limits;
	options.nlimits = LENGTH(limits);
	run(&child, &options);
	assert_string_equal(child.output.data, "20\n0\n20\n");
	spawn_finish(&child);
	/* those that other tests have killed may still be ending */
	while (waitpid(-1, NULL, 0) != -1)
		;
	options.limits = wrong;
	options.nlimits = LENGTH(wrong);
	assert_int_equal(spawn_start(&child, &options), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_program_that_does_not_start_says_why(void **state unused)
{
	const char *plain = write_file("plain", "#!/bin/sh\n");
	const char *odd = write_file("odd", "#!/nonexistent/sh\n");
	const struct {
		const char *path;
		int error;
	} rows[] = {
		{ "/nonexistent", ENOENT }, { plain, EACCES },
		{ odd, ENOENT }, { "/", EACCES },
	};
	const char *argv[] = { NULL, NULL };
	const struct spawn_options options = { .argv = argv,
	    .deadline = SPAWN_NO_DEADLINE };
	struct spawn child = { 0 };
	size_t i;

	assert_int_equal(chmod(odd, 0755), 0);
	spawn_finish(&child);
	for (i = 0; i < LENGTH(rows); i++) {
		argv[0] = rows[i].path;
		check(rows[i].path, spawn_run(&child, &options) == -1);
		check(rows[i].path, errno == rows[i].error);
		spawn_finish(&child);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void
a_child_that_nobody_wants_any_more_is_killed(void **state unused)
{
	const struct spawn_options options = script_options("sleep 1000 & "
	    "echo $!; wait");
	struct spawn child, *list[] = { &child };
	int pid;

	assert_int_equal(spawn_start(&child, &options), 0);
	while (child.output.len == 0)
		assert_int_equal(spawn_step(list, 1), 1);
	pid = atoi(child.output.data);
	spawn_finish(&child);
	assert_gone(pid);
	assert_gone(child.pid);
}

static void
an_end_has_words(void **state unused)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{ "exit 0", "exited with status 0" },
		{ "exit 255", "exited with status 255" },
		{ "kill -9 $$", "was killed by signal 9" },
		{ "yes", "printed too much" },
		{ "sleep 1000", "did not end in time" },
		{ "echo stop; sleep 1000",
		    "could not be read from: Operation canceled" },
	};
	struct spawn_options options;
	char text[SPAWN_TEXT_SIZE];
	struct spawn child;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		options = script_options(rows[i].script);
		options.output_max = 10;
		options.deadline = clock_ms() + (i == 4 ? 200 : PATIENCE_MS);
		options.line = i == 5 ? count_line : NULL;
		run(&child, &options);
		check_text(rows[i].script, spawn_describe(&child, text),
		    rows[i].text);
		spawn_finish(&child);
	}
}

#define WITHOUT_PIDFD(test)						\
	{ #test "_without_pidfd", test, have_no_pidfd, have_pidfd, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_what_it_is_given_and_no_more),
		cmocka_unit_test(arguments_are_words_and_not_commands),
		cmocka_unit_test(without_variables_the_environment_is_empty),
		cmocka_unit_test(a_caller_may_have_closed_its_own_descriptors),
		cmocka_unit_test(a_text_for_stdin_is_of_any_size),
		cmocka_unit_test(a_child_may_leave_its_stdin_unread),
		cmocka_unit_test(outputs_have_bounds),
		cmocka_unit_test(at_the_deadline_the_group_is_killed),
		WITHOUT_PIDFD(at_the_deadline_the_group_is_killed),
		cmocka_unit_test(a_child_that_cannot_be_killed_keeps_nobody),
		cmocka_unit_test(a_child_that_closes_its_outputs_is_waited_for),
		WITHOUT_PIDFD(a_child_that_closes_its_outputs_is_waited_for),
		cmocka_unit_test(all_that_a_child_has_written_is_read),
		cmocka_unit_test(
		    a_grandchild_that_keeps_the_pipes_is_not_waited_for),
		WITHOUT_PIDFD(a_grandchild_that_keeps_the_pipes_is_not_waited_for),
		cmocka_unit_test(signals_of_the_caller_do_no_harm),
		cmocka_unit_test(
		    a_caller_that_ignores_sigchld_does_not_know_the_status),
		WITHOUT_PIDFD(
		    a_caller_that_ignores_sigchld_does_not_know_the_status),
		cmocka_unit_test(lines_are_handed_out_as_they_arrive),
		cmocka_unit_test(several_children_run_at_the_same_time),
		WITHOUT_PIDFD(several_children_run_at_the_same_time),
		cmocka_unit_test(a_child_has_limits),
		cmocka_unit_test(a_program_that_does_not_start_says_why),
		cmocka_unit_test(a_child_that_nobody_wants_any_more_is_killed),
		cmocka_unit_test(an_end_has_words),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
