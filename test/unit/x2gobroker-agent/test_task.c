/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent answers: its tasks, with X2Go's tools played by this test; the
 * numbers of the load; and how full the servers are.
 */
#include <time.h>

#include "agent/answer.h"
#include "load.h"
#include "task.h"
#include "support.h"
#include "x2gotool.h"

/* X2Go's tools */

static const char *tool_text;		/* what they print; NULL: they fail */
static struct buf tool_calls;	/* names and arguments */

int __wrap_x2gotool_run(const char *, const char *const *, const struct account *,
    struct buf *, struct x2gobroker_error *);
bool __wrap_x2gotool_exists(const char *);

int
__wrap_x2gotool_run(const char *name, const char *const *args,
    const struct account *account unused, struct buf *out,
    struct x2gobroker_error *err)
{
	buf_printf(&tool_calls, "%s %s\n", name, args[0] != NULL ? args[0] : "");
	if (tool_text == NULL)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "no");
	buf_puts(out, tool_text);
	return 0;
}

bool
__wrap_x2gotool_exists(const char *name)
{
	return strcmp(name, "x2golistsessions") == 0 ||
	    strcmp(name, "x2golistsessions_root") == 0;
}

static char user_name[] = "alice", user_home[] = "/home/alice";
static const struct account account = { .name = user_name,
    .home = user_home, .uid = 1000 };

/* The result of a task; its data is in answer. */
static struct buf answer;
static struct x2gobroker_error err;

static int
run(const char *name, const char *arg, const char *text)
{
	const char *args[] = { arg, NULL };
	const struct task *task = task_find(name);
	struct job job = { .task = task, .user = user_name, .args = args,
	    .account = &account };

	assert_non_null(task);
	tool_text = text;
	buf_free(&tool_calls);
	buf_free(&answer);
	if (task->check != NULL && (task->check)(&job, &err) == -1)
		return -1;
	return task->run(&job, &answer, &err);
}

static const char *
text_of(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

static const char *
data(void)
{
	return text_of(&answer);
}

/* What was run. */
static const char *
calls(void)
{
	return text_of(&tool_calls);
}

#define LINE1	"4711|alice-50-1700000000_stDXFCE_dp24|50|vm|S|" \
		"2026-11-23T20:49:25|cookie|192.0.2.1|30001|30002|" \
		"2026-11-23T20:50:00|alice|60|30003|-1|-1"
#define LINE2	"4712|alice-51-1700000001_stDMATE_dp24|51|vm|R|" \
		"2026-11-23T20:49:26|cookie|192.0.2.1|30011|30012|" \
		"2026-11-23T20:50:01|alice|61|30013|-1|-1"

static void
test_tasks(void **state unused)
{
	static const char *const all[] = { "ping", "availabletasks",
	    "checkload", "listsessions", "status", "getservers",
	    "findbusyservers", "findbusyservers_by_sessionstats",
	    "suspendsession", "terminatesession", "addauthkey",
	    "listallsessions", "addauthkey_local", "delauthkey", "storekey",
	    "storekey_local", "checkstore" };
	const struct task *task;
	size_t i;

	for (i = 0; i < LENGTH(all); i++)
		check(all[i], task_find(all[i]) != NULL);
	for (task = tasks; task->name != NULL; task++)
		check(task->name, task->run != NULL && task->args != NULL &&
		    task->nargs <= TASK_ARGS_MAX);
	assert_int_equal(task - tasks, LENGTH(all));
	assert_null(task_find(""));
	assert_null(task_find("Ping"));
	assert_null(task_find("ping "));
}

static void
test_availabletasks(void **state unused)
{
	assert_int_equal(run("availabletasks", NULL, NULL), 0);
	assert_string_equal(data(), "ping\navailabletasks\ncheckload\n"
	    "listsessions\nlistallsessions\nstatus\naddauthkey\naddauthkey_local\ndelauthkey\n"
	    "storekey\nstorekey_local\ncheckstore\n");
	assert_string_equal(calls(), "");
	assert_int_equal(run("ping", NULL, NULL), 0);
	assert_string_equal(data(), "");
}

static void
test_listsessions(void **state unused)
{
	assert_int_equal(run("listsessions", NULL, LINE1 "\n" LINE2 "\n"), 0);
	assert_string_equal(data(), LINE1 "\n" LINE2 "\n");
	assert_string_equal(calls(), "x2golistsessions --all-servers\n");
	assert_int_equal(run("listsessions", NULL, ""), 0);
	assert_string_equal(data(), "");
	assert_int_equal(run("listsessions", NULL, NULL), -1);
}

/* With the operator's leave, or by hand; and nobody gets a cookie. */
static void
test_listallsessions(void **state unused)
{
	static const char without[] = "4711|alice-50-1700000000_stDXFCE_dp24|"
	    "50|vm|S|2026-11-23T20:49:25||192.0.2.1|30001|30002|"
	    "2026-11-23T20:50:00|alice|60|30003|-1|-1\n";
	static const struct {
		bool forced, all_sessions, may;
		const char *tool;
	} rows[] = {
		{ false, false, true,
		    "x2golistsessions_root --all-servers\n" },
		{ true, false, false, "" },
		{ true, true, true, "x2golistsessions_root \n" },
	};
	const struct task *task = task_find("listallsessions");
	struct job job = { .task = task, .user = "-" };
	size_t i;

	assert_true(task->as_root);
	tool_text = LINE1 "\n\n";
	for (i = 0; i < LENGTH(rows); i++) {
		buf_free(&tool_calls);
		buf_free(&answer);
		job.forced = rows[i].forced;
		job.all_sessions = rows[i].all_sessions;
		check(rows[i].tool, ((task->check)(&job, &err) == 0) ==
		    rows[i].may);
		if (rows[i].may) {
			check(rows[i].tool, task->run(&job, &answer,
			    &err) == 0);
			check_text(rows[i].tool, data(), without);
		} else
			assert_non_null(strstr(err.text,
			    "add --all-sessions"));
		check_text(rows[i].tool, calls(), rows[i].tool);
		buf_free(&answer);
		assert_int_equal(task_find("availabletasks")->run(&job,
		    &answer, &err), 0);
		check(rows[i].tool, (strstr(data(), "listallsessions\n") !=
		    NULL) == rows[i].may);
	}
	assert_int_equal(run("listallsessions", NULL, "x|y\nz\n"), 0);
	assert_string_equal(data(), "x|y\nz\n");
	assert_int_equal(run("listallsessions", NULL, NULL), -1);
}

/* As the broker reads it. */
static void
check_status(const char *text, size_t nsessions)
{
	struct agent_report report;
	struct buf whole = { 0 };

	assert_int_equal(run("status", NULL, text), 0);
	buf_printf(&whole, "OK\n%s", data());
	agent_report_init(&report);
	assert_int_equal(agent_parse_status(whole.data, whole.len, "alice",
	    &report, &err), 0);
	check(text, report.nsessions == nsessions && report.skipped == 0);
	check(text, report.load_known && report.count >= 0);
	check(text, strncmp(report.agent, "x2gobroker-agent ", 17) == 0);
	check(text, report.time > 0);
	agent_report_free(&report);
	buf_free(&whole);
}

static void
test_status(void **state unused)
{
	check_status("", 0);
	check_status(LINE1 "\n", 1);
	check_status(LINE1 "\n" LINE2 "\n", 2);
	assert_non_null(strstr(data(), "\nsession:" LINE1 "\nsession:" LINE2
	    "\nEND\n"));
	/* a line cannot be taken for another one of the answer */
	assert_int_equal(run("status", NULL, "END\nsessions:0\n\n"), 0);
	assert_non_null(strstr(data(), "\nsession:END\nsession:sessions:0\n"
	    "session:\nEND\n"));
	assert_int_equal(run("status", NULL, NULL), -1);
}

static void
test_change(void **state unused)
{
	static const char id[] = "alice-50-1700000000_stDXFCE_dp24";

	assert_int_equal(run("suspendsession", id, LINE2 "\n" LINE1 "\n"), 0);
	assert_string_equal(data(), "");
	assert_string_equal(calls(), "x2golistsessions --all-servers\n"
	    "x2gosuspend-session alice-50-1700000000_stDXFCE_dp24\n");
	assert_int_equal(run("terminatesession", id, LINE1 "\n"), 0);
	assert_non_null(strstr(calls(), "x2goterminate-session alice-50"));
	/* not there, or only similar */
	assert_int_equal(run("suspendsession", id, LINE2 "\n"), -1);
	assert_non_null(strstr(err.text, "no such session"));
	assert_string_equal(calls(), "x2golistsessions --all-servers\n");
	assert_int_equal(run("suspendsession", "alice-50-1", LINE1 "\n"), -1);
	assert_int_equal(run("suspendsession", id, ""), -1);
	assert_int_equal(run("suspendsession", id, "|"), -1);
	assert_int_equal(run("suspendsession", id, "x|alice-50"), -1);
}

static void
test_ids(void **state unused)
{
	static const char *const bad[] = { "", "-50", "--help", "alice",
	    "alicex-50-1", "bob-50-1", "root-50-1", "alice-50-1;id",
	    "alice-50-1 x", "alice-50-1/../x", "alice-50-1\n", "alice-$x",
	    "-alice-50-1", "Alice-50-1", "x-alice-50-1" };
	char longest[SESSION_ID_MAX + 2];
	size_t i;

	for (i = 0; i < LENGTH(bad); i++) {
		check(bad[i], run("suspendsession", bad[i], LINE1) == -1);
		check(bad[i], tool_calls.len == 0);
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "alice-", 6);
	longest[SESSION_ID_MAX + 1] = '\0';
	run("suspendsession", longest, LINE1);
	assert_string_equal(calls(), "");
	longest[SESSION_ID_MAX] = '\0';
	run("suspendsession", longest, LINE1);
	assert_string_equal(calls(), "x2golistsessions --all-servers\n");
}

static int
check_id(const char *user, const char *const *args)
{
	struct job job = { .user = user, .args = args };

	return (task_find("suspendsession")->check)(&job, &err);
}

/* X2Go takes out of an id what is not in one. */
/* What the broker can show, it can also suspend. */
static void
test_the_longest_id(void **state unused)
{
	char id[SESSION_ID_MAX + 2], text[SESSION_LINE_MAX];

	memset(id, 'x', sizeof(id));
	memcpy(id, "alice-50-", 9);
	id[SESSION_ID_MAX + 1] = '\0';
	assert_int_equal(run("suspendsession", id, ""), -1);
	assert_non_null(strstr(err.text, "not a session id"));
	id[SESSION_ID_MAX] = '\0';
	snprintf(text, sizeof(text), "1|%s|50|vm|R|x\n", id);
	assert_int_equal(run("suspendsession", id, text), 0);
}

static void
test_ids_of_odd_names(void **state unused)
{
	const char *const args[] = { "mller-50-1", NULL };
	const char *const at[] = { "a@b.c-50-1", NULL };

	assert_int_equal(check_id("m\xc3\xbcller", args), 0);
	assert_int_equal(check_id("m+ller", args), 0);
	assert_int_equal(check_id("mller", args), 0);
	assert_int_equal(check_id("ml", args), -1);
	assert_int_equal(check_id("mxller", args), -1);
	assert_int_equal(check_id("a@b.c", at), 0);
}

/* Servers */

static void
test_servers(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "vm\n", "0:vm\n" },
		{ "a 0\n", "0:a\n" },
		{ "a 3\n", "100:a\n" },
		{ "a 1\nb 2\n", "33:a\n66:b\n" },
		{ "b 2\na 1\n", "33:a\n66:b\n" },
		/* as text, as Debian's agent does */
		{ "a 100\nb 900\n", "10:a\n90:b\n" },
		{ "a 1000\nb 0\nc 20\n", "0:b\n1:c\n98:a\n" },
		{ "a 1\nb", "0:b\n100:a\n" },
		/* what is no such line */
		{ "a x\nb 1\n", "100:b\n" },
		{ "a -1\nb 1\n", "100:b\n" },
		{ "a 99999999999\nb 1\n", "100:b\n" },
		{ "a 1 2\nb 1\n", "100:b\n" },
		{ "x:y 1\nb 1\n", "100:b\n" },
		{ " 1\nb 1\n", "100:b\n" },
		{ "a 1000000\nb 1000000\n", "50:a\n50:b\n" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i][0], run("findbusyservers", NULL,
		    rows[i][0]) == 0);
		check_text(rows[i][0], data(), rows[i][1]);
	}
	assert_string_equal(calls(), "x2gogetservers \n");
	assert_int_equal(run("findbusyservers_by_sessionstats", NULL,
	    "a 1\n"), 0);
	assert_string_equal(data(), "100:a\n");
	assert_int_equal(run("getservers", NULL, "a 1\nb 2\n"), 0);
	assert_string_equal(data(), "a 1\nb 2\n");
	assert_int_equal(run("findbusyservers", NULL, NULL), -1);
	assert_int_equal(load_put_servers(NULL, &answer), 0);
}

/* Load */

static void
test_average(void **state unused)
{
	static const struct {
		const char *text;
		long percent;
	} rows[] = {
		{ "0.00 0.00 0.00 1/100 4711\n", 1 },
		{ "1.00 1.00 1.00 1/100 4711\n", 101 },
		{ "0.50 0.25 0.00 1/100 4711\n", 26 },
		{ "3.42 2.11 1.07 5/812 9\n", 221 },
		{ "-3 -3 -3", 1 },
	};
	struct load load;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, load_parse_average(rows[i].text,
		    &load) == 0);
		check(rows[i].text, load.loadavg == rows[i].percent);
	}
	assert_int_equal(load_parse_average("", &load), -1);
	assert_int_equal(load_parse_average("1.0 2.0", &load), -1);
	assert_int_equal(load_parse_average("x y z", &load), -1);
	assert_int_equal(load_parse_average("inf 0 0", &load), -1);
	assert_int_equal(load_parse_average("nan 0 0", &load), -1);
	assert_int_equal(load_parse_average("1e300 0 0", &load), -1);
}

static FILE *
open_text(const char *text)
{
	FILE *fp = tmpfile();

	assert_non_null(fp);
	fputs(text, fp);
	rewind(fp);
	return fp;
}

/* Numbers that the Perl agent has made of the same text. */
static void
test_memory(void **state unused)
{
	struct load load = { 0 };
	FILE *fp = open_text("MemTotal:       24639320 kB\n"
	    "MemFree:        20012345 kB\nMemAvailable:   22649001 kB\n"
	    "Active(file):    1500000 kB\nInactive(file):   700001 kB\n"
	    "SReclaimable:     300000 kB\n");

	load_parse_memory(fp, 67584, &load);
	fclose(fp);
	assert_int_equal(load.mem_avail, 22649);
	assert_int_equal(load.my_mem_avail, 22309);
	/* an old kernel, with nothing free */
	fp = open_text("MemFree: 100 kB\n");
	load_parse_memory(fp, 67584, &load);
	fclose(fp);
	assert_int_equal(load.mem_avail, 0);
	assert_int_equal(load.my_mem_avail, 0);
	/* in a container, something else may play the kernel */
	fp = open_text("MemAvailable: 99999999999999999999 kB\n"
	    "MemFree: -1 kB\nActive(file): 9223372036854775807 kB\n"
	    "Inactive(file): 9223372036854775807 kB\n");
	load_parse_memory(fp, 67584, &load);
	fclose(fp);
	assert_int_equal(load.mem_avail, 0);
	assert_int_equal(load.my_mem_avail, 0);
}

static void
test_cpus(void **state unused)
{
	static const struct {
		const char *text;
		long cpus, mhz;
	} rows[] = {
		{ "model name\t: Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz\n"
		    "cpu MHz\t\t: 1200.000\n"
		    "model name\t: Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz\n"
		    "cpu MHz\t\t: 3400.000\n", 2, 2400 },
		{ "model name\t: AMD EPYC\ncpu MHz\t\t: 2596.132\n"
		    "model name\t: AMD EPYC\ncpu MHz\t\t: 2596.000\n",
		    2, 2596 },
		{ "model name\t: AMD EPYC\ncpu MHz\t\t: 2596.132\n", 1, 2597 },
		{ "processor\t: 0\nBogoMIPS\t: 50.00\n", 0, 0 },
		{ "", 0, 0 },
		{ "cpu MHz\t: nonsense\ncpu MHz\n", 0, 0 },
		{ "model name : CPU @ nan\nmodel name : CPU @ 1e300\n", 0, 0 },
		{ "cpu MHz : inf\n", 0, 0 },
	};
	struct load load;
	size_t i;
	FILE *fp;

	for (i = 0; i < LENGTH(rows); i++) {
		fp = open_text(rows[i].text);
		load_parse_cpus(fp, &load);
		fclose(fp);
		check(rows[i].text, load.cpus == rows[i].cpus &&
		    load.mhz == rows[i].mhz);
	}
}

static void
test_load(void **state unused)
{
	static const struct load load = { 101, 2000, 1900, 4, 2400 };
	struct load here;

	buf_free(&answer);
	load_put(&load, &answer);
	assert_string_equal(data(), "loadavgXX:101\nmemAvail:2000\n"
	    "myMemAvail:1900\nnumCPU:4\ntypeCPU:2400\n");
	assert_int_equal(load_read(&here, &err), 0);
	assert_true(here.loadavg >= 1 && here.cpus >= 1 && here.mhz >= 1);
	assert_true(here.mem_avail > 0 && here.my_mem_avail > 0);
}

/* Sessions as processes */

static void
test_census(void **state unused)
{
#define FIELDS	" S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
	assert_true(load_is_session("x2goagent\n"));
	assert_true(load_is_session("nxagent\n"));
	assert_true(load_is_session("nxagent"));
	assert_false(load_is_session("nxagent2\n"));
	assert_false(load_is_session("x2goagen\n"));
	assert_false(load_is_session("\n"));
	assert_false(load_is_session(""));
	assert_int_equal(load_parse_start("12 (x2goagent)" FIELDS
	    "4242 23 24\n"), 4242);
	assert_int_equal(load_parse_start("12 (a) b (c) 1 2)" FIELDS
	    "4242 23\n"), 4242);
	assert_int_equal(load_parse_start("12 (x)" FIELDS "-1 23\n"), -1);
	assert_int_equal(load_parse_start("12 (x)" FIELDS "x 23\n"), -1);
	assert_int_equal(load_parse_start("12 (x)" FIELDS "42"), -1);
	assert_int_equal(load_parse_start("12 (x) S 1 2"), -1);
	assert_int_equal(load_parse_start("12 (x"), -1);
	assert_int_equal(load_parse_start(""), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_availabletasks),
		cmocka_unit_test(test_listsessions),
		cmocka_unit_test(test_listallsessions),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_the_longest_id),
		cmocka_unit_test(test_ids_of_odd_names),
		cmocka_unit_test(test_servers),
		cmocka_unit_test(test_average),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_census),
	};
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	buf_free(&answer);
	buf_free(&tool_calls);
	return result;
}
