/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suspending and terminating.  Linked with --wrap for the functions of
 * fake_connection.h.
 */
#include "farm/farm.h"
#include "fake_connection.h"

#define ID		"alice-50-1763930965_stDXFCE_dp24"
#define LISTED(state)	"OK\n1|" ID "|50|ts01|" state "|2026-11-23T20:49:25|" \
			"d5ac5e1b|192.0.2.7|30001|30002|2026-11-23T20:49:25|" \
			"alice|877|30003|-1|-1\n"
#define OURS		"OK\navailabletasks\nstatus\n"

/* A farm of one server that has told of the session. */
static struct x2gobroker_farm *
make_farm(void)
{
	static const struct said rows[] = {
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("R") }, { 0 },
	};
	struct x2gobroker_farm *farm;

	play_servers(rows);
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add_host(farm, "ts01", NULL), 0);
	assert_int_equal(poll_servers(farm, &query_sessions, 5, NULL, NULL,
	    NULL, NULL), 0);
	assert_int_equal(farm->nsessions, 1);
	return farm;
}

static void
a_session_changes(void **state unused)
{
	static const struct said suspended[] = {
		{ NULL, "availabletasks", X2GOBROKER_OK, OURS },
		{ NULL, "suspendsession", X2GOBROKER_OK, "OK\n" },
		{ NULL, "listsessions", X2GOBROKER_OK, LISTED("S") }, { 0 },
	}, terminated[] = {
		{ NULL, "availabletasks", X2GOBROKER_OK, OURS },
		{ NULL, "terminatesession", X2GOBROKER_OK, "OK\n" },
		{ NULL, "listsessions", X2GOBROKER_OK, "OK\n" }, { 0 },
	};
	struct x2gobroker_farm *farm = make_farm();

	play_servers(suspended);
	assert_int_equal(x2gobroker_farm_suspend(farm, ID, NULL), 0);
	assert_string_equal(link_played.calls, "ts01 availabletasks\n"
	    "ts01 suspendsession " ID "\nts01 listsessions\n");
	play_servers(terminated);
	assert_int_equal(x2gobroker_farm_terminate(farm, ID, NULL), 0);
	assert_string_equal(link_played.calls, "ts01 availabletasks\n"
	    "ts01 terminatesession " ID "\nts01 listsessions\n");
	x2gobroker_farm_free(farm);
}

static void
what_goes_wrong_is_told(void **state unused)
{
	static const struct said refused[] = {
		{ NULL, "suspendsession", X2GOBROKER_ERR_DENIED, "not yours" },
		{ 0 },
	};
	static const struct problem unknown = { X2GOBROKER_ERR_NOTFOUND, 0,
	    "no session other" }, denied = { X2GOBROKER_ERR_DENIED,
	    0, "not yours" }, none = {
	    X2GOBROKER_ERR_NOTFOUND, 0, "no service key" };
	struct x2gobroker_farm *farm = make_farm();
	struct x2gobroker_error err;

	assert_int_equal(x2gobroker_farm_suspend(farm, "other", &err), -1);
	check_problem("unknown", &err, &unknown);
	play_servers(refused);
	assert_int_equal(x2gobroker_farm_suspend(farm, ID, &err), -1);
	check_problem("refused", &err, &denied);
	assert_int_equal(x2gobroker_farm_suspend(farm, ID, NULL), -1);
	link_played.no_setup = true;
	assert_int_equal(x2gobroker_farm_terminate(farm, ID, &err), -1);
	check_problem("no key", &err, &none);
	x2gobroker_farm_free(farm);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_changes),
		cmocka_unit_test(what_goes_wrong_is_told),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
