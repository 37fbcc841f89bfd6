/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <time.h>

#include "base/keyline.h"
#include "support.h"

#define NOW	1700000000	/* 2023-11-14 22:13:20 UTC */

static void
check_span(const char *label, const struct span *span, const char *expected)
{
	check(label, span->len == strlen(expected) &&
	    memcmp(span->at, expected, span->len) == 0);
}

static void
a_line_has_four_parts(void **state unused)
{
	static const struct {
		const char *line, *options, *type, *base64, *comment;
	} rows[] = {
		{ "ssh-rsa AAAA", "", "ssh-rsa", "AAAA", "" },
		{ " \tssh-rsa\tAAAA  a b", "", "ssh-rsa", "AAAA", "a b" },
		{ "sk-ssh-ed25519@openssh.com AAAA", "",
		    "sk-ssh-ed25519@openssh.com", "AAAA", "" },
		{ "pty,x=\"a b\" ecdsa-x AAAA c", "pty,x=\"a b\"",
		    "ecdsa-x", "AAAA", "c" },
		{ "x=\"a \\\" ssh-rsa\" ssh-dss B c", "x=\"a \\\" ssh-rsa\"",
		    "ssh-dss", "B", "c" },
	};
	static const char *const none[] = { "", " ", "# ssh-rsa AAAA",
	    "ssh-rsa", "ssh-rsa ", "pty AAAA", "x=\"open ssh-rsa AAAA" };
	struct keyline line;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].line, keyline_split(rows[i].line,
		    strlen(rows[i].line), &line));
		check_span(rows[i].line, &line.options, rows[i].options);
		check_span(rows[i].line, &line.type, rows[i].type);
		check_span(rows[i].line, &line.base64, rows[i].base64);
		check_span(rows[i].line, &line.comment, rows[i].comment);
	}
	for (i = 0; i < LENGTH(none); i++)
		check(none[i], !keyline_split(none[i], strlen(none[i]),
		    &line));
}

static void
keys_are_compared_without_the_rest(void **state unused)
{
	static const struct {
		const char *line;
		bool same;
	} rows[] = {
		{ "ssh-rsa AAAA", true }, { "pty ssh-rsa AAAA x", true },
		{ "ssh-rsa AAA", false }, { "ssh-rsa AAAAA", false },
		{ "ssh-dss AAAA", false }, { "ssh-rsa AAAB", false },
	};
	struct keyline one, other;
	size_t i;

	assert_true(keyline_split("ssh-rsa AAAA", 12, &one));
	for (i = 0; i < LENGTH(rows); i++) {
		assert_true(keyline_split(rows[i].line, strlen(rows[i].line),
		    &other));
		check(rows[i].line, keyline_same_key(&one, &other) ==
		    rows[i].same);
	}
}

static void
options_are_cut_at_commas_outside_of_quotes(void **state unused)
{
	static const char text[] = "pty,,a=\"x,y\",b=\"p\\\"q\",c=d=e,f=";
	static const struct {
		const char *name, *value;	/* NULL: it has none */
	} options[] = {
		{ "pty", NULL }, { "", NULL }, { "a", "x,y" },
		{ "b", "p\\\"q" }, { "c", "d=e" }, { "f", "" },
	};
	struct span rest = { text, strlen(text) };
	struct keyoption option;
	size_t i;

	for (i = 0; i < LENGTH(options); i++) {
		assert_true(keyline_next_option(&rest, &option));
		check_span(text, &option.name, options[i].name);
		check(options[i].name, option.has_value ==
		    (options[i].value != NULL));
		if (option.has_value)
			check_span(text, &option.value, options[i].value);
	}
	assert_false(keyline_next_option(&rest, &option));
	assert_true(span_begins_with(&(struct span){ "pty", 3 }, "pt"));
	assert_false(span_begins_with(&(struct span){ "pty", 1 }, "pt"));
}

/* Through the two changes of a year, every ten minutes of three days. */
static void
local_times_are_read_back(void **state unused)
{
	static const char *const zones[] = { "UTC0", "CET-1CEST,M3.5.0,M10.5.0"
	    "/3", "EST5EDT,M3.2.0,M11.1.0", "NZST-12NZDT,M9.5.0,M4.1.0/3" };
	static const time_t days[] = { 1679616000, 1698451200, 1678492800,
	    1699142400, 1695427200, 1680307200 };
	char text[KEYLINE_TIME];
	time_t when, read;
	size_t i, j;

	for (i = 0; i < LENGTH(zones); i++) {
		setenv("TZ", zones[i], 1);
		tzset();
		for (j = 0; j < LENGTH(days); j++)
			for (when = days[j]; when < days[j] + 3 * 86400;
			    when += 600) {
				check(zones[i], keyline_format_time(when, true,
				    text) && strlen(text) == 14 &&
				    keyline_parse_time(text, 14, &read) &&
				    read == when);
			}
	}
	unsetenv("TZ");
	tzset();
}

static void
times_are_read_as_sshd_does(void **state unused)
{
	static const struct {
		const char *text;
		long long when;		/* -1: no time */
	} rows[] = {
		{ "20231114221320Z", NOW },
		{ "202311142213Z", NOW - 20 },
		{ "20231114Z", 1699920000 },
		{ "20231114221320", NOW - 3600 },	/* TZ, below */
		{ "20231114", 1699916400 },
		{ "20240229Z", 1709164800 },
		{ "", -1 },
		{ "Z", -1 },
		{ "2023111422132", -1 },
		{ "20231114221320ZZ", -1 },
		{ "20231114 22132Z", -1 },
		{ "2023-11-14", -1 },
		{ "20231314Z", -1 },
		{ "20231100Z", -1 },
		{ "20231132Z", -1 },
		{ "20231114241320Z", -1 },
		{ "20231114226020Z", -1 },
		{ "20231114221361Z", -1 },
		{ "+0231114Z", -1 },
		{ "00001114Z", -1 },
	};
	size_t i;
	time_t when;

	setenv("TZ", "CET-1", 1);
	tzset();
	for (i = 0; i < LENGTH(rows); i++) {
		bool is_time = keyline_parse_time(rows[i].text,
		    strlen(rows[i].text), &when);

		check(rows[i].text, is_time == (rows[i].when != -1));
		check(rows[i].text, !is_time || when == rows[i].when);
	}
	unsetenv("TZ");
	tzset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_four_parts),
		cmocka_unit_test(keys_are_compared_without_the_rest),
		cmocka_unit_test(options_are_cut_at_commas_outside_of_quotes),
		cmocka_unit_test(local_times_are_read_back),
		cmocka_unit_test(times_are_read_as_sshd_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
