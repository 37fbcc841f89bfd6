/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include "support.h"
#include "x2gobroker-poll/ssh.h"

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
		cmocka_unit_test(lines_are_read_as_by_ssh),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
