/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories.  systemd-tmpfiles(8) makes them, from the file that is installed
 * with this program, or from one of our own in /etc.  A directory that exists
 * keeps its owner and mode: if they are wrong, the administrator has to decide.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "step.h"

#define ROOTS		"chown root:root, chmod 755"
#define PRIVATE		"choose a directory that nothing else uses"

static const struct dir {
	const char *key;	/* in x2gobroker.conf, that names it */
	const char *mode;	/* of the broker account's; NULL: root's */
	const char *remedy;	/* if it belongs to somebody else */
	const struct kind *kind;
} dirs[] = {
	{ "profiles-dir", NULL, ROOTS, &kind_dir },	/* the one for groups */
	{ "keys-dir", NULL, ROOTS, &kind_dir },
	{ "state-dir", "0700", PRIVATE, &kind_passing },
	{ "broker-account", "0755", "choose another account, or give this one "
	    "a home directory of its own: usermod --home", &kind_dir },
	{ "cookie-directory", "0700", PRIVATE, &kind_passing },
};

#define NDIRS	(sizeof(dirs) / sizeof(dirs[0]))

static bool
is_home(const struct dir *dir)
{
	return strcmp(dir->key, "broker-account") == 0;
}

/* NULL: it is not needed.  Accounts without a home directory of their own have
 * "/" or "/nonexistent". */
static const char *
path_of(const struct setup *setup, const struct dir *dir)
{
	const char *path = is_home(dir) ? setup->home :
	    x2gobroker_config_text(setup->config, "global", dir->key);

	if ((!setup->shared && dir != dirs) || path == NULL || *path == '\0' ||
	    (is_home(dir) && (strcmp(path, "/") == 0 ||
	    strcmp(path, "/nonexistent") == 0)))
		return NULL;
	return path;
}

static bool
is_missing(const char *path)
{
	struct stat st;

	return path != NULL && lstat(path, &st) == -1;
}

/* The account that owns a directory above path, or will.  It could replace
 * parts of path by symbolic links, so it has to do itself what is done there.
 * NULL: only root could. */
static const struct passwd *
account_above(const struct setup *setup, const char *path)
{
	const struct passwd *pw = getpwnam(setup->account);
	cleanup_free char *copy = strdup(path);
	struct stat st;
	char *slash;

	if (pw == NULL || copy == NULL)
		return NULL;
	while ((slash = strrchr(copy, '/')) != NULL && slash != copy) {
		*slash = '\0';
		if (strcmp(copy, setup->home) == 0 ||
		    (lstat(copy, &st) == 0 && st.st_uid == pw->pw_uid))
			return pw;
	}
	return NULL;
}

/* Record the directory and those above it that do not exist. */
static int
record_missing(struct setup *setup, const struct kind *kind, const char *path)
{
	const struct passwd *pw = account_above(setup, path);
	cleanup_free char *copy = strdup(path);

	if (!is_missing(path) || manifest_has(setup->manifest, path))
		return 0;
	if (copy == NULL ||
	    record_missing(setup, &kind_dir, dirname(copy)) == -1)
		return -1;
	return manifest_add(setup->manifest, kind->name, path, "", "",
	    pw != NULL ? pw->pw_name : "");
}

/*
 * What exists must be right
 */

static int
refuse(const struct setup *setup, const struct dir *dir, const char *what,
    const char *remedy)
{
	const char *file = setup->ctl->config_file;
	const char *path = path_of(setup, dir);
	bool home = is_home(dir);

	ctl_complain("%s: %s = %s: the %sdirectory%s%s %s; %s", file != NULL ?
	    file : X2GO_ETC "/x2gobroker.conf", dir->key,
	    home ? setup->account : path, home ? "home " : "",
	    home ? " " : "", home ? path : "", what, remedy);
	return -1;
}

/* The broker must be able to read it, and only root to write to it. */
static int
check_root_dir(const struct setup *setup, const struct dir *dir)
{
	const struct passwd *pw = getpwnam(setup->account);
	struct stat st;
	mode_t read = 0005;

	if (stat(path_of(setup, dir), &st) == -1)
		return refuse(setup, dir, "is a dangling symbolic link",
		    "remove it");
	if (setup->group == NULL && pw != NULL && st.st_gid == pw->pw_gid &&
	    (st.st_mode & 0050) == 0050)
		read = 0;
	if (st.st_uid == 0 && (st.st_mode & (0022 | read)) == read)
		return 0;
	return refuse(setup, dir, "must belong to root, be readable by the "
	    "broker, and be writable by root alone", dir->remedy);
}

static int
check_broker_dir(const struct setup *setup, const struct dir *dir,
    const struct stat *st)
{
	const struct passwd *pw = getpwnam(setup->account), *owner;
	bool theirs = pw != NULL && st->st_uid == pw->pw_uid;
	char what[WHY_SIZE];

	if (S_ISLNK(st->st_mode))
		return refuse(setup, dir, "is a symbolic link", dir->remedy);
	if (theirs && (st->st_mode & 0722) == 0700)
		return 0;
	if (theirs)
		return refuse(setup, dir, "must be writable by its owner, and "
		    "by nobody else", "change its mode: chmod u+rwx,go-w");
	owner = getpwuid(st->st_uid);
	snprintf(what, sizeof(what), "belongs to %s, not to %s", owner != NULL ?
	    owner->pw_name : "a deleted account", setup->account);
	return refuse(setup, dir, what, pw != NULL ? dir->remedy :
	    "move it away, or choose another one");
}

static int
check_dir(const struct setup *setup, const struct dir *dir, const char *path)
{
	struct stat st;

	/* systemd-tmpfiles would need quotes */
	if (*path != '/' || strpbrk(path, " \t\n\"'\\%") != NULL)
		return refuse(setup, dir, "is not an absolute path without "
		    "blanks, quotes, backslashes and %", "choose another one");
	if (lstat(path, &st) == -1)
		return errno == ENOENT ? 0 : refuse(setup, dir,
		    "cannot be looked up", strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
		return refuse(setup, dir, "is a file", dir->remedy);
	return dir->mode == NULL ? check_root_dir(setup, dir) :
	    check_broker_dir(setup, dir, &st);
}

/*
 * What is missing is made
 */

/* "-": systemd-tmpfiles does not touch what exists. */
static const char *
make_line(struct setup *setup, const struct dir *dir, const char *path)
{
	return dir->mode == NULL ? step_text(setup, "d %s - - - -\n", path) :
	    step_text(setup, "d %s %s %s %s -\n", path, dir->mode,
	    setup->account, setup->account_group);
}

int
dirs_check(struct setup *setup, const char **lines,
    const char *missing[static DIRS_MAX + 1])
{
	const char *path;
	size_t i, n = 0;

	_Static_assert(NDIRS <= DIRS_MAX, "missing[] is large enough");
	*lines = "";
	for (i = 0; i < NDIRS; i++) {
		if ((path = path_of(setup, &dirs[i])) == NULL)
			continue;
		if (check_dir(setup, &dirs[i], path) == -1)
			return -1;
		*lines = step_text(setup, "%s%s", *lines,
		    make_line(setup, &dirs[i], path));
		if (is_missing(path))
			missing[n++] = step_text(setup, "--prefix=%s", path);
	}
	missing[n] = NULL;
	return 0;
}

/* Are only the file and no directories in its program? */
static enum look
dirs_look(const struct setup *setup __attribute__((unused)),
    const struct step *step, char why[static WHY_SIZE] __attribute__((unused)))
{
	return step->argv[3] == NULL ? LOOK_DONE : LOOK_TO_DO;
}

static int
dirs_apply(struct setup *setup, const struct step *step)
{
	const char *path;
	size_t i;

	for (i = 0; i < NDIRS; i++) {
		path = path_of(setup, &dirs[i]);
		if (is_missing(path) &&
		    record_missing(setup, dirs[i].kind, path) == -1)
			return -1;
	}
	if (step_run(step->argv) != 0)
		return -1;
	for (i = 0; i < NDIRS; i++) {
		path = path_of(setup, &dirs[i]);
		if (is_missing(path)) {
			ctl_complain("%s: not made by %s", path,
			    PROGRAM_TMPFILES);
			return -1;
		}
	}
	return 0;
}

/* For step_call_as(). */
static int
make_dir(const void *path)
{
	if (mkdir(path, geteuid() == 0 ? 0755 : 0700) == 0)
		return 0;
	ctl_complain("%s: cannot make it: %s", (const char *)path,
	    strerror(errno));
	return 1;
}

int
dirs_make_parent(struct setup *setup, const char *file)
{
	cleanup_free char *copy = strdup(file);
	const char *dir;

	if (copy == NULL || !is_missing(dir = dirname(copy)))
		return 0;
	if (record_missing(setup, &kind_dir, dir) == -1)
		return -1;
	return step_call_as(account_above(setup, dir), make_dir, dir) == 0 ?
	    0 : -1;
}

/*
 * Undo
 */

static bool
dir_state(const char *path, char state[static STATE_SIZE])
{
	*state = '\0';
	return !is_missing(path);
}

static enum back
dir_back(const struct record *record)
{
	cleanup_free char *lock = NULL;

	if (rmdir(record->name) == 0 || errno == ENOENT)
		return BACK_DONE;
	/* it may be the only file left */
	if (errno == ENOTEMPTY && asprintf(&lock, "%s/" SAFEFILE_LOCK,
	    record->name) != -1 && unlink(lock) == 0 &&
	    rmdir(record->name) == 0)
		return BACK_DONE;
	if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT)
		return BACK_LEFT;
	ctl_complain("%s: cannot remove it: %s", record->name,
	    strerror(errno));
	return BACK_FAILED;
}

/* Remove the files in it, and those of the directories in it. */
static void
empty_dir(int parent, const char *name, unsigned int levels)
{
	DIR *dir = safefile_entries(parent, name);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (unlinkat(dirfd(dir), entry->d_name, 0) == -1 &&
		    levels > 0 && entry->d_name[0] != '.') {
			empty_dir(dirfd(dir), entry->d_name, levels - 1);
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
		}
	if (dir != NULL)
		closedir(dir);
}

static enum back
passing_back(const struct record *record)
{
	empty_dir(AT_FDCWD, record->name, 1);
	return dir_back(record);
}

/* One step for all directories, and a record for each. */
const struct kind kind_dir = {
	"dir", "", dirs_look, dirs_apply, dir_state, dir_back,
	"remove the directory, if it is empty",
	"it has files that setup did not make",
};

/* Files in these are useless later. */
const struct kind kind_passing = {
	"passing", "", NULL, NULL, dir_state, passing_back,
	"remove the directory and the files in it",
	"it has files that setup did not make",
};
