/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "support.h"

static void
an_error_is_filled_in(void **state unused)
{
	struct x2gobroker_error err;

	memset(&err, 'x', sizeof(err));
	assert_int_equal(error_set(&err, X2GOBROKER_ERR_VALUE, "a.conf", 12,
	    "%s = %d", "speed", 9), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_VALUE);
	assert_string_equal(err.file, "a.conf");
	assert_int_equal(err.line, 12);
	assert_string_equal(err.text, "speed = 9");
	assert_int_equal(error_set(&err, X2GOBROKER_ERR_DENIED, NULL, 0, "no"),
	    -1);
	assert_string_equal(err.file, "");
	assert_int_equal(error_nomem(&err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	assert_string_equal(err.text, "out of memory");
}

static void
nobody_need_listen(void **state unused)
{
	struct reporter rep = { 0 };

	assert_int_equal(error_set(NULL, X2GOBROKER_ERR_VALUE, "f", 1, "x"),
	    -1);
	assert_int_equal(error_errno(NULL, "f", "x"), -1);
	assert_int_equal(error_nomem(NULL), -1);
	report(&rep, X2GOBROKER_ERR_VALUE, "f", 1, "x");
	assert_int_equal(rep.errors, 1);
}

static void
errno_is_told_and_kept(void **state unused)
{
	struct x2gobroker_error err;

	errno = EACCES;
	assert_int_equal(error_errno(&err, "a.conf", "cannot be %s", "read"),
	    -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(err.code, X2GOBROKER_ERR_SYSTEM);
	assert_int_equal(err.line, 0);
	assert_string_equal(err.text, "cannot be read: Permission denied");
}

static void
what_is_too_long_is_cut(void **state unused)
{
	struct x2gobroker_error err;
	char text[3000];

	memset(text, 't', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, X2GOBROKER_ERR_VALUE, text, 1, "%s", text);
	assert_int_equal(strlen(err.file), X2GOBROKER_FILE_SIZE - 1);
	assert_int_equal(strlen(err.text), X2GOBROKER_TEXT_SIZE - 1);
	errno = ENOENT;
	error_errno(&err, text, "%s", text);
	assert_int_equal(strlen(err.text), X2GOBROKER_TEXT_SIZE - 1);
}

static void
reports_are_counted_but_warnings_are_not(void **state unused)
{
	struct problems problems = { 0 };
	struct x2gobroker_error first;
	struct reporter rep = { .fn = collect, .arg = &problems,
	    .first = &first };

	report(&rep, X2GOBROKER_WARNING, "f", 1, "careful");
	assert_int_equal(rep.errors, 0);
	report(&rep, X2GOBROKER_ERR_VALUE, "f", 2, "first");
	report(&rep, X2GOBROKER_ERR_SYNTAX, "g", 3, "second");
	report_error(&rep, &problems.list[0]);
	assert_int_equal(rep.errors, 2);
	assert_string_equal(first.text, "first");
	assert_int_equal(first.code, X2GOBROKER_ERR_VALUE);
	check_problems("all of them", &problems, (const struct problem[]){
		{ X2GOBROKER_WARNING, 1, "careful" },
		{ X2GOBROKER_ERR_VALUE, 2, "first" },
		{ X2GOBROKER_ERR_SYNTAX, 3, "second" },
		{ X2GOBROKER_WARNING, 1, "careful" },
		{ 0 } });
}

static void
an_error_reads_file_line_text(void **state unused)
{
	static const struct {
		const char *file;
		unsigned int line;
		const char *text, *whole;
	} rows[] = {
		{ "a.conf", 12, "no such key", "a.conf:12: no such key" },
		{ "a.conf", 0, "no such file", "a.conf: no such file" },
		{ "", 0, "no task", "no task" },
		{ "", 7, "no task", "no task" },
		{ "a\nb", 1, "x\x1b[2J", "a\\012b:1: x\\033[2J" },
		{ "", 0, "B\xfcro B\xc3\xbcro", "B\\374ro B\xc3\xbcro" },
	};
	struct x2gobroker_error err;
	char buf[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		error_set(&err, X2GOBROKER_ERR_VALUE, rows[i].file,
		    rows[i].line, "%s", rows[i].text);
		assert_ptr_equal(x2gobroker_error_format(&err, buf,
		    sizeof(buf)), buf);
		check_text(rows[i].whole, buf, rows[i].whole);
	}
}

static void
formatting_ends_within_its_buffer(void **state unused)
{
	struct x2gobroker_error err = { 0 };
	char buf[10] = "xxxxxxxxx";

	error_set(&err, X2GOBROKER_ERR_VALUE, "a.conf", 12, "no such key");
	x2gobroker_error_format(&err, buf, 8);
	assert_memory_equal(buf, "a.conf:\0x", 9);
	x2gobroker_error_format(&err, buf, 1);
	assert_int_equal(buf[0], '\0');
	memset(err.text, '\n', sizeof(err.text) - 1);
	memset(err.file, '\n', sizeof(err.file) - 1);
	x2gobroker_error_format(&err, buf, sizeof(buf));
	/* no escape is cut in two */
	assert_memory_equal(buf, "\\012\\012:", 10);
}

static void
the_version_is_told(void **state unused)
{
	const char *version = x2gobroker_version();

	assert_true(version[0] >= '0' && version[0] <= '9');
	assert_non_null(strchr(version, '.'));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_filled_in),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(errno_is_told_and_kept),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(reports_are_counted_but_warnings_are_not),
		cmocka_unit_test(an_error_reads_file_line_text),
		cmocka_unit_test(formatting_ends_within_its_buffer),
		cmocka_unit_test(the_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
