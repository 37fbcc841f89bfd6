/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered of servers, so that sshd does not ban the broker's host.
 * Linked with --wrap for the functions of fake_connection.h.
 */
#include "farm/farm.h"
#include "fake_connection.h"
#include "state_rows.h"

static const struct said open_door[] = {
	{ NULL, "knock", X2GOBROKER_OK, "" }, { 0 },
}, closed_door[] = {
	{ NULL, "knock", X2GOBROKER_ERR_SYSTEM, "refused" }, { 0 },
};

static const struct connection_target ts01 = {
	.host = { .name = "ts01" }, .port = 22,
}, ts02 = {
	.host = { .name = "ts01", .address = "192.0.2.2" }, .port = 22,
};

static struct x2gobroker_farm *
begin(void **state)
{
	static char dir[100];
	struct x2gobroker_farm *farm;

	(void)state;
	snprintf(dir, sizeof(dir), "%s", test_path("state"));
	test_config.state_dir = dir;
	rows_forget("state/" RECENT_DIR);
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	return farm;
}

static void
write_news(const char *server, const char *news, const char *text, int age)
{
	char line[300];

	snprintf(line, sizeof(line), "%lld %s %s %s",
	    (long long)time(NULL) - age, server, news, text);
	rows_forget("state/" RECENT_DIR);
	mkdir(test_path("state"), 0700);
	mkdir(test_path("state/" RECENT_DIR), 0700);
	row_write("state/" RECENT_DIR, 1, line);
}

/* Whether the answer is up, and not what a knock would find. */
static bool
is_remembered(struct x2gobroker_farm *farm, bool up)
{
	play_servers(up ? closed_door : open_door);
	return recent_knock(farm, &ts01) == up;
}

static void
a_rush_knocks_once(void **state)
{
	struct x2gobroker_farm *farm = begin(state);
	int up;

	for (up = 0; up <= 1; up++) {
		rows_forget("state/" RECENT_DIR);
		play_servers(up ? open_door : closed_door);
		assert_int_equal(recent_knock(farm, &ts01), up);
		assert_true(is_remembered(farm, up));
		/* of that address only */
		play_servers(up ? closed_door : open_door);
		assert_int_equal(recent_knock(farm, &ts02), !up);
		assert_true(is_remembered(farm, up));
	}
	x2gobroker_farm_free(farm);
}

static void
old_news_and_news_from_the_future_are_forgotten(void **state)
{
	struct x2gobroker_farm *farm = begin(state);
	static const int ages[] = { RECENT_KNOCK_SECONDS + 2, -100 };
	size_t i;

	for (i = 0; i < LENGTH(ages); i++) {
		write_news("ts01:22", "up", "-", ages[i]);
		assert_false(is_remembered(farm, true));
		write_news("ts01:22", "down", "-", ages[i]);
		assert_false(is_remembered(farm, false));
	}
	/* a failure to log in is another matter */
	write_news("ts01:22", "failed", "denied", 0);
	assert_false(is_remembered(farm, false));
	x2gobroker_farm_free(farm);
}

/* A request that was killed, or stopped, leaves this behind. */
static void
a_knock_of_another_request_is_waited_for(void **state)
{
	struct x2gobroker_farm *farm = begin(state);

	farm->deadline = 0;
	write_news("ts01:22", "knocking", "-", 0);
	assert_false(is_remembered(farm, true));
	assert_int_equal(link_played.slept_ms, 0);
	assert_true(is_remembered(farm, false));
	x2gobroker_farm_free(farm);
}

static void
without_a_state_directory_each_one_knocks(void **state)
{
	struct x2gobroker_farm *farm = begin(state);

	test_config.state_dir = "/nonexistent/state/dir";
	play_servers(open_door);
	assert_true(recent_knock(farm, &ts01));
	assert_false(is_remembered(farm, true));
	x2gobroker_farm_free(farm);
}

/* The reason that the log gets for ts01, which sshd there sees like that. */
static const char *
explain(struct x2gobroker_farm *farm, enum sshd_verdict sshd, const char *why)
{
	struct farm_server *server = &farm->servers[1];

	server->sshd = sshd;
	error_set(farm_error(server), X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s", why);
	recent_note(farm);
	return server->error->text;
}

static void
the_reason_of_a_ban_is_told(void **state)
{
	struct x2gobroker_farm *farm = begin(state);
	const char *text;

	assert_int_equal(x2gobroker_farm_add_host(farm, "ts00", NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01", NULL), 0);
	check_text("nothing known", explain(farm, SSHD_REFUSES, "busy"),
	    "busy");
	check_text("a failure", explain(farm, SSHD_PENALISES, "no\nentry\177"),
	    "no\nentry\177");
	text = explain(farm, SSHD_REFUSES, "busy");
	assert_int_equal(strncmp(text, "no entry  (", 11), 0);
	assert_non_null(strstr(text, "PerSourcePenaltyExemptList"));
	check_text("the server answers", explain(farm, SSHD_NEUTRAL, ""), "");
	write_news("ts01:22", "failed", "x", RECENT_FAILURE_SECONDS + 2);
	check_text("long ago", explain(farm, SSHD_REFUSES, "busy"), "busy");
	test_config.state_dir = "/nonexistent/state/dir";
	check_text("no directory", explain(farm, SSHD_REFUSES, "busy"), "busy");
	x2gobroker_farm_free(farm);
}

/* A farm of ts00 and ts01, as the next request has it. */
static struct x2gobroker_farm *
two_servers(void)
{
	struct x2gobroker_farm *farm;
	size_t away;

	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts00", NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01", NULL), 0);
	farm->servers[0].pending = farm->servers[1].pending = true;
	away = recent_find_hung(farm);
	assert_int_equal(away, farm->servers[0].away +
	    farm->servers[1].away);
	assert_false(farm->servers[1].pending && farm->servers[1].away);
	recent_find_lacks(farm);
	return farm;
}

/* The next request finds ts01 like that. */
static void
check_away(const char *label, bool away, bool has_hung)
{
	struct x2gobroker_farm *farm = two_servers();

	check(label, !farm->servers[0].away);
	check(label, farm->servers[1].away == away);
	check(label, farm->servers[1].has_hung == has_hung);
	if (away)
		check(label, strstr(farm->servers[1].error->text,
		    "seconds ago: it hung") != NULL);
	x2gobroker_farm_free(farm);
}

static void
a_server_that_hung_is_asked_by_one_request(void **state)
{
	struct x2gobroker_farm *farm = begin(state), *next;

	check_away("nothing known", false, false);
	write_news("ts01:22", "hung", "it hung", 3);
	check_away("just now", true, true);
	write_news("ts01:22", "hung", "it hung", RECENT_TRYING_SECONDS + 2);
	check_away("the first one tries it", false, true);
	check_away("others do not", true, true);
	write_news("ts01:22", "hung", "it hung", RECENT_HUNG_SECONDS + 2);
	check_away("long ago", false, false);
	write_news("ts01:22", "trying", "-", RECENT_TRYING_SECONDS + 2);
	check_away("a try of long ago", false, false);

	/* what the request that tries it finds */
	write_news("ts01:22", "hung", "it hung", RECENT_TRYING_SECONDS + 2);
	next = two_servers();
	recent_note(next);
	check_away("it fails in another way", true, true);
	next->servers[1].hangs = true;
	strcpy(farm_error(&next->servers[1])->text, "it hung");
	recent_note(next);
	check_away("it hangs", true, true);
	next->servers[1].hangs = false;
	next->servers[1].shown.answered = true;
	recent_note(next);
	check_away("it answers", false, false);
	next->servers[1].hangs = true;
	recent_note(next);
	test_config.state_dir = "/nonexistent/state/dir";
	check_away("no directory", false, false);
	x2gobroker_farm_free(next);
	x2gobroker_farm_free(farm);
}

/* What ts01 lacks, as the next request knows. */
static unsigned int
lacks_of(void)
{
	struct x2gobroker_farm *farm = two_servers();
	unsigned int lacks = farm->servers[1].lacks;

	assert_int_equal(farm->servers[0].lacks, 0);
	x2gobroker_farm_free(farm);
	return lacks;
}

static void
what_an_agent_lacks_is_remembered(void **state)
{
	static const unsigned int found[] = { LACKS_STATUS, LACKS_ALL,
	    LACKS_COUNTS, 0 };
	struct x2gobroker_farm *farm = begin(state), *next;
	struct query query;
	size_t i;

	assert_int_equal(lacks_of(), 0);
	for (i = 0; i < LENGTH(found); i++) {
		next = two_servers();
		farm_init_query(next, &query, &query_all,
		    &next->servers[1].target);
		assert_int_equal(query.lacks, next->servers[1].lacks);
		query.lacks = found[i];
		farm_note_query(next, &query);
		farm_note_query(next, &query);
		x2gobroker_farm_free(next);
		assert_int_equal(lacks_of(), found[i]);
	}
	/* not a server of this farm */
	farm_init_query(farm, &query, &query_all, &ts01);
	query.lacks = LACKS_ALL;
	farm_note_query(farm, &query);
	assert_int_equal(lacks_of(), 0);
	write_news("ts01:22", "no-status", "-", RECENT_LACKS_SECONDS - 2);
	assert_int_equal(lacks_of(), LACKS_STATUS);
	write_news("ts01:22", "no-status", "-", RECENT_LACKS_SECONDS + 2);
	assert_int_equal(lacks_of(), 0);
	x2gobroker_farm_free(farm);
}

/* As recalled: 1 ts01 has hung, 2 has let nobody in, 4 pending. */
static unsigned int
recalled(void)
{
	struct x2gobroker_farm *farm = two_servers();
	const struct x2gobroker_server *idle, *other;
	unsigned int result;

	assert_int_equal(x2gobroker_farm_recall(farm, NULL), 0);
	idle = x2gobroker_farm_server(farm, 0);
	assert_false(idle->has_hung || idle->has_refused || idle->pending > 0);
	other = x2gobroker_farm_server(farm, 1);
	result = (unsigned int)other->has_hung + 2 * other->has_refused +
	    4 * (unsigned int)other->pending;
	x2gobroker_farm_free(farm);
	return result;
}

static void
what_requests_found_is_recalled(void **state)
{
	struct x2gobroker_farm *farm = begin(state);
	struct x2gobroker_error err;
	struct assignments *all;

	assert_int_equal(recalled(), 0);
	write_news("ts01:22", "hung", "it hung", 3);
	assert_int_equal(recalled(), 1);
	write_news("ts01:22", "failed", "no", RECENT_FAILURE_SECONDS - 2);
	assert_int_equal(recalled(), 2);
	write_news("ts01:22", "failed", "no", RECENT_FAILURE_SECONDS + 2);
	assert_int_equal(assignments_open(test_config.state_dir, time(NULL),
	    &all, NULL), 0);
	assert_int_equal(assignments_add(all, "ts01:22", "bob", "desk", NULL),
	    0);
	assignments_close(all);
	assert_int_equal(recalled(), 4);

	rows_forget("state/" ASSIGNMENTS_DIR);
	assert_int_equal(rmdir(test_path("state/" ASSIGNMENTS_DIR)), 0);
	write_file("state/" ASSIGNMENTS_DIR, "");
	assert_int_equal(x2gobroker_farm_recall(farm, &err), -1);
	assert_non_null(strstr(err.file, ASSIGNMENTS_DIR));
	unlink(test_path("state/" ASSIGNMENTS_DIR));
	test_config.state_dir = "/nonexistent/state/dir";
	assert_int_equal(x2gobroker_farm_recall(farm, &err), -1);
	x2gobroker_farm_free(farm);
}

/* What explain says of ts01; free it. */
static char *
warning_of(const char *host)
{
	struct x2gobroker_farm *farm;
	char *text;

	assert_int_equal(x2gobroker_farm_new(&test_config, NULL, &farm, NULL),
	    0);
	assert_int_equal(x2gobroker_farm_add_host(farm, host, NULL), 0);
	assert_int_equal(x2gobroker_farm_recall(farm, NULL), 0);
	text = strdup(x2gobroker_farm_server(farm, 0)->warning);
	x2gobroker_farm_free(farm);
	return text;
}

static void
a_host_of_sessions_that_is_not_known_is_recalled(void **state)
{
	static const char line[] = "OK\n"
	    "|alice-50-1763930965_stDXFCE_dp24|50|node7|S|"
	    "2026-11-23T20:49:25||192.0.2.7|||2026-11-23T20:49:25|alice|877|"
	    "\n";
	struct x2gobroker_farm *farm = begin(state), *next;
	struct query query;
	char *text;

	next = two_servers();
	query_init(&query, &query_sessions, &next->servers[1].target, "alice");
	assert_int_equal(query_take(&query, "listsessions", line,
	    sizeof(line) - 1, NULL), 0);
	next->servers[1].unknown_host = query.report.sessions;
	recent_note_names(next);
	assert_string_equal(rows_text("state/" RECENT_DIR), "");
	next->servers[1].nunknown_host = 1;
	recent_note_names(next);
	recent_note_names(next);
	assert_non_null(strstr(rows_text("state/" RECENT_DIR),
	    " ts01:22 name node7\n"));
	assert_null(strchr(strchr(rows_text("state/" RECENT_DIR), '\n') + 1,
	    '\n'));
	text = warning_of("ts01");
	assert_non_null(strstr(text, "write: host = node7 (ts01)"));
	free(text);
	/* once it is written, all is well */
	text = warning_of("node7 (ts01)");
	assert_string_equal(text, "");
	free(text);
	write_news("ts01:22", "name", "node7", RECENT_NAME_SECONDS + 2);
	text = warning_of("ts01");
	assert_string_equal(text, "");
	free(text);
	test_config.state_dir = "/nonexistent/state/dir";
	recent_note_names(next);
	query_free(&query);
	x2gobroker_farm_free(next);
	x2gobroker_farm_free(farm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rush_knocks_once),
		cmocka_unit_test(
		    old_news_and_news_from_the_future_are_forgotten),
		cmocka_unit_test(a_knock_of_another_request_is_waited_for),
		cmocka_unit_test(without_a_state_directory_each_one_knocks),
		cmocka_unit_test(the_reason_of_a_ban_is_told),
		cmocka_unit_test(a_server_that_hung_is_asked_by_one_request),
		cmocka_unit_test(what_an_agent_lacks_is_remembered),
		cmocka_unit_test(what_requests_found_is_recalled),
		cmocka_unit_test(
		    a_host_of_sessions_that_is_not_known_is_recalled),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
