/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories of rows (base/statedir.h), as texts with a line for each row. */
#ifndef TEST_STATE_ROWS_H
#define TEST_STATE_ROWS_H

#include <dirent.h>

#include "support.h"

/* The state directory, which does not exist yet. */
static unused char state_dir[100];

static unused int
make_state_dir(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir);
	return 0;
}

static unused int
is_row(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static unused int
compare_rows(const struct dirent **a, const struct dirent **b)
{
	return (int)(atoll((*a)->d_name) - atoll((*b)->d_name));
}

static unused const char *
row_path(const char *dir, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", test_path(dir), name);
	return path;
}

/* The rows of a directory in the test's own; good until the next call. */
static unused const char *
rows_text(const char *dir)
{
	static char text[16384];
	struct dirent **list;
	int i, n = scandir(test_path(dir), &list, is_row, compare_rows);
	size_t len = 0;
	ssize_t got;

	for (i = 0; i < n; i++) {
		got = readlink(row_path(dir, list[i]->d_name), text + len,
		    sizeof(text) - 1 - len);
		assert_true(got > 0);
		len += (size_t)got;
		text[len++] = '\n';
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	text[len] = '\0';
	return n >= 0 ? text : "(none)";
}

/* Remove its rows. */
static unused void
rows_forget(const char *dir)
{
	struct dirent **list;
	int i, n = scandir(test_path(dir), &list, is_row, compare_rows);

	for (i = 0; i < n; i++) {
		remove(row_path(dir, list[i]->d_name));
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* Put one row there, whose text may be none. */
static unused void
row_write(const char *dir, int number, const char *text)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", number);
	if (*text != '\0')
		assert_int_equal(symlink(text, row_path(dir, name)), 0);
}

#endif
