/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients tell of their sessions, and what they are told. */
#include "farm/farm.h"
#include "state_rows.h"
#include "tasks/answer.h"
#include "x2gobroker_admin.h"

#define SESSION		"alice-50-1700000000_stDXFCE_dp24"
#define EVENT(sid)	"x --task clientevent --event ALIVE --sid " sid \
			    " --server ts01 --version 4.1.2.3 --os Linux"

static struct x2gobroker_profiles *profiles;
static struct x2gobroker_user *user;
static struct problems problems;

static int
make_site(void **state)
{
	if (make_state_dir(state) == -1)
		return -1;
	test_config.state_dir = state_dir;
	test_config.client_events = true;
	test_config.liveevent = 15;
	test_config.syncinterval = 0;
	profiles = load_text("[lab]\nname=L\nhost=lab\nuser=BROKER_USER\n"
	    "[kiosk]\nname=K\nhost=lab\nuser=kiosk\n"
	    "[hidden]\nname=H\nhost=lab\nuser=boss\nacl-users-allow=boss\n",
	    &problems);
	user = make_user("alice", "192.0.2.7");
	return 0;
}

static int
free_site(void **state)
{
	x2gobroker_user_free(user);
	x2gobroker_profiles_free(profiles);
	return remove_test_dir(state);
}

/* The answer is this, and the number of clients that are connected then. */
static void
expect(const char *command, const char *want, size_t connected)
{
	char *answer = answer_to(command, profiles, user, NULL);
	struct x2gobroker_connected *all;
	size_t n = 0;

	assert_string_equal(answer, want);
	free(answer);
	assert_int_equal(x2gobroker_connected_load(&test_config, &all, NULL),
	    0);
	while (x2gobroker_connected_get(all, n) != NULL)
		n++;
	x2gobroker_connected_free(all);
	assert_int_equal(n, connected);
}

static void
events_are_asked_for_where_the_site_wants_them(void **state unused)
{
	static const struct {
		bool wanted;
		int syncinterval;
		const char *announced;
	} rows[] = {
		{ true, 0, "START_CLIENT_CONFIG\nevents=true\nliveevent=15\n"
		    "END_CLIENT_CONFIG\n" },
		{ true, 60, "START_CLIENT_CONFIG\nevents=true\n"
		    "liveevent=15\nsyncinterval=60\nEND_CLIENT_CONFIG\n" },
		{ false, 60, "" },
	};
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		test_config.client_events = rows[i].wanted;
		test_config.syncinterval = rows[i].syncinterval;
		answer = answer_to("x --task listsessions", profiles, user,
		    NULL);
		assert_string_equal(strstr(answer, "END_USER_SESSIONS\n") +
		    strlen("END_USER_SESSIONS\n"), rows[i].announced);
		free(answer);
	}
}

static void
nothing_is_stored_where_they_are_not_wanted(void **state unused)
{
	char *answer;

	test_config.client_events = false;
	answer = answer_to(EVENT(SESSION), profiles, user, NULL);
	assert_string_equal(answer, "Access granted\n");
	free(answer);
	assert_int_equal(access(state_dir, F_OK), -1);
}

static void
an_event_of_somebody_elses_session_changes_nothing(void **state unused)
{
	expect(EVENT("bob-50-1700000000_stDXFCE_dp24"), "Access granted\n", 0);
	expect(EVENT("alicex-50-1700000000_stDXFCE_dp24"),
	    "Access granted\n", 0);
	expect(EVENT("boss-50-1700000000_stDXFCE_dp24"),
	    "Access granted\n", 0);
	expect(EVENT("../../etc/passwd"), "Access granted\n", 0);
	expect(EVENT("alice-50/../x"), "Access granted\n", 0);
	expect("x --task clientevent --event ALIVE", "Access granted\n", 0);
	expect(EVENT(SESSION), "Access granted\n", 1);
	/* a profile logs in with this name */
	expect(EVENT("kiosk-50-1700000000_stDXFCE_dp24"),
	    "Access granted\n", 2);
}

static void
an_order_is_the_last_line(void **state unused)
{
	const struct x2gobroker_client client = { .user = "alice",
	    .session = SESSION };

	expect(EVENT(SESSION), "Access granted\n", 1);
	assert_int_equal(x2gobroker_connected_order(&test_config, &client,
	    X2GOBROKER_ORDER_TERMINATE, NULL), 0);
	expect(EVENT(SESSION), "Access granted\nTERMINATE " SESSION "\n", 1);
	expect(EVENT("alice-51-1700000000_stDXFCE_dp24"),
	    "Access granted\n", 2);
	/* of a session that was suspended elsewhere, too */
	expect("x --task clientevent --event FINISHED --sid " SESSION,
	    "Access granted\n", 1);
	expect("x --task clientevent --event FINISHED --sid " SESSION,
	    "Access granted\n", 1);
}

static void
a_fault_is_no_refusal(void **state unused)
{
	char *answer;

	test_config.state_dir = "/nonexistent/state";
	answer = answer_to(EVENT(SESSION), profiles, user, NULL);
	assert_string_equal(answer, "Access granted\n");
	free(answer);
}

static void
nobodys_events_are_not_wanted(void **state unused)
{
	struct x2gobroker_request *request;
	struct x2gobroker_answer *answer;
	const char *text;
	size_t len;

	assert_int_equal(x2gobroker_request_parse("x --task listsessions",
	    &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	x2gobroker_answer_trust_nobody(answer);
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    0);
	assert_int_equal(x2gobroker_answer_text(answer, &text, &len, NULL), 0);
	assert_null(strstr(text, "CLIENT_CONFIG"));
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_site, free_site)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(events_are_asked_for_where_the_site_wants_them),
		test(nothing_is_stored_where_they_are_not_wanted),
		test(an_event_of_somebody_elses_session_changes_nothing),
		test(an_order_is_the_last_line),
		test(a_fault_is_no_refusal),
		test(nobodys_events_are_not_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
