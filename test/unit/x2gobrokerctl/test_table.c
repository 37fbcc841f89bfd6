/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables that x2gobrokerctl prints: columns, the width of the terminal,
 * colours, wide characters, and hostile text.
 */
#include "../../../cmd/x2gobrokerctl/table.c"
#include "capture.h"

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

static int
print_any(void *table)
{
	return table_print(table);
}

static const char *
print(const char *label, struct table *table)
{
	int result;

	begin_capture();
	result = table_print(table);
	end_capture();
	check(label, result == 0);
	return capture.text;
}

static const char *const heading[] = { "NAME", "N", "STATE", NULL };

static void
fill(struct table *table)
{
	table_begin(table, heading, 2);
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

#define WHOLE								\
	"NAME                    N  STATE\n"				\
	"a name that is long  1000  what is wrong\n"			\
	"\xc3\xa4\xc3\xb6                      -  ok\n"			\
	"a\\033[2Jx y             -  -\n"

static const struct {
	const char *what;
	size_t columns;
	bool has_colour;
	const char *expected;
} terminals[] = {
	{ "no terminal", 0, false, WHOLE },
	{ "it just fits", 40, false, WHOLE },
	{ "one column less, in colour", 39, true,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  \033[31mwhat is wron\033[0m\n"
	    "\xc3\xa4\xc3\xb6                      -  \033[32mok\033[0m\n"
	    "a\\033[2Jx y             -  -\n" },
	{ "too narrow: only the last column is cut", 20, false,
	    "NAME                    N  STATE\n"
	    "a name that is long  1000  what \n"
	    "\xc3\xa4\xc3\xb6                      -  ok\n"
	    "a\\033[2Jx y             -  -\n" },
};

static void
test_terminals(void **state unused)
{
	struct table table;
	size_t i;

	for (i = 0; i < LENGTH(terminals); i++) {
		columns = terminals[i].columns;
		has_colour = terminals[i].has_colour;
		fill(&table);
		assert_int_equal(table.lines, 3);
		check_text(terminals[i].what, print(terminals[i].what, &table),
		    terminals[i].expected);
	}
	columns = 0;
	has_colour = false;
}

/* What a server says, and the cell that is shown for it. */
static const struct {
	const char *what, *text, *expected;
} cells[] = {
	{ "plain", "ts01", "ts01" },
	{ "a backslash", "a\\033", "a\\033" },
	{ "a title for the window", "\033]0;owned\007", "\\033]0;owned\\007" },
	{ "carriage return, backspace", "a\r\bb", "a\\015\\010b" },
	{ "a tab", "a\tb", "a\\011b" },
	{ "several lines", "a\nb\n", "a b " },
	{ "DEL", "a\x7f", "a\\177" },
	{ "C1: CSI in one character", "\xc2\x9b" "31m", "\\302\\23331m" },
	{ "the other direction of writing", "a\xe2\x80\xae" "b",
	    "a\\342\\200\\256b" },
	{ "no UTF-8", "k\xfchl", "k\\374hl" },
	{ "half a character", "a\xe2\x82", "a\\342\\202" },
};

static void
test_cells(void **state unused)
{
	static const char *const one[] = { "X", NULL };
	struct table table;
	char expected[64];
	size_t i;

	for (i = 0; i < LENGTH(cells); i++) {
		table_begin(&table, one, 0);
		table_add(&table, cells[i].text);
		snprintf(expected, sizeof(expected), "X\n%s\n",
		    cells[i].expected);
		check_text(cells[i].what, print(cells[i].what, &table),
		    expected);
	}
}

/* Characters that take two columns, or none. */
static void
test_wide(void **state unused)
{
	static const char *const two[] = { "NAME", "STATE", NULL };
	struct table table;

	table_begin(&table, two, 0);
	table_add(&table, "\xe6\xbc\xa2\xe5\xad\x97");	/* four columns */
	table_add(&table, "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2");
	table_add(&table, "e\xcc\x81t");			/* two */
	table_add(&table, "ok");
	columns = 11;	/* the third character does not fit */
	assert_string_equal(print("wide", &table), "NAME  STATE\n"
	    "\xe6\xbc\xa2\xe5\xad\x97  \xe6\xbc\xa2\xe5\xad\x97\n"
	    "e\xcc\x81t    ok\n");
	columns = 0;
}

static void
test_empty(void **state unused)
{
	struct table table;

	table_begin(&table, heading, 0);
	assert_int_equal(table.lines, 0);
	assert_string_equal(print("empty", &table), "");
}

/* Half of the output is an error. */
static void
test_full(void **state unused)
{
	struct table table;

	fill(&table);
	assert_int_equal(print_to_full_disk(print_any, &table), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_terminals),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
