/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ctl.h"
#include "manifest.h"

#define DIR_PATH	X2GOBROKER_VAR "/lib/x2gobroker-setup"
#define FILE_NAME	"manifest"
#define FILE_NEW	"manifest.new"
#define NFIELDS		5

static const char head[] =
    "# What x2gobrokerctl setup has changed; x2gobrokerctl setup --undo takes "
    "it back.\n";

struct manifest {
	int dir;
	struct record *records;
	size_t n;
};

static int
fail(const char *what)
{
	ctl_complain("%s: %s: %s", DIR_PATH, what, strerror(errno));
	return -1;
}

static void
free_record(struct record *record)
{
	free(record->kind);
	free(record->name);
	free(record->before);
	free(record->after);
	free(record->account);
}

static void
free_manifest(struct manifest *manifest)
{
	size_t i;

	for (i = 0; i < manifest->n; i++)
		free_record(&manifest->records[i]);
	free(manifest->records);
	if (manifest->dir != -1)
		close(manifest->dir);
	free(manifest);
}

/* Put a copy at the end. */
static int
append(struct manifest *manifest, const char *const fields[static NFIELDS])
{
	struct record *records, *new;

	records = reallocarray(manifest->records, manifest->n + 1,
	    sizeof(*records));
	if (records == NULL)
		return fail("out of memory");
	manifest->records = records;
	new = &records[manifest->n++];
	new->kind = strdup(fields[0]);
	new->name = strdup(fields[1]);
	new->before = strdup(fields[2]);
	new->after = strdup(fields[3]);
	new->account = strdup(fields[4]);
	if (new->kind == NULL || new->name == NULL || new->before == NULL ||
	    new->after == NULL || new->account == NULL)
		return fail("out of memory");
	return 0;
}

/* Take a line apart, which is changed. */
static int
parse_line(struct manifest *manifest, char *line)
{
	const char *fields[NFIELDS];
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '#' || line[0] == '\0')
		return 0;
	while (n < NFIELDS && (fields[n] = strsep(&line, "\t")) != NULL)
		n++;
	if (n == NFIELDS && line == NULL)
		return append(manifest, fields);
	errno = EBADMSG;
	return fail(FILE_NAME " has a line that setup did not write");
}

static int
read_file(struct manifest *manifest)
{
	int fd = openat(manifest->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC);
	FILE *fp = fd != -1 ? fdopen(fd, "r") : NULL;
	char *line = NULL;
	size_t size = 0;
	int result = 0;

	if (fp == NULL)
		return errno == ENOENT ? 0 : fail(FILE_NAME);
	while (result == 0 && getline(&line, &size, fp) != -1)
		result = parse_line(manifest, line);
	if (ferror(fp))
		result = fail(FILE_NAME);
	free(line);
	fclose(fp);
	return result;
}

static void
print_records(const struct manifest *manifest, FILE *fp)
{
	const struct record *record;
	size_t i;

	fputs(head, fp);
	for (i = 0; i < manifest->n; i++) {
		record = &manifest->records[i];
		fprintf(fp, "%s\t%s\t%s\t%s\t%s\n", record->kind, record->name,
		    record->before, record->after, record->account);
	}
}

/* Replace the file as a whole: whoever is interrupted leaves the old one. */
static int
write_file(const struct manifest *manifest)
{
	FILE *fp;
	int fd;

	fd = openat(manifest->dir, FILE_NEW, O_WRONLY | O_CREAT | O_TRUNC |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || (fp = fdopen(fd, "w")) == NULL)
		return fail(FILE_NEW);
	print_records(manifest, fp);
	if (fflush(fp) != 0 || fsync(fd) == -1) {
		fclose(fp);
		return fail(FILE_NEW);
	}
	fclose(fp);
	if (renameat(manifest->dir, FILE_NEW, manifest->dir, FILE_NAME) == -1 ||
	    fsync(manifest->dir) == -1)
		return fail(FILE_NAME);
	return 0;
}

/* Open the directory for us alone.  1: there is none. */
static int
open_dir(struct manifest *manifest, bool make)
{
	struct stat st;

	if (make && mkdir(DIR_PATH, 0700) == -1 && errno != EEXIST)
		return fail("cannot be made");
	manifest->dir = open(DIR_PATH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (manifest->dir == -1)
		return errno == ENOENT && !make ? 1 : fail("cannot be opened");
	if (fstat(manifest->dir, &st) == -1)
		return fail("cannot be looked up");
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		errno = EPERM;
		return fail("others than root could have written it");
	}
	if (flock(manifest->dir, LOCK_EX | LOCK_NB) == -1)
		return fail("another setup is at work");
	return 0;
}

int
manifest_open(bool make, struct manifest **out)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	int result;

	*out = NULL;
	if (manifest == NULL)
		return fail("out of memory");
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

int
manifest_add(struct manifest *manifest, const char *kind, const char *name,
    const char *before, const char *after, const char *account)
{
	const char *const fields[NFIELDS] = { kind, name, before, after,
	    account };
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if (strpbrk(fields[i], "\t\n") != NULL) {
			errno = EINVAL;
			return fail("tabs and line ends cannot be noted");
		}
	if (append(manifest, fields) == -1)
		return -1;
	return write_file(manifest);
}

int
manifest_drop(struct manifest *manifest, size_t i)
{
	free_record(&manifest->records[i]);
	manifest->n--;
	memmove(&manifest->records[i], &manifest->records[i + 1],
	    (manifest->n - i) * sizeof(manifest->records[0]));
	return write_file(manifest);
}
