/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The body of a POST, as real clients and others send it. */
#include "client/request.h"
#include "support.h"

static int
parse(const char *text, struct x2gobroker_request **request,
    struct x2gobroker_error *err)
{
	return x2gobroker_request_from_form(text, strlen(text), request, err);
}

static void
fields_are_decoded(void **state unused)
{
	static const struct {
		const char *body;
		enum client_option option;
		const char *value;
	} rows[] = {
		{ "task=listsessions&user=alice&password=secret&authid=",
		    OPT_PASSWORD, "secret" },
		{ "task=listsessions&user=alice&password=secret&authid=",
		    OPT_AUTHID, "" },
		/* as the X2Go client sends: p w+a"umlaut"&=%"x */
		{ "task=listsessions&password=p%20w%2B%C3%A4%26%3D%25%22x",
		    OPT_PASSWORD, "p w+\xc3\xa4&=%\"x" },
		{ "task=listsessions&password=a+b", OPT_PASSWORD, "a b" },
		{ "task=listsessions&password=%4a%4A%4", OPT_PASSWORD, "JJ%4" },
		{ "task=listsessions&password=100%&x=%zz", OPT_PASSWORD,
		    "100%" },
		{ "task=listsessions&password", OPT_PASSWORD, "" },
		{ "task=listsessions&&=&&user=bob&", OPT_USER, "bob" },
		{ "task=selectsession&profile-id=a%2Bb", OPT_SID, "a+b" },
		{ "task=setpass&newpass=%23new&user=a", OPT_NEWPASS, "#new" },
		{ "task=clientevent&sid=a&event=ALIVE&cmd=x%26y", OPT_CMD,
		    "x&y" },
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].body, parse(rows[i].body, &request, NULL) == 0);
		check_text(rows[i].body, request->values[rows[i].option],
		    rows[i].value);
		x2gobroker_request_free(request);
	}
}

/* sid as it is, decoded, and with UTF-8 that the client took for Latin-1. */
static void
a_profile_id_is_read_in_three_ways(void **state unused)
{
	static const struct {
		const char *body, *raw, *latin1, *decoded;
	} rows[] = {
		{ "task=selectsession&sid=a w+o&x=y&user=alice", "a w+o&x=y",
		    "a w+o&x=y", "a w o" },
		{ "task=selectsession&sid=B\xc3\x83\xc2\xbcro&user=a",
		    "B\xc3\x83\xc2\xbcro", "B\xc3\xbcro",
		    "B\xc3\x83\xc2\xbcro" },
		{ "task=selectsession&sid=B%C3%BCro&user=a", "B%C3%BCro",
		    "B%C3%BCro", "B\xc3\xbcro" },
		{ "task=selectsession&user=a&sid=x%20y&login=b", "x%20y",
		    "x%20y", "x y" },
		{ "task=selectsession&user=a&sid=", "", "", "" },
		/* a character that is not in Latin-1, and half of one */
		{ "task=selectsession&sid=\xe2\x82\xac&user=a", "\xe2\x82\xac",
		    NULL, "\xe2\x82\xac" },
		{ "task=selectsession&sid=\xc3&user=a", "\xc3", NULL, "\xc3" },
	};
	struct x2gobroker_request *request;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].body, parse(rows[i].body, &request, NULL) == 0);
		check_text(rows[i].body, request->values[OPT_SID_RAW],
		    rows[i].raw);
		check_text(rows[i].body, request->values[OPT_SID],
		    rows[i].decoded);
		if (rows[i].latin1 != NULL)
			check_text(rows[i].body,
			    request->values[OPT_SID_LATIN1], rows[i].latin1);
		else
			check(rows[i].body,
			    request->values[OPT_SID_LATIN1] == NULL);
		x2gobroker_request_free(request);
	}
}

static void
what_means_nothing_is_refused(void **state unused)
{
	static const struct {
		const char *body, *why;
	} rows[] = {
		{ "", "--task is missing" },
		{ "user=a&password=b", "--task is missing" },
		{ "task=listsessions&task=listsessions", "more than once" },
		{ "task=listsessions&user=a&user=b", "more than once" },
		{ "task=listsessions&password=a&password=b", "more than once" },
		{ "task=listsessions&authid=a&auth-cookie=b",
		    "more than once" },
		/* an id that adds fields */
		{ "task=selectsession&sid=a&user=root&user=alice",
		    "more than once" },
		{ "task=selectsession&user=a", "requires --sid" },
		{ "task=destroy", "unknown task" },
		{ "{\"task\": \"listsessions\"}", "--task is missing" },
		{ "task=listsessions&user=a%00b", "NUL" },
		{ "task=listsessions&user=a%0ab", "control character" },
		{ "task=listsessions&password=a\nb", "control character" },
		{ "task=listsessions&user=a%27b", "user name" },
		{ "task=selectsession&sid=a&login=$(id)", "user name" },
	};
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].body, parse(rows[i].body, &request, &err) == -1);
		check(rows[i].body, err.code == X2GOBROKER_ERR_SYNTAX);
		check(rows[i].body, strstr(err.text, rows[i].why) != NULL);
		x2gobroker_request_free(request);
	}
	assert_int_equal(x2gobroker_request_from_form("task=testcon\0x", 14,
	    &request, &err), -1);
	x2gobroker_request_free(request);
}

static void
sizes_have_limits(void **state unused)
{
	static char body[X2GOBROKER_FORM_MAX + 2];
	static const char head[] = "task=listsessions&user=";
	struct x2gobroker_request *request;
	struct x2gobroker_error err;
	size_t len = strlen(head);

	memset(body, 'x', sizeof(body));
	memcpy(body, "task=listsessions&xx=", 21);
	assert_int_equal(x2gobroker_request_from_form(body,
	    X2GOBROKER_FORM_MAX, &request, &err), 0);
	x2gobroker_request_free(request);
	assert_int_equal(x2gobroker_request_from_form(body,
	    X2GOBROKER_FORM_MAX + 1, &request, &err), -1);
	x2gobroker_request_free(request);
	memcpy(body, head, len);
	assert_int_equal(x2gobroker_request_from_form(body, len + 255,
	    &request, &err), 0);
	x2gobroker_request_free(request);
	assert_int_equal(x2gobroker_request_from_form(body, len + 256,
	    &request, &err), -1);
	x2gobroker_request_free(request);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded),
		cmocka_unit_test(a_profile_id_is_read_in_three_ways),
		cmocka_unit_test(what_means_nothing_is_refused),
		cmocka_unit_test(sizes_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
