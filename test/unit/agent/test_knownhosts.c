/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <fcntl.h>

#include "agent/connection.h"
#include "support.h"

static void
check_content(const char *path, const char *want)
{
	char text[1000] = "";
	FILE *fp = fopen(path, "r");

	assert_non_null(fp);
	text[fread(text, 1, sizeof(text) - 1, fp)] = '\0';
	fclose(fp);
	assert_string_equal(text, want);
}

static void
a_line_comes_behind_the_others(void **state unused)
{
	static const struct {
		const char *before, *line, *after;
	} rows[] = {
		{ "", "a ssh-rsa A", "a ssh-rsa A\n" },
		{ "b ssh-rsa B\n", "a ssh-rsa A", "b ssh-rsa B\na ssh-rsa A\n" },
		{ "b ssh-rsa B", "a ssh-rsa A", "b ssh-rsa B\na ssh-rsa A\n" },
		{ "# b\n\n", "a ssh-rsa A\n", "# b\n\na ssh-rsa A\n" },
		/* never more than a line */
		{ "", "a ssh-rsa A\nc ssh-rsa C\n", "a ssh-rsa A\n" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		write_file("known_hosts", rows[i].before);
		assert_int_equal(knownhosts_add(test_path("known_hosts"),
		    rows[i].line, NULL), 0);
		check_content(test_path("known_hosts"), rows[i].after);
	}
}

static void
file_and_directory_are_made(void **state unused)
{
	struct stat st;

	assert_int_equal(knownhosts_add(test_path("ssh/known_hosts"), "a b c",
	    NULL), 0);
	check_content(test_path("ssh/known_hosts"), "a b c\n");
	assert_int_equal(stat(test_path("ssh"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
what_others_could_write_is_refused(void **state unused)
{
	struct x2gobroker_error err;

	make_dir("open");
	assert_int_equal(chmod(test_path("open"), 0777), 0);
	assert_int_equal(knownhosts_add(test_path("open/known_hosts"), "a b c",
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(symlink("/etc/passwd", test_path("link")), 0);
	assert_int_equal(knownhosts_add(test_path("link"), "a b c", &err), -1);
	assert_int_equal(knownhosts_add(test_path("no/such/dir"), "a b c",
	    &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_comes_behind_the_others),
		cmocka_unit_test(file_and_directory_are_made),
		cmocka_unit_test(what_others_could_write_is_refused),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
