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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "child.h"
#include "step.h"
#include "wholefile.h"

#define SHIPPED		X2GOBROKER_LIB "/tmpfiles.d/x2gobroker.conf"
#define OWN		"/etc/tmpfiles.d/x2gobroker.conf"
#define PASSING		"passing"	/* in a record: remove its files, too */
#define PRIVATE		"choose a directory that nothing else uses"

static const struct dir {
	enum text path;
	unsigned int ways;
	const char *key;	/* in x2gobroker.conf, that names it */
	const char *mode;	/* of the broker account's; NULL: root's */
	const char *passing;	/* PASSING: files in it are useless later */
	const char *remedy;	/* if it belongs to somebody else */
} dirs[] = {
	{ TEXT_PROFILES_DIR, WAY_ALL, "profiles-dir", NULL, "",
	    "chown root:root, chmod 755" },
	{ TEXT_KEYS_DIR, WAY_SHARED, "keys-dir", NULL, "",
	    "chown root:root, chmod 755" },
	{ TEXT_STATE_DIR, WAY_SHARED, "state-dir", "0700", PASSING, PRIVATE },
	{ TEXT_HOME, WAY_SHARED, "broker-account", "0755", "",
	    "choose another account, or give this one a home directory of its "
	    "own: usermod --home" },
	{ TEXT_COOKIES_DIR, WAY_SHARED, "cookie-directory", "0700", PASSING,
	    PRIVATE },
};

#define NDIRS	(sizeof(dirs) / sizeof(dirs[0]))

/* Accounts without a home directory of their own have these. */
static bool
is_no_home(const char *path)
{
	return strcmp(path, "/") == 0 || strcmp(path, "/nonexistent") == 0;
}

static bool
is_wanted(const struct setup *setup, const struct dir *dir)
{
	const char *path = setup->text[dir->path];

	return (dir->ways & setup->ways) != 0 && *path != '\0' &&
	    !(dir->path == TEXT_HOME && is_no_home(path));
}

static bool
is_missing(const struct setup *setup, const struct dir *dir)
{
	struct stat st;

	return is_wanted(setup, dir) &&
	    lstat(setup->text[dir->path], &st) == -1;
}

/* The directory that path is in; the caller frees it. */
static char *
parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
}

/* The account that owns a directory above path, or will.  It could replace
 * parts of path by symbolic links, so it has to do itself what is done there.
 * NULL: only root could. */
static const struct passwd *
account_above(const struct setup *setup, const char *path)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	const char *home = setup->text[TEXT_HOME];
	cleanup_free char *copy = strdup(path);
	struct stat st;
	char *slash;

	if (pw == NULL || copy == NULL)
		return NULL;
	while ((slash = strrchr(copy, '/')) != NULL && slash != copy) {
		*slash = '\0';
		if (strcmp(copy, home) == 0 ||
		    (lstat(copy, &st) == 0 && st.st_uid == pw->pw_uid))
			return pw;
	}
	return NULL;
}

/* Record the directory and those above it that do not exist. */
static int
record_missing(struct setup *setup, const char *path, const char *passing)
{
	const struct passwd *pw = account_above(setup, path);
	cleanup_free char *parent = parent_of(path);
	struct stat st;

	if (lstat(path, &st) == 0 || manifest_has(setup->manifest, path))
		return 0;
	if (parent == NULL || record_missing(setup, parent, "") == -1)
		return -1;
	return manifest_add(setup->manifest, "dir", path, "", passing,
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
	const char *path = setup->text[dir->path];

	if (file == NULL)
		file = X2GO_ETC "/x2gobroker.conf";
	if (dir->path == TEXT_HOME)
		ctl_complain("%s: %s = %s: the home directory %s %s; %s", file,
		    dir->key, setup->text[TEXT_ACCOUNT], path, what, remedy);
	else
		ctl_complain("%s: %s = %s: the directory %s; %s", file,
		    dir->key, path, what, remedy);
	return -1;
}

/* Can the broker read it, and only root write to it? */
static bool
is_readable(const struct setup *setup, const struct stat *st)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]);
	bool group = (setup->ways & WAY_GROUP) == 0 && pw != NULL &&
	    st->st_gid == pw->pw_gid && (st->st_mode & 0050) == 0050;

	return st->st_uid == 0 && (st->st_mode & 0022) == 0 &&
	    (group || (st->st_mode & 0005) == 0005);
}

static int
check_root_dir(const struct setup *setup, const struct dir *dir)
{
	struct stat st;

	if (stat(setup->text[dir->path], &st) == -1)
		return refuse(setup, dir, "is a dangling symbolic link",
		    "remove it");
	if (is_readable(setup, &st))
		return 0;
	return refuse(setup, dir, "must belong to root, be readable by the "
	    "broker, and be writable by root alone", dir->remedy);
}

static int
check_broker_dir(const struct setup *setup, const struct dir *dir,
    const struct stat *st)
{
	const struct passwd *pw = getpwnam(setup->text[TEXT_ACCOUNT]), *owner;
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
	    owner->pw_name : "a deleted account", setup->text[TEXT_ACCOUNT]);
	return refuse(setup, dir, what, pw != NULL ? dir->remedy :
	    "move it away, or choose another one");
}

static int
check_dir(const struct setup *setup, const struct dir *dir)
{
	const char *path = setup->text[dir->path];
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

/* "-": systemd-tmpfiles does not touch what exists. */
static void
print_line(const struct setup *setup, const struct dir *dir, FILE *fp)
{
	if (dir->mode == NULL)
		fprintf(fp, "d %s - - - -\n", setup->text[dir->path]);
	else
		fprintf(fp, "d %s %s %s %s -\n", setup->text[dir->path],
		    dir->mode, setup->text[TEXT_ACCOUNT],
		    setup->text[TEXT_ACCOUNT_GROUP]);
}

int
dirs_prepare(struct setup *setup)
{
	size_t i, size;
	FILE *fp = open_memstream(&setup->text[TEXT_DIR_LINES], &size);
	int result = 0;
	bool shipped;

	if (fp == NULL)
		return 0;	/* the caller finds that a text is missing */
	for (i = 0; i < NDIRS && result == 0; i++)
		if (is_wanted(setup, &dirs[i])) {
			result = check_dir(setup, &dirs[i]);
			print_line(setup, &dirs[i], fp);
		}
	if (fclose(fp) != 0)
		return 0;
	shipped = wholefile_contains(SHIPPED, setup->text[TEXT_DIR_LINES]);
	setup->text[TEXT_DIR_FILE] = strdup(shipped ? SHIPPED : OWN);
	setup->text[TEXT_OWN_DIR_FILE] = strdup(shipped ? "" : OWN);
	return result;
}

/*
 * What is missing is made
 */

/* The options are in words. */
struct tmpfiles {
	const char *argv[NDIRS + 4];
	char words[NDIRS][WHY_SIZE];
};

/* Only for those that are missing: it would change the others. */
static void
tmpfiles_args(const struct setup *setup, struct tmpfiles *tmpfiles)
{
	const char **argv = tmpfiles->argv;
	size_t i;

	*argv++ = PROGRAM_TMPFILES;
	*argv++ = "--create";
	for (i = 0; i < NDIRS; i++) {
		if (!is_missing(setup, &dirs[i]))
			continue;
		snprintf(tmpfiles->words[i], WHY_SIZE, "--prefix=%s",
		    setup->text[dirs[i].path]);
		*argv++ = tmpfiles->words[i];
	}
	*argv++ = setup->text[TEXT_DIR_FILE];
	*argv = NULL;
}

static const struct dir *
find_missing(const struct setup *setup)
{
	size_t i;

	for (i = 0; i < NDIRS; i++)
		if (is_missing(setup, &dirs[i]))
			return &dirs[i];
	return NULL;
}

static enum look
dirs_look(const struct setup *setup,
    const struct step *step __attribute__((unused)), char why[static WHY_SIZE])
{
	if (find_missing(setup) == NULL)
		return LOOK_DONE;
	return child_find(PROGRAM_TMPFILES, why) ? LOOK_TO_DO : LOOK_BLOCKED;
}

static void
dirs_show(const struct setup *setup,
    const struct step *step __attribute__((unused)))
{
	struct tmpfiles tmpfiles;

	printf("make those that are missing\n");
	tmpfiles_args(setup, &tmpfiles);
	child_show(tmpfiles.argv);
}

static int
dirs_apply(struct setup *setup,
    const struct step *step __attribute__((unused)))
{
	const struct dir *dir;
	struct tmpfiles tmpfiles;
	size_t i;

	tmpfiles_args(setup, &tmpfiles);
	for (i = 0; i < NDIRS; i++)
		if (is_missing(setup, &dirs[i]) && record_missing(setup,
		    setup->text[dirs[i].path], dirs[i].passing) == -1)
			return -1;
	if (child_run(tmpfiles.argv, NULL, false) == -1)
		return -1;
	if ((dir = find_missing(setup)) == NULL)
		return 0;
	ctl_complain("%s: not made; does %s have a line for it?",
	    setup->text[dir->path], setup->text[TEXT_DIR_FILE]);
	return -1;
}

/* For child_call_as(). */
static int
make_dir(void *arg)
{
	const char *path = arg;

	if (mkdir(path, geteuid() == 0 ? 0755 : 0700) == 0)
		return 0;
	ctl_complain("%s: cannot make it: %s", path, strerror(errno));
	return 1;
}

int
dirs_make_parent(struct setup *setup, const char *file)
{
	cleanup_free char *dir = parent_of(file);
	struct stat st;

	if (dir == NULL || lstat(dir, &st) == 0)
		return 0;
	if (record_missing(setup, dir, "") == -1)
		return -1;
	return child_call_as(account_above(setup, dir), make_dir, dir) == 0 ?
	    0 : -1;
}

/*
 * Undo
 */

/* For child_call_as(): remove the files in path, but no directories. */
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

/* For child_call_as(); 2: the directory is not empty. */
static int
remove_dir(void *arg)
{
	const char *path = arg;

	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 2;
	ctl_complain("%s: cannot remove it: %s", path, strerror(errno));
	return 1;
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
	    " and the files in it" : ", if it is empty");
	if (!now)
		return BACK_DONE;
	if (passing)
		child_call_as(st.st_uid != 0 ? getpwuid(st.st_uid) : NULL,
		    empty_dir, record->name);
	if (record_account(record, &pw, what) == -1)
		return BACK_LEFT;
	result = child_call_as(pw, remove_dir, record->name);
	if (result == 2)
		snprintf(what, WHY_SIZE, "it has files that setup did not "
		    "make");
	return result == 0 ? BACK_DONE : result == 2 ? BACK_LEFT : BACK_FAILED;
}

/* One step for all directories, and a record for each. */
const struct kind kind_dir = {
	"dir", "", dirs_look, dirs_show, dirs_apply, dir_back,
};
