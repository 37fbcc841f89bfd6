/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <fcntl.h>

#include "agent/ssh.h"
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

/* Lines about the key AAAA of ts01, at the address 192.0.2.1 and port 2022. */
static void
lines_are_read_as_by_ssh(void **state unused)
{
	static const struct host host = { .name = "ts01.lab",
	    .address = "192.0.2.1" };
	static const struct hostkey hostkey = { .key = "AAAA", .host = &host,
	    .known_as = "ts01.lab", .port = 2022 };
	enum { REVOKED = 1, VOUCHED = 2, OTHERS = 4, EXCLUDED = 8, CA = 16 };
	static const struct {
		const char *text;
		int found;
	} rows[] = {
		{ "[ts01.lab]:2022 t AAAA", VOUCHED },
		{ "  [TS0?.*]:2022\tt\t AAAA me", VOUCHED },
		{ "x,[ts*]:2*2,y t BBBB", OTHERS },
		{ "|1|salt|hash t AAAA", VOUCHED },
		{ "|1|salt|hash t BBBB", OTHERS },
		{ "ts01.lab t AAAA", 0 }, { "[ts01.lab]:2022 t", 0 },
		{ "# [ts01.lab]:2022 t AAAA", 0 }, { "", 0 }, { " ", 0 },
		{ "*,![ts01.lab]:2022 t AAAA", EXCLUDED },
		{ "![ts01*]:*,* t BBBB", EXCLUDED },
		{ "!other,* t AAAA", VOUCHED }, { "!other t AAAA", 0 },
		{ "@revoked [ts01.lab]:2022 t AAAA", REVOKED },
		{ "@revoked ts01.lab t AAAA", REVOKED },
		{ "@revoked 192.0.2.1 t AAAA", REVOKED },
		{ "@revoked [192.0.2.1]:2022 t AAAA", REVOKED },
		{ "@revoked |1|salt|hash t AAAA", REVOKED },
		{ "@revoked * t AAAA", REVOKED },
		{ "@revoked * t BBBB", 0 }, { "@revoked ts02 t AAAA", 0 },
		{ "@revoked *.lab,![ts01*,!ts01* t AAAA", 0 },
		{ "@cert-authority [*.lab]:2022 t BBBB", CA },
		{ "@cert-authority *.org t BBBB", 0 },
		{ "@other * t AAAA", 0 },
		{ "* t AAAA\n@revoked * t AAAA\n[ts01.lab]:2022 t BBBB",
		    VOUCHED | REVOKED | OTHERS },
	};
	struct known_lines lines;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		write_file("lines", rows[i].text);
		assert_int_equal(knownhosts_find(test_path("lines"), &hostkey,
		    &lines, NULL), 0);
		check(rows[i].text, (lines.revoked ? REVOKED : 0) +
		    (lines.vouched ? VOUCHED : 0) +
		    (lines.others ? OTHERS : 0) +
		    (lines.excluded ? EXCLUDED : 0) +
		    (lines.authority == 1 ? CA : 0) == rows[i].found);
	}
	assert_int_equal(chmod(test_path("lines"), 0666), 0);
	assert_int_equal(knownhosts_find(test_path("lines"), &hostkey, &lines,
	    NULL), -1);
	assert_int_equal(knownhosts_find(test_path("none"), &hostkey, &lines,
	    NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_comes_behind_the_others),
		cmocka_unit_test(file_and_directory_are_made),
		cmocka_unit_test(what_others_could_write_is_refused),
		cmocka_unit_test(lines_are_read_as_by_ssh),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
