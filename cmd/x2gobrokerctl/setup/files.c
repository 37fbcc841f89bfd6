/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that setup writes, and the owner and mode of x2gobroker-pam(8).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child.h"
#include "step.h"
#include "wholefile.h"

#define OWNER_SIZE	64	/* "UID:GID:MODE" */
#define HELPER_MODE	04750
#define HELPER_NAME	"/x2gobroker-pam"

/*
 * A new file; one that exists is not changed
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
	    "the file to copy is not installed below " X2GOBROKER_DATA);
	return LOOK_BLOCKED;
}

static void
file_show(const struct setup *setup, const struct step *step)
{
	bool brief = step->name == TEXT_PAM;

	printf("make the file, root:root, mode 0644%s\n",
	    brief ? "; without its comments:" : "");
	wholefile_show(setup->text[step->content], brief);
}

static int
file_apply(struct setup *setup, const struct step *step)
{
	const char *path = setup->text[step->name];
	const char *text = setup->text[step->content];
	char digest[DIGEST_SIZE];
	size_t len = strlen(text);

	wholefile_digest(text, len, digest);
	if (dirs_make_parent(setup, path) == -1 || manifest_add(
	    setup->manifest, "file", path, "", digest, "") == -1)
		return -1;
	if (wholefile_write(path, text, len, NULL) == 0)
		return 0;
	ctl_complain("%s: cannot write it: %s", path, strerror(errno));
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

/* before is the size of the file that was appended to, or "" if it is new. */
enum back
file_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	struct cut_job job = { record->name, record->before };
	char digest[DIGEST_SIZE] = "";
	const struct passwd *pw;
	size_t len = 0;
	cleanup_free char *text = wholefile_read(record->name, &len);

	if (text == NULL && errno == ENOENT)
		return BACK_GONE;
	if (text != NULL)
		wholefile_digest(text, len, digest);
	if (strcmp(digest, record->after) != 0) {
		snprintf(what, WHY_SIZE, "it was changed since");
		return BACK_LEFT;
	}
	snprintf(what, WHY_SIZE, "remove %s", *record->before == '\0' ?
	    "the file" : "the lines that were added");
	if (record_account(record, &pw, what) == -1)
		return BACK_LEFT;
	return !now || child_call_as(pw, cut_file, &job) == 0 ? BACK_DONE :
	    BACK_FAILED;
}

const struct kind kind_file = {
	"file", "", file_look, file_show, file_apply, file_back,
};

/*
 * x2gobroker-pam: root's and setuid, and only the broker's group may run it
 */

struct owner_job {
	const char *path;
	unsigned int uid, gid, mode;
};

/* For child_call_as(). */
static int
set_owner(void *arg)
{
	const struct owner_job *job = arg;
	cleanup_fd int fd = open(job->path, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	/* fchown(2) clears the setuid bit */
	if (fd != -1 && fstat(fd, &st) == 0 && ((st.st_uid == job->uid &&
	    st.st_gid == job->gid) || fchown(fd, job->uid, job->gid) == 0) &&
	    fchmod(fd, job->mode) == 0)
		return 0;
	ctl_complain("%s: cannot set its owner and mode: %s", job->path,
	    strerror(errno));
	return 1;
}

static void
format_owner(unsigned int uid, unsigned int gid, unsigned int mode,
    char text[static OWNER_SIZE])
{
	snprintf(text, OWNER_SIZE, "%u:%u:%04o", uid, gid, mode & 07777);
}

static enum look
mode_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *account = setup->text[TEXT_ACCOUNT];
	const char *group = setup->text[TEXT_ACCOUNT_GROUP];
	const char *path = setup->text[step->name];
	const struct passwd *pw = getpwnam(account);
	struct x2gobroker_error err;
	struct stat st;

	if (lstat(path, &st) == -1 || !S_ISREG(st.st_mode)) {
		snprintf(why, WHY_SIZE, "it is not installed");
		return LOOK_BLOCKED;
	}
	if (strcmp(strrchr(path, '/'), HELPER_NAME) != 0) {
		snprintf(why, WHY_SIZE, "it is not x2gobroker-pam, so setup "
		    "does not make it setuid root; see pam-helper in "
		    "x2gobroker.conf(5)");
		return LOOK_BLOCKED;
	}
	if (x2gobroker_path_check(path, &err) == -1) {
		snprintf(why, WHY_SIZE, "%s", err.text);
		return LOOK_BLOCKED;
	}
	if (strcmp(group, account) != 0) {
		snprintf(why, WHY_SIZE, "only %s may run it, but the group of "
		    "this account is %s, which may have other members; give "
		    "it a group of its own: groupadd --system %s, then "
		    "usermod --gid %s %s", account, group, account, account,
		    account);
		return LOOK_BLOCKED;
	}
	return pw != NULL && st.st_uid == 0 && st.st_gid == pw->pw_gid &&
	    (st.st_mode & 07777) == HELPER_MODE ? LOOK_DONE : LOOK_TO_DO;
}

static void
mode_show(const struct setup *setup,
    const struct step *step __attribute__((unused)))
{
	printf("set owner and mode: root:%s, %04o\n",
	    setup->text[TEXT_ACCOUNT_GROUP], HELPER_MODE);
}

static int
mode_apply(struct setup *setup, const struct step *step)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	struct owner_job job = { .path = setup->text[step->name],
	    .mode = HELPER_MODE };
	char before[OWNER_SIZE], after[OWNER_SIZE];
	struct stat st;

	if (pw == NULL || lstat(job.path, &st) == -1)
		return -1;
	job.gid = pw->pw_gid;
	format_owner(st.st_uid, st.st_gid, st.st_mode, before);
	format_owner(job.uid, job.gid, job.mode, after);
	if (manifest_add(setup->manifest, "mode", job.path, before, after,
	    "") == -1)
		return -1;
	return set_owner(&job) == 0 ? 0 : -1;
}

static enum back
mode_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	struct owner_job job = { .path = record->name };
	const struct passwd *pw;
	char current[OWNER_SIZE];
	struct stat st;

	if (lstat(record->name, &st) == -1)
		return BACK_GONE;
	format_owner(st.st_uid, st.st_gid, st.st_mode, current);
	if (strcmp(current, record->after) != 0) {
		snprintf(what, WHY_SIZE, "owner or mode were changed since");
		return BACK_LEFT;
	}
	if (record_account(record, &pw, what) == -1)
		return BACK_LEFT;
	snprintf(what, WHY_SIZE, "set owner and mode back to %s",
	    record->before);
	if (sscanf(record->before, "%u:%u:%o", &job.uid, &job.gid,
	    &job.mode) != 3)
		return BACK_FAILED;
	return !now || child_call_as(pw, set_owner, &job) == 0 ? BACK_DONE :
	    BACK_FAILED;
}

const struct kind kind_mode = {
	"mode", "", mode_look, mode_show, mode_apply, mode_back,
};
