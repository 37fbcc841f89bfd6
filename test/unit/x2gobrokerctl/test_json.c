/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gobrokerctl prints: JSON of any text, and tables for a terminal of any
 * width.
 */
#include <fcntl.h>
#include <stdio_ext.h>

#include "../../../cmd/x2gobrokerctl/json.c"
#include "../../../cmd/x2gobrokerctl/table.c"
#include "support.h"

/* The terminal of the tests. */
static size_t columns;
static bool has_colour;

size_t
terminal_width(void)
{
	return columns;
}

bool
terminal_has_colour(void)
{
	return has_colour;
}

/* What is written to stdout between the two calls, in a static buffer. */
static struct {
	int before, ends[2];
	char text[4096];
} capture;

static void
begin_capture(void)
{
	assert_int_equal(fflush(stdout), 0);
	capture.before = dup(STDOUT_FILENO);
	assert_int_not_equal(capture.before, -1);
	assert_int_equal(pipe(capture.ends), 0);
	assert_int_not_equal(dup2(capture.ends[1], STDOUT_FILENO), -1);
}

static const char *
end_capture(void)
{
	ssize_t n;

	dup2(capture.before, STDOUT_FILENO);
	close(capture.before);
	close(capture.ends[1]);
	n = read(capture.ends[0], capture.text, sizeof(capture.text) - 1);
	close(capture.ends[0]);
	capture.text[n > 0 ? n : 0] = '\0';
	return capture.text;
}

/*
 * JSON
 */

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

/*
 * Tables
 */

static const char *const heading[] = { "NAME", "N", "STATE", NULL };

static void
fill(struct table *table)
{
	table_begin(table, heading);
	table->numbers = 2;
	table_add(table, "a name that is long");
	table_add_number(table, 1000);
	table_add_coloured(table, "what is wrong", COLOUR_BAD);
	table_add(table, "\xc3\xa4\xc3\xb6");
	table_add_number(table, -1);
	table_add_coloured(table, "ok", COLOUR_GOOD);
	table_addf(table, "%c\033[2Jx\ny", 'a');
	table_add(table, "");
	table_add(table, NULL);
}

static const struct {
	const char *what;
	size_t columns;
	bool has_colour;
	const char *expected;
} tables[] = {
	{ "no terminal", 0, false,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  what is wrong\n"
	    "\xc3\xa4\xc3\xb6                      -  ok\n"
	    "a\\033[2Jx y             -  -\n" },
	{ "it just fits", 40, false,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  what is wrong\n"
	    "\xc3\xa4\xc3\xb6                      -  ok\n"
	    "a\\033[2Jx y             -  -\n" },
	{ "one column less, in colour", 39, true,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  \033[31mwhat is w...\033[m\n"
	    "\xc3\xa4\xc3\xb6                      -  \033[32mok\033[m\n"
	    "a\\033[2Jx y             -  -\n" },
	{ "the name stays, and ten characters of others", 20, false,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  what is...\n"
	    "\xc3\xa4\xc3\xb6                      -  ok\n"
	    "a\\033[2Jx y             -  -\n" },
};

static void
test_tables(void **state unused)
{
	struct table table;
	int result;
	size_t i;

	for (i = 0; i < LENGTH(tables); i++) {
		columns = tables[i].columns;
		has_colour = tables[i].has_colour;
		fill(&table);
		begin_capture();
		result = table_print(&table);
		end_capture();
		check(tables[i].what, result == 0);
		check_text(tables[i].what, capture.text, tables[i].expected);
	}
}

/*
 * A disk that is full: nobody is told half of it, or that all is well
 */

static void
test_full(void **state unused)
{
	int fd, before, json_result, table_result;
	struct table table;
	struct json json;

	fflush(stdout);
	before = dup(STDOUT_FILENO);
	fd = open("/dev/full", O_WRONLY);
	dup2(fd, STDOUT_FILENO);
	json_begin(&json);
	json_result = json_print(&json);
	__fpurge(stdout);
	fill(&table);
	table_result = table_print(&table);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	close(fd);
	assert_int_equal(json_result, -1);
	assert_int_equal(table_result, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
