/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is said to one server, and what becomes of its answers.  Linked with
 * --wrap for the functions of fake_connection.h.
 */
#include "agent/query.h"
#include "base/clock.h"
#include "fake_connection.h"

#define PATIENCE_MS	60000

#define ID	"alice-50-1763930965_stDXFCE_dp24"
#define SESSION(state) "4711|" ID "|50|ts01|" state "|2026-11-23T20:49:25|" \
		"d5ac5e1b|192.0.2.7|30001|30002|2026-11-23T20:49:25|alice|" \
		"877|30003|-1|-1\n"
#define LISTED(state)	"OK\n" SESSION(state)
#define LOAD	"loadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\n"
#define STATUS	"OK\n" LOAD "sessions:17\nsession:" SESSION("S") "END\n"
#define OURS	"OK\navailabletasks\nstatus\nsuspendsession\n"
#define DEBIANS	"OK\navailabletasks\nsuspendsession\n"

static const char *user = "alice";
static const struct source *source = &source_ssh;
static unsigned int lacks;	/* as an earlier request has found */

/* Ask one server, which says what the rows say, with ms left. */
static struct query *
ask_for(const struct said *rows, const struct question *question,
    const char *session, int ms)
{
	const struct connection_target target = { .source = source,
	    .host = { .name = "ts01" }, .port = 22 };
	static struct query query;
	struct query *queries[] = { &query };

	play_servers(rows);
	query_init(&query, question, &target, user);
	query.args[0] = session;
	query.lacks = lacks;
	query_run(&test_config, queries, 1, clock_ms() + ms, NULL, NULL, NULL);
	assert_true(query.done);
	return &query;
}

/*
 * Sessions, and load
 */

static void
sessions_are_asked_for(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ 0 },
	};
	struct query *query = ask_for(rows, &query_sessions, NULL, PATIENCE_MS);

	assert_false(query->failed);
	assert_int_equal(query->report.nsessions, 1);
	assert_string_equal(link_played.calls, "ts01 listsessions\n");
	query_free(query);
}

/* Each row: who asks, and in which way; what the agent says to "status"; what is
 * asked then, and whether that is an answer. */
static void
the_one_question_is_asked_first(void **state unused)
{
	static const struct said sound[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS }, { 0 },
	}, silent[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD }, { 0 },
	}, refusing[] = {
		{ NULL, "status", X2GOBROKER_ERR_DENIED, "no such task" },
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD },
		{ NULL, "getservers", X2GOBROKER_OK, "OK\nts01 3\n" }, { 0 },
	}, broken[] = {
		{ NULL, "status", X2GOBROKER_ERR_SYSTEM, "broke off" }, { 0 },
	}, lost[] = {
		{ NULL, "status", X2GOBROKER_ERR_DENIED, "no such task" },
		{ NULL, "listsessions", X2GOBROKER_ERR_DENIED, "no" }, { 0 },
	}, loaded[] = {
		{ NULL, "status", X2GOBROKER_ERR_DENIED, "no such task" },
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_ERR_DENIED, "no" }, { 0 },
	}, nonsense[] = {
		{ NULL, "status", X2GOBROKER_OK, "OK\nEND" }, { 0 },
	};
	static const struct {
		const char *label;
		const struct said *rows;
		const char *user;
		const struct source *source;
		bool answered;
		const char *calls;
	} rows[] = {
		{ "sound", sound, "alice", &source_ssh, true, "ts01 status\n" },
		{ "sound, nobody", sound, NULL, &source_ssh, true,
		    "ts01 status\n" },
		{ "here", sound, "alice", &source_local, true,
		    "here status\nhere getservers\n" },
		{ "here, nobody", sound, NULL, &source_local, true,
		    "here status\n" },
		{ "silent", silent, "alice", &source_ssh, true, "ts01 status\n"
		    "ts01 listsessions\nts01 checkload\nts01 getservers\n" },
		{ "refusing", refusing, "alice", &source_ssh, true,
		    "ts01 status\nts01 listsessions\nts01 checkload\n"
		    "ts01 getservers\n" },
		{ "refusing, nobody", refusing, NULL, &source_ssh, true,
		    "ts01 status\nts01 checkload\n" },
		{ "broken", broken, "alice", &source_ssh, false,
		    "ts01 status\n" },
		{ "broken here", broken, "alice", &source_local, false,
		    "here status\n" },
		{ "lost", lost, "alice", &source_ssh, false,
		    "ts01 status\nts01 listsessions\n" },
		{ "loaded", loaded, "alice", &source_ssh, false,
		    "ts01 status\nts01 listsessions\nts01 checkload\n" },
		{ "nonsense", nonsense, "alice", &source_ssh, false,
		    "ts01 status\n" },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		user = rows[i].user;
		source = rows[i].source;
		query = ask_for(rows[i].rows, &query_all, NULL, PATIENCE_MS);
		check_text(rows[i].label, link_played.calls, rows[i].calls);
		check(rows[i].label, query->failed != rows[i].answered);
		query_free(query);
	}
	user = "alice";
	source = &source_ssh;
}

/* Each row: what an earlier request has found, and what is asked then. */
static void
what_an_agent_lacks_is_not_asked_for(void **state unused)
{
	static const struct said without_counts[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD },
		{ NULL, "getservers", X2GOBROKER_OK, "OK\nts01\n" }, { 0 },
	}, without_sessions[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD },
		{ NULL, "getservers", X2GOBROKER_OK, "OK\n" }, { 0 },
	}, finished[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("F") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD },
		{ NULL, "getservers", X2GOBROKER_OK, "OK\n" }, { 0 },
	}, replaced[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD
		    AGENT_HAS_STATUS "\n" },
		{ NULL, "status", X2GOBROKER_OK, STATUS }, { 0 },
	}, failing[] = {	/* our agent, for a moment */
		{ NULL, "status", X2GOBROKER_ERR_DENIED, "not now" },
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") },
		{ NULL, "checkload", X2GOBROKER_OK, "OK\n" LOAD
		    AGENT_HAS_STATUS "\n" }, { 0 },
	};
	static const struct {
		const char *label;
		const struct said *rows;
		unsigned int before, after;
		const char *calls;
	} rows[] = {
		{ "first", without_counts, 0, LACKS_ALL, "ts01 status\n"
		    "ts01 listsessions\nts01 checkload\nts01 getservers\n" },
		{ "next", without_counts, LACKS_ALL, LACKS_ALL,
		    "ts01 listsessions\nts01 checkload\n" },
		{ "no sessions", without_sessions, LACKS_STATUS, LACKS_STATUS,
		    "ts01 listsessions\nts01 checkload\nts01 getservers\n" },
		{ "a finished one", finished, LACKS_STATUS, LACKS_STATUS,
		    "ts01 listsessions\nts01 checkload\nts01 getservers\n" },
		{ "replaced", replaced, LACKS_ALL, LACKS_COUNTS,
		    "ts01 listsessions\nts01 checkload\nts01 status\n" },
		{ "failing", failing, 0, 0, "ts01 status\n"
		    "ts01 listsessions\nts01 checkload\n" },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		lacks = rows[i].before;
		query = ask_for(rows[i].rows, &query_all, NULL, PATIENCE_MS);
		check(rows[i].label, !query->failed);
		check_text(rows[i].label, link_played.calls, rows[i].calls);
		check(rows[i].label, query->lacks == rows[i].after);
		check(rows[i].label, query->report.nsessions ==
		    (rows[i].rows == without_sessions ? 0 : 1));
		query_free(query);
	}
	lacks = 0;
}

static void
who_cannot_be_reached_is_not_asked(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "open", X2GOBROKER_ERR_SYSTEM, "no way" },
		{ NULL, "knock", X2GOBROKER_ERR_SYSTEM, "nobody is in" },
		{ 0 },
	};
	static const struct said open[] = { { 0 } };
	static const struct {
		const struct question *question;
		const char *why;
	} questions[] = {
		{ &query_sessions, "no way" }, { &query_all, "no way" },
		{ &query_suspend, "no way" }, { &query_terminate, "no way" },
		{ &query_host_key, "no way" }, { &query_knock, "nobody is in" },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(questions); i++) {
		query = ask_for(rows, questions[i].question, "a", PATIENCE_MS);
		check(questions[i].why, query->failed);
		check_text("why", query->error.text, questions[i].why);
		check_text("calls", link_played.calls, "");
		query_free(query);
	}
	query = ask_for(open, &query_knock, NULL, PATIENCE_MS);
	assert_false(query->failed);
	query_free(query);
	query = ask_for(open, &query_host_key, NULL, PATIENCE_MS);
	assert_false(query->failed);
	assert_string_equal(link_played.calls, "");
	query_free(query);
}

/*
 * Sessions that are to change their state
 */

#define CHANGES(task, text)	{ NULL, task, X2GOBROKER_OK, text }
#define LOOKS(state)		{ NULL, "listsessions", X2GOBROKER_OK, \
				    LISTED(state) }
#define GONE			{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" }
#define AGENT(tasks)		{ NULL, "availabletasks", X2GOBROKER_OK, tasks }

static void
a_session_is_watched_until_it_has_changed(void **state unused)
{
	static const struct said at_once[] = { AGENT(OURS),
	    CHANGES("suspendsession", "OK\n"), LOOKS("S"), { 0 } },
	later[] = { AGENT(OURS), CHANGES("suspendsession", "OK\n"),
	    LOOKS("R"), LOOKS("R"), LOOKS("S"), { 0 } },
	ended[] = { AGENT(OURS), CHANGES("terminatesession", "OK\n"),
	    LOOKS("R"), GONE, { 0 } },
	gone[] = { AGENT(OURS), CHANGES("suspendsession", "OK\n"), GONE,
	    { 0 } },
	refused[] = { AGENT(OURS), { NULL, "suspendsession",
	    X2GOBROKER_ERR_DENIED, "not yours" }, { 0 } },
	no[] = { AGENT(OURS), CHANGES("suspendsession", "NO\n"), { 0 } },
	empty[] = { AGENT(OURS), { 0 } },
	blind[] = { AGENT(OURS), CHANGES("suspendsession", "OK\n"),
	    { NULL, "listsessions", X2GOBROKER_ERR_SYSTEM, "broke off" },
	    { 0 } },
	debian[] = { AGENT(DEBIANS), CHANGES("suspendsession", "OK\n"),
	    LOOKS("R"), LOOKS("S"), { 0 } },
	debian_refuses[] = { AGENT(DEBIANS),
	    CHANGES("suspendsession", "OK\n"), { NULL, "suspendsession",
	    X2GOBROKER_ERR_DENIED, "not now" }, LOOKS("R"), { 0 } };
	static const struct {
		const char *label;
		const struct said *rows;
		const struct question *question;
		const char *why;	/* or NULL: it works */
		long slept_ms;
	} rows[] = {
		{ "at once", at_once, &query_suspend, NULL, 0 },
		{ "later", later, &query_suspend, NULL, 200 },
		{ "ended", ended, &query_terminate, NULL, 100 },
		{ "gone", gone, &query_suspend, "has ended", 0 },
		{ "refused", refused, &query_suspend, "not yours", 0 },
		{ "no", no, &query_suspend, "", 0 },
		{ "empty", empty, &query_suspend, "", 0 },
		{ "blind", blind, &query_suspend, "broke off", 0 },
		{ "debian", debian, &query_suspend, NULL, 12000 },
		{ "debian refuses", debian_refuses, &query_suspend, "not now",
		    6000 },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		query = ask_for(rows[i].rows, rows[i].question, ID,
		    PATIENCE_MS);
		check(rows[i].label, query->failed == (rows[i].why != NULL));
		if (rows[i].why != NULL)
			check(rows[i].label, strstr(query->error.text,
			    rows[i].why) != NULL);
		check(rows[i].label, link_played.slept_ms == rows[i].slept_ms);
		query_free(query);
	}
}

/* It takes Debian's agent seconds to suspend a session, and the server does that
 * when the user resumes it. */
static void
another_agent_hands_over_at_once(void **state unused)
{
	static const struct said ours[] = { AGENT(OURS),
	    CHANGES("suspendsession", "OK\n"), LOOKS("S"), { 0 } },
	debian[] = { AGENT(DEBIANS), { 0 } },
	broken[] = { { NULL, "availabletasks", X2GOBROKER_ERR_SYSTEM,
	    "broke off" }, { 0 } };
	static const struct {
		const char *label;
		const struct said *rows;
		unsigned int before, after;
		const char *calls;
	} rows[] = {
		{ "ours", ours, 0, 0, "ts01 availabletasks\n"
		    "ts01 suspendsession " ID "\n"
		    "ts01 listsessions\n" },
		{ "debian", debian, 0, LACKS_STATUS, "ts01 availabletasks\n" },
		{ "debian, known", debian, LACKS_STATUS, LACKS_STATUS, "" },
		{ "broken", broken, 0, 0, "ts01 availabletasks\n" },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		lacks = rows[i].before;
		query = ask_for(rows[i].rows, &query_hand_over, ID,
		    PATIENCE_MS);
		check(rows[i].label, !query->failed);
		check_text(rows[i].label, link_played.calls, rows[i].calls);
		check(rows[i].label, query->lacks == rows[i].after);
		check(rows[i].label, link_played.slept_ms == 0);
		query_free(query);
	}
	lacks = 0;
}

static void
a_session_that_stays_is_given_up(void **state unused)
{
	static const struct said rows[] = { AGENT(OURS),
	    CHANGES("suspendsession", "OK\n"), LOOKS("R"), { 0 } };
	struct query *query = ask_for(rows, &query_suspend, ID, 90);

	assert_true(query->failed);
	assert_non_null(strstr(query->error.text,
	    "is still in state R after suspendsession"));
	query_free(query);
}

/* An agent that cannot be given the name still has a load; the fake one says so
 * for any name but "-". */
static void
a_name_that_no_agent_takes_is_left_out(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_ERR_VALUE, "no such name" },
		{ NULL, "status", X2GOBROKER_OK, "OK\n" LOAD "END\n" },
		{ NULL, "listsessions", X2GOBROKER_ERR_VALUE, "no such name" },
		{ 0 },
	};
	static const struct {
		const struct question *question;
		const char *user;
		bool unnamed;
	} tries[] = {
		{ &query_all, "EXAMPLE\\alice", true },
		{ &query_sessions, "EXAMPLE\\alice", true },
		/* it was something else */
		{ &query_all, "alice", false },
		{ &query_sessions, "alice", false },
	};
	struct query *query;
	size_t i;

	for (i = 0; i < LENGTH(tries); i++) {
		user = tries[i].user;
		query = ask_for(rows, tries[i].question, NULL, PATIENCE_MS);
		check(tries[i].user, query->failed != tries[i].unnamed);
		check(tries[i].user, query->unnamed == tries[i].unnamed);
		query_free(query);
	}
	user = "alice";
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sessions_are_asked_for),
		cmocka_unit_test(the_one_question_is_asked_first),
		cmocka_unit_test(what_an_agent_lacks_is_not_asked_for),
		cmocka_unit_test(another_agent_hands_over_at_once),
		cmocka_unit_test(who_cannot_be_reached_is_not_asked),
		cmocka_unit_test(a_session_is_watched_until_it_has_changed),
		cmocka_unit_test(a_session_that_stays_is_given_up),
		cmocka_unit_test(a_name_that_no_agent_takes_is_left_out),
	};

	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
