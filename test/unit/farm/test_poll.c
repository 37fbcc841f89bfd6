/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All servers of a farm at once: what is taken over from their answers.  Linked
 * with --wrap for the functions of failing_malloc.h and fake_connection.h.
 */
#include "base/clock.h"
#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_connection.h"
#include "state_rows.h"

#define SESSION(id, host, last) "1|alice-" id "-1763930965_stDXFCE_dp24|" id \
		"|" host "|S|2026-11-23T20:49:25|d5ac5e1b|192.0.2.7|30001|" \
		"30002|" last "|alice|877|30003|-1|-1\n"
#define STATUS	"OK\nloadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\nsessions:17\n"

static char known_hosts[100];

static int
setup(void **state)
{
	play_servers(NULL);
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(known_hosts, sizeof(known_hosts), "%s/known_hosts", test_dir);
	test_config.agent_known_hosts = known_hosts;
	test_config.servers_share_database = false;
	test_config.servers_to_ask = 0;
	return 0;
}

/* What is in known_hosts. */
static const char *
added(void)
{
	static char text[200];
	FILE *fp = fopen(known_hosts, "r");

	text[0] = '\0';
	if (fp == NULL)
		return text;
	text[fread(text, 1, sizeof(text) - 1, fp)] = '\0';
	fclose(fp);
	return text;
}

static void
note(void *arg, size_t done, size_t n, const struct x2gobroker_server *server)
{
	size_t *count = arg;

	assert_int_equal(++*count, done);
	assert_int_equal(n, 2);
	assert_true(server->asked);
}

/* One database for both: each tells of both sessions, and each is listed once,
 * with the server that it is on. */
static void
sessions_are_listed_once(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS
		    "session:" SESSION("51", "ts02", "2026-11-23T20:00:01")
		    "session:" SESSION("50", "ts01", "2026-11-23T20:00:00")
		    "session:" SESSION("52", "ts03", "2026-11-23T20:00:02")
		    "END\n" },
		{ 0 },
	};
	struct x2gobroker_farm *farm = farm_of(2);
	const struct x2gobroker_session *session;
	size_t i, told = 0;

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_ask(farm, note, &told, NULL), 0);
	assert_int_equal(told, 2);
	for (i = 0; (session = x2gobroker_farm_session(farm, i)) != NULL; i++)
		if (strcmp(session->host, "ts03") != 0)
			assert_int_equal(session->server,
			    strcmp(session->host, "ts02") == 0);
	assert_int_equal(i, 3);
	x2gobroker_farm_free(farm);
}

static void
who_fails_has_a_reason(void **state unused)
{
	static const struct said rows[] = {
		{ "ts01", "status", X2GOBROKER_OK, STATUS "END\n" },
		{ "ts02", "open", X2GOBROKER_ERR_SYSTEM, "no way" },
		{ 0 },
	};
	struct x2gobroker_farm *farm = farm_of(2);
	const struct x2gobroker_server *server;

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	server = x2gobroker_farm_server(farm, 0);
	assert_non_null(server);
	assert_true(server->asked && server->answered);
	assert_int_equal(server->sessions, 17);
	assert_string_equal(server->error, "");
	server = x2gobroker_farm_server(farm, 1);
	assert_non_null(server);
	assert_true(server->asked && !server->answered);
	assert_string_equal(server->error, "no way");
	assert_null(x2gobroker_farm_server(farm, 2));
	x2gobroker_farm_free(farm);
}

/* The file that is to blame is named, as only the text is told. */
static void
without_a_key_nobody_is_asked(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(2);
	const struct x2gobroker_server *server;
	size_t i;

	link_played.no_setup = true;
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++) {
		assert_true(server->asked && !server->answered);
		assert_string_equal(server->error, "/the/key: no service key");
	}
	assert_string_equal(link_played.calls, "");
	x2gobroker_farm_free(farm);
}

/* ts02 hung 20 seconds ago, and another request is trying it. */
static struct x2gobroker_farm *
farm_with_one_away(void)
{
	struct x2gobroker_farm *farm;
	static char dir[100];
	char row[100];
	int i;

	snprintf(dir, sizeof(dir), "%s", test_path("state"));
	test_config.state_dir = dir;
	rows_forget("state/" RECENT_DIR);
	mkdir(test_path("state"), 0700);
	mkdir(test_path("state/" RECENT_DIR), 0700);
	for (i = 1; i <= 2; i++) {
		snprintf(row, sizeof(row), "%lld ts02:22 %s it hung",
		    (long long)time(NULL) - (i == 1 ? 20 : 0),
		    i == 1 ? "hung" : "trying");
		row_write("state/" RECENT_DIR, i, row);
	}
	farm = farm_of(2);
	return farm;
}

static void
a_server_that_hung_is_left_out(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS "END\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_with_one_away();
	const struct x2gobroker_server *server;

	play_servers(rows);
	assert_int_equal(poll_servers(farm, &query_all, 5, NULL, NULL, NULL,
	    NULL), 0);
	assert_null(strstr(link_played.calls, "ts02"));
	server = x2gobroker_farm_server(farm, 1);
	assert_non_null(server);
	assert_true(server->asked && !server->answered);
	assert_non_null(strstr(server->error, "not asked, because 2"));
	/* who wants to see how servers are asks it */
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	assert_non_null(strstr(link_played.calls, "ts02"));
	x2gobroker_farm_free(farm);
}

/* As servers that share a database know of it. */
static void
a_server_that_hung_is_asked_for_a_session(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS "session:"
		    SESSION("51", "ts02", "2026-11-23T20:00:01") "END\n" },
		{ 0 },
	};
	struct x2gobroker_farm *farm = farm_with_one_away();
	const struct x2gobroker_session *session;

	play_servers(rows);
	assert_int_equal(poll_servers(farm, &query_all, 5, NULL, NULL, NULL,
	    NULL), 0);
	assert_non_null(strstr(link_played.calls, "ts02 status"));
	assert_true(farm->servers[1].shown.answered);
	session = x2gobroker_farm_session(farm, 0);
	assert_non_null(session);
	assert_int_equal(session->server, 1);
	assert_null(x2gobroker_farm_session(farm, 1));
	x2gobroker_farm_free(farm);
}

/* The servers that are asked, of a farm whose answers are rows. */
static size_t
count_asked(const struct said *rows, const struct question *question,
    struct x2gobroker_farm *farm)
{
	size_t i, n = 0;

	play_servers(rows);
	assert_int_equal(poll_servers(farm, question, 5, NULL, NULL, NULL,
	    NULL), 0);
	for (i = 0; i < farm->nservers; i++) {
		n += farm->servers[i].shown.asked;
		assert_true(farm->servers[i].shown.asked ||
		    *x2gobroker_farm_server(farm, i)->error == '\0');
	}
	return n;
}

static const struct said all_answer[] = {
	{ NULL, "status", X2GOBROKER_OK, STATUS "END\n" },
	{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" }, { 0 },
};

static void
a_few_servers_answer_for_all(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(20);
	bool seen[20] = { false };
	size_t i, n = 0;

	assert_int_equal(count_asked(all_answer, &query_sessions, farm), 20);
	test_config.servers_share_database = true;
	assert_int_equal(count_asked(all_answer, &query_sessions, farm), 3);
	assert_int_equal(count_asked(all_answer, &query_all, farm), 20);
	test_config.servers_to_ask = 5;
	while (n < 20) {	/* each one has its turn */
		assert_int_equal(count_asked(all_answer, &query_all, farm),
		    5);
		for (i = 0; i < 20; i++)
			if (farm->servers[i].shown.asked && !seen[i]) {
				seen[i] = true;
				n++;
			}
	}
	/* who wants to see how servers are asks all */
	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	for (i = 0; i < 20; i++)
		assert_true(farm->servers[i].shown.answered);
	x2gobroker_farm_free(farm);
}

static void
who_has_a_session_is_asked_besides(void **state unused)
{
	static const struct said rows[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS "session:"
		    SESSION("51", "ts17", "2026-11-23T20:00:01") "END\n" },
		{ 0 },
	};
	struct x2gobroker_farm *farm = farm_of(20);
	const struct x2gobroker_session *session;
	size_t n;

	test_config.servers_share_database = true;
	test_config.servers_to_ask = 2;
	n = count_asked(rows, &query_all, farm);
	assert_int_in_range(n, 2, 3);
	assert_true(farm->servers[16].shown.answered);
	session = x2gobroker_farm_session(farm, 0);
	assert_non_null(session);
	assert_int_equal(session->server, 16);
	x2gobroker_farm_free(farm);
}

/* The last one that can be asked is. */
static void
others_are_asked_when_a_sample_fails(void **state unused)
{
	static const struct said rows[] = {
		{ "ts07", "status", X2GOBROKER_OK, STATUS "END\n" },
		{ "ts07", "open", X2GOBROKER_OK, "" },
		{ NULL, "open", X2GOBROKER_ERR_SYSTEM, "no way" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of(20);

	test_config.servers_share_database = true;
	test_config.servers_to_ask = 1;
	count_asked(rows, &query_all, farm);
	assert_true(farm->servers[6].shown.answered);

	/* it cannot be used: all others are asked */
	while (poll_more(farm, NULL) == 1)
		assert_int_in_range(link_played.left_ms, 900, 5000);
	assert_int_equal(farm->nsessions, 0);
	assert_non_null(strstr(link_played.calls, "ts07"));
	assert_string_equal(x2gobroker_farm_server(farm, 19)->error,
	    "no way");
	farm->deadline = 0;
	count_asked(all_answer, &query_all, farm);
	assert_int_equal(poll_more(farm, NULL), 0);
	x2gobroker_farm_free(farm);
}

/* So that a hanging sample leaves time for others. */
static void
a_sample_has_half_of_the_time(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(2);

	count_asked(all_answer, &query_all, farm);
	assert_int_in_range(link_played.left_ms, 4000, 5000);
	test_config.servers_share_database = true;
	test_config.servers_to_ask = 1;
	count_asked(all_answer, &query_all, farm);
	assert_int_in_range(link_played.left_ms, 1500, 2500);
	farm->answer_by = 0;
	assert_int_equal(poll_more(farm, NULL), 1);
	assert_int_in_range(link_played.left_ms, 500, 1000);
	x2gobroker_farm_free(farm);
}

static void
drained_servers_are_asked_last(void **state unused)
{
	struct drained_host list[] = {
		{ .name = (char *)(uintptr_t)"ts01" },
		{ .name = (char *)(uintptr_t)"ts03" },
	};
	struct x2gobroker_drained drained = { list, LENGTH(list) };
	struct x2gobroker_farm *farm = farm_of(3);
	int i;

	test_config.servers_share_database = true;
	test_config.servers_to_ask = 1;
	farm->drained = &drained;
	for (i = 0; i < 10; i++) {
		assert_int_equal(count_asked(all_answer, &query_all, farm),
		    1);
		assert_true(farm->servers[1].shown.answered);
	}
	test_config.servers_to_ask = 2;
	assert_int_equal(count_asked(all_answer, &query_all, farm), 2);
	farm->drained = NULL;
	x2gobroker_farm_free(farm);
}

/* Nobody else is left: it may be well by now. */
static void
a_server_that_hung_is_asked_last(void **state unused)
{
	struct x2gobroker_farm *farm = farm_with_one_away();

	count_asked(all_answer, &query_all, farm);
	assert_false(farm->servers[1].shown.answered);
	assert_int_equal(poll_more(farm, NULL), 1);
	assert_true(farm->servers[1].shown.answered);
	assert_int_equal(poll_more(farm, NULL), 0);
	x2gobroker_farm_free(farm);

	/* it is no sample when there are others */
	test_config.servers_share_database = true;
	test_config.servers_to_ask = 1;
	farm = farm_with_one_away();
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts03", NULL), 0);
	while (!farm->servers[2].shown.answered) {
		count_asked(all_answer, &query_all, farm);
		assert_false(farm->servers[1].shown.answered);
	}

	x2gobroker_farm_free(farm);

	/* where all hung, all are asked */
	farm = farm_with_one_away();
	farm->servers[0].target = farm->servers[1].target;
	assert_int_equal(count_asked(all_answer, &query_all, farm), 2);
	assert_true(farm->servers[0].shown.answered);
	assert_true(farm->servers[1].shown.answered);
	x2gobroker_farm_free(farm);
}

static void
a_farm_without_servers_has_no_sessions(void **state unused)
{
	struct x2gobroker_farm *farm = farm_of(0);

	assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL), 0);
	assert_null(x2gobroker_farm_session(farm, 0));
	x2gobroker_farm_free(farm);
}

/* An unknown key, by policy: what is warned of, and whether it is added. */
static void
the_policy_says_what_becomes_of_a_key(void **state unused)
{
	static const struct {
		enum hostkey_policy policy;
		mode_t mode;	/* of the directory */
		const char *warning, *added;
	} rows[] = {
		{ HOSTKEY_WARN, 0755, "because of WarningPolicy", "" },
		{ HOSTKEY_ADD, 0777, "which cannot be added: ", "" },
		{ HOSTKEY_ADD, 0755, "because of AutoAddPolicy",
		    "ts01 ssh-ed25519 A\n" },
	};
	static const struct said said[] = {
		{ NULL, "status", X2GOBROKER_OK, STATUS "END\n" }, { 0 },
	};
	const struct x2gobroker_server *server;
	struct x2gobroker_farm *farm;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		farm = farm_of(1);
		farm->servers[0].target.policy = rows[i].policy;
		play_servers(said);
		link_played.new_key = "ts01 ssh-ed25519 A";
		assert_int_equal(chmod(test_dir, rows[i].mode), 0);
		assert_int_equal(x2gobroker_farm_ask(farm, NULL, NULL, NULL),
		    0);
		server = x2gobroker_farm_server(farm, 0);
		assert_non_null(server);
		check(rows[i].warning, server->answered);
		check(rows[i].warning, strstr(server->warning,
		    rows[i].warning) != NULL);
		check_text(rows[i].warning, added(), rows[i].added);
		x2gobroker_farm_free(farm);
	}
}

/* Debian's agent needs no store, and an old sshd ends no key. */
static void
servers_tell_whether_keys_can_be_stored(void **state unused)
{
	static const struct said said[] = {
		{ "ts01", "checkstore", X2GOBROKER_OK, "OK\n" },
		{ "ts02", "checkstore", X2GOBROKER_ERR_DENIED, "not read" },
		{ "ts02", "availabletasks", X2GOBROKER_OK, "OK\nx\nstatus\n" },
		{ "ts03", "checkstore", X2GOBROKER_OK, "" },
		{ "ts03", "availabletasks", X2GOBROKER_OK, "OK\nx\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of(3);
	size_t i;

	play_servers(said);
	link_played.openssh = OPENSSH_VERSION(9, 2);
	assert_int_equal(x2gobroker_farm_check_stores(farm, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_string_equal(x2gobroker_farm_server(farm, i)->error,
		    i == 1 ? "not read" : "");
	link_played.openssh = OPENSSH_VERSION(7, 6);
	assert_int_equal(x2gobroker_farm_check_stores(farm, NULL), 0);
	for (i = 0; i < 3; i++)
		assert_false(x2gobroker_farm_server(farm, i)->answered);
	x2gobroker_farm_free(farm);
}

/* To be shown and to be added by a person. */
static void
host_keys_can_be_asked_for(void **state unused)
{
	static const struct said said[] = {
		{ "ts01", "open", X2GOBROKER_ERR_DENIED, "not known" },
		{ "ts02", "open", X2GOBROKER_ERR_DENIED, "not known" },
		{ "ts03", "open", X2GOBROKER_ERR_SYSTEM, "no way" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of(3);
	const struct x2gobroker_host_key *key;
	struct x2gobroker_error err;
	const char *path;
	size_t i;

	play_servers(said);
	assert_int_equal(x2gobroker_farm_trust(farm, 0, NULL, &err), -1);
	assert_string_equal(err.text, "no new host key");
	link_played.new_key = "tsXX ssh-ed25519 A";
	assert_int_equal(x2gobroker_farm_get_host_keys(farm, NULL), 0);
	for (i = 0; (key = x2gobroker_farm_host_key(farm, i)) != NULL; i++) {
		assert_string_equal(key->fingerprint, "SHA256:finger");
		assert_string_equal(key->error, "");
	}
	assert_int_equal(i, 3);
	assert_int_equal(x2gobroker_farm_trust(farm, 1, &path, &err), 0);
	assert_string_equal(path, known_hosts);
	assert_string_equal(added(), "tsXX ssh-ed25519 A\n");
	assert_int_equal(x2gobroker_farm_trust(farm, 3, NULL, &err), -1);
	assert_int_equal(chmod(test_dir, 0777), 0);
	assert_int_equal(x2gobroker_farm_trust(farm, 1, NULL, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);

	play_servers(said);
	assert_int_equal(x2gobroker_farm_get_host_keys(farm, NULL), 0);
	key = x2gobroker_farm_host_key(farm, 2);
	assert_non_null(key);
	assert_string_equal(key->error, "no way");
	assert_string_equal(key->line, "");
	x2gobroker_farm_free(farm);
}

/* A server fails, or all of it does, and nothing is lost. */
static void
without_memory_it_fails(void **state unused)
{
	static const struct said said[] = {
		{ NULL, "knock", X2GOBROKER_OK, "" }, { 0 },
	};
	struct x2gobroker_farm *farm = farm_of(1);
	struct x2gobroker_error err;
	int n, result;

	play_servers(said);
	farm->patient = true;	/* what is remembered is not needed */
	for (n = 1;; n++) {
		alloc_fail(n);
		result = poll_servers(farm, &query_knock, 5, NULL, NULL,
		    NULL, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	}
	assert_int_equal(result, 0);
	assert_true(n > 3);
	x2gobroker_farm_free(farm);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sessions_are_listed_once),
		TEST(who_fails_has_a_reason),
		TEST(without_a_key_nobody_is_asked),
		TEST(a_server_that_hung_is_left_out),
		TEST(a_server_that_hung_is_asked_for_a_session),
		TEST(a_few_servers_answer_for_all),
		TEST(who_has_a_session_is_asked_besides),
		TEST(others_are_asked_when_a_sample_fails),
		TEST(a_sample_has_half_of_the_time),
		TEST(drained_servers_are_asked_last),
		TEST(a_server_that_hung_is_asked_last),
		TEST(a_farm_without_servers_has_no_sessions),
		TEST(the_policy_says_what_becomes_of_a_key),
		TEST(servers_tell_whether_keys_can_be_stored),
		TEST(host_keys_can_be_asked_for),
		TEST(without_memory_it_fails),
	};

	return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
