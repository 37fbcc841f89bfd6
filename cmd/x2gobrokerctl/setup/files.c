/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that setup writes, and the owner and mode of x2gobroker-pam(8).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "step.h"

#define FILE_MAX	(1024 * 1024)	/* setup writes less */
#define FILE_MODE	0644
#define HELPER_MODE	04750
#define HELPER_NAME	"/x2gobroker-pam"

/*
 * Small text files, as a whole
 */

char *
files_read(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	struct x2gobroker_error err;
	size_t len = FILE_MAX;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return NULL;
	if (S_ISREG(st.st_mode) && st.st_size <= FILE_MAX)
		return safefile_read_text(fd, path, &len, &err);
	errno = EFBIG;
	return NULL;
}

bool
files_contain(const char *path, const char *text)
{
	cleanup_free char *whole = files_read(path);

	return whole != NULL && strstr(whole, text) != NULL;
}

/* The new file gets its name when it is complete.  Only an old one is
 * replaced, and none that somebody has made meanwhile. */
static bool
write_new(int fd, const char *temporary, const char *path, const char *text,
    const struct stat *old)
{
	return safefile_write(fd, text, strlen(text)) &&
	    (old == NULL || fchown(fd, old->st_uid, old->st_gid) == 0) &&
	    fchmod(fd, old != NULL ? old->st_mode & 07777 : FILE_MODE) == 0 &&
	    fsync(fd) == 0 && (old != NULL ? rename(temporary, path) == 0 :
	    link(temporary, path) == 0 && unlink(temporary) == 0);
}

int
files_write(const char *path, const char *text, bool may_replace)
{
	cleanup_free char *temporary = NULL;
	cleanup_fd int fd = -1;
	struct stat st;
	bool old = may_replace && lstat(path, &st) == 0;

	if (asprintf(&temporary, "%s.new", path) == -1)
		return -1;
	unlink(temporary);	/* left by an interrupted setup */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd != -1 && write_new(fd, temporary, path, text, old ? &st : NULL))
		return 0;
	ctl_complain("%s: cannot write it: %s", path, strerror(errno));
	unlink(temporary);
	return -1;
}

void
files_checksum(const char *text, char state[static STATE_SIZE])
{
	SHA256Data((const uint8_t *)text, strlen(text), state);
}

bool
files_state(const char *path, char state[static STATE_SIZE])
{
	cleanup_free char *text = files_read(path);

	if (text == NULL)
		return errno != ENOENT;
	files_checksum(text, state);
	return true;
}

/* before is the size of the file that was appended to, or "" if it is new. */
enum back
files_back(const struct record *record)
{
	off_t size = (off_t)strtoll(record->before, NULL, 10);

	if ((*record->before == '\0' ? unlink(record->name) :
	    truncate(record->name, size)) == 0)
		return BACK_DONE;
	ctl_complain("%s: %s", record->name, strerror(errno));
	return BACK_FAILED;
}

/*
 * A new file; one that exists is not changed
 */

static enum look
file_look(const struct setup *setup __attribute__((unused)),
    const struct step *step, char why[static WHY_SIZE])
{
	struct stat st;

	if (lstat(step->name, &st) == 0)
		return LOOK_DONE;
	if (errno == ENOENT && step->content != NULL)
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "%s", errno != ENOENT ? strerror(errno) :
	    "the file to copy is not installed below " X2GOBROKER_DATA);
	return LOOK_BLOCKED;
}

static int
file_apply(struct setup *setup, const struct step *step)
{
	char checksum[STATE_SIZE];

	files_checksum(step->content, checksum);
	if (dirs_make_parent(setup, step->name) == -1 ||
	    step_record(setup, step, checksum) == -1)
		return -1;
	return files_write(step->name, step->content, false);
}

const struct kind kind_file = {
	"file", "", file_look, file_apply, files_state, files_back,
	"remove the file", "",
};

/*
 * x2gobroker-pam: root's and setuid, and only the broker's group may run it
 */

/* "UID:GID:MODE" */
static void
format_owner(unsigned int uid, unsigned int gid, unsigned int mode,
    char state[static STATE_SIZE])
{
	snprintf(state, STATE_SIZE, "%u:%u:%04o", uid, gid, mode & 07777);
}

static bool
mode_state(const char *path, char state[static STATE_SIZE])
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return false;
	format_owner(st.st_uid, st.st_gid, st.st_mode, state);
	return true;
}

static int
set_state(const char *path, const char *state)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	unsigned int uid, gid, mode;

	/* fchown(2) clears the setuid bit */
	if (fd != -1 && sscanf(state, "%u:%u:%o", &uid, &gid, &mode) == 3 &&
	    fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0)
		return 0;
	ctl_complain("%s: cannot set its owner and mode: %s", path,
	    strerror(errno));
	return -1;
}

static enum look
mode_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *account = setup->account;
	const struct passwd *pw = getpwnam(account);
	struct x2gobroker_error err;
	struct stat st;

	if (lstat(step->name, &st) == -1 || !S_ISREG(st.st_mode))
		strlcpy(why, "it is not installed", WHY_SIZE);
	else if (strcmp(strrchr(step->name, '/'), HELPER_NAME) != 0)
		strlcpy(why, "it is not x2gobroker-pam, so setup does not make "
		    "it setuid root; see pam-helper in x2gobroker.conf(5)",
		    WHY_SIZE);
	else if (x2gobroker_path_check(step->name, &err) == -1)
		strlcpy(why, err.text, WHY_SIZE);
	else if (strcmp(setup->account_group, account) != 0)
		snprintf(why, WHY_SIZE, "only %s may run it, but the group of "
		    "this account is %s, which may have other members; give "
		    "it a group of its own: groupadd --system %s, then "
		    "usermod --gid %s %s", account, setup->account_group,
		    account, account, account);
	else
		return pw != NULL && st.st_uid == 0 &&
		    st.st_gid == pw->pw_gid &&
		    (st.st_mode & 07777) == HELPER_MODE ? LOOK_DONE :
		    LOOK_TO_DO;
	return LOOK_BLOCKED;
}

static int
mode_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->account);
	char after[STATE_SIZE];

	if (pw == NULL)
		return -1;
	format_owner(0, pw->pw_gid, HELPER_MODE, after);
	if (step_record(setup, step, after) == -1)
		return -1;
	return set_state(step->name, after);
}

static enum back
mode_back(const struct record *record)
{
	return set_state(record->name, record->before) == 0 ? BACK_DONE :
	    BACK_FAILED;
}

const struct kind kind_mode = {
	"mode", "", mode_look, mode_apply, mode_state, mode_back, "", "",
};
