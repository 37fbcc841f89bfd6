/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"
#include "base/utf8.h"

static void
characters_are_decoded(void **state unused)
{
	static const struct {
		const char *text;
		size_t taken;
		uint32_t cp;
	} rows[] = {
		{ "a", 1, 'a' }, { "ab", 1, 'a' }, { "\x7f", 1, 0x7f },
		{ "\xc2\x80", 2, 0x80 }, { "\xdf\xbf", 2, 0x7ff },
		{ "\xe0\xa0\x80", 3, 0x800 }, { "\xed\x9f\xbf", 3, 0xd7ff },
		{ "\xee\x80\x80", 3, 0xe000 }, { "\xef\xbf\xbf", 3, 0xffff },
		{ "\xf0\x90\x80\x80", 4, 0x10000 },
		{ "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
		{ "\xc3\xbc" "ber", 2, 0xfc },
	};
	uint32_t cp;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, utf8_decode(rows[i].text,
		    strlen(rows[i].text), &cp) == rows[i].taken);
		check(rows[i].text, cp == rows[i].cp);
	}
	assert_int_equal(utf8_decode("\0", 1, &cp), 1);
	assert_int_equal(cp, 0);
}

static void
what_is_no_utf8_is_refused(void **state unused)
{
	static const struct {
		const char *why, *text;
	} rows[] = {
		{ "nothing", "" },
		{ "continuation alone", "\x80" },
		{ "continuation alone", "\xbf" "a" },
		{ "Latin-1", "\xfc" "ber" },
		{ "cut after 1 of 2", "\xc3" },
		{ "cut after 1 of 3", "\xe2" },
		{ "cut after 2 of 3", "\xe2\x82" },
		{ "cut after 3 of 4", "\xf0\x9f\x96" },
		{ "broken off by ASCII", "\xc3" "a" },
		{ "broken off by a start", "\xe2\x82\xc3" },
		{ "overlong NUL", "\xc0\x80" },
		{ "overlong 0x7f", "\xc1\xbf" },
		{ "overlong 0x7ff", "\xe0\x9f\xbf" },
		{ "overlong 0xffff", "\xf0\x8f\xbf\xbf" },
		{ "first surrogate", "\xed\xa0\x80" },
		{ "last surrogate", "\xed\xbf\xbf" },
		{ "above U+10FFFF", "\xf4\x90\x80\x80" },
		{ "far above", "\xf7\xbf\xbf\xbf" },
		{ "five bytes", "\xf8\x88\x80\x80\x80" },
		{ "0xfe", "\xfe" },
		{ "0xff", "\xff" },
	};
	uint32_t cp;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].why, utf8_decode(rows[i].text,
		    strlen(rows[i].text), &cp) == 0);
	check("len, not NUL, ends it", utf8_decode("\xc3\xbc", 1, &cp) == 0);
	check("len 0", utf8_decode("a", 0, &cp) == 0);
}

static void
escaped_text_is_safe_to_show(void **state unused)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		{ "B\xc3\xbcro \xe2\x82\xac", "B\xc3\xbcro \xe2\x82\xac" },
		{ "a\nb\tc\rd", "a\\012b\\011c\\015d" },
		{ "\x1b[31mred", "\\033[31mred" },
		{ "del\x7f", "del\\177" },
		{ "c1 \xc2\x9b", "c1 \\302\\233" },
		{ "no-break space \xc2\xa0", "no-break space \xc2\xa0" },
		{ "B\xfcro", "B\\374ro" },
		{ "cut \xe2\x82", "cut \\342\\202" },
		{ "a\\b", "a\\b" },
	};
	char shown[64];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		utf8_escape(shown, sizeof(shown), rows[i].text);
		check_text(rows[i].text, shown, rows[i].shown);
	}
}

static void
what_has_no_room_is_cut_between_characters(void **state unused)
{
	static const struct {
		const char *text;
		size_t size;
		const char *shown;
	} rows[] = {
		{ "abc", 4, "abc" }, { "abc", 3, "ab" }, { "abc", 1, "" },
		{ "a\xc3\xbc", 4, "a\xc3\xbc" }, { "a\xc3\xbc", 3, "a" },
		{ "a\xe2\x82\xac" "b", 4, "a" },
		{ "a\nb", 6, "a\\012" }, { "a\nb", 5, "a" },
	};
	char shown[8];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		memset(shown, 'x', sizeof(shown));
		utf8_escape(shown, rows[i].size, rows[i].text);
		check_text(rows[i].text, shown, rows[i].shown);
		check(rows[i].text, shown[rows[i].size] == 'x');
	}
	memset(shown, 'x', sizeof(shown));
	utf8_escape(shown, 0, "abc");
	check("no room at all", shown[0] == 'x');
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_decoded),
		cmocka_unit_test(what_is_no_utf8_is_refused),
		cmocka_unit_test(escaped_text_is_safe_to_show),
		cmocka_unit_test(what_has_no_room_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
