/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of all users, and the end of many of them.  Linked with --wrap
 * for query_run_database and the functions of failing_malloc.h and
 * fake_connection.h.
 */
#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_connection.h"
#include "state_rows.h"

#define ROW(name, user, n, host, state, kind) "|" name "-" n "-1763930965_st" \
		kind "_dp24|" n "|" host "|" state "|2026-11-23T20:49:25||" \
		"192.0.2.7|||2026-11-23T20:49:25|" user "|877|\n"
#define SESSION(user, n, host)	ROW(user, user, n, host, "R", "DXFCE")
#define OURS	"OK\navailabletasks\nstatus\n"

static const char *in_database;		/* NULL: it fails */
static char ended[4000];		/* "ID: WHY", a line for each */

void	__wrap_query_run_database(const struct x2gobroker_config *config,
	    struct query *query, int64_t deadline);

void
__wrap_query_run_database(const struct x2gobroker_config *config unused,
    struct query *query, int64_t deadline unused)
{
	struct x2gobroker_error err;

	query->done = true;
	if (in_database != NULL)
		assert_int_equal(query_take(query, query->user == NULL ?
		    AGENT_LISTALLSESSIONS : AGENT_LISTSESSIONS, in_database,
		    strlen(in_database), NULL), 0);
	else {
		error_set(&err, X2GOBROKER_ERR_SYSTEM, "/the/file", 0,
		    "no way");
		query_fail(query, &err);
	}
}

static int64_t ahead;			/* of the clock, in milliseconds */

int	__real_clock_gettime(clockid_t id, struct timespec *now);
int	__wrap_clock_gettime(clockid_t id, struct timespec *now);

int
__wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	int result = __real_clock_gettime(id, now);

	now->tv_sec += (time_t)(ahead / 1000);
	return result;
}

static void
hang(int64_t deadline)
{
	while (clock_left(deadline) > 0)
		ahead += 1000;
}

static int
setup(void **state)
{
	play_servers(NULL);
	in_database = NULL;
	ended[0] = '\0';
	if (make_test_dir(state) == -1)
		return -1;
	test_config.session_database = "";
	test_config.state_dir = test_dir;
	test_config.agent_timeout = 5;
	return 0;
}

static struct x2gobroker_farm *
farm_of_all(int n)
{
	struct x2gobroker_farm *farm = farm_of(n);

	free(farm->user);
	farm->user = NULL;
	return farm;
}

/* "USER HOST NUMBER-OF-SERVER", a line for each that is listed. */
static const char *
listed(const struct x2gobroker_farm *farm)
{
	static char text[1000];
	const struct x2gobroker_session *session;
	size_t i, len = 0;

	text[0] = '\0';
	for (i = 0; (session = x2gobroker_farm_session(farm, i)) != NULL; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %s %d\n", session->user, session->host,
		    (int)session->server);
	return text;
}

static void
a_server_lists_its_own_sessions_of_all_users(void **state unused)
{
	static const struct said rows[] = {
		{ "ts01", "listallsessions", X2GOBROKER_OK, "OK\n"
		    SESSION("alice", "50", "ts01")
		    SESSION("alice", "51", "ts02")
		    SESSION("carol", "52", "ts99")
		    ROW("alice", "alice", "53", "ts01", "F", "DXFCE")
		    ROW("alice", "alice", "54", "ts01", "R", "S1XSHAD")
		    ROW("alice", "two names", "55", "ts01", "R", "DXFCE") },
		{ "ts02", "listallsessions", X2GOBROKER_OK, "OK\n"
		    SESSION("bob", "50", "ts02")
		    SESSION("alice", "50", "ts02") },
		{ "ts03", "listallsessions", X2GOBROKER_ERR_DENIED, "no" },
		{ NULL, "status", X2GOBROKER_OK, "OK\nhost:other\nEND\n" },
		{ NULL, "availabletasks", X2GOBROKER_OK, OURS }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of_all(3);
	const struct x2gobroker_server *server;

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	/* the same id on two servers is two sessions */
	assert_string_equal(listed(farm), "alice ts01 0\nalice ts02 1\n"
	    "bob ts02 1\n");
	assert_non_null(strstr(farm->servers[0].warning, "on \"ts99\""));
	assert_non_null(strstr(farm->servers[0].warning, "1 invalid sessions "
	    "ignored, the first because: no session of a user: two names"));
	assert_non_null(strstr(farm->servers[0].warning, "on ts02, which does "
	    "not have it"));
	assert_null(farm->servers[1].warning);
	server = x2gobroker_farm_server(farm, 2);
	assert_true(server->asked && !server->answered);
	assert_string_equal(server->error, "no");
	x2gobroker_farm_free(farm);
}

static void
an_agent_without_the_task_is_told_of(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "listallsessions", X2GOBROKER_OK, "" },
		{ NULL, "availabletasks", X2GOBROKER_OK,
		    "OK\navailabletasks\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of_all(1);

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	assert_non_null(strstr(x2gobroker_farm_server(farm, 0)->error,
	    "--all-sessions"));
	x2gobroker_farm_free(farm);
}

/* That needs no right of its own. */
static void
of_one_user_the_usual_task_lists_them(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n"
		    SESSION("alice", "50", "ts01") }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of(1);

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	assert_string_equal(listed(farm), "alice ts01 0\n");
	assert_string_equal(link_played.calls, "ts01 listsessions\n");
	x2gobroker_farm_free(farm);
}

static void
the_database_lists_them_without_a_server(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of_all(2);

	test_config.session_database = "farm";
	in_database = "OK\n" SESSION("alice", "50", "ts02.example.org")
	    SESSION("bob", "51", "ts99")
	    ROW("alice", "(by x2gouser_bob) alice", "52", "ts01", "R",
	    "DXFCE");
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	assert_string_equal(listed(farm), "alice ts02.example.org 1\n"
	    "bob ts99 -1\n");
	assert_string_equal(link_played.calls, "");
	assert_true(x2gobroker_farm_database(farm)->answered);
	assert_non_null(strstr(x2gobroker_farm_database(farm)->warning,
	    "no session of a user: (by x2gouser_bob) alice"));
	x2gobroker_farm_free(farm);
}

static void
without_the_database_servers_are_asked(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "listallsessions", X2GOBROKER_OK, "OK\n"
		    SESSION("alice", "50", "ts01") }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of_all(1);

	play_servers(rows);
	test_config.session_database = "farm";
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	assert_string_equal(listed(farm), "alice ts01 0\n");
	assert_false(x2gobroker_farm_database(farm)->answered);
	assert_string_equal(x2gobroker_farm_database(farm)->error,
	    "/the/file: no way");
	x2gobroker_farm_free(farm);
}

/* A child that lies has no way to put them into a request of a user. */
static void
nobody_else_gets_the_sessions_of_all(void **state unused)
{
	static const char text[] = "OK\n" SESSION("bob", "50", "ts01");
	static const struct {
		const struct question *question;
		const char *user, *task;
		int result;
		size_t n;
	} rows[] = {
		{ &query_list, NULL, AGENT_LISTALLSESSIONS, 0, 1 },
		{ &query_list, "alice", AGENT_LISTALLSESSIONS, -1, 0 },
		{ &query_sessions, NULL, AGENT_LISTALLSESSIONS, -1, 0 },
		{ &query_all, "alice", AGENT_LISTALLSESSIONS, -1, 0 },
		{ &query_all, NULL, AGENT_LISTSESSIONS, 0, 0 },
		{ &query_list, NULL, AGENT_LISTSESSIONS, 0, 0 },
	};
	struct query query;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		query_init(&query, rows[i].question, NULL, rows[i].user);
		check(rows[i].task, query_take(&query, rows[i].task, text,
		    strlen(text), NULL) == rows[i].result);
		check(rows[i].task, query.report.nsessions == rows[i].n);
		query_free(&query);
	}
}

static void
only_the_wanted_server_is_kept(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of_all(3);
	struct connection_target how = farm->servers[0].target;
	const struct host first = how.host, second = farm->servers[1].target.host;

	how.host = (struct host){ .port = 0 };
	assert_int_equal(x2gobroker_farm_keep(farm, "TS02"), 1);
	assert_ptr_equal(farm_find(farm, &how, &second), &farm->servers[0]);
	assert_null(farm_find(farm, &how, &first));
	assert_string_equal(x2gobroker_farm_server(farm, 0)->name, "ts02");
	assert_null(x2gobroker_farm_server(farm, 1));
	assert_int_equal(x2gobroker_farm_keep(farm, "ts99"), 0);
	x2gobroker_farm_free(farm);
}

/*
 * The end of many
 */

static void
note_end(void *arg, size_t session, const struct x2gobroker_error *why)
{
	strlcat(ended, x2gobroker_farm_session(arg, session)->id,
	    sizeof(ended));
	strlcat(ended, ": ", sizeof(ended));
	strlcat(ended, why != NULL ? why->text : "done", sizeof(ended));
	strlcat(ended, "\n", sizeof(ended));
}

static void
all_are_ended_and_each_has_a_result(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "availabletasks", X2GOBROKER_OK, OURS },
		{ "ts01", "terminatesession", X2GOBROKER_OK, "OK\n" },
		{ "ts02", "terminatesession", X2GOBROKER_ERR_DENIED,
		    "bob has no such session" },
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of_all(2);
	static const size_t which[] = { 0, 1, 2 };

	test_config.session_database = "farm";
	in_database = "OK\n" SESSION("alice", "50", "ts01")
	    SESSION("bob", "51", "ts02") SESSION("carol", "52", "ts99")
	    SESSION("dave", "53", "ts01");
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	play_servers(rows);
	assert_int_equal(x2gobroker_farm_terminate_all(farm, which, 3,
	    note_end, farm, NULL), 0);
	assert_non_null(strstr(ended,
	    "alice-50-1763930965_stDXFCE_dp24: done\n"));
	assert_non_null(strstr(ended, "bob-51-1763930965_stDXFCE_dp24: "
	    "bob has no such session\n"));
	assert_non_null(strstr(ended, "carol-52-1763930965_stDXFCE_dp24: no "
	    "server that profiles let be asked is named ts99"));
	assert_null(strstr(ended, "dave"));
	assert_null(strstr(link_played.calls, "dave"));
	x2gobroker_farm_free(farm);
}

/* So that sshd does not turn anybody away; and one that hangs does not hold up
 * each of its sessions. */
static void
a_server_has_few_at_once(void **state unused)
{
	static const struct said good[] = {
		{ NULL, "availabletasks", X2GOBROKER_OK, OURS },
		{ NULL, "suspendsession", X2GOBROKER_OK, "OK\n" },
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of_all(1);
	static const size_t which[] = { 0, 1, 2, 3, 4, 5, 6 };
	const char *line = ended;
	size_t n = 0;

	test_config.session_database = "farm";
	in_database = "OK\n" SESSION("alice", "50", "ts01")
	    SESSION("alice", "51", "ts01") SESSION("alice", "52", "ts01")
	    SESSION("alice", "53", "ts01") SESSION("alice", "54", "ts01")
	    SESSION("alice", "55", "ts01") SESSION("alice", "56", "ts01");
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), 0);
	play_servers(good);
	link_played.max_at_once = 0;
	assert_int_equal(x2gobroker_farm_suspend_all(farm, which, 7,
	    note_end, farm, NULL), 0);
	assert_int_equal(link_played.max_at_once, 5);
	while ((line = strstr(line, "has ended\n")) != NULL) {
		line++;
		n++;
	}
	assert_int_equal(n, 7);
	ended[0] = '\0';
	play_servers(good);
	link_played.hang = hang;
	assert_int_equal(x2gobroker_farm_suspend_all(farm, which, 7,
	    note_end, farm, NULL), 0);
	link_played.hang = NULL;
	for (n = 0, line = ended; (line = strchr(line, '\n')) != NULL; n++)
		line++;
	assert_int_equal(n, 7);
	assert_non_null(strstr(ended, "alice-54-1763930965_stDXFCE_dp24: timed "
	    "out\nalice-55-1763930965_stDXFCE_dp24: not tried"));
	/* here, they share the time */
	farm->servers[0].target.source = &source_local;
	play_servers(good);
	link_played.max_at_once = 0;
	assert_int_equal(x2gobroker_farm_suspend_all(farm, which, 7,
	    note_end, farm, NULL), 0);
	assert_int_equal(link_played.max_at_once, 1);
	x2gobroker_farm_free(farm);
}

static void
without_memory_it_says_so(void **state unused)
{
	static const size_t which[] = { 0 };
	struct x2gobroker_farm *farm;
	int n, result;

	test_config.session_database = "farm";
	in_database = "OK\n" SESSION("alice", "50", "ts99");
	for (n = 1;; n++) {
		farm = farm_of_all(1);
		assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL),
		    0);
		alloc_fail(n);
		result = x2gobroker_farm_terminate_all(farm, which, 1,
		    note_end, farm, NULL);
		x2gobroker_farm_free(farm);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
	}
	assert_true(n > 3);
	test_config.session_database = "";
	for (n = 1;; n++) {
		farm = farm_of_all(1);
		alloc_fail(n);
		result = x2gobroker_farm_list(farm, NULL, NULL, NULL);
		x2gobroker_farm_free(farm);
		if (!alloc_failed())
			break;
	}
	test_config.session_database = "farm";
	farm = farm_of_all(1);
	farm->database.shown.asked = farm->database.shown.answered = true;
	alloc_fail(1);
	assert_int_equal(x2gobroker_farm_list(farm, NULL, NULL, NULL), -1);
	assert_true(alloc_failed());
	x2gobroker_farm_free(farm);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_server_lists_its_own_sessions_of_all_users),
		TEST(an_agent_without_the_task_is_told_of),
		TEST(of_one_user_the_usual_task_lists_them),
		TEST(the_database_lists_them_without_a_server),
		TEST(without_the_database_servers_are_asked),
		TEST(nobody_else_gets_the_sessions_of_all),
		TEST(only_the_wanted_server_is_kept),
		TEST(all_are_ended_and_each_has_a_result),
		TEST(a_server_has_few_at_once),
		TEST(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
