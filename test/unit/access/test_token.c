/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens, with a clock of the test's own: most of it is tables of what clients
 * send, one after the other, and what becomes of it.  Linked with what a full
 * or broken disk breaks wrapped.
 */
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>

#include "support.h"
#include "access/token.h"

#define START		1700000000	/* when everything begins */
#define SECRET		"let-me-in"
#define EXAMPLE		"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
#define ADDRESS		"192.0.2.1"
#define NAME_OF_AN_OLD_TOKEN	"0123456789abcdef0123456789abcdef" \
				"0123456789abcdef0123456789abcdef"
#define SLOTS		10

uid_t	__wrap_geteuid(void);
uid_t	__real_geteuid(void);
int	__wrap_flock(int fd, int operation);
int	__real_flock(int fd, int operation);
int	__wrap_futimens(int fd, const struct timespec times[2]);
int	__real_futimens(int fd, const struct timespec times[2]);
int	__wrap_renameat(int from, const char *old, int to, const char *new);
int	__real_renameat(int from, const char *old, int to, const char *new);
ssize_t	__wrap_write(int fd, const void *bytes, size_t n);
ssize_t	__real_write(int fd, const void *bytes, size_t n);
ssize_t	__wrap_getrandom(void *bytes, size_t n, unsigned int flags);
ssize_t	__real_getrandom(void *bytes, size_t n, unsigned int flags);

/* The call that fails the next time, or the one after, and so on. */
enum call { NO_CALL, FLOCK, FUTIMENS, RENAMEAT, WRITE, GETRANDOM };

static struct {
	enum call call;
	int countdown;		/* calls until then */
	bool always;		/* and from then on */
} broken;

static uid_t another_uid;	/* 0: the real one */

static bool
breaks(enum call call)
{
	if (broken.call != call || broken.countdown-- > 0)
		return false;
	if (broken.always)
		broken.countdown = 0;
	else
		broken.call = NO_CALL;
	return true;
}

static int
fail_with(int number)
{
	errno = number;
	return -1;
}

uid_t
__wrap_geteuid(void)
{
	return another_uid != 0 ? another_uid : __real_geteuid();
}

int
__wrap_flock(int fd, int operation)
{
	return breaks(FLOCK) ? fail_with(ENOLCK) : __real_flock(fd, operation);
}

int
__wrap_futimens(int fd, const struct timespec times[2])
{
	return breaks(FUTIMENS) ? fail_with(EPERM) : __real_futimens(fd, times);
}

int
__wrap_renameat(int from, const char *old, int to, const char *new)
{
	return breaks(RENAMEAT) ? fail_with(EROFS) :
	    __real_renameat(from, old, to, new);
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t n)
{
	/* the disk is full in the middle */
	if (!breaks(WRITE))
		return __real_write(fd, bytes, n);
	if (__real_write(fd, bytes, n / 2) == -1)
		fail();
	return fail_with(ENOSPC);
}

ssize_t
__wrap_getrandom(void *bytes, size_t n, unsigned int flags)
{
	return breaks(GETRANDOM) ? fail_with(ENOSYS) :
	    __real_getrandom(bytes, n, flags);
}

/*
 * A site
 */

static char directory[100];

static int
make_site(void **state)
{
	static char file[100], own[100];

	if (make_test_dir(state) == -1)
		return -1;
	memset(&broken, 0, sizeof(broken));
	another_uid = 0;
	snprintf(directory, sizeof(directory), "%s", make_dir("cookies"));
	snprintf(own, sizeof(own), "%s", make_dir("authids.d"));
	snprintf(file, sizeof(file), "%s", test_path("x2gobroker.authid"));
	test_config = (struct x2gobroker_config){
		.require_cookie = true,
		.auth_timeout = 1000,
		.token_grace = 10,
		.cookie_directory = directory,
		.verify_ip = true,
		.my_cookie = SECRET,
		.my_cookie_file = file,
		.authids_dir = own,
	};
	return 0;
}

/* Present sent.  Returns 0, with what the client gets in next, or -1. */
static int
present(const char *name, const char *address, const char *sent, time_t now,
    char next[static TOKEN_LEN + 1], struct x2gobroker_error *err)
{
	struct x2gobroker_user user = {
		.name = (char *)(uintptr_t)name,
		.address_text = (char *)(uintptr_t)address,
	};
	struct token token;
	int result;

	next[0] = '\0';
	memset(err, 0, sizeof(*err));
	if (token_open(&token, &test_config, &user, sent, now, err) == -1) {
		assert_int_equal(token.dir, -1);
		assert_int_equal(token.file, -1);
		return -1;
	}
	result = token_advance(&token, next, err);
	token_close(&token);
	assert_int_equal(token.dir, -1);
	assert_int_equal(token.file, -1);
	return result;
}

static void
hash_of(const char *text, char dst[static SHA256_DIGEST_STRING_LENGTH])
{
	assert_non_null(SHA256Data((const uint8_t *)text, strlen(text), dst));
}

/* The path of the file that belongs to a token. */
static const char *
path_of(const char *token)
{
	char name[SHA256_DIGEST_STRING_LENGTH];
	char path[sizeof(name) + 8];

	hash_of(token, name);
	snprintf(path, sizeof(path), "cookies/%s", name);
	return test_path(path);
}

/* How many files are in the directory whose names begin with prefix. */
static int
count_files(const char *prefix)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.' &&
		    strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return n;
}

static void
is_token(const char *label, const char *text)
{
	check(label, strlen(text) == 64);
	check(label, strspn(text, "0123456789abcdef") == 64);
}

static void
log_in(char token[static TOKEN_LEN + 1])
{
	struct x2gobroker_error err;

	assert_int_equal(present("alice", ADDRESS, SECRET, START, token, &err),
	    0);
}

/*
 * Secrets
 */

static void
only_the_right_secret_is_one(void **state unused)
{
	static const struct {
		const char *label, *sent;
		const char *my_cookie, *file, *own;	/* NULL: none */
		const char *why;			/* NULL: granted */
	} rows[] = {
		{ "none was sent", "", SECRET, NULL, NULL, "none was sent" },
		{ "none was sent, and there is none", "", "", NULL, NULL,
		    "none was sent" },
		{ "my-cookie", SECRET, SECRET, NULL, NULL, NULL },
		{ "a wrong one", "let-me-on", SECRET, NULL, NULL,
		    "no such token" },
		{ "a part of it", "let-me-i", SECRET, NULL, NULL,
		    "no such token" },
		{ "more than it", SECRET "n", SECRET, NULL, NULL,
		    "no such token" },
		{ "a blank before it", " " SECRET, SECRET, NULL, NULL,
		    "no such token" },
		{ "case matters", "LET-ME-IN", SECRET, NULL, NULL,
		    "no such token" },
		{ "no secret is set", SECRET, "", NULL, NULL,
		    "no such token" },
		{ "the example's", EXAMPLE, EXAMPLE, NULL, NULL,
		    "no such token" },
		{ "the example's, from the file", EXAMPLE, SECRET, EXAMPLE,
		    NULL, "no such token" },
		{ "the example's, of the user's own", EXAMPLE, SECRET, SECRET,
		    EXAMPLE, "no such token" },
		{ "my-cookie-file", "f", SECRET, "f\n", NULL, NULL },
		{ "my-cookie-file, no end of line", "f", SECRET, "f", NULL,
		    NULL },
		{ "my-cookie-file, its first line", "f", SECRET,
		    "# x\n\n\nf comment\ng\n", NULL, NULL },
		{ "my-cookie-file, not its second", "g", SECRET,
		    "# x\n\n\nf comment\ng\n", NULL, "no such token" },
		{ "my-cookie-file, not its comment", "#", SECRET, "# x\nf\n",
		    NULL, "no such token" },
		{ "my-cookie-file, the first word", "f comment", SECRET,
		    "f comment\n", NULL, "no such token" },
		{ "my-cookie-file, written on Windows", "f", SECRET, "f\r\n",
		    NULL, NULL },
		{ "my-cookie-file goes before my-cookie", SECRET, SECRET,
		    "f\n", NULL, "no such token" },
		{ "my-cookie-file is empty", SECRET, SECRET, "", NULL,
		    "no such token" },
		{ "the user's own", "o", SECRET, "f\n", "o\n", NULL },
		{ "the user's own, and not what all share", SECRET, SECRET,
		    NULL, "o\n", "no such token" },
		{ "the user's own, and not the file", "f", SECRET, "f\n",
		    "o\n", "no such token" },
		{ "the user's own is empty", SECRET, SECRET, NULL, "",
		    "no such token" },
		{ "a path", "../x2gobroker.authid", SECRET, "f\n", NULL,
		    "no such token" },
		{ "an absolute path", "/etc/passwd", SECRET, NULL, NULL,
		    "no such token" },
		{ "a format", "%s%n%s%n", SECRET, NULL, NULL,
		    "no such token" },
	};
	char next[TOKEN_LEN + 1];
	struct x2gobroker_error err;
	size_t i;
	int result;

	for (i = 0; i < LENGTH(rows); i++) {
		unlink(test_path("x2gobroker.authid"));
		unlink(test_path("authids.d/alice"));
		test_config.my_cookie = rows[i].my_cookie;
		if (rows[i].file != NULL)
			write_file("x2gobroker.authid", rows[i].file);
		if (rows[i].own != NULL)
			write_file("authids.d/alice", rows[i].own);
		result = present("alice", ADDRESS, rows[i].sent, START, next,
		    &err);
		check(rows[i].label, result == (rows[i].why != NULL ? -1 : 0));
		if (rows[i].why == NULL) {
			is_token(rows[i].label, next);
			continue;
		}
		check_problem(rows[i].label, &err, &(struct problem){
		    X2GOBROKER_ERR_DENIED, 0, rows[i].why });
	}
}

/* A file of secrets that others could have written opens nothing, and neither
 * do those that would be looked at after it. */
static void
a_secret_must_be_the_administrators(void **state unused)
{
	static const char *const files[] = { "x2gobroker.authid",
	    "authids.d/alice" };
	char next[TOKEN_LEN + 1];
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(files); i++) {
		write_file(files[i], SECRET "\n");
		assert_int_equal(chmod(test_path(files[i]), 0646), 0);
		check(files[i], present("alice", ADDRESS, SECRET, START, next,
		    &err) == -1);
		check(files[i], err.code == X2GOBROKER_ERR_UNSAFE);
		unlink(test_path(files[i]));
		check(files[i], mkfifo(test_path(files[i]), 0644) == 0);
		check(files[i], present("alice", ADDRESS, SECRET, START, next,
		    &err) == -1);
		unlink(test_path(files[i]));
	}
	assert_int_equal(chmod(test_path("authids.d"), 0777), 0);
	write_file("authids.d/alice", SECRET "\n");
	assert_int_equal(present("alice", ADDRESS, SECRET, START, next, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
}

/* The name of a user is no path. */
static void
a_name_is_no_path(void **state unused)
{
	static const char *const names[] = { "../x2gobroker.authid", "a/b",
	    "/etc/passwd", ".", "..", ".hidden" };
	char next[TOKEN_LEN + 1];
	struct x2gobroker_error err;
	size_t i;

	write_file("x2gobroker.authid", SECRET "\n");
	write_file("authids.d/.hidden", SECRET "\n");
	for (i = 0; i < LENGTH(names); i++) {
		check(names[i], present(names[i], ADDRESS, SECRET, START, next,
		    &err) == -1);
		check_problem(names[i], &err, &(struct problem){
		    X2GOBROKER_ERR_DENIED, 0, "cannot be the name" });
	}
}

/*
 * Stories
 */

/* A request: at START + at, user sends sent, where @1 is what was put into slot
 * 1.  If why is NULL it is granted, and a token for slot gets must come, or
 * none where this is 0.  A row without sent is the end. */
struct request {
	int at;
	const char *user, *from, *sent, *why;
	int gets;
};

#define IN(at, from, gets)	{ at, "alice", from, SECRET, NULL, gets }
#define YES(at, sent, gets)	{ at, "alice", ADDRESS, sent, NULL, gets }
#define NO(at, sent, why)	{ at, "alice", ADDRESS, sent, why, 0 }

static const struct story {
	const char *label;
	int auth_timeout, grace;
	bool fixed, any_address;
	struct request requests[12];
} stories[] = {
	{ "a chain", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), YES(1, "@1", 2), YES(2, "@2", 3),
		YES(500, "@3", 4), YES(500, "@4", 5), YES(1000, "@5", 6),
	} },
	{ "a replaced one is good for its grace, and brings no other", 1000,
	    10, .requests = {
		IN(0, ADDRESS, 1), YES(100, "@1", 2), YES(100, "@1", 0),
		YES(110, "@1", 0), NO(111, "@1", "used up"),
		YES(112, "@2", 3), NO(112, "@1", "used up"),
	} },
	{ "using it again makes no longer grace", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), YES(100, "@1", 2), YES(109, "@1", 0),
		NO(118, "@1", "used up"), NO(1000, "@1", "used up"),
		YES(1000, "@2", 3),
	} },
	{ "no grace", 1000, 0, .requests = {
		IN(0, ADDRESS, 1), YES(100, "@1", 2), YES(100, "@1", 0),
		NO(101, "@1", "used up"), YES(101, "@2", 3),
	} },
	{ "time runs from the first login", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), YES(900, "@1", 2), YES(999, "@2", 3),
		YES(1000, "@3", 4), NO(1001, "@4", "expired"),
		NO(1001, "@3", "expired"), NO(99999, "@4", "expired"),
	} },
	{ "with the secret it begins anew", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), NO(1001, "@1", "expired"),
		IN(1001, ADDRESS, 2), YES(2001, "@2", 3),
		NO(2002, "@3", "expired"),
	} },
	{ "an old token says no more than that it is gone, once swept", 1000,
	    10, .requests = {
		IN(0, ADDRESS, 1), IN(1001, ADDRESS, 2),
		NO(1001, "@1", "no such token"), YES(1001, "@2", 3),
	} },
	{ "the clock is set back", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), NO(-1, "@1", "expired"), YES(0, "@1", 2),
		YES(50, "@2", 3), NO(49, "@2", "used up"),
	} },
	{ "the timeout is as long as can be", 2147483647, 3600, .requests = {
		IN(0, ADDRESS, 1), YES(2147483647, "@1", 2),
	} },
	{ "a static one stays", 1000, 10, .fixed = true, .requests = {
		IN(0, ADDRESS, 1), YES(1, "@1", 0), YES(500, "@1", 0),
		YES(1000, "@1", 0), NO(1001, "@1", "expired"),
	} },
	{ "two logins are two chains", 1000, 10, .requests = {
		IN(0, ADDRESS, 1), IN(0, ADDRESS, 2), YES(1, "@1", 3),
		YES(50, "@2", 4), NO(50, "@1", "used up"), YES(51, "@3", 5),
		YES(51, "@4", 6),
	} },
	{ "another address", 1000, 10, .requests = {
		IN(0, ADDRESS, 1),
		{ 1, "alice", "192.0.2.10", "@1", "another address", 0 },
		{ 1, "alice", "::1", "@1", "another address", 0 },
		{ 1, "alice", "192.0.2.", "@1", "another address", 0 },
		YES(1, "@1", 2),
	} },
	{ "another address, which does not matter", 1000, 10,
	    .any_address = true, .requests = {
		IN(0, ADDRESS, 1),
		{ 1, "alice", "2001:db8::1", "@1", NULL, 2 },
		{ 2, "alice", NULL, "@2", NULL, 3 },
		YES(3, "@3", 4),
	} },
	{ "an address that is not known is not the same as another such",
	    1000, 10, .requests = {
		IN(0, NULL, 1),
		{ 1, "alice", NULL, "@1", "another address", 0 },
		{ 1, "alice", ADDRESS, "@1", "another address", 0 },
	} },
	{ "an address that is not known, where it does not matter", 1000, 10,
	    .any_address = true, .requests = {
		IN(0, NULL, 1), { 1, "alice", NULL, "@1", NULL, 2 },
		{ 2, "alice", "::1", "@2", NULL, 3 },
	} },
	{ "somebody else's", 1000, 10, .requests = {
		IN(0, ADDRESS, 1),
		{ 1, "bob", ADDRESS, "@1", "somebody else's", 0 },
		{ 1, "alic", ADDRESS, "@1", "somebody else's", 0 },
		{ 1, "alice2", ADDRESS, "@1", "somebody else's", 0 },
		{ 1, "Alice", ADDRESS, "@1", "somebody else's", 0 },
		YES(1, "@1", 2),
	} },
	{ "names can be odd", 1000, 10, .requests = {
		{ 0, "DOM\\al ice%n", ADDRESS, SECRET, NULL, 1 },
		{ 1, "DOM\\al ice%n", ADDRESS, "@1", NULL, 2 },
		{ 2, "DOM\\al", ADDRESS, "@2", "somebody else's", 0 },
		{ 3, "DOM\\al ice%n", ADDRESS, "@2", NULL, 3 },
	} },
	{ "a refusal does not use it up", 1000, 10, .requests = {
		IN(0, ADDRESS, 1),
		{ 1, "bob", ADDRESS, "@1", "somebody else's", 0 },
		{ 1, "alice", "::1", "@1", "another address", 0 },
		YES(500, "@1", 2),
	} },
};

static void
tell(const struct story *story)
{
	char slots[SLOTS][TOKEN_LEN + 1] = { 0 }, next[TOKEN_LEN + 1];
	const struct request *request;
	struct x2gobroker_error err;
	char label[200];
	const char *sent;
	int result;

	for (request = story->requests; request->sent != NULL; request++) {
		snprintf(label, sizeof(label), "%s, request %d", story->label,
		    (int)(request - story->requests) + 1);
		sent = request->sent[0] == '@' ?
		    slots[request->sent[1] - '0'] : request->sent;
		check(label, *sent != '\0');
		result = present(request->user, request->from, sent,
		    START + (time_t)request->at, next, &err);
		if (request->why != NULL) {
			check(label, result == -1);
			check_problem(label, &err, &(struct problem){
			    X2GOBROKER_ERR_DENIED, 0, request->why });
			continue;
		}
		if (result == -1)
			fail_msg("[%s] refused: %s", label, err.text);
		check(label, (next[0] != '\0') == (request->gets != 0));
		if (request->gets == 0)
			continue;
		is_token(label, next);
		check(label, strcmp(next, sent) != 0);
		strcpy(slots[request->gets], next);
	}
}

static void
each_story_goes_as_told(void **state)
{
	size_t i;

	for (i = 0; i < LENGTH(stories); i++) {
		assert_int_equal(remove_test_dir(state), 0);
		assert_int_equal(make_site(state), 0);
		test_config.auth_timeout = stories[i].auth_timeout;
		test_config.token_grace = stories[i].grace;
		test_config.use_static_cookie = stories[i].fixed;
		test_config.verify_ip = !stories[i].any_address;
		tell(&stories[i]);
		check(stories[i].label, count_files("new.") == 0);
	}
}

/* An error structure is not needed. */
static void
who_does_not_ask_for_a_reason_gets_none(void **state unused)
{
	struct x2gobroker_user user = { .name = (char[]){ "alice" } };
	struct token token;

	assert_int_equal(token_open(&token, &test_config, &user, "", START,
	    NULL), -1);
	assert_int_equal(token_open(&token, &test_config, &user, "x", START,
	    NULL), -1);
	token_close(&token);
}

/*
 * Files
 */

static void
what_is_stored_is_no_token(void **state unused)
{
	char token[TOKEN_LEN + 1], text[600] = "", want[600];
	struct stat st;
	FILE *fp;

	log_in(token);
	assert_int_equal(count_files(""), 1);
	assert_int_equal(stat(path_of(token), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_mtime, START + 1000);
	fp = fopen(path_of(token), "r");
	assert_non_null(fp);
	assert_true(fread(text, 1, sizeof(text) - 1, fp) > 0);
	fclose(fp);
	snprintf(want, sizeof(want), "%d 0 " ADDRESS " alice", START);
	assert_string_equal(text, want);
	assert_int_equal(access(test_path(token), F_OK), -1);
	assert_null(strstr(text, token));
}

/* The name of a file, in the hands of somebody who can read the directory, is
 * no token either. */
static void
a_files_name_is_no_token(void **state unused)
{
	char token[TOKEN_LEN + 1], name[SHA256_DIGEST_STRING_LENGTH];
	char next[TOKEN_LEN + 1];
	struct x2gobroker_error err;

	log_in(token);
	hash_of(token, name);
	assert_int_equal(present("alice", ADDRESS, name, START, next, &err),
	    -1);
	assert_non_null(strstr(err.text, "no such token"));
}

static void
a_corrupt_file_is_no_token(void **state unused)
{
	static const struct {
		const char *label, *text, *why;
	} rows[] = {
		{ "empty", "", "cannot be read" },
		{ "blank", " \n", "does not hold a token" },
		{ "one word", "1700000000", "does not hold a token" },
		{ "two words", "1700000000 0", "does not hold a token" },
		{ "no number", "x 0 " ADDRESS " alice", "does not hold a token" },
		{ "no second number", "1700000000 x " ADDRESS " alice",
		    "does not hold a token" },
		{ "no user", "1700000000 0 " ADDRESS, "somebody else's" },
		{ "an empty user", "1700000000 0 " ADDRESS " ",
		    "somebody else's" },
		{ "a line feed behind the user",
		    "1700000000 0 " ADDRESS " alice\n", "somebody else's" },
		{ "the Python broker's", ADDRESS " 1700000000.5",
		    "does not hold a token" },
		{ "too large a number",
		    "99999999999999999999999 0 " ADDRESS " alice", "expired" },
		{ "too small a number", "-1 0 " ADDRESS " alice",
		    "expired" },
		{ "replaced in the future",
		    "1700000000 1800000000 " ADDRESS " alice", "used up" },
		{ "replaced before it was born", "1700000000 -1 " ADDRESS
		    " alice", "used up" },
		{ "an address that is too long", "1700000000 0 192.0.2.1"
		    "00000000000000000000000000000000000000000000000000000000"
		    "00000000000000000000000000000000000000000000000000000000"
		    " alice", "somebody else's" },
	};
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1], large[5000];
	struct x2gobroker_error err;
	FILE *fp;
	size_t i;

	log_in(token);
	for (i = 0; i < LENGTH(rows); i++) {
		fp = fopen(path_of(token), "w");
		assert_non_null(fp);
		fputs(rows[i].text, fp);
		fclose(fp);
		check(rows[i].label, present("alice", ADDRESS, token, START,
		    next, &err) == -1);
		check_problem(rows[i].label, &err, &(struct problem){
		    X2GOBROKER_ERR_DENIED, 0, rows[i].why });
	}
	memset(large, 'a', sizeof(large));
	fp = fopen(path_of(token), "w");
	assert_non_null(fp);
	fputs("1700000000 0 " ADDRESS " ", fp);
	fwrite(large, 1, sizeof(large), fp);
	fclose(fp);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
}

/* Nor may what is cut off at the end of what we read, or at a NUL, make a name of
 * ours of another one. */
static void
a_name_that_goes_on_is_another_one(void **state unused)
{
	static const char begin[] = "1700000000 0 " ADDRESS " ";
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1], text[600];
	struct x2gobroker_error err;
	size_t len;
	FILE *fp;

	log_in(token);
	for (len = sizeof(begin); len < 520; len++) {
		snprintf(text, sizeof(text), "%-*salice%s", (int)len, begin,
		    "-and-bob");
		fp = fopen(path_of(token), "w");
		assert_non_null(fp);
		fputs(text, fp);
		fclose(fp);
		assert_int_equal(present("alice", ADDRESS, token, START, next,
		    &err), -1);
	}
	fp = fopen(path_of(token), "w");
	assert_non_null(fp);
	fprintf(fp, "%salice%c-and-bob", begin, '\0');
	fclose(fp);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_non_null(strstr(err.text, "does not hold a token"));
}

/* What is no time must not become a young one. */
static void
a_time_before_all_others_has_expired(void **state unused)
{
	static const char *const rows[] = {
		"-9223372036854775808 0 " ADDRESS " alice",
		"-99999999999999999999999 0 " ADDRESS " alice",
		"1700000000 -9223372036854775808 " ADDRESS " alice",
	};
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	struct x2gobroker_error err;
	FILE *fp;
	size_t i;

	log_in(token);
	for (i = 0; i < LENGTH(rows); i++) {
		fp = fopen(path_of(token), "w");
		assert_non_null(fp);
		fputs(rows[i], fp);
		fclose(fp);
		check(rows[i], present("alice", ADDRESS, token, START, next,
		    &err) == -1);
	}
}

/* All that can have a name in a directory, in the place of a file. */
static void
what_is_no_file_is_no_token(void **state unused)
{
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1], kept[200];
	struct x2gobroker_error err;
	struct stat st;

	log_in(token);
	snprintf(kept, sizeof(kept), "%s", test_path("kept"));
	assert_int_equal(rename(path_of(token), kept), 0);

	assert_int_equal(symlink(kept, path_of(token)), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_non_null(strstr(err.text, "no such token"));
	assert_int_equal(unlink(path_of(token)), 0);

	assert_int_equal(symlink(test_path("none"), path_of(token)), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_int_equal(unlink(path_of(token)), 0);

	assert_int_equal(mkdir(path_of(token), 0700), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot be locked"));
	/* sweeping does not touch it */
	assert_int_equal(present("alice", ADDRESS, SECRET, START + 99999,
	    next, &err), 0);
	assert_int_equal(rmdir(path_of(token)), 0);

	assert_int_equal(mkfifo(path_of(token), 0600), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_int_equal(unlink(path_of(token)), 0);

	assert_int_equal(rename(kept, path_of(token)), 0);
	assert_int_equal(stat(path_of(token), &st), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    0);
}

static void
the_directory_must_be_in_order(void **state unused)
{
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	const char *const sent[] = { SECRET, token };
	struct x2gobroker_error err;
	size_t i;

	log_in(token);
	for (i = 0; i < LENGTH(sent); i++) {
		assert_int_equal(chmod(directory, 0777), 0);
		check("for all", present("alice", ADDRESS, sent[i], START,
		    next, &err) == -1 && err.code == X2GOBROKER_ERR_UNSAFE);
		assert_int_equal(chmod(directory, 0770), 0);
		check("for a group", present("alice", ADDRESS, sent[i], START,
		    next, &err) == -1 && err.code == X2GOBROKER_ERR_UNSAFE);
		assert_int_equal(chmod(directory, 0700), 0);

		test_config.cookie_directory = "/";
		another_uid = 12345;
		check("root's", present("alice", ADDRESS, sent[i], START, next,
		    &err) == -1 && err.code == X2GOBROKER_ERR_UNSAFE &&
		    strstr(err.text, "must belong to the account") != NULL);
		another_uid = 0;

		test_config.cookie_directory = test_path("missing");
		check("missing", present("alice", ADDRESS, sent[i], START,
		    next, &err) == -1 && err.code == X2GOBROKER_ERR_NOTFOUND);
		test_config.cookie_directory = write_file("file", "");
		check("a file", present("alice", ADDRESS, sent[i], START,
		    next, &err) == -1);
		test_config.cookie_directory = directory;
	}
	assert_int_equal(chmod(test_dir, 0777), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(test_dir, 0755), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(directory, 12345, 0), 0);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
}

/* Like /tmp: others cannot take away a token, but they can make one. */
static void
a_sticky_directory_for_all_is_not_taken(void **state unused)
{
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	struct x2gobroker_error err;

	log_in(token);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(present("alice", ADDRESS, SECRET, START, next, &err),
	    -1);
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
}

/* A disk that fails in the middle refuses, and costs the client nothing: it can
 * come again with what it had, and nothing is left behind. */
static void
what_cannot_be_written_is_not_granted(void **state unused)
{
	static const struct {
		const char *label;
		enum call call;
		int countdown;
		bool login;	/* else it is a token that is replaced */
	} rows[] = {
		{ "a login, renamed", RENAMEAT, 0, true },
		{ "a login, its time", FUTIMENS, 0, true },
		{ "a login, its text", WRITE, 0, true },
		{ "a login, no random numbers", GETRANDOM, 0, true },
		{ "a login, no other random numbers", GETRANDOM, 1, true },
		{ "the new file, renamed", RENAMEAT, 0, false },
		{ "the old file, renamed", RENAMEAT, 1, false },
		{ "the new file, its time", FUTIMENS, 0, false },
		{ "the old file, its time", FUTIMENS, 1, false },
		{ "the new file, its text", WRITE, 0, false },
		{ "the old file, its text", WRITE, 1, false },
		{ "no random numbers", GETRANDOM, 0, false },
		{ "no second random numbers", GETRANDOM, 1, false },
		{ "no third random numbers", GETRANDOM, 2, false },
	};
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	struct x2gobroker_error err;
	size_t i;
	int before;

	log_in(token);
	for (i = 0; i < LENGTH(rows); i++) {
		before = count_files("");
		broken.call = rows[i].call;
		broken.countdown = rows[i].countdown;
		check(rows[i].label, present("alice", ADDRESS, rows[i].login ?
		    SECRET : token, START, next, &err) == -1);
		check(rows[i].label, broken.call == NO_CALL);
		check(rows[i].label, err.code == X2GOBROKER_ERR_SYSTEM ||
		    err.code == X2GOBROKER_ERR_DENIED);
		check(rows[i].label, count_files("") == before);
		check(rows[i].label, count_files("new.") == 0);
	}
	assert_int_equal(present("alice", ADDRESS, token, START + 900, next,
	    &err), 0);
	is_token("afterwards", next);
}

static void
a_file_that_cannot_be_locked_is_refused(void **state unused)
{
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	struct x2gobroker_error err;

	log_in(token);
	broken.call = FLOCK;
	broken.always = true;
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot be locked"));
	broken.call = NO_CALL;
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    0);
}

/* The directory goes away while a request is under way. */
static void
a_directory_that_vanishes_refuses(void **state unused)
{
	struct x2gobroker_user user = { .name = (char[]){ "alice" } };
	char next[TOKEN_LEN + 1] = "x";
	struct x2gobroker_error err;
	struct token token;

	assert_int_equal(token_open(&token, &test_config, &user, SECRET, START,
	    &err), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(token_advance(&token, next, &err), -1);
	assert_non_null(strstr(err.text, "cannot be written"));
	token_close(&token);
}

static void
a_name_that_is_too_long_is_refused(void **state unused)
{
	char name[501], token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	struct x2gobroker_error err;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(present(name, ADDRESS, SECRET, START, next, &err),
	    -1);
	assert_int_equal(count_files(""), 0);
	name[100] = '\0';
	assert_int_equal(present(name, ADDRESS, SECRET, START, token, &err), 0);
	assert_int_equal(present(name, ADDRESS, token, START, next, &err), 0);
}

/*
 * Sweeping
 */

static const char *
file_of_time(const char *name, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when },
	    { .tv_sec = when } };
	char path[100];

	snprintf(path, sizeof(path), "cookies/%s", name);
	write_file(path, "x");
	assert_int_equal(utimensat(AT_FDCWD, test_path(path), times, 0), 0);
	return test_path(path);
}

static void
what_has_expired_is_swept_at_a_login(void **state unused)
{
	static const struct {
		const char *name;
		int age;		/* how long ago its time is up */
		bool swept;
	} rows[] = {
#define HEX	"00112233445566778899aabbccddeeff00112233445566778899aabb"
		{ HEX "00000001", 1, true },
		{ HEX "00000002", 0, false },
		{ HEX "00000003", -1000, false },
		{ HEX "00000004", 99999999, true },
		{ "new." HEX "00000001", 0, false },
		{ "new." HEX "00000002", 60, false },
		{ "new." HEX "00000003", 61, true },
		{ "new." HEX "00000004", -1000, false },
	};
	char token[TOKEN_LEN + 1], next[TOKEN_LEN + 1];
	const char *paths[LENGTH(rows)], *outside;
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		paths[i] = file_of_time(rows[i].name, START - rows[i].age);
	log_in(token);
	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].name, (access(paths[i], F_OK) == -1) ==
		    rows[i].swept);

	/* a link is not followed, and not taken away */
	outside = write_file("outside", "x");
	file_of_time("letter", START - 100);
	file_of_time(NAME_OF_AN_OLD_TOKEN, START - 100);
	assert_int_equal(symlink(outside, test_path("cookies/" HEX)), 0);
	/* a request that brings a token does not sweep */
	assert_int_equal(present("alice", ADDRESS, token, START, next, &err),
	    0);
	assert_int_equal(access(test_path("cookies/" NAME_OF_AN_OLD_TOKEN), F_OK), 0);
	assert_int_equal(present("bob", ADDRESS, SECRET, START, next, &err),
	    0);
	assert_int_equal(access(test_path("cookies/" NAME_OF_AN_OLD_TOKEN), F_OK), -1);
	/* what is no token is somebody else's */
	assert_int_equal(access(test_path("cookies/letter"), F_OK), 0);
	assert_int_equal(access(outside, F_OK), 0);
	assert_int_equal(access(test_path("cookies/" HEX), F_OK), 0);
}

/* Nothing that a client gets is ever swept before it is refused anyway. */
static void
sweeping_takes_only_what_would_be_refused(void **state unused)
{
	char token[TOKEN_LEN + 1], second[TOKEN_LEN + 1];
	char next[TOKEN_LEN + 1];
	struct x2gobroker_error err;

	log_in(token);
	assert_int_equal(present("alice", ADDRESS, token, START + 990, second,
	    &err), 0);
	assert_int_equal(present("bob", ADDRESS, SECRET, START + 1000, next,
	    &err), 0);
	assert_int_equal(present("alice", ADDRESS, token, START + 1000, next,
	    &err), 0);
	assert_int_equal(present("alice", ADDRESS, second, START + 1000, next,
	    &err), 0);
	assert_int_equal(present("bob", ADDRESS, SECRET, START + 1011, next,
	    &err), 0);
	assert_int_equal(access(path_of(token), F_OK), -1);
	assert_int_equal(access(path_of(second), F_OK), -1);
}

/*
 * Many at once
 */

#define SAME		20
#define CHAINS		50
#define STEPS		5

/* What the children tell. */
static struct shared {
	int results[CHAINS];
	char tokens[CHAINS][STEPS + 1][TOKEN_LEN + 1];
} *shared;

static void
present_the_same(int child)
{
	struct x2gobroker_error err;

	shared->results[child] = present("alice", ADDRESS,
	    shared->tokens[0][0], START, shared->tokens[child][1], &err);
}

static void
walk_a_chain(int child)
{
	char (*chain)[TOKEN_LEN + 1] = shared->tokens[child];
	struct x2gobroker_error err;
	char name[20];
	int i;

	snprintf(name, sizeof(name), "user%d", child);
	shared->results[child] = present(name, ADDRESS, SECRET, START,
	    chain[0], &err);
	for (i = 0; i < STEPS && shared->results[child] == 0; i++)
		shared->results[child] = present(name, ADDRESS, chain[i],
		    START + i, chain[i + 1], &err);
}

/* Start n processes, let them all go at once, and wait for them. */
static void
run_children(int n, void (*fn)(int))
{
	int gate[2], i, status, good = 0;
	char byte;

	assert_int_equal(pipe(gate), 0);
	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			close(gate[1]);
			alarm(30);
			/* the end of the file is the sign */
			if (read(gate[0], &byte, 1) == 0)
				fn(i);
			_exit(0);
		}
		assert_true(pid > 0);
	}
	close(gate[0]);
	close(gate[1]);
	for (i = 0; i < n; i++)
		good += wait(&status) > 0 && status == 0;
	assert_int_equal(good, n);
}

static int
make_shared_site(void **state)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return shared != MAP_FAILED ? make_site(state) : -1;
}

static int
remove_shared_site(void **state)
{
	munmap(shared, sizeof(*shared));
	return remove_test_dir(state);
}

static void
one_token_from_many_at_once_is_replaced_once(void **state unused)
{
	char next[TOKEN_LEN + 1], label[20];
	const char *new = NULL;
	struct x2gobroker_error err;
	int i;

	log_in(shared->tokens[0][0]);
	run_children(SAME, present_the_same);
	for (i = 0; i < SAME; i++) {
		snprintf(label, sizeof(label), "process %d", i);
		check(label, shared->results[i] == 0);
		if (shared->tokens[i][1][0] == '\0')
			continue;
		check(label, new == NULL);
		new = shared->tokens[i][1];
		is_token(label, new);
	}
	assert_non_null(new);
	assert_int_equal(count_files(""), 2);
	assert_int_equal(count_files("new."), 0);
	assert_int_equal(present("alice", ADDRESS, new, START, next, &err), 0);
	is_token("the next", next);
}

static void
many_chains_at_once_do_not_meet(void **state unused)
{
	char next[TOKEN_LEN + 1], label[20], name[20];
	struct x2gobroker_error err;
	int i, j, k;

	run_children(CHAINS, walk_a_chain);
	assert_int_equal(count_files("new."), 0);
	assert_int_equal(count_files(""), CHAINS * (STEPS + 1));
	for (i = 0; i < CHAINS; i++) {
		snprintf(label, sizeof(label), "chain %d", i);
		check(label, shared->results[i] == 0);
		for (j = 0; j <= STEPS; j++) {
			is_token(label, shared->tokens[i][j]);
			for (k = 0; k < i; k++)
				check(label, strcmp(shared->tokens[i][j],
				    shared->tokens[k][j]) != 0);
		}
		snprintf(name, sizeof(name), "user%d", (i + 1) % CHAINS);
		check(label, present(name, ADDRESS, shared->tokens[i][STEPS],
		    START + STEPS, next, &err) == -1);
		snprintf(name, sizeof(name), "user%d", i);
		check(label, present(name, ADDRESS, shared->tokens[i][STEPS],
		    START + STEPS, next, &err) == 0);
	}
}

#define test(name)							\
	cmocka_unit_test_setup_teardown(name, make_site, remove_test_dir)
#define test_shared(name)						\
	cmocka_unit_test_setup_teardown(name, make_shared_site,		\
	    remove_shared_site)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(only_the_right_secret_is_one),
		test(a_secret_must_be_the_administrators),
		test(a_name_is_no_path),
		test(each_story_goes_as_told),
		test(who_does_not_ask_for_a_reason_gets_none),
		test(what_is_stored_is_no_token),
		test(a_files_name_is_no_token),
		test(a_corrupt_file_is_no_token),
		test(a_name_that_goes_on_is_another_one),
		test(a_time_before_all_others_has_expired),
		test(what_is_no_file_is_no_token),
		test(the_directory_must_be_in_order),
		test(a_sticky_directory_for_all_is_not_taken),
		test(what_cannot_be_written_is_not_granted),
		test(a_file_that_cannot_be_locked_is_refused),
		test(a_directory_that_vanishes_refuses),
		test(a_name_that_is_too_long_is_refused),
		test(what_has_expired_is_swept_at_a_login),
		test(sweeping_takes_only_what_would_be_refused),
		test_shared(one_token_from_many_at_once_is_replaced_once),
		test_shared(many_chains_at_once_do_not_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
