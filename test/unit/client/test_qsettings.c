/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/qsettings.h"
#include "client/markers.h"
#include "support.h"

static void
values_are_written_as_the_client_reads_them(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "KDE", "KDE" },
		{ "a b", "a b" },
		{ "/usr/bin/x -y", "/usr/bin/x -y" },
		{ "it's", "it's" },
		{ "#1", "#1" },
		{ "[x]", "[x]" },
		/* a list, a comment, an escape, a string to that reader */
		{ "a,b", "\"a,b\"" },
		{ "a;b", "\"a;b\"" },
		{ "C:\\dir", "\"C:\\\\dir\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "a=b", "\"a=b\"" },
		{ "50%", "\"50%\"" },
		{ " a", "\" a\"" },
		{ "a ", "\"a \"" },
		{ "@Invalid()", "\"@@Invalid()\"" },
		{ "a@b", "\"a@b\"" },
		/* what is not ASCII */
		{ "B\xc3\xbcro, 1. Stock", "\"B\\xfcro, 1. Stock\"" },
		{ "\xe2\x82\xac", "\"\\x20ac\"" },
		{ "\xf0\x9f\x96\xa5", "\"\\xd83d\\xdda5\"" },
		{ "a\nb", "\"a\\xa\\x62\"" },
		{ "a\tx", "\"a\\x9x\"" },
		{ "\x7f", "\"\\x7f\"" },
		{ "B\xfcro", "\"B\\xfcro\"" },
		/* an escape takes as many hex digits as come */
		{ "\xc3\xbc" "ab1g", "\"\\xfc\\x61\\x62\\x31g\"" },
		{ "\xc3\xbc" "F", "\"\\xfc\\x46\"" },
		{ "\xc3\xbc-a", "\"\\xfc-a\"" },
		/* what the administrator has quoted */
		{ "\"a, b\"", "\"a, b\"" },
		{ "\"\"", "\"\"" },
		{ "\"B\\xfcro\"", "\"B\\xfcro\"" },
		{ "\"B\xc3\xbcro\"", "\"B\\xfcro\"" },
		{ "\"a\\\"b\"", "\"a\\\"b\"" },
		{ "\"a\\\\\"", "\"a\\\\\"" },
		/* what only looks quoted */
		{ "\"", "\"\\\"\"" },
		{ "\"a", "\"\\\"a\"" },
		{ "a\"", "\"a\\\"\"" },
		{ "\"a\\\"", "\"\\\"a\\\\\\\"\"" },
		{ "\"a\" and \"b\"", "\"\\\"a\\\" and \\\"b\\\"\"" },
		{ "\"a\nb\"", "\"\\\"a\\xa\\x62\\\"\"" },
	};
	char want[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		struct buf buf = { 0 };

		qsettings_put(&buf, "key", rows[i][0]);
		snprintf(want, sizeof(want), "key=%s\n", rows[i][1]);
		check_text(rows[i][0], buf.data, want);
		buf_free(&buf);
	}
}

static void
words_of_the_protocol_are_hidden(void **state unused)
{
	static const char *const rows[][2] = {
		{ "SERVER:x", "\"\\x53\\x45RVER:x\"" },
		{ "Access granted", "\"\\x41\\x63\\x63\\x65ss granted\"" },
		{ "a<br>b", "\"a\\x3c\\x62r>b\"" },
		{ "<br><br>", "\"\\x3c\\x62r>\\x3c\\x62r>\"" },
		{ "\"AUTHID:x\"", "\"\\x41UTHID:x\"" },
		{ "\"a SESSION_INFO:\"", "\"a \\x53\\x45SSION_INFO:\"" },
		{ "-----BEGIN RSA", "\"\\x2d----BEGIN RSA\"" },
		{ "END_USER_SESSIONS", "\"\\x45ND_USER_SESSIONS\"" },
		/* these are none */
		{ "SERVER", "SERVER" },
		{ "access granted", "access granted" },
	};
	char want[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		struct buf buf = { 0 };

		qsettings_put(&buf, "key", rows[i][0]);
		snprintf(want, sizeof(want), "key=%s\n", rows[i][1]);
		check_text(rows[i][0], buf.data, want);
		check(rows[i][0], markers_find(buf.data, buf.len) ==
		    NULL);
		buf_free(&buf);
	}
}

static void
lists_are_written_item_by_item(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ ",, ,", "" },
		{ "TERMINAL", "TERMINAL" },
		{ "TERMINAL,WWWBROWSER", "TERMINAL,WWWBROWSER" },
		{ " TERMINAL , OFFICE ,", "TERMINAL,OFFICE" },
		{ "a,\nb", "a,b" },
		{ "a;b,c", "\"a;b\",c" },
		{ "B\xc3\xbcro,x", "\"B\\xfcro\",x" },
		{ "SERVER:,x", "\"\\x53\\x45RVER:\",x" },
		{ "a\nb,c", "\"a\\xa\\x62\",c" },
	};
	char want[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		struct buf buf = { 0 };

		qsettings_put_list(&buf, "key", rows[i][0]);
		snprintf(want, sizeof(want), "key=%s\n", rows[i][1]);
		check_text(rows[i][0], buf.data, want);
		buf_free(&buf);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written_as_the_client_reads_them),
		cmocka_unit_test(words_of_the_protocol_are_hidden),
		cmocka_unit_test(lists_are_written_item_by_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
