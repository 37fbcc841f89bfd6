/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *	AGENT_STORE		root's, mode 0755: the lock, new files, and when
 *				sshd was asked
 *	AGENT_STORE/keys	root's, mode 0711: the files of the users
 *
 * Only root can write there, open the lock or list the users, so there is
 * nothing to race with.  A user's file is replaced as a whole; the kernel
 * releases the lock of a process that was killed.  The time of modification of
 * a file is the end of its last line, which shows without reading it whether it
 * has expired.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "common/sshd_query.h"
#include "keyfile.h"
#include "keystore.h"
#include "temporarykey.h"

#define LOCK_MS		10000
#define FILE_MAX	(64 * 1024)	/* bytes: 100 RSA keys, and more than
					 * anybody needs at once */
#define PATTERN		KEYSTORE_KEYS "/%u"
#define SSHD_CONFIG	"/etc/ssh/sshd_config"
#define REMEMBERED	AGENT_STORE "/sshd"
#define REMEMBER_SECONDS 60

/* An end that no line can have is from before the clock was set back. */
static bool
has_expired(const struct stat *st, time_t now)
{
	return st->st_mtime <= now ||
	    st->st_mtime > now + TEMPORARYKEY_SECONDS_MAX;
}

/* Failures do not matter: sshd refuses expired lines. */
static void
remove_expired(int keys, time_t now)
{
	DIR *dir = safefile_entries(keys, ".");
	const struct dirent *entry;
	struct stat st;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (fstatat(keys, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
		    0 && !S_ISDIR(st.st_mode) && has_expired(&st, now))
			unlinkat(keys, entry->d_name, 0);
	closedir(dir);
}

/* The text of the user's file; *end is raised to the end of its last line.
 * NULL: it cannot be read. */
static char *
read_old(int keys, const char *user, time_t now, size_t *len, time_t *end,
    struct x2gobroker_error *err)
{
	cleanup_fd int fd = openat(keys, user, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC);
	struct stat st;

	*len = 0;
	if (fd == -1 || fstat(fd, &st) == -1 || has_expired(&st, now))
		return strdup("");
	if (st.st_mtime > *end)
		*end = st.st_mtime;
	*len = FILE_MAX;
	return safefile_read_text(fd, KEYSTORE_KEYS, len, err);
}

static int
replace(int store, const char *user, const struct buf *text, time_t end,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf name = { 0 };
	struct safefile_new new = {
		.dirfd = store, .temporary = "new", .mode = 0644,
		.modified = end,
	};

	if (text->len > FILE_MAX)
		return error_set(err, X2GOBROKER_ERR_DENIED, KEYSTORE_KEYS, 0,
		    "%.64s has too many keys for one login", user);
	buf_printf(&name, "keys/%s", user);
	if (name.failed)
		return error_nomem(err);
	new.name = name.data;
	return safefile_replace(&new, text, KEYSTORE_KEYS, err);
}

static int
add_locked(int store, int keys, const char *user, const char *line,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_free char *old = NULL;
	time_t now = time(NULL), end = 0;
	struct keyline key;
	size_t len;

	if (!keyline_split(line, strlen(line), &key) ||
	    !temporarykey_check(&key, &end))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the key line: has no end");
	remove_expired(keys, now);
	old = read_old(keys, user, now, &len, &end, err);
	if (old == NULL)
		return -1;
	keyfile_edit(old, len, KEY_ADD, line, now, &text);
	return replace(store, user, &text, end, err);
}

/* Later versions of sshd take the path, with the user's name in it, for a
 * pattern of glob(7), which may match the file of another user. */
static int
check_user(const char *user, struct x2gobroker_error *err)
{
	if (user[strcspn(user, "*?[]\\")] == '\0')
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "%.64s: sshd "
	    "cannot read a file of that name in " KEYSTORE_KEYS "; use "
	    "default-authorized-keys of x2gobroker.conf(5)", user);
}

int
keystore_add(const char *user, const char *line, struct x2gobroker_error *err)
{
	cleanup_fd int store = -1, keys = -1, lock = -1;

	if (check_user(user, err) == -1 ||
	    (store = safefile_open_dir(AGENT_STORE, 0755, err)) == -1 ||
	    (keys = safefile_open_dir(KEYSTORE_KEYS, 0711, err)) == -1 ||
	    (lock = safefile_lock(store, AGENT_STORE, LOCK_MS, err)) == -1)
		return -1;
	return add_locked(store, keys, user, line, err);
}

/*
 * Does sshd read it?
 */

/* Whether path was changed before that time. */
static bool
is_older(const char *path, time_t when)
{
	struct stat st;

	return stat(path, &st) == -1 || st.st_mtime < when;
}

/* sshd -T takes as long as a login.  Its consent is remembered for a minute, by
 * the time of a file. */
static bool
is_remembered(time_t now)
{
	struct stat st;

	return stat(REMEMBERED, &st) == 0 && st.st_mtime <= now &&
	    st.st_mtime > now - REMEMBER_SECONDS &&
	    is_older(SSHD_CONFIG, st.st_mtime) &&
	    is_older(SSHD_CONFIG ".d", st.st_mtime);
}

static void
remember(void)
{
	cleanup_fd int store = safefile_open_dir(AGENT_STORE, 0755, NULL);
	cleanup_fd int fd = store == -1 ? -1 : open(REMEMBERED, O_WRONLY |
	    O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd != -1)
		futimens(fd, NULL);
}

static bool
has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = text; (at = strstr(at, word)) != NULL; at += n)
		if ((at == text || at[-1] == ' ') &&
		    (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

int
keystore_check_sshd(const char *user, struct x2gobroker_error *err)
{
	char why[X2GOBROKER_TEXT_SIZE];
	struct sshd sshd;
	bool reads;

	if (is_remembered(time(NULL)))
		return 0;
	if (sshd_query_ask(&sshd, NULL, user, why, sizeof(why)) == -1)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "cannot find out whether sshd reads %s: "
		    SSHD_PROGRAM " -T: %.200s", PATTERN, why);
	reads = has_word(sshd_query_get(&sshd, "AuthorizedKeysFile"), PATTERN);
	sshd_query_free(&sshd);
	if (!reads)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "sshd "
		    "does not read %s; add it to AuthorizedKeysFile in "
		    SSHD_CONFIG " of this server, or set "
		    "default-authorized-keys on the broker's host", PATTERN);
	remember();
	return 0;
}
