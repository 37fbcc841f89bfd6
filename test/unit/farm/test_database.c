/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session database as a source: whom a request still asks.  Linked with
 * --wrap for query_run_database and the functions of failing_malloc.h and
 * fake_connection.h.
 */
#include "base/clock.h"
#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_connection.h"
#include "state_rows.h"

#define SESSION(id, host) "|alice-" id "-1763930965_stDXFCE_dp24|" id "|" host \
		"|S|2026-11-23T20:49:25||192.0.2.7|||2026-11-23T20:49:25|" \
		"alice|877|\n"
#define STATUS	"OK\nloadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\nsessions:17\nEND\n"

/* What it says; NULL: it fails. */
static struct {
	const char *sessions, *counts, *starts, *facts, *missing;
	int ms, asked;
} played;

void	__wrap_query_run_database(const struct x2gobroker_config *config,
	    struct query *query, int64_t deadline);

void
__wrap_query_run_database(const struct x2gobroker_config *config unused,
    struct query *query, int64_t deadline unused)
{
	struct x2gobroker_error err;

	played.asked++;
	if (played.missing != NULL)
		strcpy(query->missing, played.missing);
	if (played.facts != NULL)
		assert_int_equal(query_take(query, "facts", played.facts,
		    strlen(played.facts), NULL), 0);
	if (played.sessions == NULL) {
		error_set(&err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "no way");
		query_fail(query, &err);
		return;
	}
	query->done = true;
	assert_int_equal(query_take(query, "listsessions", played.sessions,
	    strlen(played.sessions), NULL), 0);
	if (query->question != &query_sessions && played.counts != NULL)
		assert_int_equal(query_take(query, "getservers",
		    played.counts, strlen(played.counts), NULL), 0);
	if (query->question == &query_all && played.starts != NULL)
		assert_int_equal(query_take(query, "starts", played.starts,
		    strlen(played.starts), NULL), 0);
}

static int
setup(void **state)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS },
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" },
		{ 0 },
	};

	play_servers(rows);
	memset(&played, 0, sizeof(played));
	if (make_test_dir(state) == -1)
		return -1;
	test_config.session_database = "farm";
	test_config.state_dir = test_dir;
	return 0;
}

static int
poll_all(struct x2gobroker_farm *farm)
{
	return poll_servers(farm, &query_all, 5, NULL, NULL, NULL, NULL);
}

/* How many servers were asked. */
static size_t
asked(const struct x2gobroker_farm *farm)
{
	size_t i, n = 0;

	for (i = 0; i < farm->nservers; i++)
		n += farm->servers[i].shown.asked;
	return n;
}

static void
only_the_server_of_the_session_is_asked(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(20);

	played.sessions = "OK\n" SESSION("51", "ts07");
	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(asked(farm), 1);
	assert_true(farm->servers[6].shown.answered);
	/* it does not have the session, so it is not listed any more */
	assert_int_equal(farm->nsessions, 0);
	assert_non_null(strstr(farm->database.warning, "does not have it"));
	/* others are asked when that one cannot be used */
	assert_int_equal(poll_more(farm, NULL), 1);
	assert_true(asked(farm) > 1);
	assert_int_equal(played.asked, 1);
	x2gobroker_farm_free(farm);
}

static void
for_a_new_session_two_are_asked(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(20);

	played.sessions = "OK\n";
	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(asked(farm), 2);
	x2gobroker_farm_free(farm);
}

static void
they_have_the_fewest_sessions(void **state unused)
{
	static const struct {
		const char *counts, *starts, *weights;
		bool assigned;		/* bob, to ts01 */
		const char *best[2];
	} rows[] = {
		{ "OK\nts01 1\nts03 2\n", NULL, NULL, false,
		    { "ts02", "ts04" } },
		{ "OK\nts01 1\nts02 2\nts03 2\nts04 1\n", NULL, NULL, false,
		    { "ts01", "ts04" } },
		{ "OK\nts01 0\nts02 0\nts03 1\nts04 1\n", NULL, NULL, true,
		    { "ts02", NULL } },
		{ "OK\nts01 1\nts02 1\nts03 4\nts04 4\n",
		    "OK\nts01 bob 3\n", NULL, true, { "ts01", "ts02" } },
		{ "OK\nts01 1\nts02 1\nts03 1\nts04 4\n", NULL, "ts04:900",
		    false, { "ts04", NULL } },
	};
	struct x2gobroker_farm *farm;
	struct assignments *all;
	size_t i, j;

	for (i = 0; i < LENGTH(rows); i++) {
		played.sessions = "OK\n";
		played.counts = rows[i].counts;
		played.starts = rows[i].starts;
		if (rows[i].assigned) {
			assert_int_equal(assignments_open(test_dir,
			    time(NULL), &all, NULL), 0);
			assignments_add(all, "ts01:22", "bob", "desk", NULL);
			assignments_close(all);
		}
		farm = farm_of(4);
		farm->weights = rows[i].weights;
		assert_int_equal(poll_all(farm), 0);
		for (j = 0; j < 4; j++)
			if (rows[i].best[0] != NULL && (strcmp(
			    farm->servers[j].target.host.name,
			    rows[i].best[0]) == 0 || (rows[i].best[1] != NULL &&
			    strcmp(farm->servers[j].target.host.name,
			    rows[i].best[1]) == 0)))
				check(rows[i].counts,
				    farm->servers[j].shown.asked);
		check(rows[i].counts, asked(farm) == 2);
		x2gobroker_farm_free(farm);
	}
}

/* ts01 is busy, so "other" is ts02 or ts03 under another name. */
static void
an_unknown_host_may_be_an_alias(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(3);

	played.sessions = "OK\n" SESSION("51", "other");
	played.counts = "OK\nts01 3\nother 1\n";
	assert_int_equal(poll_all(farm), 0);
	assert_false(farm->servers[0].shown.asked);
	assert_true(farm->servers[1].shown.answered);
	assert_true(farm->servers[2].shown.answered);
	x2gobroker_farm_free(farm);
}

static void
without_it_all_are_asked(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(3);

	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(asked(farm), 3);
	assert_string_equal(farm->database.error->text, "no way");
	x2gobroker_farm_free(farm);
	/* an administrator asks the servers */
	farm = farm_of(3);
	played.sessions = "OK\n";
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	assert_int_equal(asked(farm), 3);
	x2gobroker_farm_free(farm);
	assert_int_equal(played.asked, 1);
	test_config.session_database = "";
	farm = farm_of(3);
	assert_int_equal(poll_database(farm, NULL), 0);
	assert_false(farm->listed);
	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(played.asked, 1);
	x2gobroker_farm_free(farm);
}

static void
a_listing_asks_nobody_else(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(0);

	played.sessions = "OK\n" SESSION("51", "ts07");
	assert_int_equal(poll_database(farm, NULL), 0);
	assert_true(farm->listed);
	assert_int_equal(farm->nsessions, 1);
	/* and cannot change what it has not seen on a server */
	assert_int_equal(x2gobroker_farm_suspend(farm, session_id(
	    farm->sessions[0].session), NULL), -1);
	x2gobroker_farm_free(farm);
}

static void
it_counts_the_sessions_of_each_server(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(2);
	struct x2gobroker_error err;

	assert_int_equal(x2gobroker_farm_server(farm, 0)->sessions, -1);
	assert_int_equal(x2gobroker_farm_count(farm, NULL), -1);
	assert_int_equal(x2gobroker_farm_server(farm, 0)->sessions, -1);
	x2gobroker_farm_free(farm);
	farm = farm_of(2);
	assert_int_equal(x2gobroker_farm_count(farm, &err), -1);
	assert_string_equal(err.text, "no way");
	x2gobroker_farm_free(farm);
	farm = farm_of(2);
	played.sessions = "OK\n";
	played.counts = "OK\nts01 3\n";
	assert_int_equal(x2gobroker_farm_count(farm, &err), 0);
	assert_int_equal(x2gobroker_farm_server(farm, 0)->sessions, 3);
	assert_int_equal(x2gobroker_farm_server(farm, 1)->sessions, 0);
	assert_int_equal(asked(farm), 0);
	x2gobroker_farm_free(farm);
	test_config.session_database = "";
	farm = farm_of(2);
	assert_int_equal(x2gobroker_farm_count(farm, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	x2gobroker_farm_free(farm);
}

/* After a time-out, other requests do not wait for it. */
static void
one_that_hangs_is_left_alone(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(0);

	test_config.session_database_timeout = 0;	/* so this is late */
	error_set(farm_error(&farm->database), X2GOBROKER_ERR_SYSTEM, NULL, 0,
	    "too late");
	farm->database.hangs = true;
	recent_note_database(farm);
	x2gobroker_farm_free(farm);
	test_config.session_database_timeout = 3;
	farm = farm_of(2);
	played.sessions = "OK\n";
	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(played.asked, 0);
	assert_non_null(strstr(farm->database.error->text, "not asked, because"));
	assert_int_equal(asked(farm), 2);
	x2gobroker_farm_free(farm);
	/* without the memory, it is asked */
	test_config.state_dir = "/nonexistent/state";
	farm = farm_of(2);
	farm->database.hangs = true;
	recent_note_database(farm);
	assert_int_equal(poll_all(farm), 0);
	assert_int_equal(played.asked, 1);
	x2gobroker_farm_free(farm);
}

static void
what_its_role_can_do_is_told(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(0);
	const struct x2gobroker_database *found;
	struct x2gobroker_error err;
	long sessions;

	played.facts = "OK\ncan-write 0\ncan-read-cookies 0\n"
	    "has-own-time-zone 0\nlimit 50\nmax-connections 100\n"
	    "in-future 2\n";
	played.sessions = "OK\n";
	played.counts = "OK\nts01 3\nts02 4\n";
	assert_int_equal(x2gobroker_farm_examine_database(farm, &found, &err),
	    0);
	assert_true(found->connected);
	assert_false(found->can_write || found->can_read_cookies ||
	    found->has_own_time_zone);
	assert_int_equal(found->limit, 50);
	assert_int_equal(found->max_connections, 100);
	assert_int_equal(found->in_future, 2);
	assert_int_equal(found->sessions, 7);
	assert_int_equal(found->nhosts, 2);
	assert_string_equal(x2gobroker_farm_database_host(farm, 1, &sessions),
	    "ts02");
	assert_int_equal(sessions, 4);
	assert_null(x2gobroker_farm_database_host(farm, 2, &sessions));

	/* what is not said is the worst; and it cannot be read */
	played.facts = "OK\ncan-read-cookies 1\nlimit \n";
	played.sessions = NULL;
	assert_int_equal(x2gobroker_farm_examine_database(farm, &found, &err),
	    -1);
	assert_string_equal(err.text, "no way");
	assert_true(found->connected && found->can_write &&
	    found->can_read_cookies && found->has_own_time_zone);
	assert_int_equal(found->limit, -1);
	assert_int_equal(found->nhosts, 0);

	/* it cannot even be reached */
	played.facts = NULL;
	assert_int_equal(x2gobroker_farm_examine_database(farm, &found, NULL),
	    -1);
	assert_false(found->connected || found->can_write);
	x2gobroker_farm_free(farm);
}

static void
a_sandbox_that_is_not_whole_is_told(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(0);

	played.sessions = "OK\n";
	played.missing = "Landlock";
	assert_int_equal(poll_database(farm, NULL), 0);
	assert_string_equal(farm->database.warning, "x2gobroker-sessiondb has "
	    "no full sandbox: this kernel does not offer Landlock");
	x2gobroker_farm_free(farm);
}

static void
without_memory_it_fails_or_asks(void **state unused)
{
	struct x2gobroker_farm *farm;
	int n, result;

	played.sessions = "OK\n";
	played.counts = "OK\nts01 3\n";
	test_config.state_dir = "/nonexistent/state";
	for (n = 1;; n++) {
		farm = farm_of(6);
		alloc_fail(n);
		farm->database.shown.asked = farm->database.shown.answered =
		    true;
		result = poll_all(farm);
		if (!alloc_failed()) {
			x2gobroker_farm_free(farm);
			break;
		}
		assert_true(result == -1 || asked(farm) > 0);
		x2gobroker_farm_free(farm);
	}
	assert_true(n > 3);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_server_of_the_session_is_asked),
		TEST(for_a_new_session_two_are_asked),
		TEST(they_have_the_fewest_sessions),
		TEST(an_unknown_host_may_be_an_alias),
		TEST(without_it_all_are_asked),
		TEST(a_listing_asks_nobody_else),
		TEST(it_counts_the_sessions_of_each_server),
		TEST(one_that_hangs_is_left_alone),
		TEST(what_its_role_can_do_is_told),
		TEST(a_sandbox_that_is_not_whole_is_told),
		TEST(without_memory_it_fails_or_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
