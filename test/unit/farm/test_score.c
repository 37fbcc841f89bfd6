/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which server is chosen; chance is a number of the test's own.
 */
#include <limits.h>

#include "farm/farm.h"
#include "support.h"

uint32_t	__real_arc4random_uniform(uint32_t bound);
uint32_t	__wrap_arc4random_uniform(uint32_t bound);

/* What comes instead of chance; -1: chance. */
static int chance = -1;

uint32_t
__wrap_arc4random_uniform(uint32_t bound)
{
	return chance == -1 ? __real_arc4random_uniform(bound) :
	    (uint32_t)chance % bound;
}

#define USABLE(...)	{ .weight = 100, __VA_ARGS__ }
#define LOAD(f)		.load_known = true, .load_factor = (f)

static void
the_best_server_is_chosen(void **state unused)
{
	static const struct {
		const char *label;
		enum load_balancing balancing;
		struct candidate list[3];
		int best;
	} rows[] = {
		{ "less load", BALANCE_LOAD, {
		    USABLE(LOAD(100)), USABLE(LOAD(300)), USABLE(LOAD(200)) },
		    1 },
		{ "sessions count against it", BALANCE_LOAD, {
		    USABLE(LOAD(100)), USABLE(LOAD(300), .sessions = 5),
		    USABLE(LOAD(200), .sessions = 2) }, 0 },
		{ "choices of the last moments, too", BALANCE_LOAD, {
		    USABLE(LOAD(100)), USABLE(LOAD(300), .pending = 5),
		    USABLE(LOAD(200)) }, 2 },
		{ "both", BALANCE_LOAD, {
		    USABLE(LOAD(100), .sessions = 1, .pending = 1),
		    USABLE(LOAD(100), .sessions = 2, .pending = 1),
		    USABLE(LOAD(100), .sessions = 1, .pending = 2) }, 0 },
		{ "weights do not count with load", BALANCE_LOAD, {
		    { .weight = 10000, LOAD(100) },
		    { .weight = 1, LOAD(200) },
		    { .weight = 10000, LOAD(100) } }, 1 },
		{ "load is not known of the best", BALANCE_LOAD, {
		    USABLE(LOAD(100), .sessions = 50), USABLE(.sessions = 0),
		    USABLE(LOAD(100), .sessions = 49) }, 2 },
		{ "load is known of none", BALANCE_LOAD, {
		    USABLE(.sessions = 3), USABLE(.sessions = 1),
		    USABLE(.sessions = 2) }, 1 },
		{ "load is known of one that is not usable", BALANCE_LOAD, {
		    { .why = "down", .weight = 100, LOAD(100) },
		    USABLE(.sessions = 2), USABLE(.sessions = 1) }, 2 },
		{ "no load at all", BALANCE_LOAD, {
		    USABLE(LOAD(0)), USABLE(LOAD(2)), USABLE(LOAD(1)) }, 1 },
		{ "as much as there can be", BALANCE_LOAD, {
		    USABLE(LOAD(UINT64_MAX), .sessions = LONG_MAX,
		    .pending = LONG_MAX), USABLE(LOAD(UINT64_MAX)),
		    USABLE(LOAD(1), .sessions = LONG_MAX,
		    .pending = LONG_MAX) }, 1 },
		{ "fewer sessions", BALANCE_SESSIONS, {
		    USABLE(.sessions = 2), USABLE(.sessions = 1),
		    USABLE(.sessions = 3) }, 1 },
		{ "load does not count then", BALANCE_SESSIONS, {
		    USABLE(LOAD(9999), .sessions = 2), USABLE(.sessions = 1),
		    USABLE(LOAD(1), .sessions = 3) }, 1 },
		{ "weight", BALANCE_SESSIONS, {
		    { .weight = 100, .sessions = 9 },
		    { .weight = 300, .sessions = 20 },
		    { .weight = 50, .sessions = 4 } }, 1 },
		{ "not known is none", BALANCE_SESSIONS, {
		    USABLE(.sessions = 1), USABLE(.sessions = -1),
		    USABLE(.sessions = 2) }, 1 },
		{ "no weight is the least", BALANCE_SESSIONS, {
		    { .weight = 0 },
		    { .weight = -5 },
		    { .weight = 2 } }, 2 },
		{ "not usable", BALANCE_SESSIONS, {
		    { .why = "down", .weight = 100 },
		    USABLE(.sessions = 9), { .why = "down", .weight = 1 } },
		    1 },
		{ "none", BALANCE_SESSIONS, {
		    { .why = "a" }, { .why = "b" }, { .why = "c" } },
		    -1 },
		{ "none with load", BALANCE_LOAD, {
		    { .why = "a", LOAD(1) }, { .why = "b", LOAD(1) },
		    { .why = "c" } }, -1 },
	};
	struct candidate list[3];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		memcpy(list, rows[i].list, sizeof(list));
		balance_score(list, 3, rows[i].balancing);
		check(rows[i].label, balance_best(list, 3) == rows[i].best);
	}
}

static void
scores_are_what_the_manual_says(void **state unused)
{
	struct candidate list[] = {
		USABLE(LOAD(8), .sessions = 3, .pending = 2),
		{ .why = "down", .weight = 400, LOAD(4), .sessions = -1 },
		USABLE(.sessions = 1),
	};

	balance_score(list, 3, BALANCE_SESSIONS);
	assert_true(list[0].score == 6.0 / 100);
	assert_true(list[1].score == 1.0 / 400);
	assert_true(list[2].score == 2.0 / 100);
	assert_null(list[2].why);
	balance_score(list, 3, BALANCE_LOAD);
	assert_true(list[0].score == 6.0 / 8);
	assert_true(list[1].score == 1.0 / 4);
	assert_null(list[0].why);
	assert_non_null(list[1].why);
	assert_non_null(list[2].why);
}

static void
of_nothing_nothing_is_chosen(void **state unused)
{
	balance_score(NULL, 0, BALANCE_LOAD);
	assert_int_equal(balance_best(NULL, 0), -1);
}

static void
equal_servers_have_the_same_chance(void **state unused)
{
	struct candidate list[] = {
		{ .score = 1 },
		{ .score = 0.5 },
		{ .why = "down", .score = 0.5 },
		{ .score = 0.5 },
		{ .score = 0.5000001 },
		{ .score = 0.5 },
	};
	int chosen[LENGTH(list)] = { 0 };
	int i;

	for (i = 0; i < 30000; i++)
		chosen[balance_best(list, LENGTH(list))]++;
	assert_int_equal(chosen[0] + chosen[2] + chosen[4], 0);
	/* less than this once in 10^30 runs */
	assert_true(chosen[1] > 9000);
	assert_true(chosen[3] > 9000);
	assert_true(chosen[5] > 9000);

	chance = 0;
	assert_int_equal(balance_best(list, LENGTH(list)), 5);
	chance = -1;
}

/* A class that logs in at once, one after the other seen as pending. */
static void
a_class_is_spread(void **state unused)
{
	struct candidate list[] = {
		USABLE(LOAD(1000), .sessions = 10),
		USABLE(LOAD(1000), .sessions = 0),
		USABLE(LOAD(2000), .sessions = 10),
	};
	int i, best;

	for (i = 0; i < 40; i++) {
		balance_score(list, 3, BALANCE_LOAD);
		best = balance_best(list, 3);
		assert_int_in_range(best, 0, 2);
		list[best].pending++;
	}
	/* 60 sessions then, by 1 : 1 : 2 */
	assert_int_in_range(list[0].pending, 4, 6);
	assert_int_in_range(list[1].pending, 14, 16);
	assert_int_in_range(list[2].pending, 19, 21);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_server_is_chosen),
		cmocka_unit_test(scores_are_what_the_manual_says),
		cmocka_unit_test(of_nothing_nothing_is_chosen),
		cmocka_unit_test(equal_servers_have_the_same_chance),
		cmocka_unit_test(a_class_is_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
