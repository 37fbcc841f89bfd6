/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * There is an entry for each user and key file: a file with two lines, named by
 * their hash:
 *
 *	USER
 *	FILE
 *
 * Every process writes the same text into an entry, so nothing has to be read,
 * changed and replaced.  The expiry time is not recorded, as the key line has
 * it.  An entry is removed only under an exclusive lock; a process that has
 * written one holds a shared lock.
 *
 * A sweep that is started each minute removes expired lines.  A process that
 * waits for the expiry would have to be started for each login, and would not
 * survive a reboot.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "keyfile.h"
#include "keypath.h"
#include "keyregistry.h"
#include "process.h"

#define NAME_LEN	(SHA256_DIGEST_STRING_LENGTH - 1)
#define ENTRY_MAX	(16 * 1024)	/* bytes */
#define GIVE_UP		(2 * 60 * 60)	/* seconds; longer than any key lasts */
#define SECONDS_MAX	20	/* for a user, whose home may hang */
#define FILE_FLAGS	(O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | \
			O_CLOEXEC)

static int
open_registry(struct x2gobroker_error *err)
{
	int fd = open(AGENT_REGISTRY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	struct stat st;

	if (fd == -1 && errno == ENOENT)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, AGENT_REGISTRY,
		    0, "no such directory");
	if (fd == -1 || fstat(fd, &st) == -1)
		return error_errno(err, AGENT_REGISTRY, "cannot open it");
	/* root can sweep in place of the agent's account */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
	    (st.st_uid == 0 || st.st_uid == getuid() || getuid() == 0))
		return fd;
	close(fd);
	return error_set(err, X2GOBROKER_ERR_UNSAFE, AGENT_REGISTRY, 0,
	    "belongs to another user, or its group or others may write to it");
}

/* Another process may remove the file before it is locked. */
static int
open_entry(int dir, const char *name, struct x2gobroker_error *err)
{
	int fd;

	for (;;) {
		fd = openat(dir, name, FILE_FLAGS | O_CREAT, 0600);
		if (fd == -1)
			return error_errno(err, AGENT_REGISTRY,
			    "cannot open a file in it");
		if (flock(fd, LOCK_SH) == 0 && keypath_is_open(dir, name, fd))
			return fd;
		close(fd);
	}
}

/* The entry that this process has made. */
static struct {
	int fd;
	struct timespec when;
} own_entry = { .fd = -1 };

int
keyregistry_note(const char *user, const char *file,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_fd int dir = open_registry(err);
	char name[NAME_LEN + 1];
	struct stat st;
	bool is_new;
	int fd;

	if (dir == -1)
		return -1;
	buf_printf(&text, "%s\n%s\n", user, file);
	if (text.failed)
		return error_nomem(err);
	if (text.len > ENTRY_MAX)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the path of the key file is too long");
	SHA256Data((const uint8_t *)text.data, text.len, name);
	if ((fd = open_entry(dir, name, err)) == -1)
		return -1;
	is_new = fstat(fd, &st) == 0 && st.st_size == 0;
	/* even if it exists already, to set its time */
	if (pwrite(fd, text.data, text.len, 0) == (ssize_t)text.len) {
		if (is_new && fstat(fd, &st) == 0) {
			own_entry.fd = fd;
			own_entry.when = st.st_mtim;
		}
		return fd;
	}
	error_errno(err, AGENT_REGISTRY, "cannot write a file in it");
	close(fd);
	return -1;
}

/* The process runs as the user and cannot remove the file.  So it empties the
 * file, and a sweep removes it. */
void
keyregistry_forget(void)
{
	struct x2gobroker_error err;
	struct stat st;

	if (own_entry.fd != -1 && flock(own_entry.fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(own_entry.fd, &st) == 0 &&
	    st.st_mtim.tv_sec == own_entry.when.tv_sec &&
	    st.st_mtim.tv_nsec == own_entry.when.tv_nsec &&
	    ftruncate(own_entry.fd, 0) == -1) {
		error_errno(&err, AGENT_REGISTRY, "an entry cannot be emptied");
		process_warn("sweep", &err);
	}
}

/*
 * Sweeping: the child, which becomes the user
 */

enum swept { SWEPT_FAILED, SWEPT_SOME_LEFT, SWEPT_CLEAN };

static enum swept
run_child(const char *user, const char *file)
{
	struct x2gobroker_error err = { 0 };
	struct account account = { 0 };
	bool left;

	process_limit_time();
	if (account_find(user, &account, &err) == 0 &&
	    process_become(&account, &err) == 0 &&
	    process_no_new_privs(&err) == 0 &&
	    keyfile_change(file, &account, KEY_EXPIRE, NULL, &left, &err) == 0)
		return left ? SWEPT_SOME_LEFT : SWEPT_CLEAN;
	process_warn(user, &err);
	return SWEPT_FAILED;
}

/*
 * The parent
 */

/* The user could stop the child with a signal, or a file server could hang.
 * The child then keeps the lock that it has inherited, so that the next sweep
 * skips this user. */
static enum swept
wait_for(pid_t pid)
{
	const struct timespec limit = { .tv_sec = SECONDS_MAX };
	sigset_t child;
	pid_t ended;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0)
		if (sigtimedwait(&child, NULL, &limit) == -1 && errno == EAGAIN)
			return SWEPT_FAILED;
	return ended == pid && WIFEXITED(status) ?
	    (enum swept)WEXITSTATUS(status) : SWEPT_FAILED;
}

static enum swept
sweep_file(const char *user, const char *file, bool *failed)
{
	enum swept swept = SWEPT_FAILED;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit((int)run_child(user, file));
	if (pid != -1)
		swept = wait_for(pid);
	*failed |= swept == SWEPT_FAILED;
	return swept;
}


/* Read an entry.  If its text does not match its name, it was not written to
 * its end. */
static bool
read_entry(int fd, const char *name, char *text, const char **user,
    const char **file)
{
	ssize_t n = pread(fd, text, ENTRY_MAX, 0);
	char right[NAME_LEN + 1], *eol;

	if (n <= 0 || text[n - 1] != '\n' || memchr(text, '\0', (size_t)n))
		return false;
	SHA256Data((const uint8_t *)text, (size_t)n, right);
	if (strcmp(right, name) != 0)
		return false;
	text[n - 1] = '\0';
	if ((eol = strchr(text, '\n')) == NULL)
		return false;
	*eol = '\0';
	*user = text;
	*file = eol + 1;
	return true;
}

/* A sweep can fail each time, as in a home directory that only its user can
 * read.  Stop trying after GIVE_UP. */
static bool
is_old(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && time(NULL) - st.st_mtime > GIVE_UP;
}

static void
sweep_entry(int dir, const char *name, bool *failed)
{
	cleanup_fd int fd = openat(dir, name, FILE_FLAGS);
	char text[ENTRY_MAX];
	const char *user, *file;
	enum swept swept = SWEPT_CLEAN;

	/* skip an entry in use: the next sweep is in a minute */
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1 ||
	    !keypath_is_open(dir, name, fd))
		return;
	if (read_entry(fd, name, text, &user, &file))
		swept = sweep_file(user, file, failed);
	if (swept == SWEPT_CLEAN || (swept == SWEPT_FAILED && is_old(fd)))
		unlinkat(dir, name, 0);
}

static bool
is_entry(const struct dirent *entry)
{
	return strlen(entry->d_name) == NAME_LEN &&
	    strspn(entry->d_name, "0123456789abcdef") == NAME_LEN;
}

bool
keyregistry_sweep(void)
{
	struct x2gobroker_error err = { 0 };
	const struct dirent *entry;
	bool failed = false;
	sigset_t child;
	DIR *dir = NULL;
	int fd;

	alarm(0);	/* each child has a limit of its own */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if ((fd = open_registry(&err)) != -1 && (dir = fdopendir(fd)) == NULL)
		error_errno(&err, AGENT_REGISTRY, "cannot read it");
	/* no key was added yet, or this host has no registry */
	if (err.code == X2GOBROKER_ERR_NOTFOUND)
		return true;
	if (dir == NULL) {
		process_warn("sweep", &err);
		return false;
	}
	while ((entry = readdir(dir)) != NULL)
		if (is_entry(entry))
			sweep_entry(dirfd(dir), entry->d_name, &failed);
	closedir(dir);
	return !failed;
}
