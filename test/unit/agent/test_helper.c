/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-poll that is something else: what it was asked for has failed, in
 * time and with a reason, and no process is left.  Linked with --wrap for the
 * functions of failing_malloc.h.
 */
#include <sys/wait.h>

#include <errno.h>

#include "agent/query.h"
#include "base/clock.h"
#include "failing_malloc.h"
#include "support.h"

#define LATE_MS		300	/* the deadline of the queries */

static struct x2gobroker_config config;

static int
setup(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	config = test_config;
	config.helper_dir = test_dir;
	config.broker_account = "root";
	config.agent_known_hosts = "/nonexistent";
	config.agent_identity_files = "/nonexistent";
	return 0;
}

static int ndone;

static void
note(void *arg unused, struct query *query)
{
	assert_true(query->done);
	ndone++;
}

/* Ask two servers by that program, with ms left.  Returns how many milliseconds
 * it took. */
static int64_t
run_for(int ms, const char *script, struct query queries[2])
{
	const struct connection_target target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 };
	struct query *list[] = { &queries[0], &queries[1] };
	int64_t start = clock_ms();
	char text[1000];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
	assert_int_equal(chmod(write_file("x2gobroker-poll", text), 0755), 0);
	ndone = 0;
	query_init(&queries[0], &query_all, &target, "alice");
	query_init(&queries[1], &query_all, &target, "alice");
	query_run(&config, list, 2, start + ms, note, NULL, NULL);
	assert_int_equal(ndone, 2);
	/* no child is left */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return clock_ms() - start;
}

static int64_t
run(const char *script, struct query queries[2])
{
	return run_for(LATE_MS, script, queries);
}

#define FIRST	"printf 'reply 1 0\\nend 0 \\n'; "

static void
what_it_does_is_its_own_failure(void **state unused)
{
	static const struct {
		const char *script;
		bool answered;		/* the first one is */
		const char *why;	/* of the second one */
	} rows[] = {
		{ "exit 0", false, "ended without a reply" },
		{ FIRST "exit 0", true, "ended without a reply" },
		{ FIRST "sleep 0.4", true, "timed out" },
		{ "exit 3", false, "exited with status 3" },
		{ FIRST "echo one >&2; echo two >&2; exit 1", true,
		    "exited with status 1: one" },
		{ FIRST "kill -9 $$", true, "was killed by signal 9" },
		{ FIRST "kill -STOP $$", true, "did not end in time" },
		{ "sleep 60", false, "did not end in time" },
		{ FIRST "echo hello", true, "is not a reply" },
		{ "head -c 10000000 /dev/zero", false, "is not a reply" },
		{ FIRST "cat /dev/zero", true, "is not a reply" },
		{ FIRST "yes >&2", true, "did not end in time" },
		{ FIRST "printf 'reply 1 1\\n'", true,
		    "ended without a reply" },
		/* part of a reply counts for nothing */
		{ FIRST "printf 'reply 1 1\\nhost-key 1 a\\nx'", true,
		    "ended without a reply" },
		{ FIRST "while :; do printf r; sleep 0.2; done", true,
		    "did not end in time" },
		{ FIRST "sleep 60 & exit 2", true, "exited with status 2" },
	};
	struct query queries[2];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		/* a busy machine starts a shell late */
		check(rows[i].script, run_for(strstr(rows[i].why, "time") !=
		    NULL ? LATE_MS : 20000, rows[i].script, queries) < 10000);
		check(rows[i].script, queries[0].failed != rows[i].answered);
		check(rows[i].script, queries[1].failed);
		check(rows[i].script, queries[1].new_key == NULL);
		if (strstr(queries[1].error.text, rows[i].why) == NULL)
			fail_msg("[%s] %s", rows[i].script,
			    queries[1].error.text);
		query_free(&queries[0]);
		query_free(&queries[1]);
	}
}

static void
what_does_not_start_is_told(void **state unused)
{
	static char longest[X2GOBROKER_FILE_SIZE];
	struct query queries[2];

	assert_int_equal(symlink("/nonexistent", test_path("link")), 0);
	config.helper_dir = test_path("link");
	run("exit 0", queries);
	assert_non_null(strstr(queries[0].error.text, "not found"));
	assert_non_null(strstr(queries[1].error.file, "/x2gobroker-poll"));
	memset(longest, 'x', sizeof(longest) - 1);
	config.helper_dir = longest;
	run("exit 0", queries);
	assert_string_equal(queries[0].error.text, "helper-dir is too long");
	config.helper_dir = make_dir("there");
	make_dir("there/x2gobroker-poll");
	run("exit 0", queries);
	assert_non_null(strstr(queries[0].error.text, "cannot start it: "));
	config.helper_dir = test_dir;
	config.broker_account = "no such account";
	config.agent_known_hosts = "~/known_hosts";
	run("exit 0", queries);
	assert_non_null(strstr(queries[0].error.text, "does not exist"));
}

static void
without_memory_all_have_failed(void **state unused)
{
	const struct connection_target target = { .source = &source_ssh };
	struct query query, *list[] = { &query };
	int n;

	config.agent_identity_files = "/a,/b";
	for (n = 1;; n++) {
		query_init(&query, &query_all, &target, NULL);
		alloc_fail(n);
		query_run(&config, list, 1, clock_ms() + LATE_MS, NULL, NULL,
		    NULL);
		assert_true(query.done && query.failed);
		query_free(&query);
		if (!alloc_failed())
			break;
		assert_int_equal(query.error.code, X2GOBROKER_ERR_NOMEM);
	}
	assert_true(n > 2);
}

/* It gets no environment, no other descriptor, and all in one order. */
static void
it_gets_an_order_and_nothing_else(void **state unused)
{
	struct query queries[2];
	char text[4000] = "";
	char script[300];
	FILE *fp;

	setenv("SECRET", "secret", 1);
	snprintf(script, sizeof(script), "{ cat /proc/$$/environ; ls "
	    "/proc/$$/fd; cat; } >%s/got", test_dir);
	run(script, queries);
	fp = fopen(test_path("got"), "r");
	assert_non_null(fp);
	text[fread(text, 1, sizeof(text) - 1, fp)] = '\0';
	fclose(fp);
	assert_null(strstr(text, "secret"));
	assert_non_null(strstr(text, "name 4 ts01\naddress 0 \nport 2 22\n"));
	assert_non_null(strstr(text, "identity 12 /nonexistent\n"));
}

/* x2gobroker-sessiondb is run in the same way. */
static void
a_database_is_asked_by_its_own_program(void **state unused)
{
	static const struct {
		const char *script, *why;	/* "": answered */
	} rows[] = {
		{ "grep -q 'service 4 farm' && printf 'reply 1 0\nstarts 16 "
		    "OK\nts01 alice 3\n\nend 0 \n'", "" },
		{ FIRST, "" },
		{ "exit 3", "exited with status 3" },
		{ "exit 0", "x2gobroker-sessiondb ended without a reply" },
		{ "sleep 60", "did not end in time" },
		{ "cat /dev/zero", "is not a reply" },
		{ "printf 'reply 1 0\nstarts 2 no\nend 0 \n'",
		    "its helper program reports an invalid starts" },
		{ NULL, "no session database can be asked" },
	};
	struct query query;
	char text[1000];
	size_t i;

	config.session_database = "farm";
	config.session_database_file = "/file";
	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "#!/bin/sh\n%s\n",
		    rows[i].script != NULL ? rows[i].script : "");
		if (rows[i].script == NULL)
			config.helper_dir = "/nonexistent";
		else
			assert_int_equal(chmod(write_file(
			    "x2gobroker-sessiondb", text), 0755), 0);
		query_init(&query, &query_all, NULL, "alice");
		query_run_database(&config, &query, clock_ms() + LATE_MS * 5);
		check(text, query.done);
		if (strstr(query.error.text, rows[i].why) == NULL ||
		    query.failed != (*rows[i].why != '\0'))
			fail_msg("[%s] %s", text, query.error.text);
		if (i == 0) {
			assert_int_equal(query.report.nstarts, 1);
			assert_string_equal(query.report.starts[0].host,
			    "ts01");
		}
		query_free(&query);
	}
}

/* Answers so many orders, and says in a file each time that it starts. */
#define ANSWERS(n)	"echo >> starts; n=" n "; while [ $n -gt 0 ]; do "	\
			"n=$((n - 1)); length=1$(head -c 9) || exit 1; "	\
			"asked=$(head -c $((length - 100000000)) | "	\
			"grep -c '^query '); "				\
			"printf 'reply 1 0\\nend 0 \\n'; "		\
			"[ $asked = 1 ] || "				\
			"printf 'reply 1 1\\nend 0 \\n'; done; "

/* How often that program is started for two orders of so many servers; ends: it
 * does so after the first one. */
static size_t
starts_for_two_orders(const char *script, size_t first, size_t second,
    bool ends)
{
	const struct connection_target target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 };
	struct conversation *kept = NULL;
	struct query queries[2], *list[] = { &queries[0], &queries[1] };
	size_t i, n[] = { first, second }, round;
	struct stat st;
	siginfo_t end;
	char text[1000];

	snprintf(text, sizeof(text), "#!/bin/sh\ncd %s\n%s", test_dir,
	    script);
	write_file("starts", "");
	assert_int_equal(chmod(write_file("x2gobroker-poll", text), 0755), 0);
	for (round = 0; round < 2; round++) {
		/* unless that has been noticed already */
		if (round == 1 && ends)
			waitid(P_ALL, 0, &end, WEXITED | WNOWAIT);
		for (i = 0; i < n[round]; i++)
			query_init(&queries[i], &query_all, &target, "alice");
		query_run(&config, list, n[round], clock_ms() + 20000, NULL,
		    NULL, &kept);
		for (i = 0; i < n[round]; i++) {
			check(script, round == 0 || !queries[i].failed);
			query_free(&queries[i]);
		}
	}
	conversation_end(kept);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(stat(test_path("starts"), &st), 0);
	return (size_t)st.st_size;
}

static void
a_conversation_goes_on(void **state unused)
{
	assert_int_equal(starts_for_two_orders(ANSWERS("9"), 2, 2, false), 1);
	assert_int_equal(starts_for_two_orders(ANSWERS("9"), 2, 1, false), 1);
	/* one that has ended, has too little memory, or says more than it was
	 * asked, is replaced */
	assert_int_equal(starts_for_two_orders(ANSWERS("1"), 2, 2, true), 2);
	assert_int_equal(starts_for_two_orders(ANSWERS("9"), 1, 2, false), 2);
	assert_int_equal(starts_for_two_orders(ANSWERS("1")
	    "[ -e more ] || printf 'reply 1 0\nend 0 \n'; echo > more", 2, 2,
	    true), 2);
}

/* The agent of this host is asked meanwhile, and needs no child. */
static void
this_host_needs_no_child(void **state unused)
{
	const struct connection_target here = { .source = &source_local };
	struct query query, *list[] = { &query };

	config.agent_command = write_file("agent", "#!/bin/sh\n"
	    "printf 'OK\\nloadavgXX:121\\nmemAvail:15873\\n"
	    "myMemAvail:15010\\nnumCPU:4\\ntypeCPU:2400\\nEND\\n'\n");
	assert_int_equal(chmod(config.agent_command, 0755), 0);
	config.helper_dir = "/nonexistent";
	query_init(&query, &query_all, &here, NULL);
	query_run(&config, list, 1, clock_ms() + 20000, NULL, NULL, NULL);
	assert_string_equal(query.error.text, "");
	assert_false(query.failed);
	assert_true(query.report.load_known);
	query_free(&query);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_does_is_its_own_failure),
		TEST(what_does_not_start_is_told),
		TEST(without_memory_all_have_failed),
		TEST(it_gets_an_order_and_nothing_else),
		TEST(a_conversation_goes_on),
		TEST(this_host_needs_no_child),
		TEST(a_database_is_asked_by_its_own_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
