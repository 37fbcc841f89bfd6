/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <libgen.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/textfile.h"

#define LOCK_WAIT_MS	10000	/* longer than any change takes */

int
textfile_read(struct textfile *file, const char *path,
    safefile_opener *open_file, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = open_file(path, err);
	struct stat st;
	size_t i, len;

	*file = (struct textfile){ .path = path };
	if (fp == NULL)
		return err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
	if (fstat(fileno(fp), &st) == -1)
		return error_errno(err, path, "cannot be read");
	len = (size_t)st.st_size;
	file->text = safefile_read_text(fileno(fp), path, &len, err);
	if (file->text == NULL)
		return -1;
	for (i = 0; i < len; i++)
		if (file->text[i] == '\0')
			file->text[i] = '\1';
	file->rest = file->text;
	return 0;
}

bool
textfile_next(struct textfile *file)
{
	file->line = strsep(&file->rest, "\n");
	file->number++;
	/* nothing follows the last '\n' */
	return file->line != NULL &&
	    (file->rest != NULL || *file->line != '\0');
}

void
textfile_close(struct textfile *file)
{
	free(file->text);
}

int
textfile_lock(struct textlock *lock, const char *path, bool create,
    struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(path);
	const char *dir;

	if (copy == NULL)
		return error_nomem(err);
	dir = dirname(copy);
	lock->dir = safefile_open_dir(dir, create ? 0755 : 0, err);
	if (lock->dir == -1)
		return -1;
	lock->lock = safefile_lock(lock->dir, dir, LOCK_WAIT_MS, err);
	return lock->lock != -1 ? 0 : -1;
}

void
textfile_unlock(struct textlock *lock)
{
	cleanup_closep(&lock->lock);
	cleanup_closep(&lock->dir);
}

int
textfile_replace(const struct textlock *lock, const char *path,
    const struct buf *text, struct x2gobroker_error *err)
{
	const struct safefile_new new = {
		.dirfd = lock->dir,
		.name = strrchr(path, '/') + 1,
		.temporary = ".new",	/* the lock protects it */
		.mode = 0644,
		.sync = true,
	};

	return safefile_replace(&new, text, path, err);
}
