/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libinih as distributions build it would lose, and what configparser
 * makes of a file, row by row.
 */
#include "base/buf.h"
#include "support.h"

/* A dump: "[section]" and "key=value" with a line each, "|" for line breaks in
 * values, keys in the order of their names. */
static void
dump(struct buf *buf, const struct inifile *ini)
{
	const char *p;
	size_t i, j;

	for (i = 0; i < ini->nsections; i++) {
		const struct ini_section *section = &ini->sections[i];

		buf_printf(buf, "[%s]\n", section->name);
		for (j = 0; j < section->nkeys; j++) {
			buf_printf(buf, "%s=", section->keys[j].name);
			for (p = section->keys[j].value; *p != '\0'; p++)
				buf_putc(buf, *p == '\n' ? '|' : *p);
			buf_putc(buf, '\n');
		}
	}
}

static void
files_are_read_as_configparser_does(void **state unused)
{
	static const struct {
		const char *why, *text, *dump;
	} rows[] = {
		{ "an empty file", "", "" },
		{ "blank lines alone", "\n \n\t\n", "" },
		{ "comments alone", "# a\n;b\n  # c\n\t; d=e\n", "" },
		{ "no line end", "[a]\nk=v", "[a]\nk=v\n" },
		{ "'=' and ':'", "[a]\nk=v\nl:w\nm = x\nn : y\n",
		    "[a]\nk=v\nl=w\nm=x\nn=y\n" },
		{ "the first separator counts", "[a]\nk=a:b=c\nl:a=b:c\n",
		    "[a]\nk=a:b=c\nl=a=b:c\n" },
		{ "blanks around", "[a]\n k\t= \t v w \t\n", "[a]\nk=v w\n" },
		{ "an empty value", "[a]\nk=\nl = \nm:\n",
		    "[a]\nk=\nl=\nm=\n" },
		{ "keys are case-sensitive", "[a]\nK=1\nk=2\n",
		    "[a]\nK=1\nk=2\n" },
		{ "blanks in a key", "[a]\nmy key=1\n", "[a]\nmy key=1\n" },
		{ "' ;' in a value", "[a]\nk=v ; w\nl=;\nm=a;b ;c\n",
		    "[a]\nk=v ; w\nl=;\nm=a;b ;c\n" },
		{ "'#' in a value", "[a]\nk=v # w\nl=#\n",
		    "[a]\nk=v # w\nl=#\n" },
		{ "';' and '#' in a key", "[a]\nk;x=v\nl #=w\n",
		    "[a]\nk;x=v\nl #=w\n" },
		{ "quotes are text", "[a]\nk=\"v\"\nl='w\n",
		    "[a]\nk=\"v\"\nl='w\n" },
		{ "'[' in a value", "[a]\nk=[b]\n", "[a]\nk=[b]\n" },
		{ "sections without keys", "[a]\n[b]\nk=v\n[c]\n",
		    "[a]\n[b]\nk=v\n[c]\n" },
		{ "a section twice", "[a]\nk=1\n[a]\nk=2\n",
		    "[a]\nk=1\n[a]\nk=2\n" },
		{ "blanks in a section", "[ a b ]\nk=v\n", "[ a b ]\nk=v\n" },
		{ "an indented section", "  [a]\nk=v\n", "[a]\nk=v\n" },
		{ "text behind a section", "[a] # x\nk=v\n", "[a]\nk=v\n" },
		{ "a remark behind a section", "[a] -> MUSIC OF THE FUTURE\nk=v\n",
		    "[a]\nk=v\n" },
		{ "']' in a section", "[a]b]\nk=v\n", "[a]b]\nk=v\n" },
		{ "';' in a section", "[a ;b]\nk=v\n", "[a ;b]\nk=v\n" },
		{ "a continuation", "[a]\nk=v,\n w,\n\tx\n",
		    "[a]\nk=v,|w,|x\n" },
		{ "a continuation of nothing", "[a]\nk=\n v\n", "[a]\nk=|v\n" },
		{ "continued by '[x]'", "[a]\nk=v\n [x]\n", "[a]\nk=v|[x]\n" },
		{ "continued by 'l=w'", "[a]\nk=v\n l=w\n", "[a]\nk=v|l=w\n" },
		{ "continued by '=w'", "[a]\nk=v\n =w\n", "[a]\nk=v|=w\n" },
		{ "continued by a ' ; '", "[a]\nk=v\n w ; x\n",
		    "[a]\nk=v|w ; x\n" },
		{ "a blank line in a value", "[a]\nk=v\n\n w\n",
		    "[a]\nk=v||w\n" },
		{ "blank lines in a value", "[a]\nk=v\n\n  \n\t\n w\n x\n\n y",
		    "[a]\nk=v||||w|x||y\n" },
		{ "blank lines behind a value", "[a]\nk=v\n\n\nl=w\n\n",
		    "[a]\nk=v\nl=w\n" },
		{ "a comment in a value", "[a]\nk=v\n# c\n  ; d\n w\n",
		    "[a]\nk=v|w\n" },
		{ "a comment and a blank line", "[a]\nk=v\n# c\n\n w\n",
		    "[a]\nk=v||w\n" },
		{ "indented keys", "[a]\n  k=v\n  l=w\n", "[a]\nk=v\nl=w\n" },
		{ "indented less", "[a]\n    k=v\n  l=w\n",
		    "[a]\nk=v\nl=w\n" },
		{ "deeper than an indented key", "[a]\n  k=v\n    w\n  l=x\n",
		    "[a]\nk=v|w\nl=x\n" },
		{ "deeper than a section", "[a]\n    k=v\n",
		    "[a]\nk=v\n" },
		{ "CRLF", "[a]\r\nk=v\r\n\r\n w\r\n", "[a]\nk=v||w\n" },
		{ "CRLF without a line end", "[a]\r\nk=v\r", "[a]\nk=v\n" },
		{ "a byte order mark", "\xef\xbb\xbf[a]\nk=v\n",
		    "[a]\nk=v\n" },
		{ "a mark and a comment", "\xef\xbb\xbf# x\n[a]\nk=v\n",
		    "[a]\nk=v\n" },
		{ "UTF-8", "[B\xc3\xbcro]\nk=\xe2\x82\xac\n",
		    "[B\xc3\xbcro]\nk=\xe2\x82\xac\n" },
		{ "Latin-1", "[B\xfcro]\nk=\xa0v\xa0\n",
		    "[B\xfcro]\nk=\xa0v\xa0\n" },
		{ "a control character in a comment", "# \x01\n[a]\nk=v\n",
		    "[a]\nk=v\n" },
		{ "tabs inside", "[a]\nk=v\tw\n", "[a]\nk=v\tw\n" },
		{ "keys sorted", "[a]\nz=1\nb=2\na=3\n",
		    "[a]\na=3\nb=2\nz=1\n" },
		{ "a key twice, by line", "[a]\nk=2\nj=0\nk=1\n",
		    "[a]\nj=0\nk=2\nk=1\n" },
	};
	struct problems problems;
	struct inifile *ini;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		struct buf buf = { 0 };

		ini = read_ini(rows[i].text, strlen(rows[i].text), &problems);
		check_problems(rows[i].why, &problems,
		    &(const struct problem){ 0 });
		buf_puts(&buf, "");
		dump(&buf, ini);
		check_text(rows[i].why, buf.data, rows[i].dump);
		check_text(rows[i].why, ini->path, "test.conf");
		buf_free(&buf);
		inifile_free(ini);
	}
}

static void
what_is_no_ini_syntax_is_told_line_by_line(void **state unused)
{
	static const struct {
		const char *why, *text;
		struct problem problems[4];
	} rows[] = {
		{ "a key without a section", "k=v\n[a]\n",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "before the first" } } },
		{ "text without a section", "x\n",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "before the first" } } },
		{ "a section without an end", "[a\nk=v\n",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "a ']' at its end" },
		      { X2GOBROKER_ERR_SYNTAX, 2, "before the first" } } },
		{ "a key behind a section", "[a] k=v\n[b]\nk=v\n",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "text behind the ']'" } } },
		{ "old line ends", "[a]\rk=v\rl=w\r",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "text behind the ']'" } } },
		{ "a section without a name", "\n[]\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "needs a name" } } },
		{ "no separator", "[a]\nk\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "neither [section]" } } },
		{ "a continuation of a section", "[a]\n  k\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "neither [section]" } } },
		{ "no continuation", "[a]\n  k=v\n  w\n",
		    { { X2GOBROKER_ERR_SYNTAX, 3, "neither [section]" } } },
		{ "no name before '='", "[a]\n=v\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "a key needs a name" } } },
		{ "' ;' in a key, which libinih cuts", "[a]\nk ;x=v\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "invalid key name" } } },
		{ "no name before ':'", "[a]\n  : v\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "a key needs a name" } } },
		{ "a byte order mark later", "[a]\n\xef\xbb\xbf[b]\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "neither [section]" } } },
		{ "two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf[a]\n",
		    { { X2GOBROKER_ERR_SYNTAX, 1, "before the first" } } },
		{ "all of them", "[a]\nk\nl=1\n[\n=\n",
		    { { X2GOBROKER_ERR_SYNTAX, 2, "neither [section]" },
		      { X2GOBROKER_ERR_SYNTAX, 4, "a ']' at its end" },
		      { X2GOBROKER_ERR_SYNTAX, 5, "a key needs a name" } } },
	};
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].why, read_ini(rows[i].text, strlen(rows[i].text),
		    &problems) == NULL);
		check_problems(rows[i].why, &problems, rows[i].problems);
		check_text(rows[i].why, problems.list[0].file, "test.conf");
	}
}

/* libinih takes more than blanks for indentation, and cuts a long name.  It is
 * all the same whether the key is told or read, with its odd byte or without;
 * but read it must be. */
static void
no_key_is_taken_for_another_one(void **state unused)
{
	static const char *const before[] = { "", "short=1\n",
	    "a-key-whose-name-is-longer-than-libinih-cares-to-keep=1\n" };
	struct problems problems;
	struct inifile *ini;
	char text[200], name[20];
	size_t i;
	int c;

	for (i = 0; i < LENGTH(before); i++) {
		for (c = 1; c < 0x20; c++) {
			if (c == '\t' || c == '\n')
				continue;
			snprintf(name, sizeof(name), "%cacl-users-deny", c);
			snprintf(text, sizeof(text), "[p]\n%s%s=alice\n",
			    before[i], name);
			ini = read_ini(text, strlen(text), &problems);
			if (ini == NULL)	/* told, so all is well */
				continue;
			if (inifile_find(&ini->sections[0], name) == NULL &&
			    inifile_find(&ini->sections[0], name + 1) == NULL)
				fail_msg("0x%02x behind \"%s\"", c, before[i]);
			inifile_free(ini);
		}
	}
}

static void
nul_bytes_are_refused(void **state unused)
{
	static const struct {
		const char *text;
		size_t len;
		unsigned int line;
	} rows[] = {
		{ "[a]\nk=v\0w\n", 10, 2 },
		{ "[a]\nk=v\0", 8, 2 },
		{ "[a]\n\0\nk=v\n", 10, 2 },
		{ "[a\0]\n", 5, 1 },
	};
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check("NUL", read_ini(rows[i].text, rows[i].len, &problems) ==
		    NULL);
		check_problem("NUL", &problems.list[0],
		    &(const struct problem){ X2GOBROKER_ERR_SYNTAX,
		    rows[i].line, "a NUL byte" });
	}
}

/* The value that comes back for "[s]\nkey" + middle + value + rest. */
static void
check_long(const char *label, const char *middle, const char *value,
    const char *rest, const char *want)
{
	struct problems problems;
	struct buf buf = { 0 };
	struct inifile *ini;

	buf_printf(&buf, "[s]\nkey%s%s%s\nnext=1\n", middle, value, rest);
	ini = read_ini(buf.data, buf.len, &problems);
	check_problems(label, &problems, &(const struct problem){ 0 });
	check(label, ini->nsections == 1 && ini->sections[0].nkeys == 2);
	check_text(label, ini->sections[0].keys[0].name, "key");
	check_text(label, ini->sections[0].keys[0].value, want);
	check_text(label, ini->sections[0].keys[1].value, "1");
	check(label, ini->sections[0].keys[1].line > 2);
	inifile_free(ini);
	buf_free(&buf);
}

static void
lines_of_5000_characters_keep_every_byte(void **state unused)
{
	static const char *const patterns[] = {
		"x", "host.example.org,", "a ; b # c ", "=:[]", "\xc3\xbc",
		"; ", "\t;", "a b\tc ",
	};
	char value[5001], want[5003];
	size_t i, j, len;

	for (i = 0; i < LENGTH(patterns); i++) {
		len = strlen(patterns[i]);
		for (j = 0; j < sizeof(value) - 1; j++)
			value[j] = patterns[i][j % len];
		/* neither end is a blank, which would be trimmed */
		value[0] = value[sizeof(value) - 2] = '!';
		value[sizeof(value) - 1] = '\0';
		check_long(patterns[i], "=", value, "", value);
		check_long(patterns[i], " : ", value, " \t ", value);
		strcpy(stpcpy(want, "v\n"), value);
		check_long(patterns[i], "=v\n  ", value, "", want);
	}
}

static void
lines_of_every_length_near_a_piece_are_whole(void **state unused)
{
	char value[500];
	size_t len;

	for (len = 100; len < sizeof(value) - 1; len++) {
		memset(value, 'v', len);
		value[len] = '\0';
		value[len / 2] = ' ';
		value[len - 2] = ';';
		check_long("length", "=", value, "", value);
	}
}

static void
blanks_around_a_value_are_trimmed(void **state unused)
{
	char blanks[600];
	size_t len;

	for (len = 1; len < sizeof(blanks) - 1; len += 50) {
		memset(blanks, ' ', len);
		blanks[len] = '\0';
		check_long("behind", "=", "v", blanks, "v");
		check_long("before", "=", blanks, "v", "v");
	}
}

static void
section_names_of_300_characters_are_whole(void **state unused)
{
	struct problems problems;
	struct buf buf = { 0 };
	struct inifile *ini;
	char name[301];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	name[60] = ' ';
	name[61] = ';';
	buf_printf(&buf, "[%s]\nk=v\n[%s2]\n", name, name);
	ini = read_ini(buf.data, buf.len, &problems);
	assert_non_null(ini);
	assert_int_equal(ini->nsections, 2);
	assert_string_equal(ini->sections[0].name, name);
	assert_int_equal(ini->sections[0].nkeys, 1);
	assert_int_equal(strlen(ini->sections[1].name), 301);
	inifile_free(ini);
	buf_free(&buf);
}

static void
key_names_end_at_120_bytes(void **state unused)
{
	struct problems problems;
	char text[200], *p = text + 4;
	struct inifile *ini;
	size_t len;

	for (len = 40; len <= 121; len++) {
		strcpy(text, "[s]\n");
		memset(p, 'k', len);
		strcpy(p + len, "=v\n more\n");
		ini = read_ini(text, strlen(text), &problems);
		if (len > 120) {
			assert_null(ini);
			check_problem("121", &problems.list[0],
			    &(const struct problem){ X2GOBROKER_ERR_SYNTAX, 2,
			    "too long" });
			continue;
		}
		assert_non_null(ini);
		assert_int_equal(strlen(ini->sections[0].keys[0].name), len);
		assert_string_equal(ini->sections[0].keys[0].value, "v\nmore");
		inifile_free(ini);
	}
}

static void
lines_are_counted_from_the_file(void **state unused)
{
	static const char text[] = "# head\n\n[a]\nz=1\n  2\n\n# c\nk=v\n"
	    "\n[b]\n\nm=1\n";
	struct problems problems;
	struct inifile *ini = read_ini(text, strlen(text), &problems);

	assert_non_null(ini);
	assert_int_equal(ini->sections[0].line, 3);
	assert_int_equal(ini->sections[1].line, 10);
	assert_int_equal(inifile_find(&ini->sections[0], "z")->line, 4);
	assert_int_equal(inifile_find(&ini->sections[0], "k")->line, 8);
	assert_int_equal(inifile_find(&ini->sections[1], "m")->line, 12);
	inifile_free(ini);
}

static void
a_key_is_found_by_its_exact_name(void **state unused)
{
	static const char text[] = "[a]\nb=1\nd=2\nf=3\nd=4\n[empty]\n";
	struct problems problems;
	struct inifile *ini = read_ini(text, strlen(text), &problems);
	const struct ini_section *a = &ini->sections[0];
	static const char *const missing[] = { "", "a", "c", "e", "g", "B",
	    "bb", " b" };
	size_t i;

	assert_string_equal(inifile_find(a, "b")->value, "1");
	assert_string_equal(inifile_find(a, "f")->value, "3");
	assert_int_equal(inifile_find(a, "d")->line, 3);
	for (i = 0; i < LENGTH(missing); i++)
		check(missing[i], inifile_find(a, missing[i]) == NULL);
	assert_null(inifile_find(&ini->sections[1], "b"));
	inifile_free(ini);
}

static void
duplicates_are_reported_with_both_lines(void **state unused)
{
	static const char text[] = "[a]\nk=1\nj=2\nk=3\nk=3\n[b]\nk=1\n";
	struct problems problems;
	struct reporter rep = { .fn = collect, .arg = &problems };
	struct inifile *ini = read_ini(text, strlen(text), &problems);

	assert_int_equal(inifile_report_duplicates(ini, &ini->sections[0],
	    &rep), 2);
	check_problems("k", &problems, (const struct problem[]){
		{ X2GOBROKER_ERR_VALUE, 4, "duplicate key \"k\" (first at line 2)" },
		{ X2GOBROKER_ERR_VALUE, 5, "duplicate key \"k\" (first at line 4)" },
		{ 0 } });
	assert_int_equal(inifile_report_duplicates(ini, &ini->sections[1],
	    &rep), 0);
	inifile_free(ini);
}

static ssize_t
fail_to_read(void *cookie, char *buf, size_t size)
{
	size_t *left = cookie;

	if (size > *left)
		size = *left;
	*left -= size;
	if (size == 0)
		return -1;
	memcpy(buf, &"[a]\nk=v\n"[8 - *left - size], size);
	return (ssize_t)size;
}

static void
half_a_file_is_none(void **state unused)
{
	const cookie_io_functions_t io = { .read = fail_to_read };
	struct problems problems = { 0 };
	struct reporter rep = { .fn = collect, .arg = &problems };
	struct inifile *ini;
	size_t left = 8;
	FILE *fp = fopencookie(&left, "r", io);

	assert_int_equal(inifile_read(fp, "test.conf", &rep, &ini), -1);
	assert_null(ini);
	check_problems("read error", &problems, (const struct problem[]){
		{ X2GOBROKER_ERR_SYSTEM, 0, "cannot be read" }, { 0 } });
	fclose(fp);
	inifile_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_as_configparser_does),
		cmocka_unit_test(what_is_no_ini_syntax_is_told_line_by_line),
		cmocka_unit_test(no_key_is_taken_for_another_one),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(lines_of_5000_characters_keep_every_byte),
		cmocka_unit_test(lines_of_every_length_near_a_piece_are_whole),
		cmocka_unit_test(blanks_around_a_value_are_trimmed),
		cmocka_unit_test(section_names_of_300_characters_are_whole),
		cmocka_unit_test(key_names_end_at_120_bytes),
		cmocka_unit_test(lines_are_counted_from_the_file),
		cmocka_unit_test(a_key_is_found_by_its_exact_name),
		cmocka_unit_test(duplicates_are_reported_with_both_lines),
		cmocka_unit_test(half_a_file_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
