/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A token is a file in cookie-directory.  The file's name is the hash of the
 * token, so reading the directory reveals no token, and no byte that a client
 * sends becomes part of a path.  Its content says whose it is:
 *
 *	BORN REPLACED ADDRESS USER
 *
 * with times in seconds, REPLACED 0 while the token is the newest, and ADDRESS
 * "-" if it was not known.  A file is written under another name and renamed.
 * Its time of modification is the end of the token, so the sweep need not read
 * it.  A process that changes a token holds the lock on its file.
 */
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "access/token.h"

#define RECORD_MAX	512	/* bytes: a name and an address fit */
#define TEMPORARY	"new."	/* begins the name of a file in the making */
#define TEMPORARY_AGE	60	/* seconds; older files were abandoned */
#define RACES_MAX	100	/* a file is replaced at most once a request */

/* The secret of the Python broker's example file, which everybody knows. */
#define EXAMPLE_SECRET	"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

struct record {
	int64_t born, replaced;
	char address[64];
	char user[RECORD_MAX];
};

static void
hash(const char *text, char dst[static TOKEN_LEN + 1])
{
	SHA256Data((const uint8_t *)text, strlen(text), dst);
}

/* A hash of random bytes is as good as they are, and in hex already. */
static int
make_token(char dst[static TOKEN_LEN + 1], struct x2gobroker_error *err)
{
	uint8_t bytes[TOKEN_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, NULL, "no random numbers");
	SHA256Data(bytes, sizeof(bytes), dst);
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

static int
refuse(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "authid: %s",
	    why);
}

/*
 * Secrets that a client begins with
 */

/* Hashes are compared, so the time it takes tells nothing of the secret. */
static bool
is_secret(const char *sent, const char *secret)
{
	char a[TOKEN_LEN + 1], b[TOKEN_LEN + 1];

	if (*secret == '\0' || strcmp(secret, EXAMPLE_SECRET) == 0)
		return false;
	hash(sent, a);
	hash(secret, b);
	return strcmp(a, b) == 0;
}

/* Compare sent with the first word of the first line of path that is neither
 * empty nor a comment.  1 yes, 0 no, -1 the file cannot be used (then err is
 * filled in, with ERR_NOTFOUND where there is none, or nobody has put a secret
 * of their own into it). */
static int
matches_file(const char *path, const char *sent, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = safefile_open(path, err);
	cleanup_free char *line = NULL;
	size_t size = 0, len;
	bool found;

	if (fp == NULL)
		return -1;
	while (getline(&line, &size, fp) >= 0) {
		len = strcspn(line, " \t\r\n");
		if (len == 0 || line[0] == '#')
			continue;
		line[len] = '\0';
		if (strcmp(line, EXAMPLE_SECRET) == 0)
			return error_set(err, X2GOBROKER_ERR_NOTFOUND, path,
			    0, "still has the secret of the example");
		found = is_secret(sent, line);
		explicit_bzero(line, size);
		return found;
	}
	return 0;
}

/* If the administrator has made a file for this user, its secret counts in
 * place of the one that all users share. */
static int
matches_own_file(const struct token *token, const char *sent,
    struct x2gobroker_error *err)
{
	const char *name = token->user->name;
	cleanup_free char *path = NULL;

	if (strchr(name, '/') != NULL || name[0] == '.')
		return refuse(err, "this name cannot be the name of a file");
	if (asprintf(&path, "%s/%s", token->config->authids_dir, name) == -1)
		return error_nomem(err);
	return matches_file(path, sent, err);
}

static int
matches_secret(const struct token *token, const char *sent,
    struct x2gobroker_error *err)
{
	int result = matches_own_file(token, sent, err);

	if (result != -1 || err->code != X2GOBROKER_ERR_NOTFOUND)
		return result;
	result = matches_file(token->config->my_cookie_file, sent, err);
	if (result != -1 || err->code != X2GOBROKER_ERR_NOTFOUND)
		return result;
	return is_secret(sent, token->config->my_cookie);
}

/*
 * Files of tokens
 */

static int
open_dir(struct token *token, struct x2gobroker_error *err)
{
	const char *path = token->config->cookie_directory;
	struct stat st;

	if ((token->dir = safefile_open_dir(path, 0, err)) == -1)
		return -1;
	if (fstat(token->dir, &st) == -1)
		return error_errno(err, path, "cannot be opened");
	if (st.st_uid != geteuid())
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "must belong to the account that the broker runs as "
		    "(uid %u)", (unsigned int)geteuid());
	return 0;
}

static bool
parse_record(char *text, struct record *record)
{
	int end = 0;

	if (sscanf(text, "%" SCNd64 " %" SCNd64 " %63s %n", &record->born,
	    &record->replaced, record->address, &end) != 3 || end == 0)
		return false;
	snprintf(record->user, sizeof(record->user), "%s", text + end);
	return true;
}

static int
read_record(int fd, struct record *record, struct x2gobroker_error *err)
{
	char text[RECORD_MAX + 1];
	ssize_t n = safefile_read(fd, text, RECORD_MAX);

	if (n <= 0)
		return refuse(err, "its file cannot be read");
	text[n] = '\0';
	/* a name that is cut could be another one's */
	if (n == RECORD_MAX || strlen(text) != (size_t)n ||
	    !parse_record(text, record))
		return refuse(err, "its file does not hold a token");
	return 0;
}

/* Write a file of that name, whole, in the place of one that may be there. */
static int
write_record(const struct token *token, const char *name,
    const struct record *record, time_t expires, struct x2gobroker_error *err)
{
	char suffix[TOKEN_LEN + 1], temporary[sizeof(TEMPORARY) + TOKEN_LEN];
	const struct safefile_new new = {
		.dirfd = token->dir,
		.name = name,
		.temporary = temporary,
		.mode = 0600,
		.modified = expires,
	};
	cleanup_buf struct buf text = { 0 };

	if (make_token(suffix, err) == -1)
		return -1;
	snprintf(temporary, sizeof(temporary), TEMPORARY "%s", suffix);
	buf_printf(&text, "%" PRId64 " %" PRId64 " %s %s", record->born,
	    record->replaced, record->address, record->user);
	if (text.len >= RECORD_MAX)
		return refuse(err, "the user's name is too long");
	return safefile_replace(&new, &text, token->config->cookie_directory,
	    err);
}

/* Open and lock the file of the token.  Somebody may replace it while we wait
 * for the lock; then what is locked is not what has that name, so once more. */
static int
lock_file(struct token *token, struct x2gobroker_error *err)
{
	struct stat locked, named;
	int i;

	for (i = 0; i < RACES_MAX; i++) {
		token->file = openat(token->dir, token->name, O_RDONLY |
		    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (token->file == -1)
			return refuse(err, "no such token: unknown, expired or "
			    "used up");
		if (flock(token->file, LOCK_EX) == 0 &&
		    fstat(token->file, &locked) == 0 &&
		    fstatat(token->dir, token->name, &named,
		    AT_SYMLINK_NOFOLLOW) == 0 &&
		    locked.st_ino == named.st_ino &&
		    S_ISREG(locked.st_mode))
			return 0;
		close(token->file);
		token->file = -1;
	}
	return refuse(err, "its file cannot be locked");
}

/*
 * What is decided about a token
 */

static int
check_record(struct token *token, const struct record *record,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = token->config;

	if (strcmp(record->user, token->user->name) != 0)
		return refuse(err, "it is somebody else's");
	if (record->born > token->now ||
	    record->born < token->now - config->auth_timeout)
		return refuse(err, "it has expired");
	if (config->verify_ip && (token->user->address_text == NULL ||
	    strcmp(record->address, token->user->address_text) != 0))
		return refuse(err, "it was given to another address");
	if (record->replaced != 0 && (record->replaced > token->now ||
	    record->replaced < token->now - config->token_grace))
		return refuse(err, "it is used up");
	token->born = record->born;
	token->replaced = record->replaced != 0;
	return 0;
}

static int
find(struct token *token, const char *sent, struct x2gobroker_error *err)
{
	struct record record;

	hash(sent, token->name);
	if (lock_file(token, err) == -1 ||
	    read_record(token->file, &record, err) == -1)
		return -1;
	return check_record(token, &record, err);
}

int
token_open(struct token *token, const struct x2gobroker_config *config,
    const struct x2gobroker_user *user, const char *sent, time_t now,
    struct x2gobroker_error *err)
{
	struct x2gobroker_error ignored;
	int secret;

	if (err == NULL)
		err = &ignored;
	*token = (struct token){ .config = config, .user = user, .now = now,
	    .dir = -1, .file = -1, .born = now };
	if (*sent == '\0')
		return refuse(err, "none was sent, but require-cookie is on");
	if ((secret = matches_secret(token, sent, err)) == -1 ||
	    open_dir(token, err) == -1 ||
	    (secret == 0 && find(token, sent, err) == -1)) {
		token_close(token);
		return -1;
	}
	return 0;
}

int
token_new(struct token *token, const struct x2gobroker_config *config,
    const struct x2gobroker_user *user, time_t now,
    struct x2gobroker_error *err)
{
	*token = (struct token){ .config = config, .user = user, .now = now,
	    .dir = -1, .file = -1, .born = now };
	return open_dir(token, err);
}

/* Is it the name of a token, or of a temporary file?  The directory may hold
 * other files as well. */
static bool
is_ours(const char *name, time_t *keep)
{
	*keep = 0;
	if (strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0) {
		*keep = TEMPORARY_AGE;
		return true;
	}
	return strlen(name) == TOKEN_LEN &&
	    strspn(name, "0123456789abcdef") == TOKEN_LEN;
}

/* Take away what is of no use any more.  What fails here does no harm. */
static void
sweep(const struct token *token)
{
	DIR *dir = safefile_entries(token->dir, ".");
	const struct dirent *entry;
	struct stat st;
	time_t keep;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (is_ours(entry->d_name, &keep) &&
		    fstatat(token->dir, entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		    st.st_mtime + keep < token->now)
			unlinkat(token->dir, entry->d_name, 0);
	}
	if (dir != NULL)
		closedir(dir);
}

int
token_advance(struct token *token, char next[static TOKEN_LEN + 1],
    struct x2gobroker_error *err)
{
	time_t expires = token->born + token->config->auth_timeout;
	struct record record = { .born = token->born };
	const char *address = token->user->address_text;
	char name[TOKEN_LEN + 1];

	next[0] = '\0';
	if (token->file == -1)
		sweep(token);	/* once a login, not once a request */
	else if (token->replaced || token->config->use_static_cookie)
		return 0;
	strlcpy(record.address, address != NULL ? address : "-",
	    sizeof(record.address));
	strlcpy(record.user, token->user->name, sizeof(record.user));
	if (make_token(next, err) == -1)
		return -1;
	hash(next, name);
	if (write_record(token, name, &record, expires, err) == -1) {
		next[0] = '\0';
		return -1;
	}
	if (token->file == -1)
		return 0;
	record.replaced = token->now;
	if (write_record(token, token->name, &record,
	    token->now + token->config->token_grace, err) == 0)
		return 0;
	unlinkat(token->dir, name, 0);
	next[0] = '\0';
	return -1;
}

void
token_close(struct token *token)
{
	cleanup_closep(&token->file);	/* and so unlocks it */
	cleanup_closep(&token->dir);
	token->file = token->dir = -1;
}
