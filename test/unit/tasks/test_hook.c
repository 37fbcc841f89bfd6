/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: programs that a test writes, and what becomes of the request.  Linked
 * with --wrap for the functions of failing_malloc.h.
 */
#include "base/clock.h"
#include "tasks/answer.h"
#include "failing_malloc.h"

#define SELECT	"x --task selectsession --sid p"
#define LIST	"x --task listsessions"
#define PROFILE	"[p]\nhost=a (192.0.2.1), b:23, c\n[q]\nhost=d\n"

static char program[100];
static struct problems said;
static int failing;	/* this allocation; 0: none */
static bool has_failed;

static int
setup(void **state)
{
	test_config.hook_timeout = 5;
	test_config.hook_failure = HOOK_REFUSE;
	test_config.login_hook = test_config.select_hook = "";
	return make_test_dir(state);
}

/* A program for /bin/sh with these lines. */
static const char *
write_hook(const char *lines)
{
	char text[1000];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", lines);
	snprintf(program, sizeof(program), "%s", write_file("hook", text));
	assert_int_equal(chmod(program, 0755), 0);
	return program;
}

/* What alice is told. */
static char *
ask(const char *task, struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct problems problems;
	const char *text;
	size_t len;
	char *copy;

	said.n = 0;
	profiles = load_text(PROFILE, &problems);
	assert_int_equal(x2gobroker_request_parse(task, &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	x2gobroker_answer_set_report(answer, collect, &said);
	err->text[0] = '\0';
	alloc_fail(failing);
	x2gobroker_answer_task(answer, profiles, user, err);
	has_failed = alloc_failed();
	alloc_fail(0);
	/* without memory, the program has a refusal of its own */
	if (x2gobroker_answer_text(answer, &text, &len, NULL) == -1)
		text = "Access denied\n";
	copy = strdup(text);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return copy;
}

static void
a_hook_gets_the_request_and_nothing_else(void **state unused)
{
	struct x2gobroker_error err;
	char lines[400], text[1000];
	FILE *fp;

	snprintf(lines, sizeof(lines), "{ cat; echo $# $1; env; } >%s/seen\n"
	    "echo allow", test_dir);
	test_config.select_hook = write_hook(lines);
	free(ask(SELECT, &err));
	fp = fopen(test_path("seen"), "r");
	assert_non_null(fp);
	text[fread(text, 1, sizeof(text) - 1, fp)] = '\0';
	fclose(fp);
	assert_non_null(strstr(text, "hook=select\ntask=selectsession\n"
	    "user=alice\naddress=192.0.2.7\nprofile=p\nserver=a:22 192.0.2.1\n"
	    "server=b:23 b\nserver=c:22 c\n1 select\n"));
	assert_null(strstr(text, "HOME="));
}

static void
an_answer_is_obeyed(void **state unused)
{
	static const struct {
		const char *lines, *told;
	} rows[] = {
		{ "echo allow", "Access granted\nSERVER:" },
		{ "echo allow; echo server=b:23", "SERVER:b:23\n" },
		{ "printf 'allow\\nin-order\\nserver=c:22\\nserver=a:22\\n'",
		    "SERVER:c:22\n" },
		{ "printf 'allow\\nin-order\\n'", "SERVER:192.0.2.1:22\n" },
		{ "echo refuse 'it is \033[2Jnight'", "Access denied\n" },
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		test_config.select_hook = write_hook(rows[i].lines);
		answer = ask(SELECT, &err);
		if (strstr(answer, rows[i].told) == NULL)
			fail_msg("[%s] %s %s", rows[i].lines, answer, err.text);
		free(answer);
	}
	assert_string_equal(err.text,
	    "select-hook refuses: it is \\033[2Jnight");
	/* that is no failure */
	test_config.hook_failure = HOOK_IGNORE;
	answer = ask(SELECT, &err);
	assert_string_equal(answer, "Access denied\n");
	free(answer);
}

static void
a_hook_that_fails_is_told(void **state unused)
{
	static const struct {
		const char *lines, *why;
	} rows[] = {
		{ "sleep 60", "did not end in time" },
		{ "echo allow; exit 3", "exited with status 3" },
		{ "echo allow; echo oops >&2; exit 1", "status 1: oops" },
		{ "kill -9 $$", "killed by signal 9" },
		{ "while :; do echo allow; done", "printed too much" },
		{ ":", "no line of text" },
		{ "printf allow", "no line of text" },
		{ "printf 'allow\\0\\n'", "no line of text" },
		{ "echo ALLOW", "neither allow nor refuse" },
		{ "echo refuse", "neither allow nor refuse" },
		{ "printf 'refuse x\\nallow\\n'", "neither allow nor" },
		{ "echo; echo allow", "neither allow nor" },
		{ "echo allow; echo server=d:22", "not a server of the profile" },
		{ "echo allow; echo server=a", "not a server of the profile" },
		{ "printf 'allow\\nserver=a:22\\nserver=a:22\\n'", "twice" },
		{ "printf 'allow\\nin-order\\nin-order\\n'", "in-order" },
		{ "echo allow; echo nonsense", "nonsense" },
		{ "echo allow; echo", "not valid" },
	};
	struct x2gobroker_error err;
	int64_t begin = clock_ms();
	char *answer;
	size_t i;

	test_config.hook_timeout = 1;
	for (i = 0; i < LENGTH(rows); i++) {
		test_config.select_hook = write_hook(rows[i].lines);
		test_config.hook_failure = HOOK_REFUSE;
		answer = ask(SELECT, &err);
		check_text(rows[i].lines, answer, "Access denied\n");
		free(answer);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("[%s] %s", rows[i].lines, err.text);
		check(rows[i].lines, strcmp(err.file, program) == 0);
		test_config.hook_failure = HOOK_IGNORE;
		answer = ask(SELECT, &err);
		check(rows[i].lines, strstr(answer, "SERVER:") != NULL);
		free(answer);
		check(rows[i].lines, said.n == 1 && strstr(said.list[0].text,
		    rows[i].why) != NULL);
	}
	assert_true(clock_ms() - begin < 40000);
}

static void
a_hook_that_others_can_write_is_not_run(void **state unused)
{
	static const struct {
		const char *path;	/* in the test's directory */
		mode_t mode;
		const char *why;
	} rows[] = {
		{ "hook", 0777, "may write it" },
		{ "hook", 0775, "may write it" },
		{ "hook", 0644, "cannot be started" },
		{ ".", 0777, "may write it" },
		{ "hook", 0, "no such file" },
	};
	struct x2gobroker_error err;
	char lines[300];
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(lines, sizeof(lines), "touch %s/ran; echo allow",
		    test_dir);
		test_config.login_hook = write_hook(lines);
		if (rows[i].mode == 0)
			assert_int_equal(unlink(program), 0);
		else
			assert_int_equal(chmod(test_path(rows[i].path),
			    rows[i].mode), 0);
		answer = ask(LIST, &err);
		check_text(rows[i].why, answer, "Access denied\n");
		free(answer);
		if (strstr(err.text, rows[i].why) == NULL)
			fail_msg("[%s] %s", rows[i].why, err.text);
		assert_int_equal(chmod(test_dir, 0755), 0);
		assert_int_equal(access(test_path("ran"), F_OK), -1);
	}
	test_config.login_hook = "/dev/null";
	free(ask(LIST, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
}

static void
a_login_hook_is_asked_before_each_task(void **state unused)
{
	static const struct {
		const char *task;
		bool asked;
	} rows[] = {
		{ LIST, true }, { SELECT, true },
		{ "x --task clientevent --sid alice-1 --event ALIVE", false },
	};
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_answer *login;
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	test_config.login_hook = write_hook("echo refuse no");
	for (i = 0; i < LENGTH(rows); i++) {
		answer = ask(rows[i].task, &err);
		check(rows[i].task, (strstr(answer, "granted") == NULL) ==
		    rows[i].asked);
		free(answer);
	}
	assert_int_equal(x2gobroker_answer_new(NULL, &login, NULL), 0);
	assert_int_equal(x2gobroker_answer_admit(login, &test_config, user,
	    &err), -1);
	assert_string_equal(err.text, "login-hook refuses: no");
	test_config.login_hook = write_hook("echo allow; echo server=a:22");
	assert_int_equal(x2gobroker_answer_admit(login, &test_config, user,
	    &err), -1);
	assert_non_null(strstr(err.text, "more than one line"));
	test_config.login_hook = write_hook("echo allow");
	assert_int_equal(x2gobroker_answer_admit(login, &test_config, user,
	    &err), 0);
	x2gobroker_answer_free(login);
	x2gobroker_user_free(user);
}

static void
without_memory_it_is_refused_or_right(void **state unused)
{
	struct x2gobroker_error err;
	char *answer;

	test_config.select_hook = write_hook("echo allow; echo server=b:23");
	for (failing = 1, has_failed = true; has_failed; failing++) {
		answer = ask(SELECT, &err);
		if (strstr(answer, "SERVER:b:23\n") == NULL)
			assert_string_equal(answer, "Access denied\n");
		free(answer);
	}
	failing = 0;
	assert_true(strstr(err.text, "memory") == NULL);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_hook_gets_the_request_and_nothing_else),
		TEST(an_answer_is_obeyed),
		TEST(a_hook_that_fails_is_told),
		TEST(a_hook_that_others_can_write_is_not_run),
		TEST(a_login_hook_is_asked_before_each_task),
		TEST(without_memory_it_is_refused_or_right),
	};

	return cmocka_run_group_tests_name("hook", tests, NULL, NULL);
}
