/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that servers are asked for: what becomes of the answer to the client
 * where a server, a key, a list or memory is missing.  Linked with --wrap for
 * the functions of failing_malloc.h and fake_connection.h.
 */
#include "tasks/answer.h"
#include "autologin/autologin.h"
#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_connection.h"
#include "state_rows.h"

#define NAME(id)	"alice-" id "-1763930965_stDXFCE_dp24"
#define SHADOW		"alice-60-1763930965_stS0XSHADbob_dp24"
#define LINE(id, n, host, state, last) "1|" id "|" n "|" host "|" state \
		"|2026-11-23T20:49:25|d5ac5e1b|192.0.2.7|30001|30002|" last \
		"|alice|877|30003|-1|-1\n"
#define SESSION(n, host, state) LINE(NAME(n), n, host, state, \
		"2026-11-23T20:00:" n)
#define LOAD	"loadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\nsessions:17\n"
#define STATUS(sessions)	"OK\n" LOAD sessions "END\n"
#define OURS	"OK\navailabletasks\nstatus\n"
#define SAYS(task, text)	{ NULL, task, X2GOBROKER_OK, text }
#define FAILS(task, text)	{ NULL, task, X2GOBROKER_ERR_SYSTEM, text }

static char state_dir[100], drained[100];
static const char *new_key;	/* of all servers, which is not known */
static bool no_keypair;		/* none can be made */
static struct problems said;

static int
setup(void **state)
{
	no_keypair = false;
	new_key = NULL;
	alloc_fail(0);
	play_servers(NULL);
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s", test_path("state"));
	snprintf(drained, sizeof(drained), "%s", test_path("drained"));
	test_config.state_dir = test_config.maintenance_dir = state_dir;
	test_config.drain_file = drained;
	test_config.default_agent_query_mode = QUERY_SSH;
	test_config.default_session_autologin = false;
	test_config.default_portscan_x2goservers = false;
	test_config.require_cookie = false;
	return 0;
}

/* What alice is told; profile p has these lines, and servers say the rows.  What
 * is reported is in said. */
static char *
ask_broker(const char *task, const char *lines, const struct said *rows,
    struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct problems problems;
	char text[400], *copy;
	const char *told;
	size_t len;

	play_servers(rows);
	link_played.new_key = new_key;
	link_played.no_keypair = no_keypair;
	said.n = 0;
	snprintf(text, sizeof(text), "[p]\nname=P\n%s\n", lines);
	profiles = load_text(text, &problems);
	assert_int_equal(problems.n, 0);
	assert_int_equal(x2gobroker_request_parse(task, &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	x2gobroker_answer_set_report(answer, collect, &said);
	if (x2gobroker_answer_task(answer, profiles, user, err) == 0 &&
	    err != NULL)
		err->code = X2GOBROKER_OK;
	assert_int_equal(x2gobroker_answer_text(answer, &told, &len, NULL), 0);
	copy = strdup(told);
	assert_non_null(copy);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return copy;
}

#define SELECT	"x --task selectsession --sid p"
#define LIST	"x --task listsessions"
#define DENIED	"Access denied\n"

static const struct said idle[] = { SAYS("status", STATUS("")),
    SAYS("listsessions", "OK\n"), { 0 } };

/* A row of the next test: a request, what servers say, what the answer has to
 * have in it, and what is reported (or NULL). */
struct request {
	const char *label, *task, *lines;
	const struct said *rows;
	const char *answer, *report;
};

static void
check_requests(const struct request *rows, size_t n)
{
	char *answer;
	size_t i;

	for (i = 0; i < n; i++) {
		rows_forget("state/" ASSIGNMENTS_DIR);
		answer = ask_broker(rows[i].task, rows[i].lines, rows[i].rows,
		    NULL);
		if (strstr(answer, rows[i].answer) == NULL)
			fail_msg("[%s] \"%s\" has no \"%s\"", rows[i].label,
			    answer, rows[i].answer);
		if (rows[i].report == NULL && said.n > 0)
			fail_msg("[%s] unexpected: %s", rows[i].label,
			    said.list[0].text);
		if (rows[i].report != NULL && (said.n == 0 ||
		    strstr(said.list[said.n - 1].text, rows[i].report) ==
		    NULL))
			fail_msg("[%s] not reported: %s", rows[i].label,
			    rows[i].report);
		free(answer);
	}
}

/*
 * Sessions that there are
 */

static void
a_session_is_gone_to(void **state unused)
{
	static const struct said suspended[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts02", "S")
		    "session:" SESSION("51", "ts01", "S")
		    "session:" LINE(SHADOW, "60", "ts01", "R",
		    "2026-11-23T20:00:59")
		    "session:" SESSION("52", "ts01", "F")
		    "session:" SESSION("53", "elsewhere", "S"))), { 0 },
	}, running[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts01", "R"))),
		SAYS("availabletasks", OURS), SAYS("suspendsession", "OK\n"),
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")),
		{ 0 },
	}, stubborn[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts01", "R"))),
		SAYS("availabletasks", OURS),
		FAILS("suspendsession", "broke off"), { 0 },
	}, ended[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts01", "R"))),
		SAYS("availabletasks", OURS), SAYS("suspendsession", "OK\n"),
		SAYS("listsessions", "OK\n"), { 0 },
	}, odd[] = {
		SAYS("status", STATUS("session:nonsense\n")), { 0 },
	};
	static const struct request rows[] = {
		{ "suspended", SELECT, "host=ts01, ts02", suspended,
		    "SERVER:ts01:22\nSESSION_INFO:1|" NAME("51"),
		    "is not offered: it shows the desktop of another" },
		{ "of another host", SELECT, "host=ts02, ts03", suspended,
		    "SERVER:ts02:22\nSESSION_INFO:1|" NAME("50"),
		    "it shows the desktop of another" },
		{ "at another port", SELECT, "host=ts01:23, ts02", suspended,
		    "SERVER:ts01:23\nSESSION_INFO:1|" NAME("51"),
		    "it shows the desktop of another" },
		{ "running", SELECT, "host=ts01, ts02", running,
		    "SERVER:ts01:22\nSESSION_INFO:1|" NAME("50"), NULL },
		{ "that stays", SELECT, "host=ts01, ts02", stubborn,
		    "SERVER:ts01:22\nSESSION_INFO:1|" NAME("50"),
		    "is not suspended yet: broke off" },
		{ "that has ended", SELECT, "host=ts01, ts02", ended,
		    "Access granted\nSERVER:ts0", "has ended" },
		{ "of no use", SELECT, "host=ts01, ts02", odd,
		    "Access granted\nSERVER:ts0", "1 invalid sessions ignored" },
	};

	check_requests(rows, LENGTH(rows));
}

/* The profile has an alias or an address; sessions have the name that the server
 * has for itself. */
static void
a_server_is_known_by_the_name_that_it_has_for_itself(void **state unused)
{
	static const struct said told[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS("host:node7\nsession:"
		    SESSION("50", "node7.lab", "S")) },
		SAYS("status", STATUS("host:node8\n")),
		{ "ts01", "listsessions", X2GOBROKER_OK, "OK\n"
		    SESSION("50", "node7.lab", "S") },
		SAYS("listsessions", "OK\n"), { 0 },
	}, untold[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS("session:"
		    SESSION("50", "node7", "S") "session:"
		    SESSION("51", "node7", "S")) },
		SAYS("status", STATUS("")),
		SAYS("listsessions", "OK\n" SESSION("50", "node7", "S")),
		{ 0 },
	};
	static const struct request rows[] = {
		{ "told", SELECT, "host=ts01 (192.0.2.1), ts02", told,
		    "SERVER:192.0.2.1:22\nSESSION_INFO:1|" NAME("50") "|50|"
		    "192.0.2.1|S", NULL },
		{ "told, alone", SELECT, "host=ts01", told,
		    "SERVER:ts01:22\nSESSION_INFO:1|" NAME("50"), NULL },
		{ "told, listed", LIST, "host=ts01, ts02", told, "status=S",
		    NULL },
		{ "untold", SELECT, "host=ts01 (192.0.2.1:2222), ts02", untold,
		    "Access granted\nSERVER:", "ts01: has session "
		    NAME("50") " on \"node7\" (2 such sessions), but no server "
		    "that was asked has this name; if it is this server, write: "
		    "host = node7 (192.0.2.1:2222)" },
		{ "untold, listed", LIST, "host=ts01", untold,
		    "START_USER_SESSIONS", "host = node7 (ts01)" },
	};

	check_requests(rows, LENGTH(rows));
}

/* Each server is believed about itself, and about servers that say nothing. */
static void
a_server_speaks_for_itself(void **state unused)
{
	static const struct said claims[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS("session:"
		    SESSION("50", "ts02", "S")) },
		SAYS("status", STATUS("")), { 0 },
	}, poses[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS("host:ts02\nsession:"
		    SESSION("50", "ts02", "S")) },
		SAYS("status", STATUS("")), { 0 },
	}, shared[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts02", "S"))),
		{ 0 },
	}, down[] = {
		{ "ts02", "open", X2GOBROKER_ERR_SYSTEM, "no way" },
		SAYS("status", STATUS("session:" SESSION("50", "ts02", "S"))),
		{ 0 },
	}, future[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS("session:"
		    LINE(NAME("50"), "50", "ts01", "S", "2099-01-01T00:00:00"))
		    },
		SAYS("status", STATUS("session:" SESSION("51", "ts02", "S"))),
		{ 0 },
	};
	static const struct request rows[] = {
		{ "of another", SELECT, "host=ts01, ts02", claims,
		    "Access granted\nSERVER:ts0", "ts01: reports session "
		    NAME("50") " on ts02, which does not have it" },
		{ "as another", SELECT, "host=ts01, ts02", poses,
		    "Access granted\nSERVER:ts0", "which does not have it" },
		{ "both say so", SELECT, "host=ts01, ts02", shared,
		    "SERVER:ts02:22\nSESSION_INFO:1|" NAME("50"), NULL },
		{ "it is down", SELECT, "host=ts01, ts02", down,
		    "SERVER:ts01:22\n", "is not offered: its server has not "
		    "answered" },
		{ "in the future", SELECT, "host=ts01, ts02", future,
		    "SERVER:ts02:22\nSESSION_INFO:1|" NAME("51"), NULL },
	};
	char *answer;
	size_t i;

	check_requests(rows, LENGTH(rows));
	for (i = 0; i < 2; i++) {
		answer = ask_broker(SELECT, rows[i].lines, rows[i].rows, NULL);
		check(rows[i].label, strstr(answer, "SESSION_INFO") == NULL);
		free(answer);
	}
}

/* Also those that an answer has no room for. */
static void
no_session_is_left_out_silently(void **state unused)
{
	static const struct said two[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts02", "S")
		    "session:" SESSION("51", "ts01", "S"))), { 0 },
	}, six[] = {
		SAYS("status", STATUS("session:" SESSION("50", "fe80::2", "S")
		    )), { 0 },
	}, here[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts09", "S"))),
		{ 0 },
	};
	static const struct request rows[] = {
		{ "at another port", SELECT, "host=ts01, ts02:23", two,
		    "SERVER:ts01:22\nSESSION_INFO:1|" NAME("51"), NAME("50")
		    " on ts02 is not offered: another session comes first" },
		{ "no address for clients", SELECT, "host=ts01, [fe80::2]", six,
		    "SERVER:ts01:22\n", "cannot connect to an IPv6" },
		{ "elsewhere", SELECT, "host=ts01, ts02\n"
		    "broker-agent-query-mode=LOCAL", here, "SERVER:ts0",
		    "no host of the profile has this name" },
	};

	check_requests(rows, LENGTH(rows));
}

static void
a_listing_has_marks(void **state unused)
{
	static const struct said suspended[] = {
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")),
		{ 0 },
	}, several[] = {
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")
		    SESSION("51", "ts01", "R") SESSION("52", "ts01", "S")
		    SESSION("53", "ts01", "F") SESSION("54", "ts02", "R")
		    SESSION("50", "ts01", "S")
		    LINE(SHADOW, "60", "ts01", "R", "2026-11-23T20:00:59")),
		{ 0 },
	}, finished[] = {
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "F")),
		{ 0 },
	}, broken[] = { FAILS("listsessions", "broke off"), { 0 } };
	static const struct request rows[] = {
		{ "suspended", LIST, "host=ts01", suspended, "status=S\n\n",
		    NULL },
		{ "several", LIST, "host=ts01", several,
		    "status=S\nsuspended=2\nrunning=1\n\n",
		    "it shows the desktop of another" },
		{ "not here", LIST, "host=ts02", suspended,
		    "command=TERMINAL\n", "host = ts01 (ts02)" },
		{ "finished", LIST, "host=ts01", finished,
		    "START_USER_SESSIONS", NULL },
		{ "broken", LIST, "host=ts01", broken,
		    "START_USER_SESSIONS", "ts01: broke off" },
		{ "somebody else's", LIST, "host=ts01\nuser=kiosk", suspended,
		    "START_USER_SESSIONS", NULL },
	};
	struct request again[LENGTH(rows)];
	char *answer;
	size_t i;

	memcpy(again, rows, sizeof(rows));
	again[2].answer = "START_USER_SESSIONS";
	check_requests(again, LENGTH(again));
	for (i = 2; i < LENGTH(rows); i++) {
		answer = ask_broker(LIST, rows[i].lines, rows[i].rows, NULL);
		check(rows[i].label, strstr(answer, "status=") == NULL);
		free(answer);
	}
}

static void
a_warning_is_told(void **state unused)
{
	static const struct request rows[] = {
		{ "warned of", SELECT, "host=ts01, ts02\n"
		    "broker-agent-hostkey-policy=WarningPolicy", idle,
		    "Access granted\nSERVER:ts0", "because of WarningPolicy" },
	};

	new_key = "ts01 ssh-ed25519 A";
	check_requests(rows, LENGTH(rows));
}

/*
 * Servers that there are not
 */

static void
without_a_server_it_is_refused(void **state unused)
{
	static const struct said broken[] = { FAILS("open", "no way"),
	    { 0 } };
	static const struct {
		const char *lines;
		const struct said *rows;
		enum x2gobroker_code code;
		const char *why;
	} rows[] = {
		{ "host=ts01, ts02", broken, X2GOBROKER_ERR_NOTFOUND,
		    "ts01, ts02: no way" },
		{ "host=ts01", broken, X2GOBROKER_ERR_NOTFOUND,
		    "ts01: no way" },
		{ "host=[2001:db8::1], ts01", broken, X2GOBROKER_ERR_NOTFOUND,
		    "2001:db8::1: X2Go clients cannot connect" },
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		answer = ask_broker(SELECT, rows[i].lines, rows[i].rows,
		    &err);
		check_text(rows[i].lines, answer, DENIED);
		check(rows[i].lines, err.code == rows[i].code);
		check(rows[i].lines, strstr(err.text, rows[i].why) != NULL);
		free(answer);
	}
}

static void
a_server_that_is_blocked_is_not_used(void **state unused)
{
	static const struct said all[] = {
		{ "ts01", "status", X2GOBROKER_OK, "must not be asked" },
		{ "ts01", "listsessions", X2GOBROKER_OK, "must not be asked" },
		SAYS("status", STATUS("session:" SESSION("50", "ts01", "S"))),
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")),
		{ 0 },
	};
	static const struct {
		const char *task, *lines, *answer;
	} rows[] = {
		{ SELECT, "host=ts01, ts02", "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=TS01.lab, ts02",
		    "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=web (ts01), ts02",
		    "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=ts01, ts02\nbroker-agent-query-mode=LOCAL",
		    "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=ts01, ts02\nbroker-agent-query-mode=NONE",
		    "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=ts01, ts02\ncommand=SHADOW",
		    "Access granted\nSERVER:ts02:22\n" },
		{ SELECT, "host=ts01", DENIED },
		{ SELECT, "host=ts01\nbroker-agent-query-mode=LOCAL", DENIED },
		{ SELECT, "host=ts01\nbroker-agent-query-mode=NONE", DENIED },
		{ SELECT, "host=ts01\ncommand=SHADOW", DENIED },
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	write_file("drained", "ts03\nts01 blocked\n");
	for (i = 0; i < LENGTH(rows); i++) {
		rows_forget("state/" ASSIGNMENTS_DIR);
		answer = ask_broker(rows[i].task, rows[i].lines, all, &err);
		check_text(rows[i].lines, answer, rows[i].answer);
		free(answer);
	}
	answer = ask_broker(SELECT, "host=ts01", all, &err);
	assert_non_null(strstr(err.text, "all servers are blocked"));
	free(answer);
	answer = ask_broker(LIST, "host=ts01, ts02", all, NULL);
	assert_null(strstr(answer, "status="));
	free(answer);
	unlink(drained);
}

/* All servers are good then, and others do not know of the choice. */
static void
without_lists_of_its_own_a_server_is_chosen(void **state unused)
{
	static const struct request rows[] = {
		{ "choices", SELECT, "host=ts01, ts02", idle,
		    "Access granted\nSERVER:ts0", "latest assignments" },
	}, more[] = {
		{ "drained", SELECT, "host=ts01, ts02", idle,
		    "Access granted\nSERVER:ts0", NULL },
		{ "drained", LIST, "host=ts01, ts02", idle,
		    "START_USER_SESSIONS", NULL },
	};
	char *answer;

	make_dir("state");
	assert_int_equal(chmod(state_dir, 0777), 0);
	check_requests(rows, LENGTH(rows));
	assert_int_equal(chmod(state_dir, 0700), 0);
	check_requests(more, LENGTH(more));

	assert_int_equal(chmod(write_file("drained", "ts01\n"), 0666), 0);
	answer = ask_broker(SELECT, "host=ts01, ts02", idle, NULL);
	assert_non_null(strstr(answer, "Access granted\nSERVER:ts0"));
	assert_non_null(strstr(said.list[0].text,
	    "the drained servers are not known"));
	free(answer);
	assert_int_equal(chmod(drained, 0644), 0);
	answer = ask_broker(SELECT, "host=ts01, ts02", idle, NULL);
	assert_non_null(strstr(answer, "SERVER:ts02:22\n"));
	free(answer);
}

/* What cannot be written down is not; the user is sent there all the same. */
static void
a_choice_has_to_be_a_word(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	const struct x2gobroker_profile *profile;
	struct problems problems;
	struct reporter rep = { .fn = collect, .arg = &said };
	struct x2gobroker_farm *farm;
	struct host *hosts;
	size_t chosen, n;

	profiles = load_text("[p]\nhost=ts01, ts02\n", &problems);
	profile = x2gobroker_profiles_find(profiles, "p");
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add(farm, profile, NULL), 0);
	play_servers(idle);
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	assert_int_equal(farm_hosts(NULL, profile, &hosts, &n, NULL), 0);
	said.n = 0;
	assert_int_equal(balance_choose_host(farm, profile, hosts, n, "a b", true,
	    &rep, &chosen, NULL), 0);
	assert_int_equal(said.n, 1);
	assert_non_null(strstr(said.list[0].text, "is not remembered"));
	free(hosts);
	x2gobroker_farm_free(farm);
	x2gobroker_profiles_free(profiles);
}

static void
doors_are_knocked_at(void **state unused)
{
	static const struct said closed[] = {
		{ "ts01", "knock", X2GOBROKER_ERR_SYSTEM, "closed" }, { 0 },
	}, all_closed[] = { FAILS("knock", "closed"), { 0 } };
	static const struct request rows[] = {
		{ "one", SELECT, "host=ts01, ts02\n"
		    "broker-agent-query-mode=NONE", closed,
		    "SERVER:ts02:22\n", NULL },
		{ "none", SELECT, "host=ts03, ts04\n"
		    "broker-agent-query-mode=NONE", all_closed, DENIED, NULL },
	};
	struct x2gobroker_error err;

	test_config.default_portscan_x2goservers = true;
	check_requests(rows, LENGTH(rows));
	free(ask_broker(SELECT, rows[1].lines, all_closed, &err));
	assert_non_null(strstr(err.text, "nothing listens on its port"));
}

/* For x2gobrokerctl. */
static void
a_choice_can_be_asked_for(void **state unused)
{
	static const struct said broken[] = { FAILS("open", "no way"),
	    { 0 } };
	static const struct {
		const char *lines;
		const struct said *rows;
		const char *why;	/* or NULL */
	} rows[] = {
		{ "host=ts01, ts02", idle, NULL },
		{ "host=ts01\nbroker-agent-query-mode=NONE", idle,
		    "not asked" },
		{ "host=ts01, ts02", broken, "no way" },
	};
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_error err;
	struct x2gobroker_farm *farm;
	struct problems problems;
	char text[200];
	size_t i, server;
	int result;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\n%s\n", rows[i].lines);
		profiles = load_text(text, &problems);
		profile = x2gobroker_profiles_find(profiles, "p");
		assert_int_equal(x2gobroker_farm_new(&test_config, "alice",
		    &farm, NULL), 0);
		assert_int_equal(x2gobroker_farm_add(farm, profile, NULL), 0);
		play_servers(rows[i].rows);
		assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL),
		    0);
		result = x2gobroker_farm_choose(farm, profile, &server, &err);
		check(rows[i].lines, result == (rows[i].why != NULL ? -1 :
		    0));
		if (rows[i].why != NULL)
			check(rows[i].lines, strstr(err.text, rows[i].why) !=
			    NULL);
		check(rows[i].lines, x2gobroker_profile_has_server(profile,
		    "ts01"));
		check(rows[i].lines, !x2gobroker_profile_has_server(profile,
		    "ts09"));
		alloc_fail(1);
		check(rows[i].lines, x2gobroker_farm_choose(farm, profile,
		    &server, &err) == -1);
		check(rows[i].lines, alloc_failed());
		x2gobroker_farm_free(farm);
		x2gobroker_profiles_free(profiles);
	}
}

/*
 * Keys for one login
 */

/* The answer is the same without; why there is none is reported. */
static void
a_key_that_is_missing_is_no_refusal(void **state unused)
{
	static const struct request rows[] = {
		{ "no libssh", SELECT, "host=ts01", idle,
		    "Access granted\nSERVER:ts01:22\n",
		    "no key for an automatic login: there is no libssh" },
	};

	test_config.default_session_autologin = true;
	no_keypair = true;
	check_requests(rows, LENGTH(rows));
}

static void
a_key_is_for_a_server_that_is_asked(void **state unused)
{
	static char public[] = "ssh-rsa AAAA";
	const struct autologin key = { .query.public_key = public };
	const struct host host = { .name = "ts09" };
	struct x2gobroker_profiles *profiles;
	struct reporter rep = { 0 };
	struct x2gobroker_error err;
	struct x2gobroker_farm *farm;
	struct problems problems;

	profiles = load_text("[p]\nhost=ts01\n", &problems);
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(autologin_place(&key, farm,
	    x2gobroker_profiles_find(profiles, "p"), &host, NULL, &rep, &err),
	    -1);
	assert_string_equal(err.text, "no agent is asked about ts09");
	x2gobroker_farm_free(farm);
	x2gobroker_profiles_free(profiles);
}

/* The profile wants the user's own key, and sshd has not told it. */
static void
an_own_key_that_is_not_known_is_no_refusal(void **state unused)
{
	char *answer = ask_broker(SELECT, "host=ts01\n"
	    "broker-session-autologin=true\nbroker-autologin-key=own", idle,
	    NULL);

	assert_string_equal(answer, "Access granted\nSERVER:ts01:22\n");
	assert_non_null(strstr(said.list[said.n - 1].text,
	    "sshd does not tell the user's own key"));
	free(answer);
}

static void
a_key_takes_memory(void **state unused)
{
	static char public[] = "ssh-rsa AAAA";
	const struct autologin key = { .query.public_key = public };
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct reporter rep = { 0 };
	struct x2gobroker_error err;
	struct x2gobroker_farm *farm;
	struct problems problems;
	struct host *hosts;
	size_t n;

	alloc_fail(1);
	assert_null(autologin_new(&test_config, &err));
	assert_true(alloc_failed());
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	autologin_free(NULL);

	profiles = load_text("[p]\nhost=ts01\nsshproxyhost=gw\n", &problems);
	profile = x2gobroker_profiles_find(profiles, "p");
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add(farm, profile, NULL), 0);
	assert_int_equal(farm_hosts(NULL, profile, &hosts, &n, NULL), 0);
	/* the line for the proxy, and that for the server */
	for (n = 1; n <= 2; n++) {
		alloc_fail((int)n);
		assert_int_equal(autologin_place(&key, farm, profile, hosts,
		    NULL, &rep, &err), -1);
		assert_true(alloc_failed());
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	}
	free(hosts);
	x2gobroker_farm_free(farm);
	x2gobroker_profiles_free(profiles);
}

/*
 * Tokens
 */

static void
without_a_token_it_is_refused(void **state unused)
{
	static char dir[100];
	struct x2gobroker_error err;
	char *answer;

	snprintf(dir, sizeof(dir), "%s", make_dir("tokens"));
	test_config.require_cookie = true;
	test_config.cookie_directory = dir;
	test_config.auth_timeout = 60;
	test_config.my_cookie = "let-me-in";
	test_config.my_cookie_file = "";
	test_config.authids_dir = "/nonexistent/authids";
	answer = ask_broker(LIST, "host=ts01", idle, &err);
	assert_string_equal(answer, DENIED);
	free(answer);
	answer = ask_broker(LIST " --authid let-me-in", "host=ts01", idle,
	    &err);
	assert_non_null(strstr(answer, "AUTHID:"));
	assert_non_null(strstr(answer, "START_USER_SESSIONS"));
	free(answer);
	answer = ask_broker("x --task selectsession --sid q --authid "
	    "let-me-in", "host=ts01", idle, &err);
	assert_string_equal(answer, DENIED);
	free(answer);
}

static void
what_is_not_decided_is_not_written(void **state unused)
{
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct x2gobroker_error err;
	const char *text;
	size_t len;

	assert_int_equal(x2gobroker_request_parse(LIST, &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	assert_int_equal(x2gobroker_answer_write(answer, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_DENIED);
	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	assert_string_equal(text, DENIED);
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
}

/*
 * Memory
 */

/* One allocation after the other fails, in the request or in a thread of it: the
 * answer is right, or a refusal, or a listing without marks. */
static void
without_memory_it_is_refused_or_right(void **state unused)
{
	static const struct said busy[] = { SAYS("status", STATUS("")),
	    SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")), { 0 } },
	broken[] = { FAILS("open", "no way"), { 0 } };
	static const struct {
		const char *task, *lines;
		const struct said *rows;
		int result;
		const char *right, *less;
	} rows[] = {
		{ SELECT, "host=ts01, ts02", busy, 0,
		    "Access granted\nSERVER:ts0", DENIED },
		{ SELECT, "host=ts01, ts02\nbroker-agent-query-mode=NONE\n"
		    "broker-portscan-x2goservers=true", busy, 0,
		    "Access granted\nSERVER:ts0", DENIED },
		{ SELECT, "host=ts01, ts02", broken, -1, DENIED, DENIED },
		{ LIST, "host=ts01, ts02", busy, 0, "status=S\n",
		    "START_USER_SESSIONS" },
	};
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	struct problems problems;
	const char *told;
	char text[400];
	size_t i, len;
	int n, result;
	bool more;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nname=P\n%s\n",
		    rows[i].lines);
		profiles = load_text(text, &problems);
		assert_int_equal(x2gobroker_request_parse(rows[i].task,
		    &request, NULL), 0);
		for (n = 1, more = true; more; n++) {
			play_servers(rows[i].rows);
			said.n = 0;
			rows_forget("state/" ASSIGNMENTS_DIR);
			assert_int_equal(x2gobroker_answer_new(request,
			    &answer, NULL), 0);
			x2gobroker_answer_set_report(answer, collect, &said);
			alloc_fail(n);
			result = x2gobroker_answer_task(answer, profiles,
			    user, NULL);
			more = alloc_failed();
			if (x2gobroker_answer_text(answer, &told, &len,
			    NULL) == -1)
				told = DENIED;
			else if (result == -1)
				check_text(rows[i].task, told, DENIED);
			if (strstr(told, rows[i].right) == NULL &&
			    strstr(told, rows[i].less) == NULL &&
			    strcmp(told, DENIED) != 0)
				fail_msg("[%s] %d: %s", rows[i].task, n, told);
			if (result == 0 && said.n == 0 &&
			    strstr(told, rows[i].right) == NULL)
				fail_msg("[%s] %d: nobody says why: %s",
				    rows[i].task, n, told);
			x2gobroker_answer_free(answer);
		}
		/* the last one had all that it needs */
		check(rows[i].task, result == rows[i].result && n > 8);
		x2gobroker_request_free(request);
		x2gobroker_profiles_free(profiles);
	}
	x2gobroker_user_free(user);
}

/*
 * Maintenance
 */

static void
set_maintenance(const char *profile, const char *server, bool resume)
{
	const struct x2gobroker_notice notice = { "back at two", profile,
	    server, 0, resume };
	bool changed;

	assert_int_equal(x2gobroker_maintenance_end(&test_config, NULL,
	    &changed, NULL), 0);
	assert_int_equal(x2gobroker_maintenance_begin(&test_config, &notice,
	    NULL), 0);
}

#define ON_TS01	"SERVER:ts01:22\nSESSION_INFO:1|" NAME("50")

static void
maintenance_lets_users_resume_only(void **state unused)
{
	static const struct said suspended[] = {
		SAYS("status", STATUS("session:" SESSION("50", "ts01", "S"))),
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")),
		{ 0 },
	};
	static const struct {
		const char *profile, *server;
		bool resume;
		const struct said *servers;
		const char *lines, *answer;
	} rows[] = {
		{ NULL, NULL, true, idle, "host=ts01, ts02", DENIED },
		{ NULL, NULL, true, suspended, "host=ts01, ts02", ON_TS01 },
		{ NULL, NULL, false, suspended, "host=ts01", DENIED },
		{ NULL, NULL, true, suspended, "host=ts01\ncommand=SHADOW",
		    DENIED },
		{ "p", NULL, true, idle, "host=ts01", DENIED },
		{ "p", NULL, true, suspended, "host=ts01", ON_TS01 },
		{ "p", NULL, false, suspended, "host=ts01", DENIED },
		{ "q", NULL, false, idle, "host=ts01", "SERVER:ts01:22" },
		{ NULL, "ts01", true, idle, "host=ts01, ts02",
		    "SERVER:ts02:22" },
		{ NULL, "ts01", true, idle, "host=ts01", DENIED },
		{ NULL, "ts01", true, suspended, "host=ts01, ts02", ON_TS01 },
		{ NULL, "ts01", false, suspended, "host=ts01, ts02",
		    "SERVER:ts02:22\n" },
		{ NULL, "ts01", false, suspended, "host=ts01", DENIED },
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		set_maintenance(rows[i].profile, rows[i].server,
		    rows[i].resume);
		answer = ask_broker(SELECT, rows[i].lines, rows[i].servers,
		    &err);
		if (strstr(answer, rows[i].answer) == NULL)
			fail_msg("row %zu: \"%s\" has no \"%s\"", i, answer,
			    rows[i].answer);
		if (strcmp(rows[i].answer, DENIED) == 0 && rows[i].resume &&
		    strstr(err.text, "back at two") == NULL)
			fail_msg("row %zu: %s", i, err.text);
		free(answer);
		/* the list is the same as ever over SSH */
		answer = ask_broker(LIST, rows[i].lines, rows[i].servers, NULL);
		assert_non_null(strstr(answer, "\n[p]\n"));
		free(answer);
	}
}

static int failing_admit;	/* this allocation; 0: none has failed */

/* Whether alice may log in, who has that profile; *notice is what she reads,
 * which the caller frees. */
static bool
admit(const char *lines, const struct said *rows, char **notice)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_answer *answer;
	struct problems problems;
	const char *text;
	char profile[400];
	bool yes;

	play_servers(rows);
	said.n = 0;
	snprintf(profile, sizeof(profile), "[p]\nname=P\n%s\n", lines);
	profiles = load_text(profile, &problems);	/* writes the file */
	x2gobroker_profiles_free(profiles);
	assert_int_equal(x2gobroker_answer_new(NULL, &answer, NULL), 0);
	x2gobroker_answer_set_report(answer, collect, &said);
	alloc_fail(failing_admit);
	yes = x2gobroker_answer_admit(answer, &test_config, user, NULL) == 0;
	if (!alloc_failed())
		failing_admit = 0;
	alloc_fail(0);
	text = x2gobroker_answer_notice(answer);
	*notice = text != NULL ? strdup(text) : NULL;
	x2gobroker_answer_free(answer);
	x2gobroker_user_free(user);
	return yes;
}

static void
maintenance_is_told_at_the_login_check(void **state unused)
{
	static const struct said suspended[] = {
		SAYS("listsessions", "OK\n" SESSION("50", "ts01", "S")),
		{ 0 },
	}, gone[] = { FAILS("listsessions", "is down"), { 0 } };
	static const struct {
		const char *profile, *server;
		bool resume;
		const struct said *servers;
		bool yes;
	} rows[] = {
		{ NULL, NULL, true, suspended, true },
		{ NULL, NULL, true, idle, false },
		{ NULL, NULL, true, gone, false },
		{ NULL, NULL, false, suspended, false },
		{ "p", NULL, false, idle, true },
		{ NULL, "ts01", false, idle, true },
	};
	char *notice;
	size_t i;

	assert_true(admit("host=ts01", idle, &notice));
	assert_null(notice);
	assert_int_equal(link_played.len, 0);
	for (i = 0; i < LENGTH(rows); i++) {
		set_maintenance(rows[i].profile, rows[i].server,
		    rows[i].resume);
		if (admit("host=ts01", rows[i].servers, &notice) !=
		    rows[i].yes)
			fail_msg("row %zu", i);
		assert_true(rows[i].yes ? notice == NULL :
		    strcmp(notice, "back at two") == 0);
		free(notice);
	}
	/* without memory nothing is granted by mistake while it can be read */
	set_maintenance(NULL, NULL, false);
	for (i = 1;; i++) {
		failing_admit = (int)i;
		if (!admit("host=ts01", idle, &notice) && notice != NULL &&
		    failing_admit == 0) {
			free(notice);
			break;
		}
		free(notice);
	}
	/* who cannot read it lets people in */
	assert_int_equal(chmod(test_path("state/maintenance"), 0777), 0);
	assert_true(admit("host=ts01", idle, &notice));
	assert_non_null(strstr(said.list[0].text, "maintenance is not known"));
	free(ask_broker(SELECT, "host=ts01", idle, NULL));
	assert_non_null(strstr(said.list[0].text, "maintenance is not known"));
	assert_int_equal(chmod(test_path("state/maintenance"), 0700), 0);
}

/* All of them are found by their names, ports and addresses, each once. */
static void
a_farm_has_many_servers_each_once(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(99);
	struct connection_target how = { .source = &source_ssh, .port = 22 };
	struct host host = { .port = 0 };
	size_t i;

	for (i = 0; i < 99; i++) {
		snprintf(host.name, sizeof(host.name), "TS%02zu", i + 1);
		assert_ptr_equal(farm_find(farm, &how, &host),
		    &farm->servers[i]);
		assert_int_equal(x2gobroker_farm_add_host(farm, host.name,
		    NULL), 0);
	}
	assert_int_equal(farm->nservers, 99);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01:23", NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01 (192.0.2.1)",
	    NULL), 0);
	assert_int_equal(farm->nservers, 101);
	strcpy(host.name, "ts100");
	assert_null(farm_find(farm, &how, &host));
	how.source = NULL;
	assert_null(farm_find(farm, &how, &host));
	x2gobroker_farm_free(farm);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_is_gone_to),
		TEST(a_farm_has_many_servers_each_once),
		TEST(a_server_is_known_by_the_name_that_it_has_for_itself),
		TEST(a_server_speaks_for_itself),
		TEST(no_session_is_left_out_silently),
		TEST(a_listing_has_marks),
		TEST(a_warning_is_told),
		TEST(without_a_server_it_is_refused),
		TEST(a_server_that_is_blocked_is_not_used),
		TEST(without_lists_of_its_own_a_server_is_chosen),
		TEST(a_choice_has_to_be_a_word),
		TEST(doors_are_knocked_at),
		TEST(a_choice_can_be_asked_for),
		TEST(a_key_that_is_missing_is_no_refusal),
		TEST(a_key_is_for_a_server_that_is_asked),
		TEST(an_own_key_that_is_not_known_is_no_refusal),
		TEST(a_key_takes_memory),
		TEST(without_a_token_it_is_refused),
		TEST(what_is_not_decided_is_not_written),
		TEST(without_memory_it_is_refused_or_right),
		TEST(maintenance_lets_users_resume_only),
		TEST(maintenance_is_told_at_the_login_check),
	};

	return cmocka_run_group_tests_name("farm", tests, NULL, NULL);
}
