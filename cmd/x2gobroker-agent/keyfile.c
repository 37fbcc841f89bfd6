/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The new file is also the lock, as in git(1): the process that has created it
 * may replace the old file with it, and all others wait.  Unlike flock(2) on a
 * directory, this works between hosts that share the home directory over NFS,
 * and it leaves nothing behind.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/safefile.h"
#include "keyfile.h"
#include "keypath.h"
#include "temporarykey.h"

#define FILE_MAX	(1024 * 1024)	/* bytes */
#define NAME_SIZE	256		/* of a file, with its NUL */
#define WAIT_MS		15000
#define STALE_MS	3000	/* the lock of a killed process */
#define PAUSE_MS	10	/* maximum before another attempt */

struct keyfile {
	const char *path;		/* for err */
	int dir;
	const char *name;
	char new_name[NAME_SIZE];
	int new;			/* open for writing, or -1 */
	struct stat old;		/* st_nlink 0: no old file */
	char *text;			/* of the old file, len bytes; owned */
	size_t len;
};

/*
 * The text
 */

struct editor {
	enum key_change change;
	const char *line;
	struct keyline key;	/* parts of line */
	time_t now;
	bool has_key;		/* a line that stays has the key */
};

static bool
is_line(const char *wanted, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return parse_item_is(line, len, wanted);
}

/* Whether an existing line stays. */
static bool
keep(struct editor *editor, const char *line, size_t len)
{
	struct keyline key;
	bool temporary, same_line;
	time_t expiry;

	if (!keyline_split(line, len, &key))
		return true;
	temporary = temporarykey_check(&key, &expiry);
	if (temporary && expiry <= editor->now)
		return false;
	if (!keyline_same_key(&key, &editor->key))
		return true;
	same_line = is_line(editor->line, line, len);
	/* a new line replaces a temporary one */
	if (editor->change == KEY_REMOVE ? same_line || temporary :
	    temporary && !same_line)
		return false;
	editor->has_key = true;
	return true;
}

void
keyfile_edit(const char *text, size_t len, enum key_change change,
    const char *line, time_t now, struct buf *out)
{
	struct editor editor = { .change = change, .line = line, .now = now };
	const char *at, *end = text + len, *eol;

	keyline_split(line, strlen(line), &editor.key);
	for (at = text; at < end; at = eol + 1) {
		if ((eol = memchr(at, '\n', (size_t)(end - at))) == NULL)
			eol = end;
		if (!keep(&editor, at, (size_t)(eol - at)))
			continue;
		buf_put(out, at, (size_t)(eol - at));
		buf_putc(out, '\n');
	}
	if (change == KEY_ADD && !editor.has_key)
		buf_printf(out, "%s\n", line);
	if (len > 0 && text[len - 1] != '\n' && out->len > 0)
		buf_truncate(out, out->len - 1);
}

/*
 * The lock
 */

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Remove another process's lock if it has not changed for STALE_MS; *seen is
 * the file as it was found at *since. */
static void
break_stale(const struct keyfile *file, struct stat *seen, int64_t *since)
{
	struct stat st;

	if (fstatat(file->dir, file->new_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (!is_same_file(&st, seen)) {
		*seen = st;
		*since = clock_ms();
	} else if (clock_ms() - *since > STALE_MS)
		unlinkat(file->dir, file->new_name, 0);
}

static int
lock(struct keyfile *file, struct x2gobroker_error *err)
{
	int64_t deadline = clock_ms() + WAIT_MS, since = 0;
	struct stat seen = { 0 };

	for (;;) {
		file->new = openat(file->dir, file->new_name, O_WRONLY |
		    O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (file->new != -1)
			return 0;
		if (errno != EEXIST)
			return error_errno(err, file->path, "cannot create a "
			    "file in its directory");
		if (clock_left(deadline) == 0)
			return error_set(err, X2GOBROKER_ERR_SYSTEM,
			    file->path, 0, "other processes keep it locked "
			    "(%s)", file->new_name);
		break_stale(file, &seen, &since);
		usleep(1000 * (1 + arc4random_uniform(PAUSE_MS)));
	}
}

/* Another process may have taken our lock for a stale one. */
static bool
is_still_ours(const struct keyfile *file)
{
	return keypath_is_open(file->dir, file->new_name, file->new);
}

static void
unlock(struct keyfile *file)
{
	if (file->new == -1)
		return;
	if (is_still_ours(file))
		unlinkat(file->dir, file->new_name, 0);
	close(file->new);
	file->new = -1;
}

/*
 * The old file
 */

static int
read_old(struct keyfile *file, const struct account *account,
    struct x2gobroker_error *err)
{
	/* without O_NONBLOCK, a FIFO would block us */
	cleanup_fd int fd = openat(file->dir, file->name, O_RDONLY |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *why;

	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 && errno == ELOOP)
		return error_set(err, X2GOBROKER_ERR_UNSAFE, file->path, 0,
		    "is a symbolic link");
	if (fd == -1)
		return error_errno(err, file->path, "cannot open it");
	if (fstat(fd, &file->old) == -1)
		return error_errno(err, file->path, "cannot look it up");
	/* a link could lead to another file of the user, without keys */
	why = !S_ISREG(file->old.st_mode) ? "is not a regular file" :
	    file->old.st_uid != account->uid ? "belongs to another user" :
	    file->old.st_nlink != 1 ? "has another hard link" : NULL;
	if (why != NULL)
		return error_set(err, X2GOBROKER_ERR_UNSAFE, file->path, 0,
		    "%s", why);
	file->len = FILE_MAX + 1;
	if ((file->text = safefile_read_text(fd, file->path, &file->len,
	    err)) == NULL)
		return -1;
	if (file->len <= FILE_MAX)
		return 0;
	return error_set(err, X2GOBROKER_ERR_UNSAFE, file->path, 0,
	    "is larger than 1 MiB");
}

/*
 * The new file
 */

/* Copy the mode of the old file, but let only the owner write, or sshd(8) would
 * ignore the file. */
static bool
set_mode(const struct keyfile *file)
{
	mode_t mode = 0600;

	if (file->old.st_nlink != 0) {
		mode = file->old.st_mode & (S_IRWXU | S_IRGRP | S_IROTH);
		if (fchown(file->new, (uid_t)-1, file->old.st_gid) == -1)
			mode &= ~(mode_t)S_IRGRP;
	}
	return fchmod(file->new, mode) == 0;
}

/* A temporary key need not outlive a power failure, but the other keys in the
 * file must. */
static int
replace(struct keyfile *file, const struct buf *text,
    struct x2gobroker_error *err)
{
	if (!safefile_write(file->new, text->data, text->len) ||
	    !set_mode(file) ||
	    (file->len > 0 && fsync(file->new) == -1))
		return error_errno(err, file->path, "cannot write it");
	if (!is_still_ours(file))
		return error_set(err, X2GOBROKER_ERR_SYSTEM, file->path, 0,
		    "took so long that another process changed it");
	if (renameat(file->dir, file->new_name, file->dir, file->name) == -1)
		return error_errno(err, file->path, "cannot replace it");
	return 0;
}

static int
update(struct keyfile *file, const struct buf *text,
    struct x2gobroker_error *err)
{
	if (text->failed)
		return error_nomem(err);
	if (text->len == file->len && (text->len == 0 || file->text == NULL ||
	    memcmp(text->data, file->text, text->len) == 0))
		return 0;
	if (text->len > 0)
		return replace(file, text, err);
	if (unlinkat(file->dir, file->name, 0) == -1)
		return error_errno(err, file->path, "cannot remove it");
	return 0;
}

static int
change_locked(struct keyfile *file, const struct account *account,
    enum key_change change, const char *line, struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	sigset_t held, signals;
	int result;

	/* a client that hangs up must not end us while we hold the lock */
	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &signals);
	if ((result = lock(file, err)) == 0 &&
	    (result = read_old(file, account, err)) == 0) {
		keyfile_edit(file->text != NULL ? file->text : "", file->len,
		    change, line, time(NULL), &text);
		result = update(file, &text, err);
	}
	unlock(file);
	free(file->text);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	return result;
}

int
keyfile_change(const char *template, const struct account *account,
    enum key_change change, const char *line, struct x2gobroker_error *err)
{
	struct keyfile file = { .new = -1 };
	cleanup_fd int dir = -1;
	struct keypath path;

	if (keypath_make(template, account, &path, err) == -1)
		return -1;
	file.path = path.text;
	file.dir = dir = keypath_open_dir(&path, account, change == KEY_ADD,
	    &file.name, err);
	/* without a directory, there is nothing to remove */
	if (dir == -1)
		return change != KEY_ADD &&
		    err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
	if ((size_t)snprintf(file.new_name, sizeof(file.new_name),
	    ".%s.x2gobroker", file.name) >= sizeof(file.new_name))
		return error_set(err, X2GOBROKER_ERR_VALUE, path.text, 0,
		    "the name is too long");
	return change_locked(&file, account, change, line, err);
}
