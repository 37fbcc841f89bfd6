/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose key is it?  A file NAME.pub for each user: its name is the identity,
 * and in it stand keys and nothing else, so that no line of it has a say in
 * what sshd does with a key.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "x2gobroker_admin.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "base/safefile.h"
#include "access/userkeys.h"
#include "base/pubkey.h"

#define SUFFIX		".pub"
#define NEW_FILE	".new"	/* hidden; whoever has the lock may use it */
#define NAME_SIZE	256	/* a file name has no more (NAME_MAX) */
#define LOCK_WAIT_MS	10000	/* nobody has so much to write */

#define LETTERS		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"

/* Keys, and the memory of their text.  One that had no room is remembered, so
 * that a caller asks once, at the end. */
struct keylist {
	struct pubkey *list;
	size_t n, size;
	struct arena arena;
	bool nomem;
};

#define cleanup_keys	__attribute__((cleanup(keylist_free)))

/*
 * Keys
 */

static void
keylist_free(struct keylist *keys)
{
	free(keys->list);
	arena_free(&keys->arena);
}

static bool
copy_text(struct arena *arena, const char **text)
{
	if (*text != NULL)
		*text = arena_strndup(arena, *text, strlen(*text));
	return *text != NULL;
}

/* Add a copy of key. */
static void
keylist_add(struct keylist *keys, const struct pubkey *key)
{
	size_t size = keys->size != 0 ? 2 * keys->size : 16;
	struct pubkey *more, copy = *key;

	if (!copy_text(&keys->arena, &copy.type) ||
	    !copy_text(&keys->arena, &copy.base64) ||
	    !copy_text(&keys->arena, &copy.comment) ||
	    !copy_text(&keys->arena, &copy.file) ||
	    (key->name != NULL && !copy_text(&keys->arena, &copy.name))) {
		keys->nomem = true;
		return;
	}
	if (keys->n == keys->size) {
		more = reallocarray(keys->list, size, sizeof(*more));
		if (more == NULL) {
			keys->nomem = true;
			return;
		}
		keys->list = more;
		keys->size = size;
	}
	keys->list[keys->n++] = copy;
}

/* The same key in keys, or NULL. */
static const struct pubkey *
keylist_find(const struct keylist *keys, const struct pubkey *key)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		if (strcmp(keys->list[i].base64, key->base64) == 0)
			return &keys->list[i];
	return NULL;
}

/* One of keys that line mentions, or NULL; costs less than to parse it. */
static const struct pubkey *
keylist_mentioned(const struct keylist *keys, const char *line)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		if (strstr(line, keys->list[i].base64) != NULL)
			return &keys->list[i];
	return NULL;
}

/* Say what has become of a key: no problem, so it does not count as one. */
static void
tell(const struct reporter *rep, enum x2gobroker_code code,
    const struct pubkey *key, const char *what)
{
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	struct x2gobroker_error said;

	if (x2gobroker_key_fingerprint(key->base64, fingerprint) == -1)
		fingerprint[0] = '\0';
	error_set(&said, code, key->file, key->line, "%s%s%s%s%s: %s",
	    key->type, *fingerprint != '\0' ? " " : "", fingerprint,
	    *key->comment != '\0' ? " " : "", key->comment, what);
	if (rep->fn != NULL)
		rep->fn(rep->arg, &said);
}

/* Read what x2gobrokerctl was given.  Every error is reported; none of the
 * keys is to be used then.  A key that is there twice counts once. */
static int
parse_text(const char *text, const char *file, struct keylist *keys,
    struct reporter *rep, struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *line;
	const char *wrong;
	struct pubkey key;
	bool foreign = false;
	unsigned int number;

	if (copy == NULL)
		return error_nomem(err);
	for (number = 1; !foreign && (line = strsep(&rest, "\n")) != NULL;
	    number++) {
		foreign = pubkey_refuse_format(line) != NULL;
		if ((wrong = pubkey_parse_line(line, &key)) != NULL)
			report(rep, X2GOBROKER_ERR_VALUE, file, number, "%s",
			    wrong);
		if (wrong != NULL || key.type == NULL ||
		    keylist_find(keys, &key) != NULL)
			continue;
		key.file = file;
		key.line = number;
		keylist_add(keys, &key);
	}
	explicit_bzero(copy, strlen(text));	/* it was a private key? */
	if (keys->nomem)
		return error_nomem(err);
	if (keys->n == 0 && rep->errors == 0)
		report(rep, X2GOBROKER_ERR_VALUE, file, 0,
		    "there is no public key in it");
	if (rep->errors != 0)
		*err = rep->first;
	return rep->errors == 0 ? 0 : -1;
}

/*
 * Accounts
 */

const char *
keys_check_name(const char *name)
{
	/* '@' and a domain are part of names that SSSD gives */
	static const char rest[] = LETTERS DIGITS "._-@";

	if (*name == '\0')
		return "the name of an account is needed";
	if (strlen(name) >= NAME_SIZE - strlen(SUFFIX))
		return "the name of the account is too long";
	if (strchr("._-@", *name) != NULL && *name != '_')
		return "the name of the account must begin with a letter, a "
		    "digit or _";
	if (strspn(name, rest) != strlen(name))
		return "the name of the account must have only letters, "
		    "digits and . _ - @";
	return NULL;
}

static int
check_name(const char *name, struct x2gobroker_error *err)
{
	const char *wrong = keys_check_name(name);

	return wrong == NULL ? 0 : error_set(err, X2GOBROKER_ERR_VALUE, NULL,
	    0, "\"%.100s\": %s", name, wrong);
}

/* Whether that account exists, by just that name: systems that take another
 * spelling of it would give it other profiles. */
static int
check_account(const char *name, const char *file, unsigned int line,
    struct x2gobroker_error *err)
{
	const struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, file, line,
		    "the account %s cannot be looked up: %s", name,
		    errno != 0 ? strerror(errno) : "there is none");
	if (strcmp(pw->pw_name, name) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, file, line,
		    "the account %s is really called %.100s; use that name",
		    name, pw->pw_name);
	return 0;
}

/*
 * Files
 */

/* A key file while it is read. */
struct reader {
	const char *path;
	FILE *fp;
	char *line;		/* without its end */
	size_t size;
	unsigned int number;
};

static int
reader_open(struct reader *r, const char *path, struct x2gobroker_error *err)
{
	struct stat st;

	memset(r, 0, sizeof(*r));
	r->path = path;
	/* a link would give one user's keys to another */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not used: it is a symbolic link; put a file there");
	return (r->fp = safefile_open_entry(path, err)) != NULL ? 0 : -1;
}

/* Read the next line.  1: there it is; 0: there is none; -1: it cannot be
 * read. */
static int
reader_next(struct reader *r, struct x2gobroker_error *err)
{
	ssize_t i, len;

	errno = 0;
	if ((len = getline(&r->line, &r->size, r->fp)) == -1)
		return feof(r->fp) ? 0 : error_errno(err, r->path,
		    "cannot be read");
	r->number++;
	if (r->line[len - 1] == '\n')
		r->line[--len] = '\0';
	for (i = 0; i < len; i++)
		if (r->line[i] == '\0')
			r->line[i] = '\1';	/* refused, but not the end */
	return 1;
}

static void
reader_close(struct reader *r)
{
	int save = errno;

	if (r->fp != NULL)
		fclose(r->fp);
	free(r->line);
	errno = save;
}

#define cleanup_reader	__attribute__((cleanup(reader_close)))

/* Write the path of entry into path (X2GOBROKER_FILE_SIZE bytes). */
static int
make_path(const struct x2gobroker_config *config, const char *entry,
    const char *suffix, char *path, struct x2gobroker_error *err)
{
	int len = snprintf(path, X2GOBROKER_FILE_SIZE, "%s/%s%s",
	    config->keys_dir, entry, suffix);

	if (len < 0 || len >= X2GOBROKER_FILE_SIZE)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, config->keys_dir,
		    0, "the path is too long");
	return 0;
}

/* Add the keys of name's file to found: those of wanted, or all (NULL).  What
 * is wrong with a line is reported if the line is about one of them.  -1: the
 * file cannot be read. */
static int
collect_file(const char *path, const char *name, const struct keylist *wanted,
    struct keylist *found, struct reporter *rep, struct x2gobroker_error *err)
{
	cleanup_reader struct reader r;
	const char *wrong;
	struct pubkey key;
	int more;

	if (reader_open(&r, path, err) == -1)
		return -1;
	while ((more = reader_next(&r, err)) == 1) {
		if (wanted != NULL &&
		    keylist_mentioned(wanted, r.line) == NULL)
			continue;
		if ((wrong = pubkey_parse_line(r.line, &key)) != NULL)
			report(rep, X2GOBROKER_ERR_VALUE, path, r.number,
			    "not used: %s", wrong);
		if (wrong != NULL || key.type == NULL ||
		    (wanted != NULL && keylist_find(wanted, &key) == NULL))
			continue;
		key.name = name;
		key.file = path;
		key.line = r.number;
		keylist_add(found, &key);
	}
	return more;
}

/* Copy the name of the account that a file's keys are for, or return false:
 * the file's name ends otherwise. */
static bool
name_of_entry(const char *entry, char *name)
{
	size_t len = strlen(entry), suffix = strlen(SUFFIX);

	if (len < suffix || len >= NAME_SIZE ||
	    strcmp(entry + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(name, entry, len - suffix);
	name[len - suffix] = '\0';
	return true;
}

/* One file of the directory.  What is wrong with it is no error: it is
 * reported, and the others are read.  -1: nobody can say now what is in it. */
static int
collect_entry(const struct x2gobroker_config *config, const char *entry,
    const struct keylist *wanted, struct keylist *found, struct reporter *rep,
    struct x2gobroker_error *err)
{
	char path[X2GOBROKER_FILE_SIZE], name[NAME_SIZE];
	const char *wrong;

	if (make_path(config, entry, "", path, err) == -1)
		return -1;
	if (!name_of_entry(entry, name)) {
		if (wanted == NULL)
			report(rep, X2GOBROKER_WARNING, path, 0,
			    "not used: its name does not end in " SUFFIX);
		return 0;
	}
	if ((wrong = keys_check_name(name)) != NULL) {
		report(rep, X2GOBROKER_ERR_VALUE, path, 0, "not used: %s",
		    wrong);
		return 0;
	}
	errno = 0;
	if (collect_file(path, name, wanted, found, rep, err) == 0 ||
	    err->code == X2GOBROKER_ERR_NOTFOUND)
		return 0;	/* somebody may have removed it just now */
	/* memory, descriptors, a disk; but a file that only root can read must
	 * not keep everybody out */
	if (err->code == X2GOBROKER_ERR_NOMEM ||
	    (err->code == X2GOBROKER_ERR_SYSTEM && errno != 0 &&
	    errno != EACCES))
		return -1;
	report_error(rep, err);
	return 0;
}

static int
check_dir(const struct x2gobroker_config *config, struct x2gobroker_error *err)
{
	if (config->keys_dir[0] == '\0')
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "keys-dir is empty, so there are no key files");
	return safefile_check_dir(config->keys_dir, err);
}

static int
is_not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);	/* no locale */
}

/* The same for all files, in the order of their names.  -1: the directory
 * cannot be used, or memory is out. */
static int
collect(const struct x2gobroker_config *config, const struct keylist *wanted,
    struct keylist *found, struct reporter *rep, struct x2gobroker_error *err)
{
	struct dirent **entries;
	int i, n, result = 0;

	if (check_dir(config, err) == -1)
		return -1;
	n = scandir(config->keys_dir, &entries, is_not_hidden,
	    compare_entries);
	if (n < 0)
		return error_errno(err, config->keys_dir, "cannot be listed");
	for (i = 0; i < n; i++) {
		/* one that was left out could be the one that forbids */
		if (result == 0)
			result = collect_entry(config, entries[i]->d_name,
			    wanted, found, rep, err);
		free(entries[i]);
	}
	free(entries);
	return found->nomem ? error_nomem(err) : result;
}

/* The directory, made if it is missing and may be, and locked for those who
 * change its files, as a file descriptor; or -1. */
static int
lock_dir(const struct x2gobroker_config *config, bool make,
    struct x2gobroker_error *err)
{
	const char *dir = config->keys_dir;
	cleanup_fd int fd = -1;
	int locked;

	if (*dir == '\0')
		return check_dir(config, err);
	make = make && mkdir(dir, 0755) == 0;
	if (check_dir(config, err) == -1)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return error_errno(err, dir, "cannot be opened");
	/* sshd's helper must be able to read it, whatever our umask is */
	if (make && fchmod(fd, 0755) == -1)
		return error_errno(err, dir, "its mode cannot be set");
	if (safefile_lock(fd, LOCK_WAIT_MS) == -1)
		return error_errno(err, dir, "cannot be locked (lslocks says "
		    "who has locked it)");
	locked = fd;
	fd = -1;
	return locked;
}

/* Put text in place of the file path in the locked directory dirfd. */
static int
replace_file(int dirfd, const char *path, const struct buf *text,
    struct x2gobroker_error *err)
{
	const struct safefile_new new = {
		.dirfd = dirfd,
		.name = strrchr(path, '/') + 1,
		.temporary = NEW_FILE,
		.mode = 0644,
		.sync = true,
	};

	return safefile_replace(&new, text, path, err);
}

/* Whether the line, which is changed, is one of those to remove: about one of
 * keys, or any that is about a key (NULL).  A line that is wrong goes, too, if
 * it has the key in it: it must not come back when somebody mends it. */
static bool
is_to_go(char *line, const struct keylist *keys, struct pubkey *key)
{
	const struct pubkey *mentioned = NULL;

	if (keys != NULL)
		mentioned = keylist_mentioned(keys, line);
	if (pubkey_parse_line(line, key) != NULL) {
		key->type = "a line that was not used";
		key->base64 = mentioned != NULL ? mentioned->base64 : "";
		key->comment = "";
		return keys == NULL || mentioned != NULL;
	}
	return key->type != NULL &&
	    (keys == NULL || keylist_find(keys, key) != NULL);
}

/* Read path; the lines that are to stay go into text, the others to gone.  No
 * file has no lines. */
static int
sort_out(const char *path, const struct keylist *keys, struct buf *text,
    struct keylist *gone, struct x2gobroker_error *err)
{
	cleanup_reader struct reader r;
	struct pubkey key;
	size_t before;
	int more;

	if (reader_open(&r, path, err) == -1)
		return err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
	while ((more = reader_next(&r, err)) == 1) {
		before = text->len;
		buf_puts(text, r.line);
		buf_putc(text, '\n');
		if (!is_to_go(r.line, keys, &key))
			continue;
		buf_truncate(text, before);
		key.file = path;
		key.line = r.number;
		keylist_add(gone, &key);
	}
	/* a line that is missing in text would be missing in the file */
	if (more == 0 && (gone->nomem || text->failed))
		return error_nomem(err);
	return more;
}

/*
 * What programs call
 */

int
x2gobroker_keys_find(const struct x2gobroker_config *config, const char *type,
    const char *base64, x2gobroker_report *fn, void *arg, char **name,
    struct x2gobroker_error *err)
{
	struct reporter rep = { .fn = fn, .arg = arg };
	struct x2gobroker_error own;
	struct pubkey key = { .type = type, .base64 = base64 };
	const struct keylist wanted = { .list = &key, .n = 1 };
	cleanup_keys struct keylist found = { 0 };
	const struct pubkey *first;
	const char *wrong;
	size_t i;

	*name = NULL;
	if (err == NULL)
		err = &own;
	if ((wrong = pubkey_check(type, base64)) != NULL)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the key that was offered: %s", wrong);
	if (collect(config, &wanted, &found, &rep, err) == -1)
		return -1;
	if (found.n == 0)
		return 0;
	first = &found.list[0];
	for (i = 1; i < found.n; i++)
		if (strcmp(found.list[i].name, first->name) != 0)
			return error_set(err, X2GOBROKER_ERR_DENIED,
			    found.list[i].file, found.list[i].line, "the same "
			    "key is in %s:%u: it could be either user's, so "
			    "it is nobody's", first->file, first->line);
	if (check_account(first->name, first->file, first->line, err) == -1)
		return -1;
	*name = strdup(first->name);
	return *name != NULL ? 0 : error_nomem(err);
}

/* Which of keys are name's already (present)?  Those of another user are
 * reported, and -1 is returned. */
static int
compare_with_files(const struct x2gobroker_config *config, const char *name,
    const struct keylist *keys, struct keylist *present, struct reporter *rep,
    struct x2gobroker_error *err)
{
	cleanup_keys struct keylist found = { 0 };
	struct reporter files = { .fn = rep->fn, .arg = rep->arg };
	size_t i;

	if (collect(config, keys, &found, &files, err) == -1)
		return -1;
	for (i = 0; i < found.n; i++) {
		const struct pubkey *at = &found.list[i];
		const struct pubkey *key = keylist_find(keys, at);

		if (strcmp(at->name, name) == 0)
			keylist_add(present, at);
		else
			report(rep, X2GOBROKER_ERR_DENIED, key->file,
			    key->line, "this key is %s's already: it is in "
			    "%s:%u", at->name, at->file, at->line);
	}
	if (present->nomem)
		return error_nomem(err);
	if (rep->errors != 0)
		*err = rep->first;
	return rep->errors == 0 ? 0 : -1;
}

/* Add to name's file those of keys that are not present, and say so. */
static int
add_keys(int dirfd, const char *path, const struct keylist *keys,
    const struct keylist *present, const struct reporter *rep, size_t *added,
    struct x2gobroker_error *err)
{
	static const struct keylist none;
	cleanup_keys struct keylist gone = { 0 };
	cleanup_buf struct buf text = { 0 };
	size_t i, n = 0;

	if (sort_out(path, &none, &text, &gone, err) == -1)
		return -1;
	for (i = 0; i < keys->n; i++) {
		const struct pubkey *key = &keys->list[i];

		if (keylist_find(present, key) != NULL)
			continue;
		buf_printf(&text, "%s %s%s%s\n", key->type, key->base64,
		    *key->comment != '\0' ? " " : "", key->comment);
		n++;
	}
	if (n > 0 && replace_file(dirfd, path, &text, err) == -1)
		return -1;
	for (i = 0; i < keys->n; i++)
		tell(rep, X2GOBROKER_OK, &keys->list[i],
		    keylist_find(present, &keys->list[i]) != NULL ?
		    "is there already" : "added");
	*added = n;
	return 0;
}

static int
add(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file, struct reporter *rep, size_t *added,
    struct x2gobroker_error *err)
{
	cleanup_keys struct keylist keys = { 0 }, present = { 0 };
	char path[X2GOBROKER_FILE_SIZE];
	cleanup_fd int lock = -1;

	if (check_name(name, err) == -1 ||
	    check_account(name, NULL, 0, err) == -1 ||
	    make_path(config, name, SUFFIX, path, err) == -1 ||
	    parse_text(text, file, &keys, rep, err) == -1 ||
	    (lock = lock_dir(config, true, err)) == -1 ||
	    compare_with_files(config, name, &keys, &present, rep, err) == -1)
		return -1;
	return add_keys(lock, path, &keys, &present, rep, added, err);
}

int
x2gobroker_keys_add(const struct x2gobroker_config *config, const char *name,
    const char *text, const char *file, x2gobroker_report *fn, void *arg,
    size_t *added, struct x2gobroker_error *err)
{
	struct reporter rep = { .fn = fn, .arg = arg };
	struct x2gobroker_error own;

	*added = 0;
	if (err == NULL)
		err = &own;
	if (add(config, name, text, file, &rep, added, err) == 0)
		return 0;
	if (rep.errors == 0)
		report_error(&rep, err);
	return -1;
}

/* Say what has been removed, and which of keys (may be NULL) was not there. */
static void
tell_removed(const struct reporter *rep, const struct keylist *keys,
    const struct keylist *gone)
{
	size_t i;

	for (i = 0; i < gone->n; i++)
		tell(rep, X2GOBROKER_OK, &gone->list[i], "removed");
	for (i = 0; keys != NULL && i < keys->n; i++)
		if (keylist_find(gone, &keys->list[i]) == NULL)
			tell(rep, X2GOBROKER_WARNING, &keys->list[i],
			    "was not there");
}

static int
remove_keys(const struct x2gobroker_config *config, const char *name,
    const struct keylist *keys, const struct reporter *rep, size_t *removed,
    struct x2gobroker_error *err)
{
	cleanup_keys struct keylist gone = { 0 };
	cleanup_buf struct buf rest = { 0 };
	char path[X2GOBROKER_FILE_SIZE];
	cleanup_fd int lock = -1;

	if (make_path(config, name, SUFFIX, path, err) == -1 ||
	    (lock = lock_dir(config, false, err)) == -1 ||
	    sort_out(path, keys, &rest, &gone, err) == -1)
		return -1;
	if (gone.n > 0 && (keys == NULL || rest.len == 0)) {
		if (unlink(path) == -1 || fsync(lock) == -1)
			return error_errno(err, path, "cannot be removed");
	} else if (gone.n > 0 && replace_file(lock, path, &rest, err) == -1)
		return -1;
	tell_removed(rep, keys, &gone);
	*removed = gone.n;
	return 0;
}

int
x2gobroker_keys_remove(const struct x2gobroker_config *config,
    const char *name, const char *text, const char *file,
    x2gobroker_report *fn, void *arg, size_t *removed,
    struct x2gobroker_error *err)
{
	struct reporter rep = { .fn = fn, .arg = arg };
	cleanup_keys struct keylist keys = { 0 };
	struct x2gobroker_error own;

	*removed = 0;
	if (err == NULL)
		err = &own;
	if (check_name(name, err) == 0 && (text == NULL ||
	    parse_text(text, file, &keys, &rep, err) == 0) &&
	    remove_keys(config, name, text != NULL ? &keys : NULL, &rep,
	    removed, err) == 0)
		return 0;
	if (rep.errors == 0)
		report_error(&rep, err);
	return -1;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct pubkey *ka = a, *kb = b;
	int order = strcmp(ka->base64, kb->base64);

	if (order == 0)
		order = strcmp(ka->file, kb->file);
	return order != 0 ? order : (ka->line > kb->line) -
	    (ka->line < kb->line);
}

/* Report keys that stand in two places. */
static void
report_twice(struct keylist *keys, struct reporter *rep)
{
	size_t i;

	if (keys->n > 0)
		qsort(keys->list, keys->n, sizeof(*keys->list), compare_keys);
	for (i = 1; i < keys->n; i++) {
		const struct pubkey *a = &keys->list[i - 1], *b = a + 1;

		if (strcmp(a->base64, b->base64) != 0)
			continue;
		if (strcmp(a->name, b->name) == 0)
			report(rep, X2GOBROKER_WARNING, b->file, b->line,
			    "the same key is in line %u; remove one", a->line);
		else
			report(rep, X2GOBROKER_ERR_VALUE, b->file, b->line,
			    "the same key is in %s:%u: it could be either "
			    "user's, so it is nobody's", a->file, a->line);
	}
}

void
x2gobroker_keys_check(const struct x2gobroker_config *config,
    x2gobroker_report *fn, void *arg)
{
	struct reporter rep = { .fn = fn, .arg = arg };
	cleanup_keys struct keylist found = { 0 };
	struct x2gobroker_error err;
	size_t i;

	if (collect(config, NULL, &found, &rep, &err) == -1) {
		/* who lets nobody in by keys needs no directory for them */
		if (err.code != X2GOBROKER_ERR_NOTFOUND ||
		    (config->keys_dir_set && config->keys_dir[0] != '\0'))
			report_error(&rep, &err);
		return;
	}
	for (i = 0; i < found.n; i++) {
		const struct pubkey *key = &found.list[i];

		if (i > 0 && strcmp(key->name, key[-1].name) == 0)
			continue;
		if (check_account(key->name, key->file, 0, &err) == -1)
			report_error(&rep, &err);
	}
	report_twice(&found, &rep);
}
