/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories, files, owners and modes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dirent.h>

#include "child.h"
#include "setup.h"

#define FILE_MAX	(1024 * 1024)	/* what we write has less */
#define OWNER_SIZE	64		/* "UID:GID:MODE" */
#define PASSING		"passing"	/* in a record: step.passing */

/*
 * What others use, too
 */

void
setup_digest(const char *text, size_t len, char digest[static DIGEST_SIZE])
{
	SHA256Data((const uint8_t *)text, len, digest);
}

char *
setup_read(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n = -1;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX))
		errno = EFBIG;
	else if ((text = malloc(FILE_MAX + 1)) != NULL &&
	    (n = read(fd, text, FILE_MAX)) >= 0) {
		text[n] = '\0';
		*len = (size_t)n;
	}
	if (n == -1) {
		free(text);
		text = NULL;
	}
	close(fd);
	return text;
}

static bool
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Whoever made a file of that name meanwhile keeps it. */
int
setup_write(const char *path, const char *text, size_t len, mode_t mode,
    const struct stat *old)
{
	char temporary[PATH_MAX];
	bool good;
	int fd, save;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
	    (int)sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(temporary);	/* of one who was interrupted */
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	good = write_all(fd, text, len) &&
	    (old == NULL || fchown(fd, old->st_uid, old->st_gid) == 0) &&
	    fchmod(fd, old != NULL ? old->st_mode & 07777 : mode) == 0 &&
	    fsync(fd) == 0 && renameat2(AT_FDCWD, temporary, AT_FDCWD, path,
	    old != NULL ? 0 : RENAME_NOREPLACE) == 0;
	save = errno;
	close(fd);
	if (!good)
		unlink(temporary);
	errno = save;
	return good ? 0 : -1;
}

const struct passwd *
setup_account_above(const struct setup *setup, const char *path)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	char *copy = strdup(path), *slash;
	bool owns = false;
	struct stat st;

	if (pw == NULL || pw->pw_uid == 0 || copy == NULL) {
		free(copy);
		return NULL;
	}
	while (!owns && (slash = strrchr(copy, '/')) != NULL && slash != copy) {
		*slash = '\0';
		owns = lstat(copy, &st) == 0 && st.st_uid == pw->pw_uid;
	}
	free(copy);
	return owns ? pw : NULL;
}

void
setup_show_lines(const char *text, bool brief)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (!brief || (len > 0 && text[0] != '#'))
			printf("      + %.*s\n", (int)len, text);
	}
}

/* The account of a record, which is NULL for root's.  -1: it is gone, and with
 * it who may take the change back. */
static int
find_account(const struct record *record, const struct passwd **pw,
    char what[static WHY_SIZE])
{
	*pw = NULL;
	if (record->account[0] == '\0')
		return 0;
	if ((*pw = getpwnam(record->account)) != NULL)
		return 0;
	snprintf(what, WHY_SIZE, "there is no account %s any more",
	    record->account);
	return -1;
}

static const char *
owner_of(const struct setup *setup, const struct step *step)
{
	return step->broker ? setup->text[TEXT_ACCOUNT] : "root";
}

static void
format_owner(const struct stat *st, char text[static OWNER_SIZE])
{
	snprintf(text, OWNER_SIZE, "%u:%u:%04o", (unsigned int)st->st_uid,
	    (unsigned int)st->st_gid, (unsigned int)st->st_mode & 07777);
}

/*
 * Owner and mode of what is there
 */

struct owner_job {
	const char *path;
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* For child_call_as().  errno does not come back from there, so it is said
 * here. */
static int
set_owner(void *arg)
{
	const struct owner_job *job = arg;
	struct stat st;
	int fd;

	fd = open(job->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC);
	if (fd != -1 && fstat(fd, &st) == 0 && ((st.st_uid == job->uid &&
	    st.st_gid == job->gid) || fchown(fd, job->uid, job->gid) == 0) &&
	    fchmod(fd, job->mode) == 0) {
		close(fd);
		return 0;
	}
	ctl_complain("%s: its owner and mode cannot be set: %s", job->path,
	    strerror(errno));
	if (fd != -1)
		close(fd);
	return 1;
}

/* Note what it is, and change it. */
static int
change_owner(struct setup *setup, const struct owner_job *job)
{
	const struct passwd *pw = setup_account_above(setup, job->path);
	struct stat new = { .st_uid = job->uid, .st_gid = job->gid,
	    .st_mode = job->mode }, old;
	char before[OWNER_SIZE], after[OWNER_SIZE];
	struct owner_job copy = *job;

	if (lstat(job->path, &old) == -1) {
		ctl_complain("%s: %s", job->path, strerror(errno));
		return -1;
	}
	format_owner(&old, before);
	format_owner(&new, after);
	if (manifest_add(setup->manifest, "mode", job->path, before, after,
	    pw != NULL ? pw->pw_name : "") == -1)
		return -1;
	return child_call_as(pw, set_owner, &copy) == 0 ? 0 : -1;
}

static enum back
mode_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	struct owner_job job = { .path = record->name };
	unsigned int uid, gid, mode;
	const struct passwd *pw;
	char is[OWNER_SIZE];
	struct stat st;

	if (lstat(record->name, &st) == -1)
		return BACK_GONE;
	format_owner(&st, is);
	if (strcmp(is, record->after) != 0) {
		snprintf(what, WHY_SIZE, "owner or mode were changed since");
		return BACK_LEFT;
	}
	if (find_account(record, &pw, what) == -1)
		return BACK_LEFT;
	snprintf(what, WHY_SIZE, "owner and mode as before, %s",
	    record->before);
	if (sscanf(record->before, "%u:%u:%o", &uid, &gid, &mode) != 3)
		return BACK_FAILED;
	job.uid = uid;
	job.gid = gid;
	job.mode = mode;
	return !now || child_call_as(pw, set_owner, &job) == 0 ? BACK_DONE :
	    BACK_FAILED;
}

/* x2gobroker-pam: root's, with privilege for the group of the broker alone. */
static enum look
mode_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	const char *path = setup->text[step->name];
	struct stat st;

	if (lstat(path, &st) == -1 || !S_ISREG(st.st_mode)) {
		snprintf(why, WHY_SIZE, "it is not installed");
		return LOOK_BLOCKED;
	}
	if (strcmp(setup->text[TEXT_GROUP], setup->text[TEXT_ACCOUNT]) != 0) {
		snprintf(why, WHY_SIZE, "it is for the group of %s alone, but "
		    "that is %s, which others may be in; give it one of its "
		    "own: groupadd --system %s, then usermod --gid %s %s",
		    setup->text[TEXT_ACCOUNT], setup->text[TEXT_GROUP],
		    setup->text[TEXT_ACCOUNT], setup->text[TEXT_ACCOUNT],
		    setup->text[TEXT_ACCOUNT]);
		return LOOK_BLOCKED;
	}
	return pw != NULL && st.st_uid == 0 && st.st_gid == pw->pw_gid &&
	    (st.st_mode & 07777) == step->mode ? LOOK_DONE : LOOK_TO_DO;
}

static void
mode_show(const struct setup *setup, const struct step *step)
{
	printf("root:%s, mode %04o\n", setup->text[TEXT_GROUP],
	    (unsigned int)step->mode);
}

static int
mode_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	struct owner_job job = { .path = setup->text[step->name],
	    .mode = step->mode };

	if (pw == NULL)
		return -1;
	job.gid = pw->pw_gid;
	return change_owner(setup, &job);
}

const struct kind kind_mode = {
	"mode", "", mode_look, mode_show, mode_apply, mode_back,
};

/*
 * A directory
 */

/* Whether the library would use it, and those who have to can read it. */
static bool
is_in_order(const struct setup *setup, const struct step *step,
    const struct stat *st)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);

	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return false;
	if (step->broker)
		return pw != NULL && st->st_uid == pw->pw_uid &&
		    (st->st_mode & 0700) == 0700;
	if ((setup->ways & WAY_GROUP) == 0 && pw != NULL &&
	    st->st_gid == pw->pw_gid && (st->st_mode & 0050) == 0050)
		return st->st_uid == 0;
	return st->st_uid == 0 && (st->st_mode & 0005) == 0005;
}

static enum look
dir_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *path = setup->text[step->name];
	struct stat st, link;

	if (lstat(path, &link) == -1 && errno == ENOENT)
		return LOOK_TO_DO;
	if (stat(path, &st) == -1) {
		snprintf(why, WHY_SIZE, "%s", strerror(errno));
		return LOOK_BLOCKED;
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(why, WHY_SIZE, "it is no directory");
		return LOOK_BLOCKED;
	}
	if (is_in_order(setup, step, &st))
		return LOOK_DONE;
	if (S_ISDIR(link.st_mode))
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "what this link leads to must belong to %s, "
	    "with mode %04o", owner_of(setup, step), (unsigned int)step->mode);
	return LOOK_BLOCKED;
}

static void
dir_show(const struct setup *setup, const struct step *step)
{
	struct stat st;

	printf("%s, %s:%s, mode %04o\n",
	    lstat(setup->text[step->name], &st) == -1 ? "make the directory" :
	    "owner and mode", owner_of(setup, step),
	    step->broker ? setup->text[TEXT_GROUP] : "root",
	    (unsigned int)step->mode);
}

/* For child_call_as(). */
static int
make_dir(void *arg)
{
	const struct owner_job *job = arg;

	if (mkdir(job->path, 0700) == 0)
		return set_owner(arg);
	ctl_complain("%s: cannot be made: %s", job->path, strerror(errno));
	return 1;
}

static int
dir_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	struct owner_job job = { .path = setup->text[step->name],
	    .mode = step->mode };
	struct stat st;

	if (step->broker && pw == NULL)
		return -1;
	if (step->broker) {
		job.uid = pw->pw_uid;
		job.gid = pw->pw_gid;
	}
	if (lstat(job.path, &st) == 0)
		return change_owner(setup, &job);
	pw = setup_account_above(setup, job.path);
	if (manifest_add(setup->manifest, "dir", job.path, "",
	    step->passing ? PASSING : "", pw != NULL ? pw->pw_name : "") == -1)
		return -1;
	return child_call_as(pw, make_dir, &job) == 0 ? 0 : -1;
}

/* For child_call_as(): remove the files, and no directories, in path. */
static int
empty_dir(void *arg)
{
	const char *path = arg;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (dir == NULL)
		return 1;
	while ((entry = readdir(dir)) != NULL)
		unlinkat(fd, entry->d_name, 0);
	closedir(dir);
	return 0;
}

/* For child_call_as(); 2: something is in it. */
static int
remove_dir(void *arg)
{
	const char *path = arg;

	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 2;
	ctl_complain("%s: cannot be removed: %s", path, strerror(errno));
	return 1;
}

/* The account whose directory it is, for what is in it. */
static const struct passwd *
owner_account(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_uid != 0 ? getpwuid(st.st_uid) :
	    NULL;
}

static enum back
dir_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	bool passing = strcmp(record->after, PASSING) == 0;
	const struct passwd *pw;
	struct stat st;
	int result;

	if (lstat(record->name, &st) == -1)
		return BACK_GONE;
	snprintf(what, WHY_SIZE, "remove the directory%s", passing ?
	    " and the files in it" : ", if nothing else is in it");
	if (!now)
		return BACK_DONE;
	if (passing)
		child_call_as(owner_account(record->name), empty_dir,
		    record->name);
	if (find_account(record, &pw, what) == -1)
		return BACK_LEFT;
	result = child_call_as(pw, remove_dir, record->name);
	if (result == 2)
		snprintf(what, WHY_SIZE, "something is in it that setup has "
		    "not made");
	return result == 0 ? BACK_DONE : result == 2 ? BACK_LEFT : BACK_FAILED;
}

const struct kind kind_dir = {
	"dir", "", dir_look, dir_show, dir_apply, dir_back,
};

/*
 * A file, which is never overwritten
 */

static enum look
file_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *path = setup->text[step->name];
	struct stat st;

	if (lstat(path, &st) == 0)
		return LOOK_DONE;
	if (errno == ENOENT && setup->text[step->content] != NULL)
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "%s", errno != ENOENT ? strerror(errno) :
	    "what it is a copy of is not installed below " X2GOBROKER_DATA);
	return LOOK_BLOCKED;
}

static void
file_show(const struct setup *setup, const struct step *step)
{
	bool brief = step->name == TEXT_PAM;

	printf("make the file, root:root, mode %04o%s\n",
	    (unsigned int)step->mode, brief ? "; without its comments:" : "");
	setup_show_lines(setup->text[step->content], brief);
}

static int
file_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	const char *text = setup->text[step->content];
	char digest[DIGEST_SIZE];
	size_t len = strlen(text);

	setup_digest(text, len, digest);
	if (manifest_add(setup->manifest, "file", path, "", digest, "") == -1)
		return -1;
	if (setup_write(path, text, len, step->mode, NULL) == 0)
		return 0;
	ctl_complain("%s: cannot be written: %s", path, strerror(errno));
	return -1;
}

struct cut_job {
	const char *path;
	const char *size;	/* "": remove it */
};

/* For child_call_as(). */
static int
cut_file(void *arg)
{
	const struct cut_job *job = arg;
	off_t size = (off_t)strtoll(job->size, NULL, 10);

	if ((*job->size == '\0' ? unlink(job->path) :
	    truncate(job->path, size)) == 0)
		return 0;
	ctl_complain("%s: %s", job->path, strerror(errno));
	return 1;
}

/* before is the size it had, which was added to, or "" where there was none. */
enum back
file_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	struct cut_job job = { record->name, record->before };
	char digest[DIGEST_SIZE] = "";
	const struct passwd *pw;
	char *text;
	size_t len = 0;

	if ((text = setup_read(record->name, &len)) == NULL && errno == ENOENT)
		return BACK_GONE;
	if (text != NULL)
		setup_digest(text, len, digest);
	free(text);
	if (strcmp(digest, record->after) != 0) {
		snprintf(what, WHY_SIZE, "it was changed since");
		return BACK_LEFT;
	}
	snprintf(what, WHY_SIZE, "%s", *record->before == '\0' ?
	    "remove the file" : "remove the lines that were added");
	if (find_account(record, &pw, what) == -1)
		return BACK_LEFT;
	return !now || child_call_as(pw, cut_file, &job) == 0 ? BACK_DONE :
	    BACK_FAILED;
}

const struct kind kind_file = {
	"file", "", file_look, file_show, file_apply, file_back,
};
