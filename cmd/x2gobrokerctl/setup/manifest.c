/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "../ctl.h"
#include "manifest.h"

#define DIR_PATH	X2GOBROKER_VAR "/lib/x2gobroker-setup"
#define FILE_NAME	"manifest"
#define FILE_NEW	"manifest.new"
#define NFIELDS		5

static const char head[] =
    "# What x2gobrokerctl setup changed; to undo it: x2gobrokerctl setup "
    "--undo\n";

struct manifest {
	int dir;
	struct record *records;
	size_t n;
};

/* Print why, with what errno says.  -1 */
static int
report_errno(const char *what)
{
	ctl_complain("%s: %s: %s", DIR_PATH, what, strerror(errno));
	return -1;
}

static void
free_manifest(struct manifest *manifest)
{
	size_t i;

	for (i = 0; i < manifest->n; i++)
		free(manifest->records[i].line);
	free(manifest->records);
	if (manifest->dir != -1)
		close(manifest->dir);
	free(manifest);
}

/* Split line, which becomes the record's, and append the record. */
static int
append_line(struct manifest *manifest, char *line)
{
	char *fields[NFIELDS], *rest = line;
	struct record *records;
	size_t n = 0;

	while (n < NFIELDS && (fields[n] = strsep(&rest, "\t")) != NULL)
		n++;
	if (n < NFIELDS || rest != NULL) {
		free(line);
		errno = EBADMSG;
		return report_errno(FILE_NAME " has a line that setup did not "
		    "write");
	}
	records = reallocarray(manifest->records, manifest->n + 1,
	    sizeof(*records));
	if (records == NULL) {
		free(line);
		return report_errno("out of memory");
	}
	manifest->records = records;
	records[manifest->n++] = (struct record){ line, fields[0], fields[1],
	    fields[2], fields[3], fields[4] };
	return 0;
}

static int
read_file(struct manifest *manifest)
{
	int fd = openat(manifest->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC);
	cleanup_file FILE *fp = fd != -1 ? fdopen(fd, "r") : NULL;
	cleanup_free char *line = NULL;
	size_t size = 0;
	char *copy;

	if (fp == NULL)
		return errno == ENOENT ? 0 : report_errno(FILE_NAME);
	while (getline(&line, &size, fp) != -1) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		if ((copy = strdup(line)) == NULL)
			return report_errno("out of memory");
		if (append_line(manifest, copy) == -1)
			return -1;
	}
	return ferror(fp) ? report_errno(FILE_NAME) : 0;
}

static void
print_records(const struct manifest *manifest, struct buf *buf)
{
	const struct record *record;
	size_t i;

	buf_puts(buf, head);
	for (i = 0; i < manifest->n; i++) {
		record = &manifest->records[i];
		buf_printf(buf, "%s\t%s\t%s\t%s\t%s\n", record->kind,
		    record->name, record->before, record->after,
		    record->account);
	}
}

static int
write_file(const struct manifest *manifest)
{
	const struct safefile_new new = { .dirfd = manifest->dir,
	    .name = FILE_NAME, .temporary = FILE_NEW, .mode = 0600,
	    .sync = true };
	struct x2gobroker_error err;
	cleanup_buf struct buf buf = { 0 };

	print_records(manifest, &buf);
	if (safefile_replace(&new, &buf, DIR_PATH "/" FILE_NAME, &err) == 0)
		return 0;
	ctl_print_error(&err);
	return -1;
}

/* Open and lock the directory.  1: it does not exist. */
static int
open_dir(struct manifest *manifest, bool make)
{
	struct stat st;

	if (make && mkdir(DIR_PATH, 0700) == -1 && errno != EEXIST)
		return report_errno("cannot make it");
	manifest->dir = open(DIR_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (manifest->dir == -1)
		return errno == ENOENT && !make ? 1 :
		    report_errno("cannot open it");
	if (fstat(manifest->dir, &st) == -1)
		return report_errno("cannot look it up");
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return report_errno("somebody other than root could have "
		    "written to it");
	}
	if (flock(manifest->dir, LOCK_EX | LOCK_NB) == -1)
		return report_errno("another setup is running");
	return 0;
}

int
manifest_open(bool make, struct manifest **out)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	int result;

	*out = NULL;
	if (manifest == NULL)
		return report_errno("out of memory");
	manifest->dir = -1;
	result = open_dir(manifest, make);
	if (result == 0)
		result = read_file(manifest);
	if (result == 0)
		*out = manifest;
	else
		free_manifest(manifest);
	return result == -1 ? -1 : 0;
}

void
manifest_close(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	if (manifest->n == 0) {
		unlinkat(manifest->dir, FILE_NAME, 0);
		unlinkat(manifest->dir, FILE_NEW, 0);
		rmdir(DIR_PATH);
	}
	free_manifest(manifest);
}

size_t
manifest_count(const struct manifest *manifest)
{
	return manifest != NULL ? manifest->n : 0;
}

const struct record *
manifest_get(const struct manifest *manifest, size_t i)
{
	return &manifest->records[i];
}

bool
manifest_has(const struct manifest *manifest, const char *name)
{
	size_t i;

	for (i = 0; i < manifest->n; i++)
		if (strcmp(manifest->records[i].name, name) == 0)
			return true;
	return false;
}

int
manifest_add(struct manifest *manifest, const char *kind, const char *name,
    const char *before, const char *after, const char *account)
{
	const char *const fields[NFIELDS] = { kind, name, before, after,
	    account };
	char *line;
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if (strpbrk(fields[i], "\t\n") != NULL) {
			errno = EINVAL;
			return report_errno("cannot record a tab or line end");
		}
	if (asprintf(&line, "%s\t%s\t%s\t%s\t%s", kind, name, before, after,
	    account) == -1)
		return report_errno("out of memory");
	if (append_line(manifest, line) == -1)
		return -1;
	return write_file(manifest);
}

int
manifest_drop(struct manifest *manifest, size_t i)
{
	free(manifest->records[i].line);
	manifest->n--;
	memmove(&manifest->records[i], &manifest->records[i + 1],
	    (manifest->n - i) * sizeof(manifest->records[0]));
	return write_file(manifest);
}
