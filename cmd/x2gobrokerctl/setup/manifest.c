/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/textfile.h"
#include "step.h"

#define DIR_PATH	X2GOBROKER_VAR "/lib/x2gobroker-setup"
#define FILE_NAME	"manifest"
#define FILE_NEW	"manifest.new"
#define FILE_PATH	DIR_PATH "/" FILE_NAME
#define NFIELDS		5

static const char head[] =
    "# What x2gobrokerctl setup changed; to undo it: x2gobrokerctl setup "
    "--undo\n";

static int
complain(const char *why)
{
	ctl_complain("%s: %s", FILE_PATH, why);
	return -1;
}

static void
free_manifest(struct manifest *manifest)
{
	while (manifest->n > 0)
		free(manifest->records[--manifest->n].line);
	free(manifest->records);
	cleanup_closep(&manifest->lock);
	cleanup_closep(&manifest->dir);
	free(manifest);
}

/* Append a record from a copy of line. */
static int
append_line(struct manifest *manifest, const char *line)
{
	cleanup_free char *copy = strdup(line);
	char *fields[NFIELDS], *rest = copy;
	struct record *records;
	size_t n = 0;

	if (copy == NULL)
		return complain("out of memory");
	while (n < NFIELDS && (fields[n] = strsep(&rest, "\t")) != NULL)
		n++;
	if (n < NFIELDS || rest != NULL)
		return complain("has a line that setup did not write");
	records = array_grow(manifest->records, manifest->n, sizeof(*records));
	if (records == NULL)
		return complain("out of memory");
	manifest->records = records;
	records[manifest->n++] = (struct record){ steal(&copy), fields[0],
	    fields[1], fields[2], fields[3], fields[4] };
	return 0;
}

static int
read_file(struct manifest *manifest, struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file = { 0 };

	if (textfile_read(&file, FILE_PATH, safefile_open_entry, err) == -1) {
		ctl_print_error(err);
		return -1;
	}
	while (textfile_next(&file))
		if (*file.line != '#' && *file.line != '\0' &&
		    append_line(manifest, file.line) == -1)
			return -1;
	return 0;
}

static void
print_records(const struct manifest *manifest, struct buf *buf)
{
	const struct record *record = manifest->records;
	size_t i;

	buf_puts(buf, head);
	for (i = 0; i < manifest->n; i++, record++)
		buf_printf(buf, "%s\t%s\t%s\t%s\t%s\n", record->kind,
		    record->name, record->before, record->after,
		    record->account);
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
	if (safefile_replace(&new, &buf, FILE_PATH, &err) == 0)
		return 0;
	ctl_print_error(&err);
	return -1;
}

int
manifest_open(bool make, struct manifest **out)
{
	struct manifest *manifest = calloc(1, sizeof(*manifest));
	struct x2gobroker_error err;
	int result = 0;

	*out = NULL;
	if (manifest == NULL)
		return complain("out of memory");
	manifest->lock = -1;
	manifest->dir = safefile_open_dir(DIR_PATH, make ? 0700 : 0, &err);
	if (manifest->dir != -1) {
		manifest->lock = safefile_lock(manifest->dir, DIR_PATH, 0,
		    NULL);
		result = manifest->lock == -1 ?
		    complain("another setup is running") :
		    read_file(manifest, &err);
		if (result == 0)
			*out = steal(&manifest);
	} else if (make || err.code != X2GOBROKER_ERR_NOTFOUND) {
		ctl_print_error(&err);
		result = -1;
	}
	if (manifest != NULL)
		free_manifest(manifest);
	return result;
}

void
manifest_close(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	if (manifest->n == 0) {
		unlinkat(manifest->dir, FILE_NAME, 0);
		unlinkat(manifest->dir, FILE_NEW, 0);
		unlinkat(manifest->dir, SAFEFILE_LOCK, 0);
		rmdir(DIR_PATH);
	}
	free_manifest(manifest);
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
	cleanup_buf struct buf line = { 0 };

	buf_printf(&line, "%s\t%s\t%s\t%s\t%s", kind, name, before, after,
	    account);
	if (line.failed)
		return complain("out of memory");
	if (strchr(line.data, '\n') != NULL)
		return complain("cannot record a line end");
	if (append_line(manifest, line.data) == -1)
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
