/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many requests of one user may ask servers at the same time. */
#include <fcntl.h>

#include "base/clock.h"
#include "farm/farm.h"
#include "state_rows.h"

static struct x2gobroker_config config;
static int
make_site(void **state)
{
	if (make_state_dir(state) == -1)
		return -1;
	config.state_dir = state_dir;
	config.requests_per_user = 2;
	return 0;
}

static int
take(const char *user, struct x2gobroker_error *err)
{
	int place = -1;

	return userlimit_take(&config, user, &place, err) == -1 ? -2 : place;
}

static void
one_user_cannot_use_up_the_servers(void **state unused)
{
	struct x2gobroker_error err;
	int places[2], i;

	for (i = 0; i < 2; i++)
		assert_true((places[i] = take("alice", NULL)) >= 0);
	assert_int_equal(take("alice", &err), -2);
	assert_int_equal(err.code, X2GOBROKER_ERR_DENIED);
	assert_non_null(strstr(err.text, "2 other requests of this user"));
	assert_non_null(strstr(err.text, "requests-per-user"));

	/* others are not concerned */
	i = take("bob", NULL);
	assert_true(i >= 0);
	close(i);
	/* and who has ended makes room */
	close(places[0]);
	places[0] = take("alice", NULL);
	assert_true(places[0] >= 0);
	close(places[0]);
	close(places[1]);
}

static void
a_place_is_waited_for(void **state unused)
{
	int one = take("alice", NULL), other = take("alice", NULL);
	int64_t begin = clock_ms();

	if (fork() == 0) {	/* the child holds both, too, for a while */
		usleep(200000);
		_exit(0);
	}
	close(one);
	close(other);
	one = take("alice", NULL);
	assert_true(one >= 0);
	assert_int_in_range(clock_ms() - begin, 100, 60000);
	close(one);
}

static void
some_requests_take_no_place(void **state unused)
{
	int place = 5;

	assert_int_equal(take(NULL, NULL), -1);
	/* it has one */
	assert_int_equal(userlimit_take(&config, "alice", &place, NULL), 0);
	assert_int_equal(place, 5);
	config.requests_per_user = 0;
	assert_int_equal(take("alice", NULL), -1);
	config.requests_per_user = 2;
	config.state_dir = "/nonexistent/state";
	assert_int_equal(take("alice", NULL), -1);
}

static void
only_the_broker_can_lock_a_place(void **state unused)
{
	struct stat st;
	int place = take("alice", NULL);

	assert_int_equal(fstat(place, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(test_path("state/" USERLIMIT_DIR), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(place);
	assert_int_equal(chmod(test_path("state/" USERLIMIT_DIR), 0777), 0);
	assert_int_equal(take("alice", NULL), -1);
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_site, remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(one_user_cannot_use_up_the_servers),
		test(a_place_is_waited_for),
		test(some_requests_take_no_place),
		test(only_the_broker_can_lock_a_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
