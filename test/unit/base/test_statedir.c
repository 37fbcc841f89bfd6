/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of state-dir: what is read, added and removed, and what is refused. */
#include <errno.h>

#include "base/statedir.h"
#include "state_rows.h"
#include "support.h"

static const struct statedir_type commas = { "list", ",", 2 },
    blanks = { "list", " ", 1 };

static void
open_state(struct statedir *all, const struct statedir_type *type)
{
	assert_int_equal(statedir_open(all, state_dir, type, NULL), 0);
}

static void
rows_are_parsed_into_fields(void **state unused)
{
	static const struct {
		const char *line;	/* with ',' between fields */
		int64_t seconds;	/* -1: the row is skipped */
		const char *fields[2];
	} rows[] = {
		{ "1,a,b", 1, { "a", "b" } },
		{ "0,a,b", 0, { "a", "b" } },
		{ "999999999999,a,b", 999999999999, { "a", "b" } },
		{ "1,a b, c", 1, { "a b", " c" } },
		{ "1,a,b,c,", 1, { "a", "b,c," } },
		{ "1,a,b\nc", 1, { "a", "b\nc" } },
		{ "1,,", 1, { "", "" } },
		{ "", -1, { NULL } }, { "1", -1, { NULL } },
		{ "1,a", -1, { NULL } }, { ",a,b", -1, { NULL } },
		{ "x,a,b", -1, { NULL } }, { "1x,a,b", -1, { NULL } },
		{ "-1,a,b", -1, { NULL } }, { "+1,a,b", -1, { NULL } },
		{ " 1,a,b", -1, { NULL } }, { "1 ,a,b", -1, { NULL } },
		{ "1.5,a,b", -1, { NULL } }, { "0x1,a,b", -1, { NULL } },
		{ "1000000000000,a,b", -1, { NULL } },
		{ "99999999999999999999,a,b", -1, { NULL } },
	};
	const struct staterow *row;
	struct statedir all;
	size_t i;

	make_dir("state");
	make_dir("state/list");
	for (i = 0; i < LENGTH(rows); i++) {
		rows_forget("state/list");
		row_write("state/list", 9, rows[i].line);
		row_write("state/list", 10, "7,last,line");
		open_state(&all, &commas);
		row = all.rows.list;
		check(rows[i].line, all.rows.n ==
		    (rows[i].seconds != -1 ? 2 : 1));
		if (rows[i].seconds != -1) {
			check(rows[i].line, row->seconds == rows[i].seconds);
			check_text(rows[i].line, row->fields[0],
			    rows[i].fields[0]);
			check_text(rows[i].line, row->fields[1],
			    rows[i].fields[1]);
			row++;
		}
		check(rows[i].line, row->seconds == 7 && row->number == 10);
		check_text(rows[i].line, row->fields[1], "line");
		statedir_close(&all);
	}
}

static void
what_is_added_is_read_again_until_it_is_removed(void **state unused)
{
	const struct staterow row = { .seconds = 5, .fields = { "one two" } };
	struct statedir all;
	struct stat st;

	open_state(&all, &blanks);
	assert_int_equal(all.rows.n, 0);
	assert_int_equal(statedir_add(&all, &row, NULL), 0);
	assert_int_equal(statedir_add(&all, &row, NULL), 0);
	assert_int_equal(all.rows.n, 2);
	statedir_close(&all);
	assert_int_equal(stat(test_path("state/list"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	open_state(&all, &blanks);
	assert_int_equal(all.rows.n, 2);
	assert_int_equal(all.rows.list[1].seconds, 5);
	assert_string_equal(all.rows.list[1].fields[0], "one two");
	assert_true(statedir_remove(&all, 0));
	assert_int_equal(all.rows.n, 1);
	assert_string_equal(rows_text("state/list"), "5 one two\n");
	assert_int_equal(unlink(test_path("state/list/2")), 0);
	assert_false(statedir_remove(&all, 0));
	statedir_close(&all);
}

static void
only_one_process_adds_a_number(void **state unused)
{
	const struct staterow row = { .seconds = 5, .fields = { "a" } };
	struct statedir one, other;

	open_state(&one, &blanks);
	open_state(&other, &blanks);
	assert_int_equal(statedir_add(&one, &row, NULL), 0);
	assert_int_equal(statedir_add(&other, &row, NULL), 1);
	assert_int_equal(other.rows.n, 0);
	assert_int_equal(statedir_read_more(&other, NULL), 0);
	assert_int_equal(other.rows.n, 1);
	assert_int_equal(statedir_add(&other, &row, NULL), 0);
	assert_int_equal(other.rows.n, 2);
	/* in any case, behind all others */
	assert_int_equal(statedir_put(&one, &row, NULL, NULL), 0);
	assert_int_equal(one.rows.n, 3);
	assert_int_equal(one.rows.list[2].number, 3);
	statedir_close(&one);
	statedir_close(&other);
}

/* A link cannot hold it. */
static void
a_row_that_is_too_long_is_refused(void **state unused)
{
	static char text[5000];
	const struct staterow row = { .fields = { text } };
	struct x2gobroker_error err;
	struct statedir all;

	memset(text, 'x', sizeof(text) - 1);
	open_state(&all, &blanks);
	assert_int_equal(statedir_add(&all, &row, &err), -1);
	assert_non_null(strstr(err.text, "cannot be created"));
	assert_string_equal(err.file, test_path("state/list"));
	assert_int_equal(all.rows.n, 0);
	statedir_close(&all);
}

static void
an_unsafe_directory_is_refused(void **state unused)
{
	static const mode_t modes[] = { 0775, 0757, 0777, 01777 };
	static const char *const dirs[] = { "state", "state/list" };
	struct x2gobroker_error err;
	struct statedir all;
	const char *path;
	size_t i, j;

	for (j = 0; j < LENGTH(dirs); j++) {
		path = make_dir(dirs[j]);
		for (i = 0; i < LENGTH(modes); i++) {
			assert_int_equal(chmod(path, modes[i]), 0);
			assert_int_equal(statedir_open(&all, state_dir, &blanks,
			    &err), -1);
			assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
		}
		assert_int_equal(chmod(path, 0755), 0);
	}
	assert_int_equal(rmdir(test_path("state/list")), 0);
	assert_int_equal(symlink("/etc/passwd", test_path("state/list")), 0);
	assert_int_equal(statedir_open(&all, state_dir, &blanks, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	snprintf(state_dir, sizeof(state_dir), "%s/a/b", test_dir);
	assert_int_equal(statedir_open(&all, state_dir, &blanks, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_state_dir, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(rows_are_parsed_into_fields),
		test(what_is_added_is_read_again_until_it_is_removed),
		test(only_one_process_adds_a_number),
		test(a_row_that_is_too_long_is_refused),
		test(an_unsafe_directory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
