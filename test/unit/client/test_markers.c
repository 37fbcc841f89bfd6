/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/markers.h"
#include "support.h"

static void
words_are_found_wherever_they_stand(void **state unused)
{
	static const struct {
		const char *text;
		int at;			/* -1: nowhere */
	} rows[] = {
		{ "AUTHID:", 0 }, { "Access granted", 0 },
		{ "START_USER_SESSIONS", 0 }, { "END_USER_SESSIONS", 0 },
		{ "START_CLIENT_CONFIG", 0 }, { "END_CLIENT_CONFIG", 0 },
		{ "SERVER:", 0 }, { "SESSION_INFO:", 0 },
		{ "X2GODATABEGIN:", 0 }, { "X2GODATAEND:", 0 },
		{ "-----BEGIN ", 0 }, { "-----END ", 0 }, { "<br>", 0 },
		{ "name=MYSERVER:22", 7 }, { "x SERVER: SERVER:", 2 },
		{ "<br>AUTHID:", 0 }, { "AUTHID<br>:", 6 }, { "SSERVER:", 1 },
		{ "------BEGIN ", 1 }, { "SERVERSERVER:", 6 },
		{ "", -1 }, { "S", -1 }, { "SERVER", -1 }, { "server:", -1 },
		{ "SERVER :", -1 }, { "AUTHID", -1 }, { "<br/>", -1 },
		{ "<BR>", -1 }, { "Access denied", -1 },
		{ "Access  granted", -1 }, { "----BEGIN ", -1 },
		{ "-----BEGIN", -1 }, { "LOGIN OK", -1 }, { "SES", -1 },
	};
	const char *found;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		found = markers_find(rows[i].text, strlen(rows[i].text));
		check(rows[i].text, (found != NULL ? found - rows[i].text :
		    -1) == rows[i].at);
	}
}

static void
len_ends_the_search(void **state unused)
{
	static const char text[] = "SERVER:";
	size_t len;

	for (len = 0; len < strlen(text); len++)
		assert_null(markers_find(text, len));
	assert_ptr_equal(markers_find(text, len), text);
	assert_non_null(markers_find("a\0SERVER:", 9));
}

static void
what_the_broker_prints_itself_is_found(void **state unused)
{
	static const char *const rows[] = { MARKER_GRANTED,
	    MARKER_START_LIST, MARKER_END_LIST, MARKER_SERVER,
	    MARKER_BEGIN, MARKER_END };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i], markers_find(rows[i], strlen(rows[i])) ==
		    rows[i]);
	check("a refusal", markers_find(MARKER_DENIED,
	    strlen(MARKER_DENIED)) == NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_found_wherever_they_stand),
		cmocka_unit_test(len_ends_the_search),
		cmocka_unit_test(what_the_broker_prints_itself_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
