/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/answer.h"
#include "failing_malloc.h"

#define TIMES	"2026-11-23T20:49:25"
#define AGENT	"/usr/lib/x2go/x2gobroker-agent"

/* The n-th session of somebody. */
#define SESSION(n, user) "4711|" user "-" n "-1763930965_stDXFCE_dp24|" n \
	"|ts01|S|" TIMES "|d5ac5e1b|192.0.2.7|30001|30002|" TIMES "|" user \
	"|877|30003|-1|-1\n"

#define LOAD	"loadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\n"
#define FACTOR	125934	/* of that, by the Python broker's formula */

/*
 * The command line
 */

static void
words_are_put_on_a_command_line(void **state unused)
{
	static const struct {
		const char *agent, *user, *task, *args[3], *want;
	} rows[] = {
		{ AGENT, "alice", "listsessions", { NULL },
		    AGENT " alice listsessions" },
		{ AGENT, "alice@example.org", "findbusyservers_by_sessionstats",
		    { NULL }, AGENT " alice@example.org "
		    "findbusyservers_by_sessionstats" },
		{ AGENT, "-", "checkload", { NULL }, AGENT " - checkload" },
		{ AGENT, "_a.b-c+1", "suspendsession",
		    { "a-50-1_stR_dp24", NULL },
		    AGENT " _a.b-c+1 suspendsession 'a-50-1_stR_dp24'" },
		/* for our agent */
		{ AGENT, "EXAMPLE\\alice", "status", { NULL },
		    AGENT " 'EXAMPLE\\alice' status" },
		{ AGENT, "j\xc3\xbcrgen", "addauthkey", { "ssh-rsa A", NULL },
		    AGENT " 'j\xc3\xbcrgen' addauthkey 'ssh-rsa A'" },
		{ "/opt/a_b/agent-1.0+x", "alice", "addauthkey",
		    { "ssh-rsa AAAA+/b3== alice@lab, 1",
		    "%h/.x2go/authorized_keys", NULL },
		    "/opt/a_b/agent-1.0+x alice addauthkey "
		    "'ssh-rsa AAAA+/b3== alice@lab, 1' "
		    "'%h/.x2go/authorized_keys'" },
	};
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		buf_truncate(&buf, 0);
		check(rows[i].want, agent_command(&buf, rows[i].agent,
		    rows[i].user, rows[i].task, rows[i].args, NULL) == 0);
		check_text(rows[i].want, buf.data, rows[i].want);
	}
	buf_truncate(&buf, 0);
	assert_int_equal(agent_command(&buf, AGENT, "alice", "ping", NULL,
	    NULL), 0);
	assert_string_equal(buf.data, AGENT " alice ping");
	buf_free(&buf);
}

/* Words that somebody could make something of.  Each is tried in all four
 * places, so that none of them may be good in any. */
static void
words_that_could_be_misread_are_refused(void **state unused)
{
	static const char *const words[] = {
		"", "-x", "--", "a;b", ";", "a'b", "'", "a\"b", "a\\",
		"a\\\\b", "a\\'b",
		"a\nb", "a\n", "a\rb", "a\tb", "a\x01", "a\x7f", "a$b", "$(a)",
		"a`b", "a|b", "a&b", "a<b", "a>b", "a*b", "a?b", "a[b]", "a!b",
		"a{b,c}", "~", "~root", "#", "a#b", "a^b", "a(b)",
		"-\xc3\xbc", "\xc3\xbc;",
	};
	char path[32];
	const char *args[] = { "x", NULL, NULL };
	struct x2gobroker_error err;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(words); i++) {
		args[1] = words[i];
		snprintf(path, sizeof(path), "/%s", words[i]);
		if (words[i][0] != '\0' && words[i][0] != '-')
			check(words[i], agent_command(&buf, path, "a", "b",
			    NULL, &err) == -1);
		check(words[i], agent_command(&buf, words[i], "a", "b", NULL,
		    &err) == -1);
		check(words[i], agent_command(&buf, AGENT, words[i], "b",
		    NULL, &err) == -1);
		check(words[i], agent_command(&buf, AGENT, "a", words[i],
		    NULL, &err) == -1);
		check(words[i], agent_command(&buf, AGENT, "a", "b", args,
		    &err) == -1);
		check_problem(words[i], &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, "is not allowed in the command line" });
		check(words[i], buf.len == 0);
	}
}

static void
words_are_good_in_their_place_only(void **state unused)
{
	static const struct {
		const char *agent, *user, *task, *why;
	} rows[] = {
		{ "x2gobroker-agent", "a", "b", "the path" },
		{ "./x2gobroker-agent", "a", "b", "the path" },
		{ "/usr/lib/x2go/agent -x", "a", "b", "the path" },
		{ "/usr/lib/%h", "a", "b", "the path" },
		{ AGENT, "a b", "b", "the user" },
		{ AGENT, "a", "EXAMPLE\\b", "the task" },
		{ AGENT, "a", "\xc3\xbc", "the task" },
		{ "/opt/\xc3\xbc", "a", "b", "the path" },
		{ AGENT, "EXAMPLE\\a b", "b", "the user" },
		{ AGENT, "EXAMPLE\\$a", "b", "the user" },
		{ AGENT, "a/b", "b", "the user" },
		{ AGENT, "a:b", "b", "the user" },
		{ AGENT, "a", "-", "the task" },
		{ AGENT, "a", "b c", "the task" },
		{ AGENT, "a", "../b", "the task" },
	};
	struct x2gobroker_error err;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].why, agent_command(&buf, rows[i].agent,
		    rows[i].user, rows[i].task, NULL, &err) == -1);
		check_problem(rows[i].why, &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, rows[i].why });
	}
}

/*
 * Answers as such
 */

enum parser { PARSE_OK, PARSE_SESSIONS, PARSE_LOAD, PARSE_SERVERS,
	PARSE_STATUS, PARSERS };

static int
parse(enum parser parser, const char *text, size_t len,
    struct agent_report *report, struct x2gobroker_error *err)
{
	switch (parser) {
	case PARSE_OK:
		return agent_parse_ok(text, len, err);
	case PARSE_SESSIONS:
		return agent_parse_sessions(text, len, "alice", report, err);
	case PARSE_LOAD:
		return agent_parse_load(text, len, NULL, report, err);
	case PARSE_SERVERS:
		return agent_parse_servers(text, len, NULL, report, err);
	case PARSE_STATUS:
		return agent_parse_status(text, len, "alice", report, err);
	case PARSERS:
		break;
	}
	fail();
	return -1;
}

static int
parse_text(enum parser parser, const char *text, struct agent_report *report)
{
	return parse(parser, text, strlen(text), report, NULL);
}

static void
what_is_no_answer_is_refused_by_all(void **state unused)
{
	static const struct {
		const char *text;
		size_t len;		/* 0: all of it */
		enum x2gobroker_code code;
		const char *why;
	} rows[] = {
		{ "", 0, X2GOBROKER_ERR_NOTFOUND, "empty answer" },
		{ "\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "OK", 0, X2GOBROKER_ERR_SYNTAX, "no newline after OK" },
		{ "O", 0, X2GOBROKER_ERR_SYNTAX, "\"O\" instead of OK" },
		{ "OKAY\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "OK \n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ " OK\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "ok\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "OK\r\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "\nOK\n", 0, X2GOBROKER_ERR_SYNTAX, "instead of OK" },
		{ "FAILED\nOK\n", 0, X2GOBROKER_ERR_SYNTAX,
		    "\"FAILED\" instead of OK" },
		{ "Welcome to ts01\nOK\n", 0, X2GOBROKER_ERR_SYNTAX,
		    "\"Welcome to ts01\" instead of OK" },
		{ "OK\na:1\n\0END\n", 12, X2GOBROKER_ERR_SYNTAX, "NUL byte" },
		{ "\0OK\n", 4, X2GOBROKER_ERR_SYNTAX, "NUL byte" },
	};
	struct agent_report report;
	struct x2gobroker_error err;
	enum parser parser;
	size_t i;

	agent_report_init(&report);
	for (i = 0; i < LENGTH(rows); i++) {
		for (parser = 0; parser < PARSERS; parser++) {
			check(rows[i].text, parse(parser, rows[i].text,
			    rows[i].len != 0 ? rows[i].len :
			    strlen(rows[i].text), &report, &err) == -1);
			check_problem(rows[i].text, &err,
			    &(const struct problem){ rows[i].code, 0,
			    rows[i].why });
		}
	}
	agent_report_free(&report);
}

static void
half_an_answer_is_refused(void **state unused)
{
	static const struct {
		enum parser parser;
		const char *text;
	} rows[] = {
		{ PARSE_OK, "OK\nx" },
		{ PARSE_SESSIONS, "OK\n" SESSION("50", "alice") "4711|ali" },
		{ PARSE_LOAD, "OK\n" LOAD "x" },
		{ PARSE_STATUS, "OK\n" },
		{ PARSE_STATUS, "OK\nEND" },
		{ PARSE_STATUS, "OK\nXEND\n" },
		{ PARSE_STATUS, "OK\nEND \n" },
		{ PARSE_STATUS, "OK\nEND\n\n" },
		{ PARSE_STATUS, "OK\nsession:" SESSION("50", "alice") },
		{ PARSE_STATUS, "OK\nsession:" SESSION("50", "alice")
		    "END\nsessions:1\n" },
		{ PARSE_STATUS, "OK\nsession:" SESSION("50", "alice")
		    "END\nEND\n" },
		{ PARSE_STATUS, "OK\nsession:" SESSION("50", "alice")
		    "\nEND\n" },
	};
	struct agent_report report;
	struct x2gobroker_error err;
	size_t i;

	agent_report_init(&report);
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, parse(rows[i].parser, rows[i].text,
		    strlen(rows[i].text), &report, &err) == -1);
		check(rows[i].text, err.code == X2GOBROKER_ERR_SYNTAX);
		check(rows[i].text, report.nsessions == 0);
		check(rows[i].text, !report.load_known && report.count == -1);
	}
	agent_report_free(&report);
}

static void
an_answer_has_an_end(void **state unused)
{
	struct agent_report report;
	struct x2gobroker_error err;
	enum parser parser;
	char *text;

	agent_report_init(&report);
	text = malloc(AGENT_ANSWER_MAX + 1);
	assert_non_null(text);
	memset(text, 'x', AGENT_ANSWER_MAX + 1);
	memcpy(text, "OK\n", 3);
	text[AGENT_ANSWER_MAX - 1] = text[AGENT_ANSWER_MAX] = '\n';
	for (parser = 0; parser < PARSERS; parser++) {
		assert_int_equal(parse(parser, text, AGENT_ANSWER_MAX + 1,
		    &report, &err), -1);
		assert_non_null(strstr(err.text, "too long"));
	}
	assert_int_equal(agent_parse_ok(text, AGENT_ANSWER_MAX, NULL), 0);
	free(text);
	agent_report_free(&report);
}

static void
ok_may_be_all(void **state unused)
{
	struct agent_report report;
	enum parser parser;

	agent_report_init(&report);
	for (parser = 0; parser < PARSE_STATUS; parser++)
		assert_int_equal(parse_text(parser, "OK\n", &report), 0);
	assert_int_equal(parse_text(PARSE_STATUS, "OK\nEND\n", &report), 0);
	assert_int_equal(report.nsessions, 0);
	assert_int_equal(report.nstarts, 0);
	assert_int_equal(report.ncounts, 0);
	assert_int_equal(report.skipped, 0);
	assert_int_equal(report.count, -1);
	assert_false(report.load_known);
	assert_int_equal(parse_text(PARSE_OK, "OK\nanything\n", &report), 0);
	agent_report_free(&report);
}

/*
 * Sessions
 */

static void
sessions_are_read(void **state unused)
{
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(parse_text(PARSE_SESSIONS, "OK\n"
	    SESSION("50", "alice") SESSION("51", "alice")
	    SESSION("52", "alice"), &report), 0);
	assert_int_equal(report.nsessions, 3);
	assert_string_equal(session_id(&report.sessions[0]),
	    "alice-50-1763930965_stDXFCE_dp24");
	assert_string_equal(session_id(&report.sessions[2]),
	    "alice-52-1763930965_stDXFCE_dp24");
	assert_int_equal(report.skipped, 0);

	/* another answer adds to them, and says none twice */
	assert_int_equal(parse_text(PARSE_SESSIONS, "OK\n"
	    SESSION("52", "alice") SESSION("53", "alice")
	    SESSION("53", "alice"), &report), 0);
	assert_int_equal(report.nsessions, 4);
	agent_report_free(&report);
	assert_int_equal(report.nsessions, 0);
	assert_int_equal(report.count, -1);
	agent_report_free(&report);
}

static void
of_sessions_of_one_id_the_first_wins(void **state unused)
{
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(parse_text(PARSE_SESSIONS, "OK\n"
	    SESSION("50", "alice") "1|alice-50-1763930965_stDXFCE_dp24|50|ts02"
	    "|R|" TIMES "||||||" TIMES "|alice|1|\n", &report), 0);
	assert_int_equal(report.nsessions, 1);
	assert_int_equal(report.sessions[0].state, SESSION_SUSPENDED);
	assert_string_equal(session_host(&report.sessions[0]), "ts01");
	agent_report_free(&report);
}

static void
lines_that_are_no_sessions_are_counted(void **state unused)
{
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(parse_text(PARSE_SESSIONS, "OK\n"
	    "Use of uninitialized value in print at x line 1.\n"
	    SESSION("50", "alice") SESSION("51", "bob") "\n"
	    SESSION("52", "alice"), &report), 0);
	assert_int_equal(report.nsessions, 2);
	assert_int_equal(report.skipped, 3);
	assert_non_null(strstr(report.skipped_why, "too few fields"));
	agent_report_free(&report);
	assert_int_equal(report.skipped, 0);
}

static char *
many_sessions(int n)
{
	struct buf buf = { 0 };
	int i;

	buf_puts(&buf, "OK\n");
	for (i = 0; i < n; i++)
		buf_printf(&buf, "|alice-50-%d_stR_dp24|50|ts01|R|" TIMES
		    "|||||" TIMES "|alice|0|\n", i);
	assert_false(buf.failed);
	return buf.data;
}

/* Lines of one answer, as several. */
static int
add_parts(const char *text, struct agent_report *report)
{
	const char *line = text + strlen("OK\n"), *eol;
	struct buf part = { 0 };
	int result = 0;

	while (*line != '\0' && result == 0) {
		buf_puts(&part, "OK\n");
		for (; *line != '\0' && part.len < AGENT_ANSWER_MAX / 2;
		    line = eol) {
			eol = strchr(line, '\n') + 1;
			buf_put(&part, line, (size_t)(eol - line));
		}
		result = agent_parse_all_sessions(part.data, part.len, NULL,
		    report, NULL);
		buf_truncate(&part, 0);
	}
	buf_free(&part);
	return result;
}

/* Of all users, there may be more, and an id may be there twice. */
static void
the_list_of_all_users_is_long(void **state unused)
{
	static const char two[] = "OK\n" SESSION("50", "alice")
	    SESSION("50", "bob") SESSION("50", "alice");
	char *enough = many_sessions(AGENT_ALL_SESSIONS_MAX);
	char *many = many_sessions(AGENT_ALL_SESSIONS_MAX + 1);
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(agent_parse_all_sessions(two, strlen(two), NULL,
	    &report, NULL), 0);
	assert_int_equal(report.nsessions, 3);
	agent_report_free(&report);
	/* in parts, as the session database has them */
	assert_int_equal(add_parts(enough, &report), 0);
	assert_int_equal(report.nsessions, AGENT_ALL_SESSIONS_MAX);
	agent_report_free(&report);
	assert_int_equal(add_parts(many, &report), -1);
	assert_int_equal(report.nsessions, 0);
	free(enough);
	free(many);
}

static void
too_many_sessions_are_an_error(void **state unused)
{
	char *enough = many_sessions(AGENT_SESSIONS_MAX);
	char *many = many_sessions(AGENT_SESSIONS_MAX + 1);
	struct agent_report report;
	struct x2gobroker_error err;

	agent_report_init(&report);
	assert_int_equal(parse_text(PARSE_SESSIONS, "OK\n"
	    SESSION("50", "alice"), &report), 0);

	/* then there are none at all */
	assert_int_equal(parse(PARSE_SESSIONS, many, strlen(many), &report,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_SYNTAX);
	assert_non_null(strstr(err.text, "too many sessions"));
	assert_int_equal(report.nsessions, 0);

	assert_int_equal(parse_text(PARSE_SESSIONS, enough, &report), 0);
	assert_int_equal(report.nsessions, AGENT_SESSIONS_MAX);
	agent_report_free(&report);
	free(enough);
	free(many);
}

/*
 * Load
 */

static void
load_is_rated_as_by_the_python_broker(void **state unused)
{
	static const struct {
		const char *label, *text;
		uint64_t factor;	/* 0: not known */
	} rows[] = {
		{ "real", LOAD, FACTOR },
		{ "in another order", "typeCPU:2400\nnumCPU:4\nword\n\n"
		    "memAvail:15873\nloadavgXX:121\n", FACTOR },
		{ "the last one counts", "numCPU:1\n" LOAD, FACTOR },
		{ "fractions are cut off", "loadavgXX:121.9\nmemAvail:15873.7\n"
		    "numCPU:4.0\ntypeCPU:2400.000\n", FACTOR },
		{ "a kernel before 3.14", "loadavgXX:121\nmemAvail:0\n"
		    "myMemAvail:15873\nnumCPU:4\ntypeCPU:2400\n", FACTOR },
		{ "0 of memory", "loadavgXX:1\nmemAvail:0\nmyMemAvail:0\n"
		    "numCPU:4\ntypeCPU:2400\n", 1 },
		{ "0 processors", "loadavgXX:1\nmemAvail:1000\nnumCPU:0\n"
		    "typeCPU:0\n", 1 },
		{ "0 of load", "loadavgXX:0\nmemAvail:1000\nnumCPU:1\n"
		    "typeCPU:1000\n", 100000 },
		{ "numbers without end", "loadavgXX:99999999999999999999999\n"
		    "memAvail:1\nnumCPU:1\ntypeCPU:1\n", 1 },
		{ "and on the other side", "loadavgXX:1\n"
		    "memAvail:99999999999999999999999999999\n"
		    "numCPU:99999999999999999999999999999\n"
		    "typeCPU:99999999999999999999999999999\n", UINT64_MAX },
		{ "nothing", "", 0 },
		{ "no load", "memAvail:1\nnumCPU:1\ntypeCPU:1\n", 0 },
		{ "no memory", "loadavgXX:1\nnumCPU:1\ntypeCPU:1\n", 0 },
		{ "no memory in another way", "loadavgXX:1\nmemAvail:0\n"
		    "numCPU:1\ntypeCPU:1\n", 0 },
		{ "no number", "loadavgXX:1\nmemAvail:1\ntypeCPU:1\n", 0 },
		{ "no type", "loadavgXX:1\nmemAvail:1\nnumCPU:1\n", 0 },
		{ "empty", LOAD "numCPU:\n", 0 },
		{ "negative", LOAD "numCPU:-4\n", 0 },
		{ "signed", LOAD "numCPU:+4\n", 0 },
		{ "with blanks", LOAD "numCPU: 4\n", 0 },
		{ "not a number", LOAD "memAvail:nan\n", 0 },
		{ "infinite", LOAD "memAvail:inf\n", 0 },
		{ "exponential", LOAD "memAvail:1e9\n", 0 },
		{ "hexadecimal", LOAD "memAvail:0x10\n", 0 },
		{ "half a fraction", LOAD "memAvail:1.\n", 0 },
		{ "the other half", LOAD "memAvail:.5\n", 0 },
		{ "two fractions", LOAD "memAvail:1.5.5\n", 0 },
		{ "another key", "xloadavgXX:1\nmemAvail2:1\nnumcpu:1\n"
		    "typeCPU 1\n", 0 },
	};
	struct agent_report report;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		agent_report_init(&report);
		buf_truncate(&buf, 0);
		buf_printf(&buf, "OK\n%s", rows[i].text);
		check(rows[i].label, agent_parse_load(buf.data, buf.len,
		    NULL, &report, NULL) == 0);
		check(rows[i].label, report.load_known ==
		    (rows[i].factor != 0));
		check(rows[i].label, report.load_factor == rows[i].factor);
		agent_report_free(&report);
	}
	buf_free(&buf);
}

/* The broker finds by it that Debian's agent has been replaced. */
static void
our_agent_says_so_with_the_load(void **state unused)
{
	static const struct {
		const char *text;
		bool ours;
	} rows[] = {
		{ "OK\n" LOAD, false }, { "OK\n" LOAD "status:1\n", true },
		{ "OK\nstatus:1\n", true }, { "OK\nstatus:0\n", false },
		{ "OK\nstatus:10\n", false }, { "OK\nstatus:\n", false },
		{ "OK\n status:1\n", false },
	};
	struct agent_report report;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		agent_report_init(&report);
		check(rows[i].text, agent_parse_load(rows[i].text,
		    strlen(rows[i].text), NULL, &report, NULL) == 0);
		check(rows[i].text, report.has_status == rows[i].ours);
		agent_report_free(&report);
	}
}

/*
 * Servers
 */

static void
servers_with_counts_are_read(void **state unused)
{
	static const struct {
		const char *label, *text;
		size_t n;
		const char *host;	/* of the last one */
		long sessions;
	} rows[] = {
		{ "PostgreSQL's, without an end", "ts01 3\nts02.lab 12", 2,
		    "ts02.lab", 12 },
		{ "with one", "ts01 3\n", 1, "ts01", 3 },
		{ "none", "ts01 0", 1, "ts01", 0 },
		{ "addresses", "192.0.2.1 3\n2001:db8::1 4\n", 2,
		    "2001:db8::1", 4 },
		{ "many", "ts01 99999999999999999999", 1, "ts01", 1000000000 },
		{ "a good one among bad ones", "ts01\nts02 3\n x\n", 1, "ts02",
		    3 },
		{ "SQLite's: no count", "ts01\nts02", 0, NULL, 0 },
		{ "an empty line", "\n", 0, NULL, 0 },
		{ "only a count", " 3\n3", 0, NULL, 0 },
		{ "no number", "ts01 x", 0, NULL, 0 },
		{ "an empty count", "ts01 ", 0, NULL, 0 },
		{ "a negative count", "ts01 -1", 0, NULL, 0 },
		{ "a fraction", "ts01 1.5", 0, NULL, 0 },
		{ "two blanks", "ts01  3", 0, NULL, 0 },
		{ "three words", "ts01 3 4", 0, NULL, 0 },
		{ "from Windows", "ts01 3\r\n", 0, NULL, 0 },
		{ "no host", "-x 3\nts;01 3\nts01:22 3\n1.2.3 3", 0, NULL, 0 },
	};
	struct agent_report report;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		agent_report_init(&report);
		buf_truncate(&buf, 0);
		buf_printf(&buf, "OK\n%s", rows[i].text);
		check(rows[i].label, agent_parse_servers(buf.data, buf.len,
		    NULL, &report, NULL) == 0);
		check(rows[i].label, report.ncounts == rows[i].n);
		if (rows[i].n > 0) {
			const struct agent_tally *last =
			    &report.counts[report.ncounts - 1];

			check_text(rows[i].label, last->name, rows[i].host);
			check(rows[i].label, last->number ==
			    rows[i].sessions);
		}
		agent_report_free(&report);
	}
	buf_free(&buf);
}

static void
starts_are_on_hosts(void **state unused)
{
	static const char text[] = "OK\nts01 alice 3\nts02.lab EX\\bob 4\n"
	    "ts01 alice\nts01  3\nalice 3\n-x alice 3\nts;1 alice 3\n"
	    "ts01 alice x\n\nts01 alice -1\n ts01 alice 3\n";
	struct agent_report report;
	int n, result;

	agent_report_init(&report);
	assert_int_equal(agent_parse_starts(text, strlen(text), NULL, &report,
	    NULL), 0);
	assert_int_equal(report.nstarts, 2);
	assert_string_equal(report.starts[1].host, "ts02.lab");
	assert_string_equal(report.starts[1].name, "EX\\bob");
	assert_int_equal(report.starts[1].number, 4);
	agent_report_free(&report);
	assert_int_equal(agent_parse_starts("ts01 alice 3\n", 13, NULL,
	    &report, NULL), -1);
	for (n = 1;; n++) {
		alloc_fail(n);
		result = agent_parse_starts(text, strlen(text), NULL, &report,
		    NULL);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(report.nstarts, 0);
	}
	assert_true(n > 4);
	agent_report_free(&report);
}

/* n lines of that text between OK and end. */
static char *
many_lines(const char *line, int n, const char *end)
{
	struct buf buf = { 0 };

	buf_puts(&buf, "OK\n");
	while (n-- > 0)
		buf_puts(&buf, line);
	buf_puts(&buf, end);
	assert_false(buf.failed);
	return buf.data;
}

static void
lists_have_an_end(void **state unused)
{
	static const struct {
		enum parser parser;
		const char *line, *end;
	} rows[] = {
		{ PARSE_SERVERS, "ts01 3\n", "" },
		{ PARSE_STATUS, "started:alice:3\n", "END\n" },
	};
	struct agent_report report;
	struct x2gobroker_error err;
	char *text;
	size_t i;

	agent_report_init(&report);
	for (i = 0; i < LENGTH(rows); i++) {
		text = many_lines(rows[i].line, 10001, rows[i].end);
		check(rows[i].line, parse(rows[i].parser, text, strlen(text),
		    &report, &err) == -1);
		check(rows[i].line, err.code == X2GOBROKER_ERR_SYNTAX);
		check(rows[i].line, report.ncounts == 0);
		check(rows[i].line, report.nstarts == 0);
		free(text);
		text = many_lines(rows[i].line, 10000, rows[i].end);
		check(rows[i].line, parse_text(rows[i].parser, text,
		    &report) == 0);
		check(rows[i].line, report.ncounts + report.nstarts == 10000);
		free(text);
		agent_report_free(&report);
	}
}

/*
 * Status
 */

#define STATUS	"OK\n" LOAD "sessions:17\nstarted:alice:877\nstarted:bob:0\n" \
		"session:" SESSION("50", "alice") "END\n"

static void
a_status_says_all_at_once(void **state unused)
{
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(parse_text(PARSE_STATUS, STATUS, &report), 0);
	assert_true(report.load_known);
	assert_int_equal(report.load_factor, FACTOR);
	assert_int_equal(report.count, 17);
	assert_int_equal(report.nstarts, 2);
	assert_string_equal(report.starts[0].name, "alice");
	assert_int_equal(report.starts[0].number, 877);
	assert_string_equal(report.starts[1].name, "bob");
	assert_int_equal(report.starts[1].number, 0);
	assert_int_equal(report.nsessions, 1);
	assert_string_equal(session_user(&report.sessions[0]), "alice");
	assert_int_equal(report.skipped, 0);
	agent_report_free(&report);
}

/* Some want to know how the server is, and nobody's sessions. */
static void
a_status_can_be_nobodys(void **state unused)
{
	struct agent_report report;

	agent_report_init(&report);
	assert_int_equal(agent_parse_status(STATUS, strlen(STATUS), NULL,
	    &report, NULL), 0);
	assert_true(report.load_known);
	assert_int_equal(report.nsessions, 0);
	assert_int_equal(report.skipped, 0);
	agent_report_free(&report);
}

static void
what_a_status_says_is_checked(void **state unused)
{
	static const struct {
		const char *text;
		long count;
		size_t nstarts, nsessions, skipped;
	} rows[] = {
		{ "sessions:0\n", 0, 0, 0, 0 },
		{ "sessions:\n", -1, 0, 0, 0 },
		{ "sessions:-1\n", -1, 0, 0, 0 },
		{ "sessions:x\n", -1, 0, 0, 0 },
		{ "sessions:3\nsessions:x\n", -1, 0, 0, 0 },
		{ "Sessions:3\n", -1, 0, 0, 0 },
		{ "newer:of a later agent\n:\n", -1, 0, 0, 0 },
		{ "started:EXAMPLE\\alice:3\n", -1, 1, 0, 0 },
		{ "started:M\xc3\xbcller:3\n", -1, 1, 0, 0 },
		{ "started:\n", -1, 0, 0, 0 },
		{ "started:alice\n", -1, 0, 0, 0 },
		{ "started:alice:\n", -1, 0, 0, 0 },
		{ "started::3\n", -1, 0, 0, 0 },
		{ "started:alice:-3\n", -1, 0, 0, 0 },
		{ "started:alice:3 \n", -1, 0, 0, 0 },
		{ "started:ali ce:3\n", -1, 0, 0, 0 },
		{ "started:ali\tce:3\n", -1, 0, 0, 0 },
		{ "session:\n", -1, 0, 0, 1 },
		{ "session:" SESSION("50", "bob"), -1, 0, 0, 1 },
		{ "session: " SESSION("50", "alice"), -1, 0, 0, 1 },
		{ "session:" SESSION("50", "alice") "session:"
		    SESSION("50", "alice"), -1, 0, 1, 0 },
	};
	struct agent_report report;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		agent_report_init(&report);
		buf_truncate(&buf, 0);
		buf_printf(&buf, "OK\n%sEND\n", rows[i].text);
		check(rows[i].text, parse_text(PARSE_STATUS, buf.data,
		    &report) == 0);
		check(rows[i].text, report.count == rows[i].count);
		check(rows[i].text, report.nstarts == rows[i].nstarts);
		check(rows[i].text, report.nsessions == rows[i].nsessions);
		check(rows[i].text, report.skipped == rows[i].skipped);
		agent_report_free(&report);
	}
	buf_free(&buf);
}

/* Shown to people, so nothing else than a name and a version may stand there. */
static void
an_agent_may_say_who_it_is_and_what_time_it_has(void **state unused)
{
	static const struct {
		const char *text, *agent;
		int64_t time;
		const char *host;
	} rows[] = {
		{ "agent:x2gobroker-agent 0.1.0\ntime:1763930965\n",
		    "x2gobroker-agent 0.1.0", 1763930965, "" },
		{ "host:node7.lab\n", "", 0, "node7.lab" },
		{ "host:-node7\n", "", 0, "" }, { "host:\n", "", 0, "" },
		{ "host:a b\n", "", 0, "" },
		{ "time:999999999999\n", "", 999999999999 },
		{ "sessions:1\n", "", 0 },
		{ "agent:\ntime:\n", "", 0 },
		{ "agent:a\033[2J\ntime:12s\n", "", 0 },
		{ "agent:M\xc3\xbcller\ntime:-1\n", "", 0 },
		{ "agent:a:b\ntime:1000000000000\n", "", 0 },
		{ "agent:0123456789012345678901234567890123456789"
		    "012345678901234567890123\ntime: 1\n", "", 0 },
	};
	struct agent_report report;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		agent_report_init(&report);
		buf_truncate(&buf, 0);
		buf_printf(&buf, "OK\n%sEND\n", rows[i].text);
		check(rows[i].text, parse_text(PARSE_STATUS, buf.data,
		    &report) == 0);
		check_text(rows[i].text, report.agent, rows[i].agent);
		check(rows[i].text, report.time == rows[i].time);
		check_text(rows[i].text, report.host, rows[i].host != NULL ?
		    rows[i].host : "");
		agent_report_free(&report);
	}
	buf_free(&buf);
}

static void
a_line_without_a_key_spoils_a_status(void **state unused)
{
	struct agent_report report;
	struct x2gobroker_error err;
	static const char text[] = "OK\n" LOAD "sessions:3\nsession:"
	    SESSION("50", "alice") "perl warning\nEND\n";

	agent_report_init(&report);
	assert_int_equal(parse(PARSE_STATUS, text, sizeof(text) - 1, &report,
	    &err), -1);
	assert_non_null(strstr(err.text, "not KEY:VALUE"));
	assert_int_equal(report.nsessions, 0);
	assert_int_equal(report.count, -1);
	assert_false(report.load_known);
	agent_report_free(&report);
}

/*
 * Memory
 */

static void
without_memory_nothing_is_reported(void **state unused)
{
	static const struct {
		enum parser parser;
		const char *text;
	} rows[] = {
		{ PARSE_SESSIONS, "OK\n" SESSION("50", "alice")
		    SESSION("51", "alice") SESSION("52", "alice") },
		{ PARSE_SESSIONS, "OK\n" SESSION("50", "alice") "1|2|3\n"
		    SESSION("51", "alice") },
		{ PARSE_SERVERS, "OK\nts01 1\nts02 2\nts03 3" },
		{ PARSE_STATUS, STATUS },
	};
	struct agent_report report;
	struct x2gobroker_error err;
	int n, result;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		for (n = 1;; n++) {
			agent_report_init(&report);
			alloc_fail(n);
			result = parse(rows[i].parser, rows[i].text,
			    strlen(rows[i].text), &report, &err);
			if (!alloc_failed())
				break;
			check(rows[i].text, result == -1);
			check(rows[i].text, err.code == X2GOBROKER_ERR_NOMEM);
			check(rows[i].text, report.nsessions == 0 &&
			    report.ncounts == 0 && report.nstarts == 0);
			check(rows[i].text, report.count == -1);
			check(rows[i].text, report.skipped == 0);
			agent_report_free(&report);
		}
		check(rows[i].text, result == 0 && n > 3);
		agent_report_free(&report);
	}
}

static void
without_memory_there_is_no_command(void **state unused)
{
	struct x2gobroker_error err;
	struct buf buf = { 0 };

	alloc_fail(1);
	assert_int_equal(agent_command(&buf, AGENT, "alice", "ping", NULL,
	    &err), -1);
	assert_true(alloc_failed());
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	buf_free(&buf);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_agent_says_so_with_the_load),
		cmocka_unit_test(words_are_put_on_a_command_line),
		cmocka_unit_test(words_that_could_be_misread_are_refused),
		cmocka_unit_test(words_are_good_in_their_place_only),
		cmocka_unit_test(what_is_no_answer_is_refused_by_all),
		cmocka_unit_test(half_an_answer_is_refused),
		cmocka_unit_test(an_answer_has_an_end),
		cmocka_unit_test(ok_may_be_all),
		cmocka_unit_test(sessions_are_read),
		cmocka_unit_test(of_sessions_of_one_id_the_first_wins),
		cmocka_unit_test(lines_that_are_no_sessions_are_counted),
		cmocka_unit_test(the_list_of_all_users_is_long),
		cmocka_unit_test(too_many_sessions_are_an_error),
		cmocka_unit_test(load_is_rated_as_by_the_python_broker),
		cmocka_unit_test(servers_with_counts_are_read),
		cmocka_unit_test(starts_are_on_hosts),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(a_status_says_all_at_once),
		cmocka_unit_test(a_status_can_be_nobodys),
		cmocka_unit_test(what_a_status_says_is_checked),
		cmocka_unit_test(
		    an_agent_may_say_who_it_is_and_what_time_it_has),
		cmocka_unit_test(a_line_without_a_key_spoils_a_status),
		cmocka_unit_test(without_memory_nothing_is_reported),
		cmocka_unit_test(without_memory_there_is_no_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
