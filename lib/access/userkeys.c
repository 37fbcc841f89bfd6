/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys with which users log in: a file NAME.pub for each user, whose name
 * is the identity.  It contains keys without options, so no line can change
 * what sshd does with a key.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/keyindex.h"
#include "access/userkeys.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/pubkey.h"
#include "base/textfile.h"
#include "config/config.h"
#include "x2gobroker_admin.h"

#define SUFFIX		".pub"
#define NAME_SIZE	KEYINDEX_ENTRY_SIZE

#define TWO_OWNERS	"the same key is in %s:%u: " \
			"a key of two users is not accepted; remove one"

#define LETTERS		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"

/* Keys, and the memory of their text.  A caller adds keys and checks once, at
 * the end, whether memory was sufficient. */
struct keylist {
	struct pubkey *list;
	size_t n;
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
	struct pubkey copy = *key, *more = array_grow(keys->list, keys->n,
	    sizeof(*more));

	if (more != NULL)
		keys->list = more;
	if (more == NULL || !copy_text(&keys->arena, &copy.type) ||
	    !copy_text(&keys->arena, &copy.base64) ||
	    !copy_text(&keys->arena, &copy.comment) ||
	    !copy_text(&keys->arena, &copy.file) ||
	    (key->name != NULL && !copy_text(&keys->arena, &copy.name)))
		keys->nomem = true;
	else
		keys->list[keys->n++] = copy;
}

/* Return the same key in keys, or NULL. */
static const struct pubkey *
keylist_find(const struct keylist *keys, const struct pubkey *key)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		if (strcmp(keys->list[i].base64, key->base64) == 0)
			return &keys->list[i];
	return NULL;
}

/* Return one of keys that occurs in line, or NULL.  Cheaper than to parse
 * it. */
static const struct pubkey *
keylist_mentioned(const struct keylist *keys, const char *line)
{
	size_t i;

	for (i = 0; i < keys->n; i++)
		if (strstr(line, keys->list[i].base64) != NULL)
			return &keys->list[i];
	return NULL;
}

/* Report what happened to a key.  That is no problem, so it is not counted. */
static void
report_key(const struct reporter *rep, enum x2gobroker_code code,
    const struct pubkey *key, const char *what)
{
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	struct x2gobroker_error text;

	if (x2gobroker_key_fingerprint(key->base64, fingerprint) == -1)
		fingerprint[0] = '\0';
	error_set(&text, code, key->file, key->line, "%s%s%s%s%s: %s",
	    key->type, *fingerprint != '\0' ? " " : "", fingerprint,
	    *key->comment != '\0' ? " " : "", key->comment, what);
	if (rep->fn != NULL)
		rep->fn(rep->arg, &text);
}

/* Parse the keys that x2gobrokerctl was given.  Every error is reported, and
 * then -1 is returned.  A duplicate key is ignored. */
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
	explicit_bzero(copy, strlen(text));	/* it may be a private key */
	if (keys->nomem)
		return error_nomem(err);
	if (keys->n == 0 && rep->errors == 0)
		report(rep, X2GOBROKER_ERR_VALUE, file, 0,
		    "no public key in this file");
	return rep->errors == 0 ? 0 : -1;
}

/*
 * Accounts
 */

const char *
keys_check_name(const char *name)
{
	/* SSSD's names can end with '@' and a domain */
	static const char rest[] = LETTERS DIGITS "._-@";

	if (*name == '\0')
		return "the account name is empty";
	if (strlen(name) >= NAME_SIZE - strlen(SUFFIX))
		return "the account name is too long";
	if (strchr("._-@", *name) != NULL && *name != '_')
		return "the account name must begin with a letter, a digit "
		    "or _";
	if (strspn(name, rest) != strlen(name))
		return "the account name must consist of letters, digits and "
		    ". _ - @";
	return NULL;
}

static int
check_name(const char *name, struct x2gobroker_error *err)
{
	const char *wrong = keys_check_name(name);

	return wrong == NULL ? 0 : error_set(err, X2GOBROKER_ERR_VALUE, NULL,
	    0, "\"%.100s\": %s", name, wrong);
}

/* Check that the account exists under exactly this name.  Where other spellings
 * find it as well, they would lead to other profiles. */
static int
check_account(const char *name, const char *file, unsigned int line,
    struct x2gobroker_error *err)
{
	const struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, file, line,
		    "the account %s cannot be looked up: %s", name,
		    errno != 0 ? strerror(errno) : "no such account");
	if (strcmp(pw->pw_name, name) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, file, line,
		    "the account %s is called %.100s; use that name",
		    name, pw->pw_name);
	return 0;
}

/*
 * Files
 */

/* A symbolic link would give one user's keys to another. */
static FILE *
open_entry(const char *path, struct x2gobroker_error *err)
{
	struct stat st;

	if (lstat(path, &st) == -1 || !S_ISLNK(st.st_mode))
		return safefile_open_entry(path, err);
	error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0, "not used: it is a "
	    "symbolic link; replace it by a file");
	return NULL;
}

/* Write the path of a file of keys-dir to path (X2GOBROKER_FILE_SIZE bytes). */
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

/* Add the keys of name's file that are among wanted to found, or all of them
 * (NULL); and each key to index (may be NULL).  An error in a line is reported
 * if the line mentions such a key.  -1: the file cannot be read. */
static int
collect_file(const char *path, const char *name, const struct keylist *wanted,
    struct keylist *found, struct buf *index, struct reporter *rep,
    struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	const char *wrong;
	struct pubkey key;
	bool mentioned;

	if (textfile_read(&file, path, open_entry, err) == -1)
		return -1;
	while (textfile_next(&file)) {
		mentioned = wanted == NULL ||
		    keylist_mentioned(wanted, file.line) != NULL;
		if (!mentioned && index == NULL)
			continue;
		wrong = pubkey_parse_line(file.line, &key);
		if (wrong != NULL && mentioned)
			report(rep, X2GOBROKER_ERR_VALUE, path, file.number,
			    "not used: %s", wrong);
		if (wrong != NULL || key.type == NULL)
			continue;
		if (index != NULL)
			keyindex_put_key(index, key.base64);
		if (!mentioned ||
		    (wanted != NULL && keylist_find(wanted, &key) == NULL))
			continue;
		key.name = name;
		key.file = path;
		key.line = file.number;
		keylist_add(found, &key);
	}
	return 0;
}

/* Copy the account name from the name of a file.  False: the file is not named
 * NAME.pub. */
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

/* Collect the keys of one file of the directory.  A file that is not used is
 * reported, and the others are read.  -1: its keys cannot be known now. */
static int
collect_entry(const struct x2gobroker_config *config, const char *entry,
    const struct keylist *wanted, struct keylist *found, struct buf *index,
    struct reporter *rep, struct x2gobroker_error *err)
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
	if (index != NULL)
		keyindex_put_file(index, entry);
	errno = 0;
	if (collect_file(path, name, wanted, found, index, rep, err) == 0)
		return 0;
	/* out of memory or descriptors, a disk that fails; but a file that only
	 * root can read must not keep everybody out */
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

/* The same for all files, in the order of their names. */
static int
collect(const struct x2gobroker_config *config, const struct keylist *wanted,
    struct keylist *found, struct buf *index, struct reporter *rep,
    struct x2gobroker_error *err)
{
	struct dirent **entries;
	int i, n, result = 0;

	if (check_dir(config, err) == -1)
		return -1;
	n = scandir(config->keys_dir, &entries, is_not_hidden,
	    compare_entries);
	if (n < 0)
		return error_errno(err, config->keys_dir, "cannot be listed");
	if (index != NULL && n < KEYINDEX_FILES_MIN)
		index->failed = true;
	if (index != NULL && index->failed)
		index = NULL;
	for (i = 0; i < n; i++) {
		/* a file left out could show that a key has two users */
		if (result == 0)
			result = collect_entry(config, entries[i]->d_name,
			    wanted, found, index, rep, err);
		free(entries[i]);
	}
	free(entries);
	return found->nomem ? error_nomem(err) : result;
}

/* The same with the index, if there is one, and else with a new one. */
static int
collect_indexed(const struct x2gobroker_config *config,
    const struct keylist *wanted, struct keylist *found, struct reporter *rep,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf new = { 0 };
	char entry[KEYINDEX_ENTRY_SIZE];
	struct keyindex index;
	bool is_fresh;
	int result = 0;

	if (check_dir(config, err) == -1)
		return -1;
	is_fresh = keyindex_read(&index, config);
	while (is_fresh && result == 0 && keyindex_next(&index,
	    wanted->list[0].base64, entry))
		result = collect_entry(config, entry, wanted, found, NULL,
		    rep, err);
	keyindex_free(&index);
	if (result == -1 || found->n > 0 || found->nomem)
		return found->nomem ? error_nomem(err) : result;
	if (is_fresh)
		return collect(config, wanted, found, NULL, rep, err);
	keyindex_begin(&new, config);
	result = collect(config, wanted, found, &new, rep, err);
	if (result == 0)
		keyindex_write(&new, config);
	return result;
}

/* Whether to remove the line, which is modified: a line with one of keys, or
 * with any key (NULL).  A wrong line that contains the key goes as well, as
 * somebody could correct it later. */
static bool
must_go(char *line, const struct keylist *keys, struct pubkey *key)
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

/* Read the file path: lines to keep go into text, keys to remove into gone. */
static int
split_file(const char *path, const struct keylist *keys, struct buf *text,
    struct keylist *gone, struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	struct pubkey key;
	size_t before;

	if (textfile_read(&file, path, open_entry, err) == -1)
		return -1;
	while (textfile_next(&file)) {
		before = text->len;
		buf_printf(text, "%s\n", file.line);
		if (!must_go(file.line, keys, &key))
			continue;
		buf_truncate(text, before);
		key.file = path;
		key.line = file.number;
		keylist_add(gone, &key);
	}
	/* a line missing in text would be missing in the file */
	return gone->nomem || text->failed ? error_nomem(err) : 0;
}

/* Lock the directory of the file path, for a change. */
static int
lock_dir(struct textlock *lock, const struct x2gobroker_config *config,
    const char *path, bool create, struct x2gobroker_error *err)
{
	if (config->keys_dir[0] == '\0')
		return check_dir(config, err);
	return textfile_lock(lock, path, create, err);
}

/*
 * Public functions
 */

int
x2gobroker_keys_check_owner(const char *name, struct x2gobroker_error *err)
{
	return check_name(name, err) == -1 ? -1 :
	    check_account(name, NULL, 0, err);
}

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
		    "the offered key: %s", wrong);
	if (collect_indexed(config, &wanted, &found, &rep, err) == -1)
		return -1;
	if (found.n == 0)
		return 0;
	first = &found.list[0];
	for (i = 1; i < found.n; i++)
		if (strcmp(found.list[i].name, first->name) != 0)
			return error_set(err, X2GOBROKER_ERR_DENIED,
			    found.list[i].file, found.list[i].line,
			    TWO_OWNERS, first->file, first->line);
	if (check_account(first->name, first->file, first->line, err) == -1)
		return -1;
	*name = strdup(first->name);
	return *name != NULL ? 0 : error_nomem(err);
}

/* Collect those of keys that name already has.  Keys of other users are
 * reported, and then -1 is returned. */
static int
compare_with_files(const struct x2gobroker_config *config, const char *name,
    const struct keylist *keys, struct keylist *present, struct reporter *rep,
    struct x2gobroker_error *err)
{
	cleanup_keys struct keylist found = { 0 };
	struct reporter files = { .fn = rep->fn, .arg = rep->arg };
	size_t i;

	if (collect(config, keys, &found, NULL, &files, err) == -1)
		return -1;
	for (i = 0; i < found.n; i++) {
		const struct pubkey *at = &found.list[i];
		const struct pubkey *key = keylist_find(keys, at);

		if (strcmp(at->name, name) == 0)
			keylist_add(present, at);
		else
			report(rep, X2GOBROKER_ERR_DENIED, key->file,
			    key->line, "%s has this key already: it is in "
			    "%s:%u", at->name, at->file, at->line);
	}
	if (present->nomem)
		return error_nomem(err);
	return rep->errors == 0 ? 0 : -1;
}

/* Add those of keys that are not present to the file, and report each. */
static int
add_keys(const struct textlock *lock, const char *path,
    const struct keylist *keys, const struct keylist *present,
    const struct reporter *rep, size_t *added, struct x2gobroker_error *err)
{
	static const struct keylist none;
	cleanup_keys struct keylist gone = { 0 };
	cleanup_buf struct buf text = { 0 };
	size_t i, n = 0;

	if (split_file(path, &none, &text, &gone, err) == -1)
		return -1;
	for (i = 0; i < keys->n; i++) {
		const struct pubkey *key = &keys->list[i];

		if (keylist_find(present, key) != NULL)
			continue;
		buf_printf(&text, "%s %s%s%s\n", key->type, key->base64,
		    *key->comment != '\0' ? " " : "", key->comment);
		n++;
	}
	if (n > 0 && textfile_replace(lock, path, &text, err) == -1)
		return -1;
	for (i = 0; i < keys->n; i++)
		report_key(rep, X2GOBROKER_OK, &keys->list[i],
		    keylist_find(present, &keys->list[i]) != NULL ?
		    "already present" : "added");
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
	cleanup_textlock struct textlock lock = TEXTLOCK_NONE;

	if (check_name(name, err) == -1 ||
	    check_account(name, NULL, 0, err) == -1 ||
	    make_path(config, name, SUFFIX, path, err) == -1 ||
	    parse_text(text, file, &keys, rep, err) == -1 ||
	    lock_dir(&lock, config, path, true, err) == -1 ||
	    compare_with_files(config, name, &keys, &present, rep, err) == -1)
		return -1;
	return add_keys(&lock, path, &keys, &present, rep, added, err);
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
	rep.first = err;
	if (add(config, name, text, file, &rep, added, err) == 0)
		return 0;
	if (rep.errors == 0)
		report_error(&rep, err);
	return -1;
}

/* Report what was removed, and which of keys (may be NULL) were not found. */
static void
report_removed(const struct reporter *rep, const struct keylist *keys,
    const struct keylist *gone)
{
	size_t i;

	for (i = 0; i < gone->n; i++)
		report_key(rep, X2GOBROKER_OK, &gone->list[i], "removed");
	for (i = 0; keys != NULL && i < keys->n; i++)
		if (keylist_find(gone, &keys->list[i]) == NULL)
			report_key(rep, X2GOBROKER_WARNING, &keys->list[i],
			    "not found");
}

static int
remove_keys(const struct x2gobroker_config *config, const char *name,
    const struct keylist *keys, const struct reporter *rep, size_t *removed,
    struct x2gobroker_error *err)
{
	cleanup_keys struct keylist gone = { 0 };
	cleanup_buf struct buf rest = { 0 };
	char path[X2GOBROKER_FILE_SIZE];
	cleanup_textlock struct textlock lock = TEXTLOCK_NONE;

	if (make_path(config, name, SUFFIX, path, err) == -1 ||
	    lock_dir(&lock, config, path, false, err) == -1 ||
	    split_file(path, keys, &rest, &gone, err) == -1)
		return -1;
	if (gone.n > 0 && (keys == NULL || rest.len == 0)) {
		if (unlink(path) == -1 || fsync(lock.dir) == -1)
			return error_errno(err, path, "cannot be removed");
	} else if (gone.n > 0 &&
	    textfile_replace(&lock, path, &rest, err) == -1)
		return -1;
	report_removed(rep, keys, &gone);
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
	rep.first = err;
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

/* Report keys that are in two places. */
static void
report_duplicates(struct keylist *keys, struct reporter *rep)
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
			    TWO_OWNERS, a->file, a->line);
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

	if (collect(config, NULL, &found, NULL, &rep, &err) == -1) {
		/* without keys of users no directory is needed */
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
	report_duplicates(&found, &rep);
}
