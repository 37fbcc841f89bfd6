/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is connected, and orders for clients.  Linked with --wrap=time.
 */
#include <sys/time.h>

#include "farm/farm.h"
#include "failing_malloc.h"
#include "fake_time.h"
#include "state_rows.h"
#include "x2gobroker_admin.h"

#define DIR_NAME	"state/connected"
#define SESSION		"alice-50-1700000000_stDXFCE_dp24"

static struct x2gobroker_config config;

static int
make_site(void **state)
{
	if (make_state_dir(state) == -1)
		return -1;
	config.state_dir = state_dir;
	config.client_events = true;
	config.liveevent = 15;
	now = 2000000000;
	return 0;
}

/* The order that user's client gets for the event. */
static enum x2gobroker_order
tell(const char *user, const char *session, const char *event)
{
	const struct x2gobroker_client client = { .user = user,
	    .session = session, .event = event, .server = "ts01",
	    .address = "192.0.2.7", .system = "Linux", .since = now,
	    .seen = now };
	enum x2gobroker_order order;

	assert_int_equal(connected_note(&config, &client, &order, NULL), 0);
	return order;
}

/* The file of orders is as old as our clock says. */
static void
set_time_of_files(void)
{
	const struct timeval times[2] = { { .tv_sec = now }, { .tv_sec = now } };
	struct dirent **list;
	int i, n = scandir(test_path(DIR_NAME), &list, is_row, NULL);

	for (i = 0; i < n; i++) {
		assert_int_equal(lutimes(row_path(DIR_NAME, list[i]->d_name),
		    times), 0);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void
order(const char *user, enum x2gobroker_order what)
{
	const struct x2gobroker_client client = { .user = user,
	    .session = SESSION };

	assert_int_equal(x2gobroker_connected_order(&config, &client, what,
	    NULL), 0);
	set_time_of_files();
}

/* "USER SESSION EVENT SINCE SEEN ORDER\n" of each. */
static const char *
list(void)
{
	static char text[2000];
	const struct x2gobroker_client *client;
	struct x2gobroker_connected *all;
	size_t i, len = 0;

	text[0] = '\0';
	assert_int_equal(x2gobroker_connected_load(&config, &all, NULL), 0);
	for (i = 0; (client = x2gobroker_connected_get(all, i)) != NULL; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s %.8s %s %lld %lld %d\n", client->user, client->session,
		    client->event, (long long)(client->since - 2000000000),
		    (long long)(client->seen - 2000000000), client->order);
	x2gobroker_connected_free(all);
	return text;
}

static void
who_tells_is_listed(void **state unused)
{
	assert_string_equal(list(), "");
	tell("bob", "bob-51-1700000000_stDXFCE_dp24", "CONNECTING");
	tell("alice", SESSION, "CONNECTED");
	now += 10;
	tell("alice", SESSION, "ALIVE");
	assert_string_equal(list(), "alice alice-50 ALIVE 0 10 0\n"
	    "bob bob-51-1 CONNECTING 0 0 0\n");
	tell("bob", "bob-51-1700000000_stDXFCE_dp24", "FINISHED");
	tell("bob", "bob-51-1700000000_stDXFCE_dp24", "FINISHED");
	assert_string_equal(list(), "alice alice-50 ALIVE 0 10 0\n");
}

static void
who_is_silent_goes(void **state unused)
{
	tell("alice", SESSION, "ALIVE");
	now += 44;
	assert_string_equal(list(), "alice alice-50 ALIVE 0 0 0\n");
	now++;
	assert_string_equal(list(), "");
	/* its file goes when another one connects */
	set_time_of_files();
	tell("bob", "bob-1", "CONNECTED");
	assert_null(strstr(rows_text(DIR_NAME), "alice"));
	/* who comes back begins anew */
	tell("alice", SESSION, "ALIVE");
	assert_string_equal(list(), "alice alice-50 ALIVE 45 45 0\n"
	    "bob bob-1 CONNECTED 45 45 0\n");
}

static void
an_order_waits_for_its_client(void **state unused)
{
	tell("alice", SESSION, "CONNECTED");
	order("alice", X2GOBROKER_ORDER_SUSPEND);
	assert_string_equal(list(), "alice alice-50 CONNECTED 0 0 1\n");
	/* the answer may get lost, so it is in the next one, too */
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_SUSPEND);
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_SUSPEND);
	order("alice", X2GOBROKER_ORDER_TERMINATE);
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_TERMINATE);
	assert_int_equal(tell("alice", SESSION, "TERMINATING"),
	    X2GOBROKER_ORDER_NONE);
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_NONE);
}

static void
an_order_is_for_nobody_else(void **state unused)
{
	order("alice", X2GOBROKER_ORDER_TERMINATE);
	assert_int_equal(tell("bob", SESSION, "ALIVE"), X2GOBROKER_ORDER_NONE);
	assert_int_equal(tell("alice", "alice-51", "ALIVE"),
	    X2GOBROKER_ORDER_NONE);
	assert_int_equal(tell("bob", SESSION, "FINISHED"),
	    X2GOBROKER_ORDER_NONE);
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_TERMINATE);
}

static void
an_old_order_is_not_for_the_next_session(void **state unused)
{
	order("alice", X2GOBROKER_ORDER_SUSPEND);
	assert_int_equal(tell("alice", SESSION, "CONNECTING"),
	    X2GOBROKER_ORDER_NONE);
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_NONE);
	order("alice", X2GOBROKER_ORDER_SUSPEND);
	now += 600;
	assert_int_equal(tell("alice", SESSION, "ALIVE"),
	    X2GOBROKER_ORDER_NONE);
	tell("bob", "bob-1", "CONNECTED");
	assert_null(strstr(rows_text(DIR_NAME), "SUSPEND\n"));
}

static void
what_a_client_says_is_one_field(void **state unused)
{
	struct x2gobroker_client client = { .user = "alice",
	    .session = SESSION, .event = "ALIVE", .server = "a\nb\033[2J",
	    .version = NULL, .since = now, .seen = now };
	struct x2gobroker_connected *all;
	enum x2gobroker_order none;

	assert_int_equal(connected_note(&config, &client, &none, NULL), 0);
	assert_int_equal(x2gobroker_connected_load(&config, &all, NULL), 0);
	assert_string_equal(x2gobroker_connected_get(all, 0)->server,
	    "a\\012b\\033[2J");
	assert_string_equal(x2gobroker_connected_get(all, 0)->version, "");
	assert_non_null(x2gobroker_connected_find(all, "alice", SESSION));
	assert_null(x2gobroker_connected_find(all, "alice", "x"));
	assert_null(x2gobroker_connected_find(all, "bob", SESSION));
	assert_null(x2gobroker_connected_get(all, 1));
	x2gobroker_connected_free(all);
}

static void
what_is_no_record_is_not_listed(void **state unused)
{
	static const char *const texts[] = { "?", "1\n2\n?",
	    "?\n1\nA\nu\ns\n\n\n\n", "1\n2\nA\nu\ns\n\n\n\n\n",
	    "2000000001\n2\nA\nu\ns\n\n\n\n" };
	size_t i;

	tell("alice", SESSION, "FINISHED");
	for (i = 0; i < LENGTH(texts); i++)
		row_write(DIR_NAME, (int)i + 1, texts[i]);
	assert_string_equal(list(), "");
	tell("alice", SESSION, "CONNECTED");
	assert_null(strstr(rows_text(DIR_NAME), "?"));
}

static void
an_unsafe_directory_is_refused(void **state unused)
{
	const struct x2gobroker_client client = { .user = "alice",
	    .session = SESSION, .event = "ALIVE", .since = now, .seen = now };
	struct x2gobroker_connected *all;
	enum x2gobroker_order none;
	struct x2gobroker_error err;

	tell("alice", SESSION, "ALIVE");
	assert_int_equal(chmod(test_path(DIR_NAME), 0777), 0);
	assert_int_equal(connected_note(&config, &client, &none, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(x2gobroker_connected_load(&config, &all, &err), -1);
	assert_null(all);
	assert_int_equal(x2gobroker_connected_order(&config, &client,
	    X2GOBROKER_ORDER_SUSPEND, &err), -1);
	assert_int_equal(chmod(test_path(DIR_NAME), 0700), 0);
}

static void
without_memory_nothing_is_lost(void **state unused)
{
	const struct x2gobroker_client client = { .user = "alice",
	    .session = SESSION, .event = "ALIVE", .since = now, .seen = now };
	struct x2gobroker_connected *all;
	enum x2gobroker_order none;
	struct x2gobroker_error err;
	int i, result;
	bool failed = true;

	tell("alice", SESSION, "CONNECTED");
	for (i = 1; failed; i++) {
		alloc_fail(i);
		result = connected_note(&config, &client, &none, &err);
		failed = alloc_failed();
		assert_int_equal(result, failed ? -1 : 0);
	}
	for (i = 1, failed = true; failed; i++) {
		alloc_fail(i);
		result = x2gobroker_connected_load(&config, &all, &err);
		failed = alloc_failed();
		assert_int_equal(result, failed ? -1 : 0);
		x2gobroker_connected_free(all);
	}
	assert_string_equal(list(), "alice alice-50 ALIVE 0 0 0\n");
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_site, remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(who_tells_is_listed),
		test(who_is_silent_goes),
		test(an_order_waits_for_its_client),
		test(an_order_is_for_nobody_else),
		test(an_old_order_is_not_for_the_next_session),
		test(what_a_client_says_is_one_field),
		test(what_is_no_record_is_not_listed),
		test(an_unsafe_directory_is_refused),
		test(without_memory_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
