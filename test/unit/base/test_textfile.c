/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of lines: how they are read, locked and replaced. */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "base/textfile.h"
#include "support.h"

/* Write len bytes to the file "lines". */
static const char *
write_bytes(const char *text, size_t len)
{
	const char *path = write_file("lines", "");
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, len, fp), len);
	assert_int_equal(fclose(fp), 0);
	return path;
}

static void
a_text_is_split_into_lines(void **state unused)
{
#define TEXT(text)	text, sizeof(text) - 1
	static const struct {
		const char *text;
		size_t len;
		const char *lines[4];
	} rows[] = {
		{ TEXT(""), { NULL } },
		{ TEXT("\n"), { "", NULL } },
		{ TEXT("a"), { "a", NULL } },
		{ TEXT("a\n"), { "a", NULL } },
		{ TEXT("a\n\nb"), { "a", "", "b", NULL } },
		{ TEXT(" a \r\n#b\t\n"), { " a \r", "#b\t", NULL } },
		{ TEXT("a\0b\nc"), { "a\1b", "c", NULL } },
		{ TEXT("\0"), { "\1", NULL } },
		{ TEXT("a\n\0"), { "a", "\1", NULL } },
	};
#undef TEXT
	struct x2gobroker_error err;
	struct textfile file;
	unsigned int n;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(textfile_read(&file, write_bytes(rows[i].text,
		    rows[i].len), safefile_open, &err), 0);
		for (n = 0; textfile_next(&file); n++) {
			check_text(rows[i].text, file.line, rows[i].lines[n]);
			check(rows[i].text, file.number == n + 1);
		}
		check(rows[i].text, rows[i].lines[n] == NULL);
		check(rows[i].text, !textfile_next(&file));
		textfile_close(&file);
	}
}

static void
a_missing_file_has_no_lines(void **state unused)
{
	struct x2gobroker_error err;
	struct textfile file;

	assert_int_equal(textfile_read(&file, test_path("none"), safefile_open,
	    &err), 0);
	assert_false(textfile_next(&file));
	textfile_close(&file);
	assert_int_equal(textfile_read(&file, test_path("none/file"),
	    safefile_open, &err), 0);
	assert_false(textfile_next(&file));
	textfile_close(&file);
}

static void
an_unsafe_file_is_refused(void **state unused)
{
	const char *path = write_file("lines", "a\n");
	struct x2gobroker_error err;
	struct textfile file;

	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(textfile_read(&file, path, safefile_open, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_false(textfile_next(&file));
	textfile_close(&file);
	assert_int_equal(textfile_read(&file, test_dir, safefile_open, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	textfile_close(&file);
}

/* Each row: a mode of the directory, or 0 to remove it, and the refusal. */
static void
a_directory_is_locked_if_it_is_safe(void **state unused)
{
	static const struct {
		mode_t mode;
		bool create;
		enum x2gobroker_code code;
	} rows[] = {
		{ 0755, false, X2GOBROKER_OK },
		{ 0700, true, X2GOBROKER_OK },
		{ 0775, false, X2GOBROKER_ERR_UNSAFE },
		{ 0757, true, X2GOBROKER_ERR_UNSAFE },
		{ 01777, true, X2GOBROKER_ERR_UNSAFE },
		{ 0, false, X2GOBROKER_ERR_NOTFOUND },
		{ 0, true, X2GOBROKER_OK },
	};
	const char *dir = make_dir("dir"), *path = test_path("dir/lines");
	struct x2gobroker_error err;
	char label[20];
	size_t i;
	int result, other;

	for (i = 0; i < LENGTH(rows); i++) {
		struct textlock lock = TEXTLOCK_NONE;

		snprintf(label, sizeof(label), "row %zu", i);
		unlink(test_path("dir/.lock"));
		assert_int_equal(rows[i].mode != 0 ?
		    chmod(dir, rows[i].mode) : rmdir(dir), 0);
		err.code = X2GOBROKER_OK;
		result = textfile_lock(&lock, path, rows[i].create, &err);
		check(label, result == (rows[i].code == X2GOBROKER_OK ? 0 :
		    -1));
		check(label, err.code == rows[i].code);
		if (rows[i].mode == 0 && !rows[i].create)
			make_dir("dir");
		if (result == 0) {
			other = open(test_path("dir/.lock"), O_RDWR);
			check(label, flock(other, LOCK_EX | LOCK_NB) == -1);
			textfile_unlock(&lock);
			check(label, flock(other, LOCK_EX | LOCK_NB) == 0);
			close(other);
		}
		textfile_unlock(&lock);
	}
}

/* Whoever can open a file can lock it: here, as any local user could. */
static void
nobody_else_can_hold_the_lock(void **state unused)
{
	struct textlock lock = TEXTLOCK_NONE;
	const char *dir = make_dir("dir"), *path = test_path("dir/lines");
	struct x2gobroker_error err;
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	struct stat st;

	write_file("dir/lines", "");
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(textfile_lock(&lock, path, false, &err), 0);
	assert_int_equal(stat(test_path("dir/.lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	textfile_unlock(&lock);
	close(fd);

	/* one that others can open is closed to them */
	assert_int_equal(chmod(test_path("dir/.lock"), 0666), 0);
	assert_int_equal(textfile_lock(&lock, path, false, &err), 0);
	assert_int_equal(stat(test_path("dir/.lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	textfile_unlock(&lock);
}

/* In the place of the lock file. */
static void
what_is_no_lock_file_is_refused(void **state unused)
{
	const char *path, *lock_path;
	struct x2gobroker_error err;
	int i;

	make_dir("dir");
	path = test_path("dir/lines");
	lock_path = test_path("dir/.lock");
	for (i = 0; i < 3; i++) {
		struct textlock lock = TEXTLOCK_NONE;

		assert_int_equal(i == 0 ? mkfifo(lock_path, 0600) : i == 1 ?
		    mkdir(lock_path, 0700) : symlink("/etc/passwd",
		    lock_path), 0);
		assert_int_equal(textfile_lock(&lock, path, false, &err), -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_SYSTEM);
		assert_non_null(strstr(err.text, "cannot be used as a lock"));
		textfile_unlock(&lock);
		remove(lock_path);
	}
	if (geteuid() == 0) {
		struct textlock lock = TEXTLOCK_NONE;

		write_file("dir/.lock", "");
		assert_int_equal(chown(lock_path, 1, 1), 0);
		assert_int_equal(textfile_lock(&lock, path, false, &err), -1);
		textfile_unlock(&lock);
	}
}

static void
a_new_directory_can_be_read_by_all(void **state unused)
{
	mode_t umask_before = umask(077);
	struct x2gobroker_error err;
	struct stat st;
	struct textlock lock = TEXTLOCK_NONE, none = TEXTLOCK_NONE;

	assert_int_equal(textfile_lock(&lock, test_path("new/lines"), true,
	    &err), 0);
	umask(umask_before);
	textfile_unlock(&lock);
	assert_int_equal(stat(test_path("new"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(textfile_lock(&none, test_path("a/b/lines"), true,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	assert_int_equal(access(test_path("a"), F_OK), -1);
}

static void
a_file_is_replaced_as_a_whole(void **state unused)
{
	const char *path = write_file("lines", "old\nand longer\n");
	mode_t umask_before = umask(077);
	cleanup_buf struct buf text = { 0 };
	struct x2gobroker_error err;
	struct textfile file;
	struct stat st;
	struct textlock lock = TEXTLOCK_NONE;

	assert_int_equal(textfile_lock(&lock, path, false, &err), 0);
	/* left by a process that did not finish */
	assert_int_equal(symlink("lines", test_path(".new")), 0);
	buf_puts(&text, "new\n");
	assert_int_equal(textfile_replace(&lock, path, &text, &err), 0);
	umask(umask_before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(access(test_path(".new"), F_OK), -1);
	assert_int_equal(textfile_read(&file, path, safefile_open, &err), 0);
	assert_true(textfile_next(&file));
	assert_string_equal(file.line, "new");
	assert_false(textfile_next(&file));
	textfile_close(&file);

	text.failed = true;
	assert_int_equal(textfile_replace(&lock, path, &text, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	textfile_unlock(&lock);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_test_dir, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_text_is_split_into_lines),
		test(a_missing_file_has_no_lines),
		test(an_unsafe_file_is_refused),
		test(a_directory_is_locked_if_it_is_safe),
		test(nobody_else_can_hold_the_lock),
		test(what_is_no_lock_file_is_refused),
		test(a_new_directory_can_be_read_by_all),
		test(a_file_is_replaced_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
