/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first line says which directory it is about, and when that was changed.
 * Each other line is the name of a file and the fingerprints of its keys.
 */
#include <sys/stat.h>

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "access/keyindex.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "base/statedir.h"
#include "x2gobroker.h"

/* Two changes can have the same time; after a while the second one cannot. */
#define SETTLED_SECONDS	2

#define MARK_SIZE	100
#define PRINT		strlen("SHA256:")	/* before a fingerprint */

/* What the first line says about keys-dir as it is now. */
static bool
put_mark(const struct x2gobroker_config *config, char mark[static MARK_SIZE],
    time_t *changed)
{
	struct stat st;

	if (stat(config->keys_dir, &st) == -1)
		return false;
	snprintf(mark, MARK_SIZE, "%ju %ju %jd.%09ld",
	    (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
	    (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	*changed = st.st_ctim.tv_sec;
	return true;
}

/* Only root and the account of this process can have written it. */
static bool
open_file(struct keyindex *index, const struct x2gobroker_config *config,
    time_t now)
{
	char path[X2GOBROKER_FILE_SIZE];
	struct x2gobroker_error ignored;
	struct stat st;

	snprintf(path, sizeof(path), "%s/" KEYINDEX_DIR "/" KEYINDEX_FILE,
	    config->state_dir);
	index->file = safefile_open(path, &ignored);
	return index->file != NULL && fstat(fileno(index->file), &st) == 0 &&
	    st.st_mtime <= now && st.st_mtime >= now - KEYINDEX_SECONDS;
}

/* Read the next part, which begins with the last line of this one. */
static bool
read_part(struct keyindex *index)
{
	const char *line = memrchr(index->part, '\n', index->len);
	size_t done = line != NULL ? (size_t)(line - index->part) : 0;
	ssize_t n;

	index->len -= done;
	index->searched -= index->searched > done ? done : index->searched;
	memmove(index->part, index->part + done, index->len);
	n = safefile_read(fileno(index->file), index->part + index->len,
	    KEYINDEX_PART - index->len);
	if (n > 0)
		index->len += (size_t)n;
	index->part[index->len] = '\0';
	return n > 0;
}

bool
keyindex_read(struct keyindex *index, const struct x2gobroker_config *config)
{
	char mark[MARK_SIZE];
	time_t changed;

	index->len = index->searched = 0;
	index->file = NULL;
	return put_mark(config, mark, &changed) &&
	    open_file(index, config, time(NULL)) &&
	    read_part(index) &&
	    strncmp(index->part, mark, strlen(mark)) == 0;
}

void
keyindex_free(struct keyindex *index)
{
	if (index->file != NULL)
		fclose(index->file);
}

bool
keyindex_next(struct keyindex *index, const char *base64,
    char entry[static KEYINDEX_ENTRY_SIZE])
{
	char print[X2GOBROKER_FINGERPRINT_SIZE];
	const char *found, *line;
	size_t len;

	if (x2gobroker_key_fingerprint(base64, print) == -1)
		return false;
	while ((found = strstr(index->part + index->searched,
	    print + PRINT)) == NULL)
		if (!read_part(index))
			return false;
	index->searched = (size_t)(found - index->part) + 1;
	for (line = found; line > index->part && line[-1] != '\n'; line--)
		continue;
	len = strcspn(line, " \n");
	if (len >= KEYINDEX_ENTRY_SIZE)
		return false;
	memcpy(entry, line, len);
	entry[len] = '\0';
	return true;
}

void
keyindex_begin(struct buf *new, const struct x2gobroker_config *config)
{
	char mark[MARK_SIZE];
	time_t changed;

	if (put_mark(config, mark, &changed) &&
	    time(NULL) - changed > SETTLED_SECONDS)
		buf_puts(new, mark);
	else
		new->failed = true;
}

void
keyindex_put_file(struct buf *new, const char *entry)
{
	buf_printf(new, "\n%s", entry);
}

void
keyindex_put_key(struct buf *new, const char *base64)
{
	char print[X2GOBROKER_FINGERPRINT_SIZE];

	if (x2gobroker_key_fingerprint(base64, print) == 0)
		buf_printf(new, " %s", print + PRINT);
}

/* A process that cannot write it looks into all files. */
void
keyindex_write(struct buf *new, const struct x2gobroker_config *config)
{
	cleanup_free char *path = NULL;
	cleanup_fd int state = -1, dir = -1, lock = -1;
	struct safefile_new file = { .name = KEYINDEX_FILE,
	    .temporary = ".new", .mode = 0600 };

	/* state-dir has to be the broker account's: do not make it */
	if (new->failed ||
	    (state = safefile_open_dir(config->state_dir, 0, NULL)) == -1 ||
	    (dir = statedir_open_dir(config->state_dir, KEYINDEX_DIR, &path,
	    NULL)) == -1 || (lock = safefile_lock(dir, path, 0, NULL)) == -1)
		return;
	file.dirfd = dir;
	safefile_replace(&file, new, path, NULL);
}
