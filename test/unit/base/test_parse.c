/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"
#include "base/parse.h"

static void
booleans_are_configparsers(void **state unused)
{
	static const struct {
		const char *text;
		bool known, value;
	} rows[] = {
		{ "1", true, true }, { "yes", true, true },
		{ "true", true, true }, { "on", true, true },
		{ "0", true, false }, { "no", true, false },
		{ "false", true, false }, { "off", true, false },
		{ "True", true, true }, { "YES", true, true },
		{ "oN", true, true }, { "FALSE", true, false },
		{ "No", true, false }, { "OFF", true, false },
		{ "", false }, { "2", false }, { "01", false }, { "y", false },
		{ "n", false }, { "t", false }, { "yes ", false },
		{ " yes", false }, { "yess", false }, { "tru", false },
		{ "true\n", false }, { "not-set", false }, { "enabled", false },
		{ "-1", false }, { "none", false }, { "+1", false },
	};
	bool value;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		value = !rows[i].value;
		check(rows[i].text, parse_bool(rows[i].text, &value) ==
		    rows[i].known);
		if (rows[i].known)
			check(rows[i].text, value == rows[i].value);
	}
}

static void
a_number_is_the_whole_text_and_in_range(void **state unused)
{
	static const struct {
		const char *text;
		int min, max;
		bool good;
		int value;
	} rows[] = {
		{ "0", 0, 9, true, 0 }, { "9", 0, 9, true, 9 },
		{ "007", 0, 9, true, 7 }, { "+5", 0, 9, true, 5 },
		{ "-5", -9, 9, true, -5 }, { "-0", 0, 9, true, 0 },
		{ "2147483647", 0, 2147483647, true, 2147483647 },
		{ "-2147483647", -2147483647, 0, true, -2147483647 },
		{ "10", 0, 9 }, { "-1", 0, 9 }, { "0", 1, 65535 },
		{ "65536", 1, 65535 }, { "", 0, 9 }, { " 5", 0, 9 },
		{ "5 ", 0, 9 }, { "5x", 0, 9 }, { "x", 0, 9 }, { "+", 0, 9 },
		{ "-", 0, 9 }, { "--5", -9, 9 }, { "+-5", -9, 9 },
		{ "0x5", 0, 9 }, { "5.0", 0, 9 }, { "1e1", 0, 99 },
		{ "5\n", 0, 9 }, { "2147483648", 0, 2147483647 },
		{ "99999999999999999999999999", 0, 2147483647 },
		{ "-99999999999999999999999999", -2147483647, 0 },
	};
	int value;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		value = 4711;
		check(rows[i].text, parse_int(rows[i].text, rows[i].min,
		    rows[i].max, &value) == rows[i].good);
		check(rows[i].text, value == (rows[i].good ? rows[i].value :
		    4711));
	}
}

static void
items_are_trimmed_and_may_be_empty(void **state unused)
{
	static const struct {
		const char *list;
		const char *items[5];
	} rows[] = {
		{ "", { "" } },
		{ "a", { "a" } },
		{ "a,b", { "a", "b" } },
		{ " a ,\tb\t", { "a", "b" } },
		{ "a,\nb,\n\nc", { "a", "b", "c" } },
		{ "a b , c d", { "a b", "c d" } },
		{ ",", { "", "" } },
		{ "a,", { "a", "" } },
		{ ",a", { "", "a" } },
		{ "a,,b", { "a", "", "b" } },
		{ " , \n ,", { "", "", "" } },
		{ "a;b", { "a;b" } },
	};
	const char *next, *item;
	size_t i, j, len;

	for (i = 0; i < LENGTH(rows); i++) {
		next = rows[i].list;
		for (j = 0; parse_next_item(&next, &item, &len); j++) {
			check(rows[i].list, rows[i].items[j] != NULL);
			check(rows[i].list, parse_item_is(item, len,
			    rows[i].items[j]));
		}
		check(rows[i].list, rows[i].items[j] == NULL);
		check(rows[i].list, !parse_next_item(&next, &item, &len));
	}
}

static void
an_item_is_compared_as_it_is(void **state unused)
{
	static const struct {
		const char *item, *word;
		bool same;
	} rows[] = {
		{ "ALL", "ALL", true }, { "", "", true },
		{ "all", "ALL", false }, { "ALL ", "ALL", false },
		{ "AL", "ALL", false }, { "ALLE", "ALL", false },
		{ "", "ALL", false }, { "alice", "", false },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].item, parse_item_is(rows[i].item,
		    strlen(rows[i].item), rows[i].word) == rows[i].same);
	check("len counts", parse_item_is("ALLxyz", 3, "ALL"));
}

static void
words_are_compared_without_case(void **state unused)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "kde", "KDE", true }, { "KdE", "kDe", true },
		{ "", "", true }, { "a-1", "A-1", true },
		{ "kde", "kd", false }, { "kd", "kde", false },
		{ "", "a", false }, { "a", "", false }, { "a", "b", false },
		{ "@", "`", false }, { "[", "{", false },
		/* no locale's idea of a letter */
		{ "\xc3\xa4", "\xc3\x84", false }, { "\xe4", "\xc4", false },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].a, parse_same_word(rows[i].a, rows[i].b) ==
		    rows[i].same);
}

static void
only_ascii_letters_have_an_upper_case(void **state unused)
{
	int c;

	for (c = -128; c < 128; c++)
		assert_int_equal(parse_upper((char)c),
		    (char)(c >= 'a' && c <= 'z' ? c - 32 : c));
}

static void
patterns_are_those_of_openssh(void **state unused)
{
	static const struct {
		const char *pattern, *text;
		bool fold, matches;
	} rows[] = {
		{ "", "", false, true }, { "", "a", false, false },
		{ "*", "", false, true }, { "*", "any", false, true },
		{ "a", "a", false, true }, { "a", "A", false, false },
		{ "a", "A", true, true }, { "a?c", "abc", false, true },
		{ "a?c", "ac", false, false }, { "?", "", false, false },
		{ "a*c", "abbc", false, true }, { "a*c", "abcb", false, false },
		{ "*.org", "a.org.org", false, true },
		{ "*a*b*", "xxaxxbxx", false, true },
		{ "*a*b*", "xxbxxaxx", false, false },
		{ "**", "a", false, true }, { "a**", "a", false, true },
		{ "a[bc]", "ab", false, false },
		{ "[h]:22*", "[h]:2222", false, true },
		{ "\\*", "*", false, false },
		{ "*a*a*a*a*a*a*a*a*a*a*b",
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false,
		    false },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].pattern, parse_matches_pattern(rows[i].text,
		    rows[i].pattern, rows[i].fold) == rows[i].matches);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(booleans_are_configparsers),
		cmocka_unit_test(a_number_is_the_whole_text_and_in_range),
		cmocka_unit_test(items_are_trimmed_and_may_be_empty),
		cmocka_unit_test(an_item_is_compared_as_it_is),
		cmocka_unit_test(words_are_compared_without_case),
		cmocka_unit_test(only_ascii_letters_have_an_upper_case),
		cmocka_unit_test(patterns_are_those_of_openssh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
