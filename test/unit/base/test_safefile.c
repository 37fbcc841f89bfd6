/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files are trusted.  Rows about owners need root, who alone can give a
 * file away; all others hold for everybody.
 */
#include <fcntl.h>

#include "x2gobroker_admin.h"
#include "base/safefile.h"
#include "support.h"

#define SOMEBODY	65534	/* nobody's uid nearly everywhere */

static void
check_open(const char *label, const char *path, const struct problem *want)
{
	struct x2gobroker_error err = { 0 };
	FILE *fp = safefile_open(path, &err);

	if (fp != NULL)
		fclose(fp);
	if (want == NULL && fp == NULL)
		fail_msg("[%s] %s: %s", label, err.file, err.text);
	if (want == NULL)
		return;
	check(label, fp == NULL);
	check_problem(label, &err, want);
	check(label, err.file[0] != '\0');
}

static void
check_dir(const char *label, const char *path, const struct problem *want)
{
	struct x2gobroker_error err = { 0 };
	int result = safefile_check_dir(path, &err);

	if (want == NULL && result == -1)
		fail_msg("[%s] %s: %s", label, err.file, err.text);
	if (want == NULL)
		return;
	check(label, result == -1);
	check_problem(label, &err, want);
}

static void
a_file_that_is_safe_can_be_read(void **state unused)
{
	struct x2gobroker_error err;
	char text[10] = "";
	FILE *fp = safefile_open(write_file("safe", "content\n"), &err);

	assert_non_null(fp);
	assert_int_equal(fcntl(fileno(fp), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_non_null(fgets(text, sizeof(text), fp));
	assert_string_equal(text, "content\n");
	fclose(fp);
	check_open("empty", write_file("empty", ""), NULL);
}

static void
modes_are_judged_by_table(void **state unused)
{
	static const struct {
		mode_t mode;
		bool safe;
	} rows[] = {
		{ 0644, true }, { 0600, true }, { 0400, true }, { 0444, true },
		{ 0755, true }, { 04755, true },
		{ 0664, false }, { 0646, false }, { 0666, false },
		{ 0620, false }, { 0602, false }, { 0777, false },
		/* a sticky bit keeps nobody from writing a file */
		{ 01666, false }, { 02664, false },
	};
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "its group or others may write it (chmod go-w)" };
	const char *path = write_file("modes", "");
	char label[20];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(chmod(path, rows[i].mode), 0);
		snprintf(label, sizeof(label), "%o", rows[i].mode);
		check_open(label, path, rows[i].safe ? NULL : &unsafe);
	}
}

static void
directories_on_the_way_are_judged_by_table(void **state unused)
{
	static const struct {
		mode_t mode;
		bool safe;
	} rows[] = {
		{ 0755, true }, { 0700, true }, { 0711, true },
		{ 01777, true }, { 01775, true },
		{ 0775, false }, { 0757, false }, { 0777, false },
		{ 02775, false }, { 0722, false },
	};
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "its group or others may write it (chmod go-w)" };
	const char *outer = make_dir("outer"), *inner, *path;
	char label[20];
	size_t i;

	inner = make_dir("outer/inner");
	path = write_file("outer/inner/file", "");
	for (i = 0; i < LENGTH(rows); i++) {
		const struct problem *want = rows[i].safe ? NULL : &unsafe;

		snprintf(label, sizeof(label), "%o", rows[i].mode);
		assert_int_equal(chmod(outer, rows[i].mode), 0);
		check_open(label, path, want);
		check_dir(label, outer, want);
		check_dir(label, inner, want);
		assert_int_equal(chmod(outer, 0755), 0);
		assert_int_equal(chmod(inner, rows[i].mode), 0);
		check_open(label, path, want);
		check_dir(label, inner, want);
		check_dir(label, outer, NULL);
		assert_int_equal(chmod(inner, 0755), 0);
	}
}

static void
what_belongs_to_somebody_else_is_unsafe(void **state unused)
{
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "it belongs to uid 65534 and must belong to root "
	    "(chown root)" };
	const char *dir, *path;

	if (geteuid() != 0)
		return;		/* nobody else can give a file away */
	dir = make_dir("theirs");
	path = write_file("theirs/file", "");
	assert_int_equal(chown(path, SOMEBODY, (gid_t)-1), 0);
	check_open("their file", path, &unsafe);
	check_dir("our directory", dir, NULL);
	assert_int_equal(chown(path, 0, SOMEBODY), 0);
	check_open("their group alone", path, NULL);
	assert_int_equal(chown(dir, SOMEBODY, (gid_t)-1), 0);
	check_open("their directory", path, &unsafe);
	check_dir("their directory", dir, &unsafe);
	assert_int_equal(chmod(dir, 01777), 0);
	check_dir("their sticky directory", dir, &unsafe);
}

static void
ones_own_file_and_roots_are_safe(void **state unused)
{
	const char *path;

	check_open("root's", "/etc/passwd", NULL);
	check_dir("root's", "/etc", NULL);
	if (geteuid() != 0)
		return;		/* one's own: as in all other tests */
	make_dir("own");
	path = write_file("own/file", "");
	assert_int_equal(chown(path, SOMEBODY, (gid_t)-1), 0);
	assert_int_equal(chown(test_path("own"), SOMEBODY, (gid_t)-1), 0);
	assert_int_equal(chown(test_dir, SOMEBODY, (gid_t)-1), 0);
	assert_int_equal(seteuid(SOMEBODY), 0);
	check_open("own file", path, NULL);
	check_open("root's", "/etc/passwd", NULL);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(test_dir, 0, (gid_t)-1), 0);
}

static void
what_is_not_there_is_told_from_what_is_wrong(void **state unused)
{
	static const struct problem missing = { X2GOBROKER_ERR_NOTFOUND, 0,
	    "no such file or directory" };

	write_file("plain", "");
	check_open("no file", test_path("none"), &missing);
	check_open("no directory", test_path("none/file"), &missing);
	check_open("a file on the way", test_path("plain/file"),
	    &(const struct problem){ X2GOBROKER_ERR_UNSAFE, 0,
	    "not a directory" });
	check_dir("no directory", test_path("none"), &missing);
	check_dir("a file on the way", test_path("plain/dir"), &missing);
	assert_int_equal(symlink("none", test_path("dangling")), 0);
	check_open("dangling", test_path("dangling"), &missing);
	check_dir("dangling", test_path("dangling"), &missing);
}

static void
only_regular_files_are_read(void **state unused)
{
	static const struct problem irregular = { X2GOBROKER_ERR_UNSAFE, 0,
	    "not a regular file" };

	check_open("a directory", make_dir("dir"), &irregular);
	assert_int_equal(mkfifo(test_path("fifo"), 0600), 0);
	check_open("a FIFO", test_path("fifo"), &irregular);
	check_open("a device", "/dev/null", &irregular);
	check_dir("a file", write_file("no-dir", ""),
	    &(const struct problem){ X2GOBROKER_ERR_UNSAFE, 0,
	    "not a directory" });
}

static void
a_link_is_as_safe_as_what_it_leads_to(void **state unused)
{
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "its group or others may write it" };
	const char *link = test_path("link");

	make_dir("real");
	write_file("real/file", "");
	assert_int_equal(symlink("real/file", link), 0);
	check_open("link", link, NULL);
	assert_int_equal(chmod(test_path("real"), 0777), 0);
	check_open("into an unsafe directory", link, &unsafe);
	assert_int_equal(chmod(test_path("real"), 0755), 0);
	assert_int_equal(chmod(test_path("real/file"), 0666), 0);
	check_open("to an unsafe file", link, &unsafe);
}

/* Both the way as it is written and the way as it is count. */
static void
links_on_the_way_hide_nothing(void **state unused)
{
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "its group or others may write it" };
	const char *there = make_dir("there"), *here = make_dir("here");

	make_dir("there/deep");
	write_file("there/deep/file", "");
	assert_int_equal(symlink("../there/deep", test_path("here/link")), 0);
	check_open("a link on the way", test_path("here/link/file"), NULL);
	check_dir("a link at the end", test_path("here/link"), NULL);
	check_dir("a link and a slash", test_path("here/link/"), NULL);
	check_dir("a link and back", test_path("here/link/../deep"), NULL);
	assert_int_equal(chmod(there, 0777), 0);
	check_open("above where it leads", test_path("here/link/file"),
	    &unsafe);
	check_dir("above where it leads", test_path("here/link"), &unsafe);
	check_dir("above where it leads", test_path("here/link/"), &unsafe);
	check_dir("above where it leads", test_path("here/link/../deep"),
	    &unsafe);
	assert_int_equal(chmod(there, 0755), 0);
	assert_int_equal(chmod(here, 0777), 0);
	check_open("where the link is", test_path("here/link/file"), &unsafe);
	check_dir("where the link is", test_path("here/link"), &unsafe);
	check_dir("where the link is", test_path("here/link/../deep"),
	    &unsafe);
}

static void
a_loop_of_links_is_an_error(void **state unused)
{
	assert_int_equal(symlink("loop", test_path("loop")), 0);
	check_open("loop", test_path("loop"), &(const struct problem){
	    X2GOBROKER_ERR_SYSTEM, 0, "symbolic links" });
	check_dir("loop", test_path("loop"), &(const struct problem){
	    X2GOBROKER_ERR_SYSTEM, 0, "cannot be looked up" });
}

static void
what_may_not_be_read_is_an_error(void **state unused)
{
	const char *path = write_file("secret", "");

	assert_int_equal(chmod(path, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(seteuid(SOMEBODY), 0);
		check_open("secret", path, &(const struct problem){
		    X2GOBROKER_ERR_SYSTEM, 0, "cannot be opened: Permission" });
		assert_int_equal(seteuid(0), 0);
	} else
		check_open("secret", path, &(const struct problem){
		    X2GOBROKER_ERR_SYSTEM, 0, "cannot be opened: Permission" });
}

/* A file or a directory, whichever it is. */
static void
check_path_of(const char *path, enum x2gobroker_code code)
{
	struct x2gobroker_error err = { 0 };

	check(path, (x2gobroker_path_check(path, &err) == 0) ==
	    (code == X2GOBROKER_OK));
	check(path, err.code == code);
}

static void
a_path_is_judged_as_what_it_is(void **state unused)
{
	const char *dir = make_dir("some"), *file;

	file = write_file("some/file", "");
	check_path_of(dir, X2GOBROKER_OK);
	check_path_of(file, X2GOBROKER_OK);
	check_path_of(test_path("none"), X2GOBROKER_ERR_NOTFOUND);
	assert_int_equal(chmod(file, 0664), 0);
	check_path_of(file, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(dir, 0777), 0);
	check_path_of(dir, X2GOBROKER_ERR_UNSAFE);
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(seteuid(SOMEBODY), 0);
	check_path_of(dir, X2GOBROKER_ERR_SYSTEM);
	assert_int_equal(seteuid(0), 0);
}

static void
sizes_and_paths_have_a_limit(void **state unused)
{
	const char *path = write_file("large", "");
	char longer[X2GOBROKER_FILE_SIZE + 1];
	size_t len = strlen(test_dir);

	assert_int_equal(truncate(path, SAFEFILE_SIZE_MAX), 0);
	check_open("64 MiB", path, NULL);
	assert_int_equal(truncate(path, SAFEFILE_SIZE_MAX + 1), 0);
	check_open("larger", path, &(const struct problem){
	    X2GOBROKER_ERR_SYSTEM, 0, "larger than 64 MiB" });

	/* "//////large" is the same file */
	memset(longer, '/', sizeof(longer));
	memcpy(longer, test_dir, len);
	strcpy(longer + sizeof(longer) - 6, "empty");
	write_file("empty", "");
	check_open("1,024 bytes", longer, &(const struct problem){
	    X2GOBROKER_ERR_SYSTEM, 0, "the path is too long" });
	strcpy(longer + sizeof(longer) - 7, "empty");
	check_open("1,023 bytes", longer, NULL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_test_dir, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_file_that_is_safe_can_be_read),
		test(modes_are_judged_by_table),
		test(directories_on_the_way_are_judged_by_table),
		test(what_belongs_to_somebody_else_is_unsafe),
		test(ones_own_file_and_roots_are_safe),
		test(what_is_not_there_is_told_from_what_is_wrong),
		test(only_regular_files_are_read),
		test(a_link_is_as_safe_as_what_it_leads_to),
		test(links_on_the_way_hide_nothing),
		test(a_loop_of_links_is_an_error),
		test(what_may_not_be_read_is_an_error),
		test(a_path_is_judged_as_what_it_is),
		test(sizes_and_paths_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
