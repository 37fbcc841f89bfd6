/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/syscall.h>

#include <unistd.h>

#include "farm/farm.h"
#include "support.h"
#include "state_rows.h"

/* So many brokers are faster than this one, and choose the same server for carol. */
static int faster;

int
symlinkat(const char *text, int fd, const char *name)
{
	char other[256], *user;

	if (faster > 0) {
		faster--;
		snprintf(other, sizeof(other), "%s", text);
		user = strstr(other, "alice");
		assert_non_null(user);
		memcpy(user, "carol", 5);
		assert_int_equal(syscall(SYS_symlinkat, other, fd, name), 0);
	}
	return (int)syscall(SYS_symlinkat, text, fd, name);
}

/* A farm that has answered: three servers, of which one can be made worse. */
struct play {
	struct x2gobroker_profiles *profiles;
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm;
	struct host *hosts;
	size_t n;
};

static void
begin(struct play *play, const char *more)
{
	struct problems problems;
	struct agent_report *report;
	char text[500];
	size_t i;

	snprintf(text, sizeof(text), "[p]\nname=P\nbroker-agent-query-mode=SSH\n"
	    "host=ts01 (192.0.2.1), ts02 (192.0.2.2:2222), ts03\n%s\n", more);
	play->profiles = load_text(text, &problems);
	play->profile = x2gobroker_profiles_find(play->profiles, "p");
	assert_non_null(play->profile);
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice",
	    &play->farm, NULL), 0);
	assert_int_equal(x2gobroker_farm_add(play->farm, play->profile, NULL),
	    0);
	assert_int_equal(play->farm->nservers, 3);
	for (i = 0; i < play->farm->nservers; i++) {
		report = &play->farm->servers[i].report;
		play->farm->servers[i].shown.asked = true;
		play->farm->servers[i].shown.answered = true;
		report->load_known = true;
		report->load_factor = 1000;
		report->count = 5;
	}
	assert_int_equal(farm_hosts(NULL, play->profile, &play->hosts, &play->n,
	    NULL), 0);
}

static void
end(struct play *play)
{
	free(play->hosts);
	x2gobroker_farm_free(play->farm);
	x2gobroker_profiles_free(play->profiles);
}

/* The name of the host that is chosen for user, or "-". */
static const char *
choose(struct play *play, const char *user, bool remember,
    struct x2gobroker_error *err)
{
	struct reporter rep = { 0 };
	size_t chosen;

	if (balance_choose_host(play->farm, play->profile, play->hosts, play->n, user,
	    remember, &rep, &chosen, err) == -1)
		return "-";
	return play->hosts[chosen].name;
}

static void
fail_server(struct play *play, size_t i, const char *why)
{
	play->farm->servers[i].shown.answered = false;
	error_set(farm_error(&play->farm->servers[i]), X2GOBROKER_ERR_SYSTEM, NULL,
	    0, "%s", why);
}

static int
make_state(void **state)
{
	static char dir[100];

	if (make_test_dir(state) == -1)
		return -1;
	snprintf(dir, sizeof(dir), "%s/state", test_dir);
	test_config.state_dir = dir;
	return 0;
}

static void
forget_choices(void)
{
	rows_forget("state/" ASSIGNMENTS_DIR);
}

static void
the_least_busy_one_is_chosen(void **state unused)
{
	struct play play;
	int i;

	begin(&play, "");
	play.farm->servers[1].report.count = 1;
	for (i = 0; i < 20; i++)
		check("fewest sessions", strcmp(choose(&play, "alice", false,
		    NULL), "ts02") == 0);
	play.farm->servers[2].report.load_factor = 100000;
	check("most room", strcmp(choose(&play, "alice", false, NULL),
	    "ts03") == 0);
	test_config.load_balancing = BALANCE_SESSIONS;
	check("whatever the load", strcmp(choose(&play, "alice", false, NULL),
	    "ts02") == 0);
	test_config.load_balancing = BALANCE_LOAD;
	end(&play);
}

static void
weights_are_found_by_name(void **state unused)
{
	struct play play;

	test_config.load_balancing = BALANCE_SESSIONS;
	begin(&play, "broker-host-weights=ts03:400, 192.0.2.1:50, other:9000");
	check_text("weights", choose(&play, "alice", false, NULL), "ts03");
	/* 6/4 against 2/1 */
	play.farm->servers[1].report.count = 0;
	check_text("weights", choose(&play, "alice", false, NULL), "ts02");
	test_config.load_balancing = BALANCE_LOAD;
	end(&play);
}

static void
choices_of_a_moment_ago_count(void **state unused)
{
	static const char *const users[] = { "u1", "u2", "u3", "u4", "u5",
	    "u6", "u7", "u8", "u9" };
	unsigned int turns[3] = { 0 };
	const char *name;
	struct play play;
	size_t i;

	forget_choices();
	begin(&play, "");
	for (i = 0; i < LENGTH(users); i++) {
		name = choose(&play, users[i], true, NULL);
		assert_memory_equal(name, "ts0", 3);
		turns[name[3] - '1']++;
	}
	for (i = 0; i < LENGTH(turns); i++)
		assert_int_equal(turns[i], 3);
	/* an onlooker leaves no trace */
	for (i = 0; i < 20; i++)
		choose(&play, NULL, false, NULL);
	assert_int_equal(play.farm->servers[0].shown.pending +
	    play.farm->servers[1].shown.pending + play.farm->servers[2].shown.pending, 9);
	end(&play);
	forget_choices();
}

static void
a_choice_of_another_broker_meanwhile_counts(void **state unused)
{
	struct play play;
	size_t i;

	forget_choices();
	begin(&play, "");
	faster = 1;
	assert_memory_equal(choose(&play, "alice", true, NULL), "ts0", 3);
	assert_int_equal(faster, 0);
	choose(&play, NULL, false, NULL);
	for (i = 0; i < 3; i++)
		assert_int_in_range(play.farm->servers[i].shown.pending, 0, 1);
	assert_int_equal(play.farm->servers[0].shown.pending +
	    play.farm->servers[1].shown.pending + play.farm->servers[2].shown.pending, 2);
	end(&play);
	forget_choices();
}

static void
limits_count_those_on_their_way(void **state unused)
{
	const char *before = test_config.state_dir;
	struct x2gobroker_error err;
	struct play play;

	forget_choices();
	begin(&play, "broker-host-limits=TS01:7, 192.0.2.2:5, ts03:4, other:1");
	check_text("room for two", choose(&play, "alice", true, NULL), "ts01");
	check_text("for one more", choose(&play, "bob", true, NULL), "ts01");
	check_text("full", choose(&play, "carol", true, &err), "-");
	check("why", strstr(err.text, "ts01, ts02, ts03: it has as many "
	    "sessions as broker-host-limits allows") != NULL);
	check("shown", strstr(x2gobroker_farm_server(play.farm,
	    0)->unusable, "as many sessions") != NULL);
	/* it would be the same session */
	check_text("who tries again", choose(&play, "bob", true, NULL),
	    "ts01");
	play.farm->servers[2].report.count = -1;
	check_text("not known", choose(&play, "carol", true, NULL), "ts03");
	test_config.state_dir = "/nonexistent/state/dir";
	play.farm->servers[2].report.count = 4;
	check_text("no directory", choose(&play, "dave", false, NULL), "ts01");
	play.farm->servers[0].report.count = 7;
	check_text("no directory, full", choose(&play, "dave", false, NULL),
	    "-");
	test_config.state_dir = before;
	end(&play);
	forget_choices();
}

/* Of a profile with one server, too. */
static void
the_only_server_has_a_limit(void **state unused)
{
	struct play play;

	forget_choices();
	begin(&play, "broker-host-limits=ts01:6");
	play.n = 1;
	check_text("room for one", choose(&play, "alice", true, NULL), "ts01");
	check_text("full", choose(&play, "bob", true, NULL), "-");
	end(&play);
	forget_choices();
}

static void
who_is_down_or_drained_is_left_out(void **state unused)
{
	struct x2gobroker_error err;
	struct play play;
	int i;

	test_config.drain_file = write_file("drained", "ts02\n");
	begin(&play, "");
	fail_server(&play, 0, "connection refused");
	for (i = 0; i < 20; i++)
		check_text("the one that is left", choose(&play, "alice",
		    false, NULL), "ts03");
	fail_server(&play, 2, "it did not answer in time");
	check_text("none", choose(&play, "alice", false, &err), "-");
	check("none", err.code == X2GOBROKER_ERR_NOTFOUND);
	check("none", strstr(err.text, "ts01: connection refused") != NULL);
	check("none", strstr(err.text, "ts02: drained") != NULL);
	check("none", strstr(err.text, "ts03: it did not answer") != NULL);
	end(&play);
	test_config.drain_file = "";
}

static void
a_server_that_cannot_count_is_counted_by_its_database(void **state unused)
{
	struct agent_tally *counts;
	struct play play;
	size_t i;

	begin(&play, "");
	for (i = 0; i < 3; i++) {
		counts = calloc(3, sizeof(*counts));
		assert_non_null(counts);
		/* each one tells lies about the others */
		counts[0] = (struct agent_tally){ strdup("ts01.lab"),
		    i == 0 ? 9 : 0 };
		counts[1] = (struct agent_tally){ strdup("ts02"),
		    i == 1 ? 2 : 99 };
		counts[2] = (struct agent_tally){ strdup("ts03"),
		    i == 2 ? 4 : 0 };
		play.farm->servers[i].report.counts = counts;
		play.farm->servers[i].report.ncounts = 3;
		play.farm->servers[i].report.count = -1;
	}
	check_text("counts", choose(&play, "alice", false, NULL), "ts02");
	play.farm->servers[0].report.count = 1;
	check_text("its own word counts more", choose(&play, "alice", false,
	    NULL), "ts01");
	end(&play);
}

static void
without_a_state_directory_it_goes_on(void **state unused)
{
	const char *before = test_config.state_dir;
	struct problems problems = { .n = 0 };
	struct reporter rep = { .fn = collect, .arg = &problems };
	struct play play;
	size_t chosen;

	begin(&play, "");
	test_config.state_dir = "/nonexistent/state/dir";
	assert_int_equal(balance_choose_host(play.farm, play.profile, play.hosts,
	    play.n, "alice", true, &rep, &chosen, NULL), 0);
	assert_int_equal(problems.n, 1);
	assert_int_equal(problems.list[0].code, X2GOBROKER_WARNING);
	test_config.state_dir = before;
	end(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_busy_one_is_chosen),
		cmocka_unit_test(weights_are_found_by_name),
		cmocka_unit_test(choices_of_a_moment_ago_count),
		cmocka_unit_test(a_choice_of_another_broker_meanwhile_counts),
		cmocka_unit_test(limits_count_those_on_their_way),
		cmocka_unit_test(the_only_server_has_a_limit),
		cmocka_unit_test(who_is_down_or_drained_is_left_out),
		cmocka_unit_test(
		    a_server_that_cannot_count_is_counted_by_its_database),
		cmocka_unit_test(without_a_state_directory_it_goes_on),
	};

	return cmocka_run_group_tests(tests, make_state, remove_test_dir);
}
