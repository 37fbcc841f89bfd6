/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON: any text, all values, nested levels.
 */
#include "base/json.h"
#include "x2gobrokerctl/capture.h"

static const char *
print(struct json *json)
{
	int result;

	begin_capture();
	result = json_print(json);
	end_capture();
	assert_int_equal(result, 0);
	return capture.text;
}

static const struct {
	const char *what, *text, *expected;
} strings[] = {
	{ "nothing", "", "" },
	{ "plain text", "ts01", "ts01" },
	{ "quotes", "\"a\" \\ b", "\\\"a\\\" \\\\ b" },
	{ "a slash stays", "/etc/x2go", "/etc/x2go" },
	{ "white space", "a\nb\tc", "a\\nb\\tc" },
	{ "control characters", "\x01\x1b[31m\x7f",
	    "\\u0001\\u001b[31m\\u007f" },
	{ "C1, on which terminals act, too", "\xc2\x9b" "31m", "\\u009b31m" },
	{ "the first one behind them", "\xc2\xa0", "\xc2\xa0" },
	{ "two, three and four bytes", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
	    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "the last one that there is", "\xf4\x8f\xbf\xbf",
	    "\xf4\x8f\xbf\xbf" },
	{ "one more", "\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "Latin-1", "k\xfchl", "k\\ufffdhl" },
	{ "a byte that begins nothing", "\xff" "a", "\\ufffda" },
	{ "one that continues nothing", "\x80" "a", "\\ufffda" },
	{ "half a character", "\xe2\x82", "\\ufffd\\ufffd" },
	{ "half of one, then another", "\xe2\xc3\xa4", "\\ufffd\xc3\xa4" },
	{ "a slash in two bytes", "\xc0\xaf", "\\ufffd\\ufffd" },
	{ "a slash in three bytes", "\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd" },
	{ "overlong in four bytes", "\xf0\x80\x80\xaf",
	    "\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ "half a surrogate pair", "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
};

static void
test_strings(void **state unused)
{
	char expected[256];
	struct json json;
	size_t i;

	for (i = 0; i < LENGTH(strings); i++) {
		json_begin(&json);
		json_string(&json, "a", strings[i].text);
		snprintf(expected, sizeof(expected), "{\n  \"a\": \"%s\"\n}\n",
		    strings[i].expected);
		check_text(strings[i].what, print(&json), expected);
	}
}

static void
test_values(void **state unused)
{
	struct json json;

	json_begin(&json);
	json_bool(&json, "t", true);
	json_bool(&json, "f", false);
	json_integer(&json, "i", -9223372036854775807LL);
	json_number(&json, "d", 6.25e-06);
	json_number(&json, "nan", __builtin_nan(""));
	json_number(&json, "inf", __builtin_inf());
	json_null(&json, "n");
	json_string(&json, "s", NULL);
	json_string(&json, "e", "");
	json_text(&json, "t0", "");
	json_text(&json, "t1", NULL);
	json_text(&json, "t2", "x");
	assert_string_equal(print(&json), "{\n  \"t\": true,\n"
	    "  \"f\": false,\n  \"i\": -9223372036854775807,\n"
	    "  \"d\": 6.25e-06,\n  \"nan\": null,\n  \"inf\": null,\n"
	    "  \"n\": null,\n  \"s\": null,\n  \"e\": \"\",\n"
	    "  \"t0\": null,\n  \"t1\": null,\n  \"t2\": \"x\"\n}\n");
}

static void
test_levels(void **state unused)
{
	struct json json;

	json_begin(&json);
	json_array(&json, "empty");
	json_close(&json);
	json_array(&json, "a");
	json_integer(&json, NULL, 1);
	json_object(&json, NULL);
	json_close(&json);
	json_object(&json, NULL);
	json_string(&json, "b\"", "c");
	assert_string_equal(print(&json), "{\n  \"empty\": [],\n"
	    "  \"a\": [\n    1,\n    {},\n    {\n      \"b\\\"\": \"c\"\n"
	    "    }\n  ]\n}\n");
	json_begin(&json);
	assert_string_equal(print(&json), "{}\n");
}

static int
print_any(void *json)
{
	return json_print(json);
}

/* Half of the output is an error. */
static void
test_full(void **state unused)
{
	struct json json;

	json_begin(&json);
	assert_int_equal(print_to_full_disk(print_any, &json), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
