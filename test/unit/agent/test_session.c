/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/answer.h"
#include "failing_malloc.h"

#define COOKIE	"d5ac5e1b8c3f47a09b1f2d3c4e5a6b7c"
#define ID	"alice-50-1763930965_stDXFCE_dp24"
#define TIMES	"2026-11-23T20:49:25"
#define LATER	"2026-11-23T21:04:02"

/* A line of a server of today. */
#define LINE	"4711|" ID "|50|ts01|S|" TIMES "|" COOKIE "|192.0.2.7|30001|" \
		"30002|" LATER "|alice|877|30003|-1|-1"

static int
parse(const char *line, struct session *session, struct x2gobroker_error *err)
{
	return session_parse(line, strlen(line), "alice", session, err);
}

static void
lines_of_all_servers_are_read(void **state unused)
{
	static const struct {
		const char *label, *line;
		size_t nfields;
		enum session_state state;
		const char *host;
	} rows[] = {
		{ "today's", LINE, 16, SESSION_SUSPENDED, "ts01" },
		{ "before 4.1", "4711|" ID "|50|ts01|R|" TIMES "|" COOKIE
		    "|192.0.2.7|30001|30002|" LATER "|alice|877|30003", 14,
		    SESSION_RUNNING, "ts01" },
		{ "with one more", "4711|" ID "|50|ts01|F|" TIMES "|" COOKIE
		    "|192.0.2.7|30001|30002|" LATER "|alice|877|30003|30004",
		    15, SESSION_FINISHED, "ts01" },
		{ "just being started", "|" ID "|50|ts01|R|" TIMES "|||||" TIMES
		    "|alice|0|||", 16, SESSION_RUNNING, "ts01" },
		{ "just being started, before 4.1", "|" ID "|50|ts01|R|" TIMES
		    "|||||" TIMES "|alice|0|", 14, SESSION_RUNNING, "ts01" },
		{ "a full name, IPv6", "4711|" ID "|50|ts01.example.org|S|"
		    TIMES "|" COOKIE "|2001:db8::7|30001|30002|" LATER
		    "|alice|877|30003|-1|-1", 16, SESSION_SUSPENDED,
		    "ts01.example.org" },
		{ "a zone, a clock set back", "4711|" ID "|50|2001:db8::1|S|"
		    TIMES "|" COOKIE "|fe80::1%eth0|30001|30002|" LATER
		    "|alice|-3600|30003|30004|30005", 16, SESSION_SUSPENDED,
		    "2001:db8::1" },
		{ "an address", "4711|" ID "|50|192.0.2.1|S|" TIMES "|" COOKIE
		    "|localhost|30001|30002|" LATER "|alice|877|30003|-1|-1",
		    16, SESSION_SUSPENDED, "192.0.2.1" },
	};
	struct session session;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].label, parse(rows[i].line, &session, NULL) == 0);
		check(rows[i].label, session.nfields == rows[i].nfields);
		check(rows[i].label, session.state == rows[i].state);
		check_text(rows[i].label, session_id(&session), ID);
		check_text(rows[i].label, session_host(&session),
		    rows[i].host);
		check_text(rows[i].label, session_created(&session), TIMES);
		check_text(rows[i].label, session_user(&session), "alice");
		session_free(&session);
	}
}

/* Each row has one field of a good line replaced. */
static void
a_field_that_cannot_be_is_refused(void **state unused)
{
	static const struct {
		size_t field;
		const char *text, *why;
	} rows[] = {
		{ 0, "x", "agent pid" },
		{ 0, "47 11", "agent pid" },
		{ 0, "--1", "agent pid" },
		{ 0, "-", "agent pid" },
		{ 0, "+1", "agent pid" },
		{ 1, "", "session id" },
		{ 1, "-x", "session id" },
		{ 1, "a b", "session id" },
		{ 1, "../x", "session id" },
		{ 1, "a;reboot", "session id" },
		{ 1, "a'b", "session id" },
		{ 1, "START_USER_SESSIONS", "marker of the broker's protocol" },
		{ 2, "", "display" },
		{ 2, ":50", "display" },
		{ 3, "", "host" },
		{ 3, "-oProxyCommand=x", "host" },
		{ 3, "ts01:22", "host" },
		{ 3, "1.2.3", "host" },
		{ 3, "ts01 ts02", "host" },
		{ 4, "", "state" },
		{ 4, "T", "state" },
		{ 4, "s", "state" },
		{ 4, "RS", "state" },
		{ 5, "", "time of creation" },
		{ 5, "yesterday", "time of creation" },
		{ 5, "2026-11-23 20:49:25", "time of creation" },
		{ 6, "x y", "cookie" },
		{ 6, "a;b", "cookie" },
		{ 6, "<br>", "marker of the broker's protocol" },
		{ 7, "192.0.2.7/32", "client" },
		{ 7, "a b", "client" },
		{ 8, "x", "graphics port" },
		{ 9, "30002x", "sound port" },
		{ 10, "", "last time" },
		{ 10, "never", "last time" },
		{ 11, "", "user" },
		{ 11, "bob", "no session of alice: it is bob's" },
		{ 11, "Alice", "no session of alice" },
		{ 11, "alice ", "no session of alice" },
		{ 12, "", "age" },
		{ 12, "1.5", "age" },
		{ 13, "0x10", "file-sharing port" },
		{ 14, "a", "telekinesis control port" },
		{ 15, "AUTHID:x", "marker of the broker's protocol" },
		{ 15, "SERVER:ts02:22", "marker of the broker's protocol" },
		{ 15, "Access granted", "marker of the broker's protocol" },
		{ 15, "-1\n", "not printable ASCII" },
		{ 15, "-1\r", "not printable ASCII" },
		{ 15, "\x7f", "not printable ASCII" },
		{ 15, "\xc3\xa4", "not printable ASCII" },
		{ 15, "\t-1", "not printable ASCII" },
	};
	struct x2gobroker_error err;
	struct session good, bad;
	struct buf line = { 0 };
	size_t i, j;

	assert_int_equal(parse(LINE, &good, NULL), 0);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_truncate(&line, 0);
		for (j = 0; j < good.nfields; j++)
			buf_printf(&line, "%s%s", j > 0 ? "|" : "",
			    j == rows[i].field ? rows[i].text :
			    good.fields[j]);
		check(rows[i].text, session_parse(line.data, line.len, "alice",
		    &bad, &err) == -1);
		check_problem(rows[i].text, &err, &(const struct problem){
		    X2GOBROKER_ERR_SYNTAX, 0, rows[i].why });
		check(rows[i].text, bad.line == NULL && bad.nfields == 0 &&
		    bad.state == SESSION_NONE);
	}
	buf_free(&line);
	session_free(&good);
}

static void
what_is_no_line_is_refused(void **state unused)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "", "too few fields" },
		{ "Use of uninitialized value $x in print", "too few fields" },
		{ "4711|" ID "|50|ts01|S|" TIMES "|" COOKIE "|192.0.2.7|30001|"
		    "30002|" LATER "|alice|877", "too few fields" },
		{ "||||||||||||", "too few fields" },
		{ "|||||||||||||", "session id" },
		{ LINE "\n" LINE, "not printable ASCII" },
	};
	struct x2gobroker_error err;
	struct session session;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].line, parse(rows[i].line, &session, &err) ==
		    -1);
		check_problem(rows[i].line, &err, &(const struct problem){
		    X2GOBROKER_ERR_SYNTAX, 0, rows[i].why });
		check(rows[i].line, session.line == NULL);
	}
}

static void
only_the_bytes_of_the_line_count(void **state unused)
{
	static const char text[] = LINE "\n" LINE, nul[] = LINE "\0|x";
	struct session session;
	size_t len = strlen(LINE);

	assert_int_equal(session_parse(text, len, "alice", &session, NULL), 0);
	assert_string_equal(session.fields[15], "-1");
	session_free(&session);
	assert_int_equal(session_parse(nul, sizeof(nul) - 1, "alice", &session,
	    NULL), -1);
	assert_int_equal(session_parse(nul, len, "alice", &session, NULL), 0);
	session_free(&session);
}

static void
long_lines_are_refused(void **state unused)
{
	char line[SESSION_LINE_MAX + 100];
	struct x2gobroker_error err;
	struct session session;
	int len;

	/* the age, in more digits than anybody needs */
	len = snprintf(line, sizeof(line), "4711|" ID "|50|ts01|S|" TIMES "|"
	    COOKIE "|192.0.2.7|30001|30002|" LATER "|alice|%0*d|30003|-1|-1",
	    SESSION_LINE_MAX - (int)strlen(LINE) + 3, 877);
	assert_int_equal(len, SESSION_LINE_MAX);
	assert_int_equal(parse(line, &session, NULL), 0);
	session_free(&session);
	strcat(line, "1");
	assert_int_equal(parse(line, &session, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
}

static void
what_is_put_is_what_was_read(void **state unused)
{
	struct session session;
	struct buf buf = { 0 };

	assert_int_equal(parse(LINE, &session, NULL), 0);
	session_put(&buf, &session, session_host(&session), session.state);
	assert_string_equal(buf.data, LINE);
	buf_truncate(&buf, 0);
	session_put(&buf, &session, "192.0.2.1", SESSION_RUNNING);
	assert_string_equal(buf.data, "4711|" ID "|50|192.0.2.1|R|" TIMES "|"
	    COOKIE "|192.0.2.7|30001|30002|" LATER "|alice|877|30003|-1|-1");
	session_free(&session);
	buf_truncate(&buf, 0);

	/* as many fields as came */
	assert_int_equal(parse("|" ID "|50|ts01|R|" TIMES "|||||" TIMES
	    "|alice|0|", &session, NULL), 0);
	session_put(&buf, &session, "ts01", SESSION_RUNNING);
	assert_string_equal(buf.data, "|" ID "|50|ts01|R|" TIMES "|||||" TIMES
	    "|alice|0|");
	session_free(&session);
	buf_free(&buf);
}

static void
ids_are_what_x2go_makes(void **state unused)
{
	static const char *const good[] = {
		ID, "a-50-1_stR_dp24", "x", "_a", ".a", "@a",
		"alice@example.org-50-1763930965_stRxterm_dp32",
	}, *const bad[] = {
		"", "-", "-x", "a b", "a/b", "a;b", "a'b", "a\"b", "a|b",
		"a$b", "a`b", "a\nb", "a\\b", "a\xc3\xa4", "a%b", "a:b", " a",
	};
	char text[SESSION_ID_MAX + 2];
	size_t i;

	for (i = 0; i < LENGTH(good); i++)
		check(good[i], session_is_id(good[i]));
	for (i = 0; i < LENGTH(bad); i++)
		check(bad[i], !session_is_id(bad[i]));
	memset(text, 'a', sizeof(text));
	text[SESSION_ID_MAX] = '\0';
	assert_true(session_is_id(text));
	text[SESSION_ID_MAX] = 'a';
	text[SESSION_ID_MAX + 1] = '\0';
	assert_false(session_is_id(text));
}

static void
shadow_sessions_are_told_from_others(void **state unused)
{
	static const struct {
		const char *id;
		bool shadow;
	} rows[] = {
		{ "alice-51-1763930965_stS0XSHADbobXSHADPP50_dp24", true },
		{ "alice-51-1763930965_stS1XSHADbobXSHADPP50_dp24", true },
		{ "a-1-alice-51-1763930965_stS1XSHADbobXSHADPP50", true },
		{ "_stS-alice-5100-17639309650_stS1XSHAD", true },
		{ "-51-1763930965_stS1XSHAD", true },
		{ ID, false },
		{ "alice-51-1763930965_stS2XSHADbob", false },
		{ "alice-51-1763930965_stSXSHADbob", false },
		{ "alice-51-1763930965_stS1XSHA", false },
		{ "alice-51-1763930965_stDXFCEXSHAD_dp24", false },
		{ "alice-5-1763930965_stS1XSHADbob", false },
		{ "alice-51-176393096_stS1XSHADbob", false },
		{ "alice51-1763930965_stS1XSHADbob", false },
		{ "51-1763930965_stS1XSHADbob", false },
		{ "alice-51x1763930965_stS1XSHADbob", false },
		{ "1763930965_stS1XSHADbob", false },
		{ "_stS1XSHADbob", false },
		{ "-_stS1XSHAD", false },
		{ "--_stS1XSHAD", false },
		{ "alice-51-1763930965_stS", false },
		{ "", false },
	};
	struct session session = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		session.fields[1] = rows[i].id;
		check(rows[i].id, session_is_shadow(&session) ==
		    rows[i].shadow);
	}
}

/* A later version may add some. */
static void
of_more_fields_the_known_ones_are_taken(void **state unused)
{
	static const char *const rows[] = { LINE "|", LINE "|1|2|3|4|5|6" };
	struct session session;
	struct buf line = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		buf_truncate(&line, 0);
		assert_int_equal(parse(rows[i], &session, NULL), 0);
		session_put(&line, &session, session_host(&session),
		    session.state);
		check_text(rows[i], line.data, LINE);
		session_free(&session);
	}
	buf_free(&line);
}

static void
sessions_come_in_the_order_of_their_use(void **state unused)
{
	static const struct {
		const char *id;
		enum session_state state;
		const char *last;
	} rows[] = {		/* as they should be */
		{ "d", SESSION_SUSPENDED, "2026-11-23T21:00:00" },
		{ "a", SESSION_SUSPENDED, "2026-11-23T20:00:00" },
		{ "c", SESSION_SUSPENDED, "2026-11-23T20:00:00" },
		{ "b", SESSION_SUSPENDED, "2025-12-31T23:59:59" },
		/* nobody was there yet */
		{ "h", SESSION_SUSPENDED, "2099-01-01T00:00:00" },
		{ "i", SESSION_SUSPENDED, "T" },
		{ "j", SESSION_SUSPENDED, "2026-11-29T14:00:01" },
		{ "f", SESSION_RUNNING, "2026-11-24T00:00:00" },
		{ "e", SESSION_RUNNING, "2026-11-23T00:00:00" },
		{ "g", SESSION_FINISHED, "2026-11-25T00:00:00" },
	};
	struct session list[LENGTH(rows)] = { 0 };
	char latest[SESSION_TIME_SIZE];
	size_t i;

	/* 2026-11-29 00:00 UTC */
	session_latest(1795910400, latest);
	assert_string_equal(latest, "2026-11-29T14:00:00");
	for (i = 0; i < LENGTH(rows); i++) {
		struct session *s = &list[(i * 3 + 2) % LENGTH(rows)];

		s->state = rows[i].state;
		s->fields[1] = rows[i].id;
		s->fields[10] = rows[i].last;
	}
	qsort_r(list, LENGTH(rows), sizeof(*list), session_compare, latest);
	for (i = 0; i < LENGTH(rows); i++)
		check_text(rows[i].id, session_id(&list[i]), rows[i].id);
	assert_int_equal(session_compare(&list[0], &list[0], latest), 0);
}

static void
without_memory_there_is_no_session(void **state unused)
{
	struct x2gobroker_error err;
	struct session session;

	alloc_fail(1);
	assert_int_equal(parse(LINE, &session, &err), -1);
	assert_true(alloc_failed());
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	assert_null(session.line);
}

/* In a list of all users; each is given to an agent as a word. */
static void
any_user_is_a_word(void **state unused)
{
	static const struct {
		const char *user;
		bool good;
	} rows[] = {
		{ "alice", true }, { "EXAMPLE\\alice", true },
		{ "a.b@example.org", true }, { "", false }, { "-", false },
		{ "--help", false }, { "a b", false }, { " a", false },
		{ "(by x2gouser_bob) alice", false },
	};
	struct session session;
	char line[400];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(line, sizeof(line), "4711|" ID "|50|ts01|S|" TIMES "|"
		    COOKIE "|192.0.2.7|30001|30002|" LATER "|%s|877|30003",
		    rows[i].user);
		check(rows[i].user, (session_parse(line, strlen(line), NULL,
		    &session, NULL) == 0) == rows[i].good);
		if (rows[i].good)
			check_text(rows[i].user, session_user(&session),
			    rows[i].user);
		session_free(&session);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_user_is_a_word),
		cmocka_unit_test(lines_of_all_servers_are_read),
		cmocka_unit_test(a_field_that_cannot_be_is_refused),
		cmocka_unit_test(what_is_no_line_is_refused),
		cmocka_unit_test(only_the_bytes_of_the_line_count),
		cmocka_unit_test(long_lines_are_refused),
		cmocka_unit_test(what_is_put_is_what_was_read),
		cmocka_unit_test(ids_are_what_x2go_makes),
		cmocka_unit_test(shadow_sessions_are_told_from_others),
		cmocka_unit_test(of_more_fields_the_known_ones_are_taken),
		cmocka_unit_test(sessions_come_in_the_order_of_their_use),
		cmocka_unit_test(without_memory_there_is_no_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
