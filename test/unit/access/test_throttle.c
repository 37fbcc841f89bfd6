/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passwords that are tried, with a clock of the test's own.  Linked with
 * --wrap=strdup.
 */
#include <errno.h>

#include "access/throttle.h"
#include "state_rows.h"

#define NOW		1700000000
#define FAILURES	3
#define WINDOW		600

char	*__wrap_strdup(const char *s);
char	*__real_strdup(const char *s);

static bool no_memory;

char *
__wrap_strdup(const char *s)
{
	return no_memory ? NULL : __real_strdup(s);
}

static int
make_site(void **state)
{
	static char directory[100];

	if (make_test_dir(state) == -1)
		return -1;
	snprintf(directory, sizeof(directory), "%s", make_dir("state"));
	test_config.state_dir = directory;
	test_config.http_failures = FAILURES;
	test_config.http_failures_window = WINDOW;
	return 0;
}

/* Begin to check a password.  Returns "" if it may be, or why not. */
static const char *
begin(struct throttle *throttle, const char *name, const char *address,
    const char *password, time_t now)
{
	static struct x2gobroker_error err;
	struct x2gobroker_user *user = make_user(name, address);
	int result;

	err.text[0] = '\0';
	result = throttle_begin(throttle, &test_config, user, password, now, 0,
	    &err);
	x2gobroker_user_free(user);
	assert_int_equal(result == -1, err.text[0] != '\0');
	return err.text;
}

/* Try a password, which is wrong or right. */
static const char *
attempt(const char *name, const char *address, const char *password, bool wrong,
    time_t now)
{
	struct throttle throttle;
	const char *why = begin(&throttle, name, address, password, now);

	if (*why == '\0')
		throttle_end(&throttle, wrong, now);
	return why;
}

#define IS(why, piece)	(strstr(why, piece) != NULL)
#define OF_USER		"for this user"
#define OF_ADDRESS	"from this address"
#define BUSY		"at the moment"

static void
wrong_passwords_of_a_user_are_counted(void **state unused)
{
	char text[2] = "a";
	int i;

	for (i = 0; i < FAILURES; i++, text[0]++)
		assert_string_equal(attempt("alice", "192.0.2.1", text, true,
		    NOW), "");
	assert_true(IS(attempt("alice", "192.0.2.1", "x", true, NOW),
	    OF_USER));
	/* nor is the right one checked, nor from elsewhere, nor for a name
	 * that a directory takes for the same */
	assert_true(IS(attempt("alice", "192.0.2.9", "x", false, NOW),
	    OF_USER));
	assert_true(IS(attempt("aLICE", "192.0.2.9", "x", false, NOW),
	    OF_USER));
	/* others are not concerned */
	assert_string_equal(attempt("bob", "192.0.2.1", "x", false, NOW), "");
	assert_true(IS(attempt("alice", "192.0.2.1", "x", true, NOW +
	    WINDOW), OF_USER));
	assert_string_equal(attempt("alice", "192.0.2.1", "x", false, NOW +
	    WINDOW + 1), "");
}

static void
the_same_wrong_password_counts_once(void **state unused)
{
	int i;

	for (i = 0; i < 5 * FAILURES; i++)
		assert_string_equal(attempt("alice", "192.0.2.1", "typo", true,
		    NOW), "");
	assert_string_equal(attempt("alice", "192.0.2.1", "other", true, NOW),
	    "");
	assert_string_equal(attempt("alice", NULL, "typo", true, NOW), "");
	assert_true(IS(attempt("alice", "192.0.2.1", "typo", true, NOW),
	    OF_USER));
}

static void
right_passwords_do_not_count(void **state unused)
{
	char text[2] = "a";

	for (; text[0] < 'z'; text[0]++)
		assert_string_equal(attempt("alice", "192.0.2.1", text, false,
		    NOW), "");
}

static void
an_address_has_a_limit_too(void **state unused)
{
	static const struct {
		const char *address;
		bool is_same;
	} rows[] = {
		{ "2001:db8:0:1::1", true }, { "2001:db8:0:1:ffff::", true },
		{ "2001:db8:0:2::1", false }, { "192.0.2.1", false },
		{ NULL, false },
	};
	char name[10], address[40];
	const char *why;
	size_t i;

	for (i = 0; i < FAILURES * 10; i++) {
		snprintf(name, sizeof(name), "user%zu", i);
		snprintf(address, sizeof(address), "2001:db8:0:1::%zx", i);
		assert_string_equal(attempt(name, address, "Spring2026", true,
		    NOW), "");
	}
	for (i = 0; i < LENGTH(rows); i++) {
		why = attempt("alice", rows[i].address, "x", true, NOW);
		check(rows[i].address, rows[i].is_same ? IS(why, OF_ADDRESS) :
		    *why == '\0');
	}
	/* a network of IPv4 is many customers' */
	for (i = 0; i < FAILURES * 10; i++) {
		snprintf(name, sizeof(name), "other%zu", i);
		assert_string_equal(attempt(name, "198.51.100.1", "x", true,
		    NOW), "");
	}
	assert_true(IS(attempt("bob", "198.51.100.1", "x", true, NOW),
	    OF_ADDRESS));
	assert_true(IS(attempt("bob", "::ffff:198.51.100.1", "x", true, NOW),
	    OF_ADDRESS));
	assert_string_equal(attempt("bob", "198.51.100.2", "x", true, NOW),
	    "");
}

/* Guesses at the same time have a limit as well. */
static void
calls_at_a_time_are_counted(void **state unused)
{
	struct throttle throttle[40];
	char name[10], address[40];
	size_t i;

	assert_string_equal(begin(&throttle[0], "alice", "192.0.2.1", "a",
	    NOW), "");
	assert_string_equal(begin(&throttle[1], "alice", "192.0.2.2", "b",
	    NOW), "");
	assert_true(IS(attempt("alice", "192.0.2.3", "c", true, NOW), BUSY));
	throttle_end(&throttle[0], false, NOW);
	assert_string_equal(attempt("alice", "192.0.2.3", "c", false, NOW),
	    "");
	/* 23 more from this address, 24 in all */
	for (i = 2; i < 25; i++) {
		snprintf(name, sizeof(name), "user%zu", i);
		assert_string_equal(begin(&throttle[i], name, "192.0.2.2", "a",
		    NOW), "");
	}
	assert_true(IS(attempt("bob", "192.0.2.2", "c", true, NOW), BUSY));
	/* 8 more from others, 32 in all */
	for (; i < 33; i++) {
		snprintf(name, sizeof(name), "user%zu", i);
		snprintf(address, sizeof(address), "192.0.2.%zu", i);
		assert_string_equal(begin(&throttle[i], name, address, "a",
		    NOW), "");
	}
	assert_true(IS(attempt("bob", "192.0.2.99", "c", true, NOW), BUSY));
	for (i = 1; i < 33; i++)
		throttle_end(&throttle[i], false, NOW);
	/* all are at an end */
	assert_string_equal(attempt("alice", "192.0.2.2", "c", false, NOW),
	    "");
}

/* Its process was killed. */
static void
a_call_without_an_end_is_a_wrong_password(void **state unused)
{
	struct throttle throttle[FAILURES];
	char text[2] = "a";
	int i;

	for (i = 0; i < FAILURES; i++, text[0]++)
		assert_string_equal(begin(&throttle[i], "alice", "192.0.2.1",
		    text, NOW + 31 * i), "");
	assert_true(IS(attempt("alice", "192.0.2.1", "x", true, NOW + 100),
	    OF_USER));
	for (i = 0; i < FAILURES; i++)
		free(throttle[i].user);
}

static void
a_clock_that_was_wrong_locks_nobody_out(void **state unused)
{
	static const char *const rows[] = {
		"1700000000 0 192.0.2.1 aaaa alice",
		"1700009999 0 192.0.2.1 bbbb alice",
		"1700009999 0 192.0.2.1 cccc alice",
		"nonsense",
		"1700000000 0 192.0.2.1",
	};
	size_t i;

	assert_string_equal(attempt("bob", NULL, "x", false, NOW), "");
	for (i = 0; i < LENGTH(rows); i++)
		row_write("state/" THROTTLE_DIR, (int)i + 1, rows[i]);
	assert_string_equal(attempt("alice", "192.0.2.1", "x", true, NOW), "");
}

static void
without_its_file_nothing_is_checked(void **state unused)
{
	test_config.state_dir = "/nonexistent/state";
	assert_string_not_equal(attempt("alice", NULL, "x", false, NOW), "");
}

static void
without_memory_nothing_is_checked(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct throttle throttle;
	struct x2gobroker_error err;
	int result;

	no_memory = true;
	result = throttle_begin(&throttle, &test_config, user, "x", NOW, 0,
	    &err);
	no_memory = false;
	assert_int_equal(result, -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	x2gobroker_user_free(user);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_site, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(wrong_passwords_of_a_user_are_counted),
		test(the_same_wrong_password_counts_once),
		test(right_passwords_do_not_count),
		test(an_address_has_a_limit_too),
		test(calls_at_a_time_are_counted),
		test(a_call_without_an_end_is_a_wrong_password),
		test(a_clock_that_was_wrong_locks_nobody_out),
		test(without_its_file_nothing_is_checked),
		test(without_memory_nothing_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
