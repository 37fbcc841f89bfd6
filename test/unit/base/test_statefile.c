/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of state-dir: what is read from them, and what is refused. */
#include <fcntl.h>

#include "base/statefile.h"
#include "support.h"

static char dir[100];

static int
make_site(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(dir, sizeof(dir), "%s/state", test_dir);
	return 0;
}

static const struct statefile_type commas = { "list", ",", 2 },
    blanks = { "list", " ", 1 };

static void
open_state(struct statefile *file, const struct statefile_type *type)
{
	assert_int_equal(statefile_open(file, dir, type, 1000, NULL), 0);
}

static void
lines_are_parsed_into_fields(void **state unused)
{
	static const struct {
		const char *line;	/* with ',' between fields */
		int64_t seconds;	/* -1: the line is skipped */
		const char *fields[2];
	} rows[] = {
		{ "1,a,b", 1, { "a", "b" } },
		{ "0,a,b", 0, { "a", "b" } },
		{ "999999999999,a,b", 999999999999, { "a", "b" } },
		{ "1,a b, c", 1, { "a b", " c" } },
		{ "1,a,b,c,", 1, { "a", "b,c," } },
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
	struct statefile file;
	char text[200];
	size_t i;

	make_dir("state");
	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "%s\n7,last,line", rows[i].line);
		write_file("state/list", text);
		open_state(&file, &commas);
		row = file.rows.list;
		check(rows[i].line, file.rows.n ==
		    (rows[i].seconds != -1 ? 2 : 1));
		if (rows[i].seconds != -1) {
			check(rows[i].line, row->seconds == rows[i].seconds);
			check_text(rows[i].line, row->fields[0],
			    rows[i].fields[0]);
			check_text(rows[i].line, row->fields[1],
			    rows[i].fields[1]);
			row++;
		}
		check(rows[i].line, row->seconds == 7);
		check_text(rows[i].line, row->fields[1], "line");
		statefile_close(&file);
	}
}

static void
a_damaged_file_is_an_empty_one(void **state unused)
{
	const char *path, *other = write_file("other", "1 a\n");
	struct statefile file;
	int i, fd;

	make_dir("state");
	path = test_path("state/list");
	for (i = 0; i < 4; i++) {
		if (i == 1)
			assert_int_equal(symlink(other, path), 0);
		else if (i == 2)
			assert_int_equal(mkfifo(path, 0600), 0);
		else if (i == 3) {
			write_file("state/list", "1 a\n");
			fd = open(path, O_WRONLY | O_APPEND);
			assert_int_equal(write(fd, "\0", 1), 1);
			close(fd);
		}
		open_state(&file, &blanks);
		assert_int_equal(file.rows.n, 0);
		statefile_close(&file);
		assert_int_equal(unlink(path), i == 0 ? -1 : 0);
	}
}

static void
what_is_written_is_read_again(void **state unused)
{
	const struct staterow row = { 5, { "one two" } };
	struct statefile file;
	struct stat st;

	open_state(&file, &blanks);
	assert_int_equal(file.rows.n, 0);
	assert_int_equal(staterows_add(&file.rows, &row, NULL), 0);
	assert_int_equal(statefile_save(&file, NULL), 0);
	statefile_close(&file);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(test_path("state/list"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	open_state(&file, &blanks);
	assert_int_equal(file.rows.n, 1);
	assert_int_equal(file.rows.list[0].seconds, 5);
	assert_string_equal(file.rows.list[0].fields[0], "one two");
	statefile_close(&file);
	assert_int_equal(access(test_path("state/list.new"), F_OK), -1);
}

static void
a_second_process_waits_for_the_lock(void **state unused)
{
	static const struct statefile_type file = { "file", " ", 1 };
	struct x2gobroker_error err;
	struct statefile one, other;

	open_state(&one, &blanks);
	assert_int_equal(statefile_open(&other, dir, &blanks, 50, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_SYSTEM);
	assert_string_equal(err.file, test_path("state/list"));
	assert_non_null(strstr(err.text, "cannot be locked"));
	/* each file has a lock of its own */
	assert_int_equal(statefile_open(&other, dir, &file, 0, &err), 0);
	statefile_close(&other);
	statefile_close(&one);
	assert_int_equal(statefile_open(&other, dir, &blanks, 0, &err), 0);
	statefile_close(&other);
}

static void
an_unsafe_directory_is_refused(void **state unused)
{
	static const mode_t modes[] = { 0775, 0757, 0777, 01777 };
	const char *path = make_dir("state");
	struct x2gobroker_error err;
	struct statefile file;
	size_t i;

	for (i = 0; i < LENGTH(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(statefile_open(&file, dir, &blanks, 0, &err),
		    -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	}
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(symlink("/etc/passwd", test_path("state/list.lock")),
	    0);
	assert_int_equal(statefile_open(&file, dir, &blanks, 0, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_SYSTEM);
	snprintf(dir, sizeof(dir), "%s/a/b", test_dir);
	assert_int_equal(statefile_open(&file, dir, &blanks, 0, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_site, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(lines_are_parsed_into_fields),
		test(a_damaged_file_is_an_empty_one),
		test(what_is_written_is_read_again),
		test(a_second_process_waits_for_the_lock),
		test(an_unsafe_directory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
