/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path of an authorized_keys file.  The broker sends it, so the holder of
 * the broker's key can send any path.  Only files that are meant for keys are
 * accepted, because a line with a key does no harm there.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "keypath.h"

#define FILE_NAME	"authorized_keys"	/* how its name begins */
#define DIR_FLAGS	(O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static int
refuse_path(struct x2gobroker_error *err, const char *path, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0, "%s", why);
}

/*
 * Expanding and checking it
 */

/* The length of the home directory without a '/' at its end: 0 for "/". */
static size_t
home_len(const struct account *account)
{
	size_t len = strlen(account->home);

	while (len > 0 && account->home[len - 1] == '/')
		len--;
	return len;
}

/* Returns NULL, or the unknown %X. */
static const char *
expand(const char *template, const struct account *account, struct buf *out)
{
	const char *p;

	for (p = template; *p != '\0'; p++)
		if (*p != '%')
			buf_putc(out, *p);
		else if (*++p == 'h')
			buf_put(out, account->home, home_len(account));
		else if (*p == 'u')
			buf_puts(out, account->name);
		else if (*p == 'U' || *p == 'G')
			buf_printf(out, "%u", (unsigned int)(*p == 'U' ?
			    account->uid : account->gid));
		else if (*p == '%')
			buf_putc(out, '%');
		else
			return p - 1;
	return NULL;
}

/* Allow only names as components, so that the text shows where it leads. */
static int
check_components(const char *below, const char *path,
    struct x2gobroker_error *err)
{
	const char *p;
	size_t n;

	for (p = below;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0)
			return refuse_path(err, path, "has an empty component");
		if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
			return refuse_path(err, path, "has a component . or "
			    "..");
		if (p[n] == '\0')
			return 0;
	}
}

/* Sites that keep these files elsewhere name them after the users. */
static int
check_name(const struct keypath *path, const struct account *account,
    struct x2gobroker_error *err)
{
	const char *slash = strrchr(path->below, '/');
	const char *name = slash != NULL ? slash + 1 : path->below;

	if (strncmp(name, FILE_NAME, sizeof(FILE_NAME) - 1) == 0 ||
	    (!path->in_home && strcmp(name, account->name) == 0))
		return 0;
	return refuse_path(err, path->text, "the file name does not begin with "
	    FILE_NAME);
}

static int
put_path(const char *template, const struct account *account,
    struct buf *text, struct x2gobroker_error *err)
{
	const char *unknown;
	size_t i;

	if (template[0] != '/' && strncmp(template, "%h", 2) != 0)
		buf_printf(text, "%.*s/", (int)home_len(account),
		    account->home);
	unknown = expand(template, account, text);
	if (text->failed)
		return error_nomem(err);
	if (unknown != NULL)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "path of the key file: %.2s is not one of %%h %%u %%U %%G "
		    "%%%%", unknown);
	for (i = 0; i < text->len; i++)
		if ((unsigned char)text->data[i] < 0x20 ||
		    text->data[i] == 0x7f)
			return error_set(err, X2GOBROKER_ERR_UNSAFE, NULL, 0,
			    "the path of the key file contains control "
			    "characters");
	if (text->len >= KEYPATH_SIZE)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "path of the key file is too long");
	return 0;
}

int
keypath_make(const char *template, const struct account *account,
    struct keypath *path, struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	size_t len = home_len(account);

	if (put_path(template, account, &text, err) == -1)
		return -1;
	/* put_path() has put at least ""
	 * NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
	memcpy(path->text, text.data, text.len + 1);
	if (path->text[0] != '/')
		return refuse_path(err, path->text, "is not an absolute path");
	path->in_home = strncmp(path->text, account->home, len) == 0 &&
	    (path->text[len] == '/' || path->text[len] == '\0');
	path->below = path->text + (path->in_home ? len : 0);
	path->below += *path->below == '/';
	if (check_components(path->below, path->text, err) == -1)
		return -1;
	return check_name(path, account, err);
}

/*
 * Opening its directory
 */

static const char *
check_dir(int fd, const struct account *account)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return "cannot look it up";
	if (st.st_uid != 0 && st.st_uid != account->uid)
		return "the directory belongs to another user";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "the group or others may write to the directory";
	return NULL;
}

/* Why openat(2) could not open a directory. */
static const char *
explain_open(int error)
{
	if (error == ENOENT)
		return "no such directory";
	if (error == ELOOP || error == ENOTDIR)
		return "is not a directory, or a symbolic link to one";
	return error == EACCES ? "the user has no access to the directory" :
	    "cannot open it";
}

/* Replace *fd, a directory, with the one in it that is called name (n
 * bytes). */
static void
descend(int *fd, const char *name, size_t n, bool make)
{
	cleanup_free char *copy = strndup(name, n);
	int next = -1, save;

	/* if this fails, opening it tells why */
	if (copy != NULL && make)
		mkdirat(*fd, copy, 0700);
	if (copy != NULL)
		next = openat(*fd, copy, DIR_FLAGS | O_NOFOLLOW);
	save = errno;
	close(*fd);
	*fd = next;
	errno = save;
}

/* Check the directory that was opened last; rest is what follows it. */
static int
check_opened(int fd, const struct keypath *path, const char *rest,
    const struct account *account, struct x2gobroker_error *err)
{
	size_t len = (size_t)(rest - path->text);
	const char *why = fd == -1 ? explain_open(errno) :
	    check_dir(fd, account);
	cleanup_free char *dir = NULL;

	if (why == NULL)
		return 0;
	if ((dir = strndup(path->text, len > 1 ? len - 1 : 1)) == NULL)
		return error_nomem(err);
	return error_set(err, fd == -1 && errno == ENOENT ?
	    X2GOBROKER_ERR_NOTFOUND : X2GOBROKER_ERR_UNSAFE, dir, 0, "%s",
	    why);
}

int
keypath_open_dir(const struct keypath *path, const struct account *account,
    bool make, const char **name, struct x2gobroker_error *err)
{
	cleanup_fd int fd = open(path->in_home ? account->home : "/",
	    DIR_FLAGS);
	const char *rest = path->below;
	size_t n;
	int opened;

	while (check_opened(fd, path, rest, account, err) == 0) {
		n = strcspn(rest, "/");
		if (rest[n] == '\0') {
			*name = rest;
			opened = fd;
			fd = -1;
			return opened;
		}
		descend(&fd, rest, n, make && path->in_home);
		rest += n + 1;
	}
	return -1;
}

bool
keypath_is_open(int dir, const char *name, int fd)
{
	struct stat open_file, named;

	return fstat(fd, &open_file) == 0 &&
	    fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    open_file.st_dev == named.st_dev &&
	    open_file.st_ino == named.st_ino;
}
