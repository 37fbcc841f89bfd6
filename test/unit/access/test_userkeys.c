/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose key it is, and what is no key.  Linked with the look-up of accounts
 * and with allocations wrapped: alice, bob and a.b-c@d_1 exist, ALICE is
 * another spelling of alice, and the account broken cannot be looked up.
 */
#include <sys/file.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>

#include "x2gobroker_admin.h"
#include "access/keyindex.h"
#include "access/userkeys.h"
#include "base/base64.h"
#include "support.h"

#define SOMEBODY	65534	/* nobody's uid nearly everywhere */

#define ED(middle)	"AAAAC3NzaC1lZDI1NTE5AAAAI" middle
#define KEY_A	ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ")
#define KEY_B	ED("CUuhl+bpWVFigvdYEHFMU0XcUJKExiMVgyduwzquU5w")
#define KEY_C	ED("A96bJf87W7erzzZYlMePrALThmVA83mW5trEV+aGbn6")
#define TYPE	"ssh-ed25519 "
#define PRINT_A	"SHA256:xKwGpEeJ+oyrwyhYsHwMhABrNJefjEH8FgAFTTCpULs"
#define PRINT_B	"SHA256:OkfqH/7KndxAXjdlLPdlSRV0Z0fCVx2kDqPMWkykkWI"
#define PRINT_C	"SHA256:K4JVslUZn2zae/jzTttZcB0EmQQZEKzk2SUS5mFpT8Y"
struct passwd	*__wrap_getpwnam(const char *name);
void	*__real_malloc(size_t size);
void	*__wrap_malloc(size_t size);
void	*__real_reallocarray(void *p, size_t n, size_t size);
void	*__wrap_reallocarray(void *p, size_t n, size_t size);
char	*__real_strdup(const char *s);
char	*__wrap_strdup(const char *s);
FILE	*__real_fdopen(int fd, const char *mode);
FILE	*__wrap_fdopen(int fd, const char *mode);

time_t	__real_time(time_t *out);
time_t	__wrap_time(time_t *out);

static time_t ahead;	/* seconds, of the clock */

time_t
__wrap_time(time_t *out unused)
{
	return __real_time(NULL) + ahead;
}

/* The allocation that fails, from 1; 0: none. */
static int countdown;

static bool
must_fail(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return must_fail() ? NULL : __real_reallocarray(p, n, size);
}

char *
__wrap_strdup(const char *s)
{
	return must_fail() ? NULL : __real_strdup(s);
}

FILE *
__wrap_fdopen(int fd, const char *mode)
{
	return must_fail() ? NULL : __real_fdopen(fd, mode);
}

struct passwd *
__wrap_getpwnam(const char *name)
{
	static char names[][12] = { "alice", "bob", "a.b-c@d_1" };
	static struct passwd pw;
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		pw.pw_name = names[i];
		if (strcmp(name, names[i]) == 0)
			return &pw;
	}
	pw.pw_name = names[0];
	errno = strcmp(name, "broken") == 0 ? EIO : 0;
	return strcmp(name, "ALICE") == 0 ? &pw : NULL;
}

static void
names_are_judged_by_table(void **state unused)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = {
		{ "alice", true }, { "a", true }, { "Alice", true },
		{ "a.b-c_d", true }, { "_apt", true }, { "0day", true },
		{ "alice@example.org", true },
		{ "", false }, { "-x", false }, { "--user", false },
		{ ".", false }, { "..", false }, { ".hidden", false },
		{ "@staff", false }, { "../x", false }, { "a/b", false },
		{ "/etc/passwd", false }, { "a\"b", false }, { "a'b", false },
		{ "a b", false }, { " a", false }, { "a\n", false },
		{ "a\tb", false }, { "a\\b", false }, { "DOM\\a", false },
		{ "a;b", false }, { "a$b", false }, { "a`b", false },
		{ "a|b", false }, { "a&b", false }, { "a*", false },
		{ "a?", false }, { "~a", false }, { "a#b", false },
		{ "a=b", false }, { "a,b", false }, { "a:b", false },
		{ "a%u", false }, { "a\177", false }, { "J\303\266rg", false },
		{ "a\1", false }, { "(a)", false }, { "a!", false },
	};
	char longer[300];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].name, (keys_check_name(rows[i].name) == NULL) ==
		    rows[i].good);
	memset(longer, 'a', sizeof(longer));
	longer[251] = '\0';	/* and ".pub" makes 255 */
	assert_null(keys_check_name(longer));
	longer[251] = 'a';
	longer[252] = '\0';
	assert_non_null(keys_check_name(longer));
}

/*
 * Files
 */

static struct x2gobroker_config config;
static char state_dir[100];

static int
make_site(void **state)
{
	static char dir[100];

	countdown = 0;
	ahead = 0;
	if (make_test_dir(state) == -1)
		return -1;
	make_dir("keys.d");
	snprintf(dir, sizeof(dir), "%s/keys.d", test_dir);
	config.keys_dir = dir;
	snprintf(state_dir, sizeof(state_dir), "%s/state", test_dir);
	config.state_dir = state_dir;
	config.keys_dir_set = true;
	return 0;
}

/* The content of a file of the site, or NULL where there is none. */
static const char *
content_of(const char *name)
{
	static char text[8192];
	FILE *fp = fopen(test_path(name), "r");

	if (fp == NULL)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, fp)] = '\0';
	fclose(fp);
	return text;
}

/* Whose key KEY_A is: a name, NULL, or -1 in *result. */
static char *
find(int *result, struct problems *problems, struct x2gobroker_error *err)
{
	char *name;

	problems->n = 0;
	*result = x2gobroker_keys_find(&config, "ssh-ed25519", KEY_A, collect,
	    problems, &name, err);
	if (*result == -1)
		assert_null(name);
	return name;
}

/* Who has KEY_A; *problems is filled in. */
static void
check_found(const char *label, const char *want, struct problems *problems)
{
	struct x2gobroker_error err;
	char *name;
	int result;

	name = find(&result, problems, &err);
	if (result == -1)
		fail_msg("[%s] %s", label, err.text);
	if (want != NULL)
		check_text(label, name, want);
	else
		check(label, name == NULL);
	free(name);
}

/* The same while alice's file has this text. */
static void
check_owner(const char *label, const char *text, const char *want,
    struct problems *problems)
{
	write_file("keys.d/alice.pub", text);
	check_found(label, want, problems);
}

static void
a_key_leads_to_whose_file_it_is_in(void **state unused)
{
	static const struct {
		const char *why, *text;
	} rows[] = {
		{ "alone", TYPE KEY_A "\n" },
		{ "no end of line", TYPE KEY_A },
		{ "a comment", TYPE KEY_A " alice@desk\n" },
		{ "a comment of words", TYPE KEY_A " Alice, her \"desk\"" },
		{ "UTF-8", TYPE KEY_A " J\303\266rg" },
		{ "other keys", TYPE KEY_B "\n" TYPE KEY_A "\n" TYPE KEY_C },
		{ "blanks", " \t" TYPE "\t " KEY_A "\t\n" },
		{ "CR LF", "# x\r\n\r\n" TYPE KEY_A "\r\n" },
		{ "comments", "# keys\n\n  # of alice\n" TYPE KEY_A "\n#\n" },
		{ "twice", TYPE KEY_A " a\n" TYPE KEY_A " b\n" },
		{ "another key is the comment", TYPE KEY_A " " KEY_B "\n" },
		/* nothing is said of lines that are not about this key */
		{ "a bad line before", "restrict " TYPE KEY_B "\n" TYPE KEY_A },
		{ "rubbish before", "\1\2\3\n" TYPE KEY_A },
	};
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check_owner(rows[i].why, rows[i].text, "alice", &problems);
		check(rows[i].why, problems.n == 0);
	}
	write_file("keys.d/bob.pub", TYPE KEY_B);
	check_owner("somebody else's file", TYPE KEY_A, "alice", &problems);
	check_owner("not in it", TYPE KEY_C, NULL, &problems);
	write_file("keys.d/a.b-c@d_1.pub", TYPE KEY_A);
	check_owner("all characters", "", "a.b-c@d_1", &problems);
}

static void
what_is_no_line_of_a_key_is_not_used(void **state unused)
{
#define OPTIONS { X2GOBROKER_ERR_VALUE, 1, "not used: options before a key" }
#define NEEDED { X2GOBROKER_ERR_VALUE, 1, "not used: not TYPE BASE64 COMMENT" }
#define DAMAGED { X2GOBROKER_ERR_VALUE, 1, "not used: the key is damaged" }
#define CONTROL { X2GOBROKER_ERR_VALUE, 1, "not used: the line has control" }
	static const struct {
		const char *why, *text;
		struct problem problems[2];
	} rows[] = {
		{ "empty", "" },
		{ "a comment", "#" TYPE KEY_A },
		{ "a comment behind blanks", "  # " TYPE KEY_A },
		{ "in the comment of another key", TYPE KEY_B " " KEY_A },
		{ "over two lines", TYPE "\n" ED("F0zx0rJE0JvvYFpX8QXzNM6tju")
		    "\nvP5S+jKMaU2F2LZcJ" },
		{ "an option", "restrict " TYPE KEY_A, { OPTIONS } },
		{ "a command", "command=\"id; x\" " TYPE KEY_A, { OPTIONS } },
		{ "options", "no-pty,permitopen=\"a:1\",command=\"/bin/sh -c "
		    "'x'\" " TYPE KEY_A, { OPTIONS } },
		{ "cert-authority", "cert-authority " TYPE KEY_A, { OPTIONS } },
		{ "the broker's own line", "restrict,pty,command=\"/usr/lib/"
		    "x2go/x2gobroker --user bob\" " TYPE KEY_A, { OPTIONS } },
		{ "a quote", "\"" TYPE KEY_A "\"", { NEEDED } },
		{ "no type", KEY_A, { NEEDED } },
		{ "a line of known_hosts", "host " TYPE KEY_A, { OPTIONS } },
		{ "another type", "ssh-rsa " KEY_A, { { X2GOBROKER_ERR_VALUE,
		    1, "not used: the key is of another" } } },
		{ "more of it", TYPE KEY_A "AAAA", { DAMAGED } },
		{ "a byte before it", TYPE "A" KEY_A, { DAMAGED } },
		{ "an escape", TYPE KEY_A " \033[2J", { CONTROL } },
		{ "DEL", TYPE KEY_A " \177", { CONTROL } },
		{ "CR", "x\r" TYPE KEY_A, { CONTROL } },
	};
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check_owner(rows[i].why, rows[i].text, NULL, &problems);
		check_problems(rows[i].why, &problems, rows[i].problems);
	}
}

static void
a_nul_does_not_hide_what_is_behind_it(void **state unused)
{
	static const char text[] = TYPE KEY_A "\0" " restrict\n";
	struct x2gobroker_error err;
	struct problems problems;
	FILE *fp = fopen(test_path("keys.d/alice.pub"), "w");
	int result;

	assert_non_null(fp);
	assert_int_equal(fwrite(text, 1, sizeof(text) - 1, fp),
	    sizeof(text) - 1);
	fclose(fp);
	assert_null(find(&result, &problems, &err));
	check_problems("NUL", &problems, (struct problem[]){ CONTROL, { 0 } });
}

static void
a_key_of_two_users_is_nobodys(void **state unused)
{
	static const struct {
		const char *name, *text;
		struct problem problem;
	} rows[] = {
		{ "bob", "\n" TYPE KEY_A " b", { X2GOBROKER_ERR_DENIED, 2,
		    "keys.d/alice.pub:3: a key of two users is not" } },
		{ "aaron", TYPE KEY_A, { X2GOBROKER_ERR_DENIED, 3,
		    "keys.d/aaron.pub:1: a key of two users is not" } },
		/* who does not exist today may do so tomorrow */
		{ "nobody-of-this-name", TYPE KEY_A, { X2GOBROKER_ERR_DENIED,
		    1, "keys.d/alice.pub:3: a key of two" } },
		{ "ALICE", TYPE KEY_A, { X2GOBROKER_ERR_DENIED, 3,
		    "keys.d/ALICE.pub:1: a key of two" } },
	};
	struct x2gobroker_error err;
	struct problems problems;
	char entry[100];
	int result;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(entry, sizeof(entry), "keys.d/%s.pub", rows[i].name);
		write_file("keys.d/alice.pub", "# x\n\n" TYPE KEY_A " a\n");
		write_file(entry, rows[i].text);
		assert_null(find(&result, &problems, &err));
		assert_int_equal(result, -1);
		check_problem(rows[i].name, &err, &rows[i].problem);
		check(rows[i].name, strstr(err.file, ".pub") != NULL);
		assert_int_equal(unlink(test_path(entry)), 0);
		check_owner("alone again", TYPE KEY_A, "alice", &problems);
	}
}

static void
an_account_must_exist_by_that_very_name(void **state unused)
{
	static const struct {
		const char *name;
		struct problem problem;
	} rows[] = {
		{ "carol", { X2GOBROKER_ERR_NOTFOUND, 1,
		    "account carol cannot be looked up: no such account" } },
		{ "0", { X2GOBROKER_ERR_NOTFOUND, 1, "no such account" } },
		{ "broken", { X2GOBROKER_ERR_NOTFOUND, 1,
		    "Input/output error" } },
		{ "ALICE", { X2GOBROKER_ERR_VALUE, 1,
		    "ALICE is called alice" } },
	};
	struct x2gobroker_error err;
	struct problems problems;
	char entry[100];
	int result;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(entry, sizeof(entry), "keys.d/%s.pub", rows[i].name);
		write_file(entry, TYPE KEY_A);
		assert_null(find(&result, &problems, &err));
		assert_int_equal(result, -1);
		check_problem(rows[i].name, &err, &rows[i].problem);
		assert_int_equal(unlink(test_path(entry)), 0);
	}
}

static void
files_with_other_names_are_not_used(void **state unused)
{
	static const struct {
		const char *entry;
		bool told;
	} rows[] = {
		{ "-x.pub", true }, { "--user.pub", true },
		{ "a\"b.pub", true }, { "a b.pub", true }, { "a'b.pub", true }, { "a\nb.pub", true },
		{ "a$(id).pub", true }, { "@alice.pub", true },
		{ "J\303\266rg.pub", true },
		{ "alice", false }, { "alice.pub~", false },
		{ "alice.pub.bak", false }, { "alice.PUB", false },
		{ "alicepub", false }, { "authorized_keys", false },
		{ ".pub", false }, { ".alice.pub", false }, { ".new", false },
	};
	struct problems problems;
	char entry[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(entry, sizeof(entry), "keys.d/%s", rows[i].entry);
		write_file(entry, TYPE KEY_A);
		check_owner(rows[i].entry, "", NULL, &problems);
		check(rows[i].entry, problems.n == rows[i].told);
		assert_int_equal(unlink(test_path(entry)), 0);
	}
}

static void
files_of_others_and_links_are_not_used(void **state unused)
{
	static const struct {
		mode_t mode;
		uid_t owner;
		bool link, dir;
		const char *why;
	} rows[] = {
		{ 0664, 0, false, false, "others may write it" },
		{ 0646, 0, false, false, "others may write it" },
		{ 0666, 0, false, false, "others may write it" },
		{ 0644, SOMEBODY, false, false, "it belongs to uid 65534" },
		{ 0644, 0, true, false, "not used: it is a symbolic link" },
		{ 0755, 0, false, true, "not a regular file" },
	};
	const char *bob = test_path("keys.d/bob.pub");
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		if (rows[i].owner != 0 && geteuid() != 0)
			continue;
		if (rows[i].dir)
			make_dir("keys.d/bob.pub");
		else if (rows[i].link)
			assert_int_equal(symlink("alice.pub", bob), 0);
		else
			write_file("keys.d/bob.pub", TYPE KEY_A);
		if (!rows[i].link)
			assert_int_equal(chmod(bob, rows[i].mode), 0);
		if (rows[i].owner != 0)
			assert_int_equal(chown(bob, rows[i].owner, 0), 0);
		/* nobody else is kept out by it */
		check_owner(rows[i].why, TYPE KEY_A, "alice", &problems);
		check_problems(rows[i].why, &problems, (struct problem[]){
		    { X2GOBROKER_ERR_UNSAFE, 0, rows[i].why }, { 0 } });
		check_owner(rows[i].why, "", NULL, &problems);
		assert_int_equal(remove(bob), 0);
	}
}

static void
a_file_that_only_root_can_read_keeps_nobody_out(void **state unused)
{
	struct problems problems;

	if (geteuid() != 0)
		skip();
	write_file("keys.d/alice.pub", TYPE KEY_A);
	assert_int_equal(chmod(write_file("keys.d/bob.pub", ""), 0600), 0);
	assert_int_equal(seteuid(SOMEBODY), 0);
	check_found("only root", "alice", &problems);
	assert_int_equal(seteuid(0), 0);
	check_problems("only root", &problems, (struct problem[]){
	    { X2GOBROKER_ERR_SYSTEM, 0, "cannot be opened: Perm" }, { 0 } });
}

static void
a_directory_that_cannot_be_used_has_nobodys_keys(void **state unused)
{
	static const struct {
		const char *dir;
		mode_t mode;
		struct problem problem;
	} rows[] = {
		{ "keys.d", 0777, { X2GOBROKER_ERR_UNSAFE, 0, "may write" } },
		{ "keys.d", 0775, { X2GOBROKER_ERR_UNSAFE, 0, "may write" } },
		{ "none", 0, { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" } },
		{ "file", 0, { X2GOBROKER_ERR_UNSAFE, 0, "not a directory" } },
		{ "", 0, { X2GOBROKER_ERR_NOTFOUND, 0, "keys-dir is empty" } },
	};
	struct x2gobroker_error err;
	struct problems problems;
	size_t i, n;
	int result;

	write_file("keys.d/alice.pub", TYPE KEY_A);
	write_file("file", "");
	for (i = 0; i < LENGTH(rows); i++) {
		config.keys_dir = *rows[i].dir != '\0' ?
		    test_path(rows[i].dir) : "";
		if (rows[i].mode != 0)
			chmod(config.keys_dir, rows[i].mode);
		assert_null(find(&result, &problems, &err));
		assert_int_equal(result, -1);
		check_problem(rows[i].dir, &err, &rows[i].problem);
		assert_int_equal(x2gobroker_keys_remove(&config, "alice", NULL,
		    NULL, NULL, NULL, &n, &err), -1);
		check_problem(rows[i].dir, &err, &rows[i].problem);
		if (rows[i].mode != 0)
			chmod(config.keys_dir, 0755);
	}
	assert_non_null(content_of("keys.d/alice.pub"));
}

static void
a_path_that_is_too_long_has_nobodys_keys(void **state unused)
{
	static char dir[X2GOBROKER_FILE_SIZE];
	struct x2gobroker_error err;
	struct problems problems;
	size_t len, n;
	int result;

	/* as long as a path may be, and the way to where keys are */
	snprintf(dir, sizeof(dir), "%s", test_path("keys.d"));
	write_file("keys.d/alice.pub", TYPE KEY_A);
	for (len = strlen(dir); len < sizeof(dir) - 1; len++)
		dir[len] = '/';
	config.keys_dir = dir;
	assert_null(find(&result, &problems, &err));
	assert_int_equal(x2gobroker_keys_remove(&config, "alice", NULL, NULL,
	    NULL, NULL, &n, &err), -1);
	check_problem("remove", &err, &(const struct problem){
	    X2GOBROKER_ERR_SYSTEM, 0, "the path is too long" });
}

static void
what_sshd_asks_must_be_a_key(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "ssh-ed25519", "" }, { "ssh-ed25519", "A" },
		{ "", KEY_A }, { "ssh-rsa", KEY_A }, { "#", "#" },
		{ "ssh-ed25519", "../alice" }, { "ssh-dss", KEY_A },
		{ "ssh-ed25519-cert-v01@openssh.com", KEY_A },
		{ "ssh-ed25519", KEY_A "\n" }, { "ssh-ed25519 x", KEY_A },
	};
	struct x2gobroker_error err;
	char *name;
	size_t i;

	write_file("keys.d/alice.pub", "\n#\n" TYPE KEY_A "\nssh-dss " KEY_A);
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i][0], x2gobroker_keys_find(&config, rows[i][0],
		    rows[i][1], NULL, NULL, &name, &err) == -1);
		check(rows[i][0], name == NULL);
		check_problem(rows[i][0], &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, "the offered key" });
	}
}

/*
 * Adding and removing
 */

/* Add to, or remove from, alice's keys; what is said goes into problems. */
static size_t
change(bool adding, const char *text, struct problems *problems)
{
	struct x2gobroker_error err;
	size_t n;

	problems->n = 0;
	if ((adding ? x2gobroker_keys_add : x2gobroker_keys_remove)(&config,
	    "alice", text, "given.pub", collect, problems, &n, &err) == -1) {
		/* what a caller without a report gets to know */
		assert_true(problems->n > 0);
		assert_int_equal(n, 0);
		assert_memory_equal(&err.code, &problems->list[0].code,
		    sizeof(err.code));
		assert_string_equal(err.text, problems->list[0].text);
	}
	return n;
}

static void
keys_are_added_behind_those_that_are_there(void **state unused)
{
	static const struct {
		const char *why, *before, *text, *after;
		size_t added;
	} rows[] = {
		{ "no file", NULL, TYPE KEY_A " a\n", TYPE KEY_A " a\n", 1 },
		{ "no comment", NULL, TYPE KEY_A, TYPE KEY_A "\n", 1 },
		{ "an empty file", "", TYPE KEY_A, TYPE KEY_A "\n", 1 },
		{ "another key", TYPE KEY_B " b\n", TYPE KEY_A,
		    TYPE KEY_B " b\n" TYPE KEY_A "\n", 1 },
		{ "no end of line", "# x\n" TYPE KEY_B, TYPE KEY_A,
		    "# x\n" TYPE KEY_B "\n" TYPE KEY_A "\n", 1 },
		{ "lines that are not used", "x y\n\n", TYPE KEY_A,
		    "x y\n\n" TYPE KEY_A "\n", 1 },
		{ "blanks, CR LF, comments", NULL, "#\r\n\r\n " TYPE "\t" KEY_A
		    "  a b \r\n#\n" TYPE KEY_C, TYPE KEY_A " a b\n" TYPE KEY_C
		    "\n", 2 },
		{ "there", TYPE KEY_A " a\n", TYPE KEY_A " other\n",
		    TYPE KEY_A " a\n", 0 },
		{ "one is there", TYPE KEY_B, TYPE KEY_B "\n" TYPE KEY_C,
		    TYPE KEY_B "\n" TYPE KEY_C "\n", 1 },
		{ "twice", NULL, TYPE KEY_A " a\n" TYPE KEY_A " b\n",
		    TYPE KEY_A " a\n", 1 },
	};
	struct problems problems;
	struct stat st;
	size_t i;

	umask(077);
	for (i = 0; i < LENGTH(rows); i++) {
		unlink(test_path("keys.d/alice.pub"));
		if (rows[i].before != NULL)
			write_file("keys.d/alice.pub", rows[i].before);
		check(rows[i].why, change(true, rows[i].text, &problems) ==
		    rows[i].added);
		check(rows[i].why, problems.n > 0 &&
		    problems.list[0].code == X2GOBROKER_OK);
		if (rows[i].added > 0)
			check_text(rows[i].why, content_of("keys.d/alice.pub"),
			    rows[i].after);
		assert_int_equal(stat(test_path("keys.d/alice.pub"), &st), 0);
		check(rows[i].why, (st.st_mode & 07777) == 0644);
		check(rows[i].why, content_of("keys.d/.new") == NULL);
	}
	umask(022);
}

static void
what_was_done_is_told_for_each_key(void **state unused)
{
	struct problems problems;

	write_file("keys.d/alice.pub", TYPE KEY_A);
	change(true, "\n" TYPE KEY_A " a\n" TYPE KEY_B " b c\n" TYPE KEY_C,
	    &problems);
	check_problems("add", &problems, (struct problem[]){
	    { X2GOBROKER_OK, 2, TYPE PRINT_A " a: already present" },
	    { X2GOBROKER_OK, 3, TYPE PRINT_B " b c: added" },
	    { X2GOBROKER_OK, 4, TYPE PRINT_C ": added" }, { 0 } });
	assert_string_equal(problems.list[0].file, "given.pub");
	change(false, TYPE KEY_B " other", &problems);
	check_problems("remove", &problems, (struct problem[]){
	    { X2GOBROKER_OK, 2, TYPE PRINT_B " b c: removed" }, { 0 } });
	assert_string_equal(problems.list[0].file,
	    test_path("keys.d/alice.pub"));
	change(false, TYPE KEY_B "\n" TYPE KEY_C, &problems);
	check_problems("remove", &problems, (struct problem[]){
	    { X2GOBROKER_OK, 2, TYPE PRINT_C ": removed" },
	    { X2GOBROKER_WARNING, 1, TYPE PRINT_B ": not found" }, { 0 } });
}

static void
a_directory_that_is_missing_is_made(void **state unused)
{
	struct problems problems;
	struct stat st;

	umask(077);
	config.keys_dir = test_path("new.d");
	assert_int_equal(change(true, TYPE KEY_A, &problems), 1);
	umask(022);
	assert_int_equal(stat(config.keys_dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
	config.keys_dir = test_path("none/new.d");
	assert_int_equal(change(true, TYPE KEY_A, &problems), 0);
	check_problems("no way to it", &problems, (struct problem[]){
	    { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" }, { 0 } });
}

static void
what_is_no_public_key_is_not_added(void **state unused)
{
#define PRIVATE(kind) "-----BEGIN " kind "PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n" \
	"-----END " kind "PRIVATE KEY-----\n"
	static const struct {
		const char *why, *text;
		struct problem problems[3];
	} rows[] = {
		{ "nothing", "", { { X2GOBROKER_ERR_VALUE, 0,
		    "no public key in this file" } } },
		{ "comments", "# x\n\n", { { X2GOBROKER_ERR_VALUE, 0,
		    "no public key in this file" } } },
		/* of what may be a secret, no more than the first line */
		{ "OpenSSH", PRIVATE("OPENSSH "), { { X2GOBROKER_ERR_VALUE, 1,
		    "this is the private key; use the .pub file" } } },
		{ "PKCS #1", PRIVATE("RSA "), { { X2GOBROKER_ERR_VALUE, 1,
		    "this is the private key" } } },
		{ "PKCS #8", PRIVATE(""), { { X2GOBROKER_ERR_VALUE, 1,
		    "this is the private key" } } },
		{ "encrypted", "\n" PRIVATE("ENCRYPTED "), {
		    { X2GOBROKER_ERR_VALUE, 2, "this is the private key" } } },
		{ "PuTTY", "PuTTY-User-Key-File-3: ssh-rsa\nx\n", {
		    { X2GOBROKER_ERR_VALUE, 1, "this is the private key" } } },
		{ "RFC 4716", "---- BEGIN SSH2 PUBLIC KEY ----\nA\n", {
		    { X2GOBROKER_ERR_VALUE, 1, "ssh-keygen -i -f FILE" } } },
		{ "PKCS #8, public", "-----BEGIN PUBLIC KEY-----\nA\n", {
		    { X2GOBROKER_ERR_VALUE, 1, "ssh-keygen -i -m PKCS8" } } },
		{ "a private key behind a good one", TYPE KEY_A "\n"
		    PRIVATE("OPENSSH "), { { X2GOBROKER_ERR_VALUE, 2,
		    "this is the private key" } } },
		{ "an option", "pty " TYPE KEY_A, { { X2GOBROKER_ERR_VALUE, 1,
		    "options before a key are not allowed here" } } },
		{ "DSA", "ssh-dss AAAAB3NzaC1kc3M=", { { X2GOBROKER_ERR_VALUE,
		    1, "DSA keys" } } },
		{ "a certificate", "ssh-ed25519-cert-v01@openssh.com AAAA", {
		    { X2GOBROKER_ERR_VALUE, 1, "without -cert" } } },
		{ "no key", "ssh-ed25519", { { X2GOBROKER_ERR_VALUE, 1,
		    "damaged or incomplete" } } },
		{ "a broken line", TYPE ED("F0zx0rJE0Jvv") "\nYFpX8QXzNM6tju",
		    { { X2GOBROKER_ERR_VALUE, 1, "damaged" },
		    { X2GOBROKER_ERR_VALUE, 2, "not TYPE BASE64" } } },
		{ "one of two", TYPE KEY_B "\n" TYPE KEY_A "x\n", {
		    { X2GOBROKER_ERR_VALUE, 2, "damaged" } } },
		{ "another user's", TYPE KEY_A "\n" TYPE KEY_C, {
		    { X2GOBROKER_ERR_DENIED, 2, "bob has this key already: it "
		    "is in " } } },
	};
	struct problems problems;
	size_t i;

	write_file("keys.d/bob.pub", "# bob\n" TYPE KEY_C);
	for (i = 0; i < LENGTH(rows); i++) {
		change(true, rows[i].text, &problems);
		check_problems(rows[i].why, &problems, rows[i].problems);
		check(rows[i].why, content_of("keys.d/alice.pub") == NULL);
	}
	change(true, TYPE KEY_C, &problems);
	assert_non_null(strstr(problems.list[0].text, "keys.d/bob.pub:2"));
}

static void
keys_are_added_for_accounts_alone(void **state unused)
{
	static const struct {
		const char *name;
		struct problem problem;
	} rows[] = {
		{ "", { X2GOBROKER_ERR_VALUE, 0, "account name is empty" } },
		{ "../alice", { X2GOBROKER_ERR_VALUE, 0, "must begin with" } },
		{ "-x", { X2GOBROKER_ERR_VALUE, 0, "must begin with" } },
		{ "alice/../bob", { X2GOBROKER_ERR_VALUE, 0, "must consist" } },
		{ "a\"b", { X2GOBROKER_ERR_VALUE, 0, "must consist of" } },
		{ "carol", { X2GOBROKER_ERR_NOTFOUND, 0, "no such account" } },
		{ "broken", { X2GOBROKER_ERR_NOTFOUND, 0, "Input/output" } },
		{ "ALICE", { X2GOBROKER_ERR_VALUE, 0, "called alice; use" } },
	};
	struct x2gobroker_error err;
	size_t i, n;

	config.keys_dir = test_path("new.d");
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].name, x2gobroker_keys_add(&config, rows[i].name,
		    TYPE KEY_A, "given.pub", NULL, NULL, &n, &err) == -1);
		check_problem(rows[i].name, &err, &rows[i].problem);
		check(rows[i].name, n == 0);
		check(rows[i].name, x2gobroker_keys_check_owner(rows[i].name,
		    &err) == -1);
		check_problem(rows[i].name, &err, &rows[i].problem);
	}
	assert_int_equal(x2gobroker_keys_check_owner("alice", NULL), 0);
	assert_int_equal(x2gobroker_keys_add(&config, "carol", TYPE KEY_A, "",
	    NULL, NULL, &n, NULL), -1);
	assert_int_equal(access(config.keys_dir, F_OK), -1);
}

static void
an_unsafe_file_is_not_added_to(void **state unused)
{
	static const char outside[] = "outside\n";
	const char *path = write_file("keys.d/alice.pub", TYPE KEY_B);
	struct problems problems;

	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(change(true, TYPE KEY_A, &problems), 0);
	assert_string_equal(content_of("keys.d/alice.pub"), TYPE KEY_B);
	assert_int_equal(unlink(path), 0);
	write_file("outside", outside);
	assert_int_equal(symlink("../outside", path), 0);
	assert_int_equal(change(true, TYPE KEY_A, &problems), 0);
	assert_int_equal(change(false, NULL, &problems), 0);
	assert_string_equal(content_of("outside"), outside);
	/* what somebody who did not finish has left */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../outside", test_path("keys.d/.new")), 0);
	assert_int_equal(change(true, TYPE KEY_A, &problems), 1);
	assert_string_equal(content_of("outside"), outside);
	assert_string_equal(content_of("keys.d/alice.pub"), TYPE KEY_A "\n");
}

static void
keys_are_removed_by_table(void **state unused)
{
	static const struct {
		const char *why, *before, *text, *after;
		size_t removed;
	} rows[] = {
		{ "one of two", TYPE KEY_A "\n" TYPE KEY_B "\n", TYPE KEY_A,
		    TYPE KEY_B "\n", 1 },
		{ "by key, not by comment", TYPE KEY_A " x\n" TYPE KEY_B " y\n",
		    TYPE KEY_A " y", TYPE KEY_B " y\n", 1 },
		{ "not there", TYPE KEY_B "\n", TYPE KEY_A, TYPE KEY_B "\n",
		    0 },
		{ "no file", NULL, TYPE KEY_A, NULL, 0 },
		{ "the last one", TYPE KEY_A "\n", TYPE KEY_A, NULL, 1 },
		{ "twice", TYPE KEY_A "\n" TYPE KEY_A " x", TYPE KEY_A, NULL,
		    2 },
		{ "comments stay", "# x\n\n" TYPE KEY_A "\n#" TYPE KEY_A,
		    TYPE KEY_A, "# x\n\n#" TYPE KEY_A "\n", 1 },
		{ "with options, not used", "pty " TYPE KEY_A "\n" TYPE KEY_B,
		    TYPE KEY_A, TYPE KEY_B "\n", 1 },
		{ "not used, and another", "x y\n" TYPE KEY_A, TYPE KEY_A,
		    "x y\n", 1 },
		{ "in the comment of another", TYPE KEY_B " " KEY_A "\n",
		    TYPE KEY_A, TYPE KEY_B " " KEY_A "\n", 0 },
		{ "all", TYPE KEY_A "\n#\n" TYPE KEY_B "\nx y\n", NULL, NULL,
		    3 },
		{ "all of none", "# x\n", NULL, "# x\n", 0 },
		{ "all, no file", NULL, NULL, NULL, 0 },
		{ "nothing to remove", TYPE KEY_A "\n", "", TYPE KEY_A "\n",
		    0 },
		{ "no keys to remove", TYPE KEY_A "\n", TYPE KEY_A "\nx",
		    TYPE KEY_A "\n", 0 },
		{ "a private key", TYPE KEY_A "\n", PRIVATE("RSA "),
		    TYPE KEY_A "\n", 0 },
	};
	struct problems problems;
	const char *after;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		unlink(test_path("keys.d/alice.pub"));
		if (rows[i].before != NULL)
			write_file("keys.d/alice.pub", rows[i].before);
		write_file("keys.d/bob.pub", TYPE KEY_A "\n");
		check(rows[i].why, change(false, rows[i].text, &problems) ==
		    rows[i].removed);
		after = content_of("keys.d/alice.pub");
		if (rows[i].after != NULL)
			check_text(rows[i].why, after, rows[i].after);
		else
			check(rows[i].why, after == NULL);
		check_text(rows[i].why, content_of("keys.d/bob.pub"),
		    TYPE KEY_A "\n");
	}
}

static void
keys_of_an_account_that_is_gone_can_be_removed(void **state unused)
{
	struct x2gobroker_error err;
	size_t n;

	write_file("keys.d/carol.pub", TYPE KEY_A);
	assert_int_equal(x2gobroker_keys_remove(&config, "carol", NULL, NULL,
	    NULL, NULL, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_null(content_of("keys.d/carol.pub"));
	write_file("x.pub", TYPE KEY_A);
	assert_int_equal(x2gobroker_keys_remove(&config, "../x", NULL, NULL,
	    NULL, NULL, &n, &err), -1);
	check_problem("../x", &err, &(const struct problem){
	    X2GOBROKER_ERR_VALUE, 0, "must begin with" });
	assert_non_null(content_of("x.pub"));
}

static void
all_that_is_wrong_is_reported(void **state unused)
{
	struct problems problems = { 0 };

	write_file("keys.d/-x.pub", TYPE KEY_B);
	write_file("keys.d/README", "");
	write_file("keys.d/.hidden", "");
	write_file("keys.d/alice.pub", "#\npty " TYPE KEY_A "\n" TYPE KEY_B
	    "\nssh-dss A\n" TYPE KEY_B " again\n");
	write_file("keys.d/bob.pub", TYPE KEY_B "\n" TYPE KEY_C "\n");
	write_file("keys.d/carol.pub", TYPE KEY_A "\n");
	assert_int_equal(chmod(write_file("keys.d/dora.pub", TYPE KEY_A),
	    0666), 0);
	x2gobroker_keys_check(&config, collect, &problems);
	check_problems("check", &problems, (struct problem[]){
	    { X2GOBROKER_ERR_VALUE, 0, "must begin with a letter" },
	    { X2GOBROKER_WARNING, 0, "does not end in .pub" },
	    { X2GOBROKER_ERR_VALUE, 2, "not used: options before a key" },
	    { X2GOBROKER_ERR_VALUE, 4, "not used: OpenSSH no longer accepts DSA" },
	    { X2GOBROKER_ERR_UNSAFE, 0, "others may write it" },
	    { X2GOBROKER_ERR_NOTFOUND, 0, "account carol cannot be looked" },
	    { X2GOBROKER_WARNING, 5, "the same key is in line 3" },
	    { X2GOBROKER_ERR_VALUE, 1, "alice.pub:5: a key of two users" },
	    { 0 } });
}

static void
a_directory_may_be_missing_unless_it_is_named(void **state unused)
{
	struct problems problems = { 0 };

	config.keys_dir = test_path("none");
	config.keys_dir_set = false;
	x2gobroker_keys_check(&config, collect, &problems);
	assert_int_equal(problems.n, 0);
	config.keys_dir_set = true;
	x2gobroker_keys_check(&config, collect, &problems);
	check_problems("named", &problems, (struct problem[]){
	    { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" }, { 0 } });
	config.keys_dir = "";
	problems.n = 0;
	x2gobroker_keys_check(&config, collect, &problems);
	assert_int_equal(problems.n, 0);
}

/* Key number i, as a line. */
static const char *
numbered_key(int i)
{
	static char line[200];
	uint8_t data[51] = "\0\0\0\13ssh-ed25519\0\0\0\40";
	char text[100];

	data[sizeof(data) - 1] = (uint8_t)i;
	base64_encode(data, sizeof(data), text);
	snprintf(line, sizeof(line), TYPE "%s key %d\n", text, i);
	return line;
}

static void
many_at_a_time_lose_nothing(void **state unused)
{
	const char *text;
	size_t n;
	int i, status;

	for (i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(x2gobroker_keys_add(&config, "alice",
			    numbered_key(i), "", NULL, NULL, &n, NULL) == 0 &&
			    n == 1 ? 0 : 1);
	for (i = 0; i < 20; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	text = content_of("keys.d/alice.pub");
	for (i = 0; i < 20; i++)
		assert_non_null(strstr(text, numbered_key(i)));
	assert_int_equal(strlen(text), 20 * strlen(numbered_key(0)) + 10);
}

static void
whoever_has_the_lock_is_waited_for(void **state unused)
{
	struct problems problems;
	int status, fd;

	write_file("keys.d/.lock", "");
	fd = open(test_path("keys.d/.lock"), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	if (fork() == 0) {
		close(fd);	/* else it would have the lock, too */
		_exit(change(true, TYPE KEY_A, &problems) == 1 ? 0 : 1);
	}
	usleep(300000);
	assert_null(content_of("keys.d/alice.pub"));
	close(fd);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_non_null(content_of("keys.d/alice.pub"));
}

/* A key that is lost for want of memory could be the one that forbids. */
/*
 * The index
 */

#define INDEX	"state/" KEYINDEX_DIR "/" KEYINDEX_FILE

/* Files of other users; their keys are of no interest. */
static void
make_crowd(size_t n)
{
	char entry[40];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(entry, sizeof(entry), "keys.d/u%zu.pub", i);
		write_file(entry, TYPE KEY_C "\n");
	}
	write_file("keys.d/alice.pub", "# x\n" TYPE KEY_A "\n" TYPE KEY_B);
	write_file("keys.d/bob.pub", "");
}

static bool
has_index(void)
{
	return access(test_path(INDEX), F_OK) == 0;
}

/* Nothing was changed for a while, so that there is an index. */
static void
begin_with_index(void)
{
	struct problems problems;

	ahead = 5;
	make_dir("state");
	make_crowd(KEYINDEX_FILES_MIN);
	check_found("the first one", "alice", &problems);
	assert_true(has_index());
	check_found("by the index", "alice", &problems);
	assert_int_equal(problems.n, 0);
}

/* KEY_A is that of two users, which is found. */
static void
check_two_owners(const char *label)
{
	struct x2gobroker_error err;
	struct problems problems;
	int result;

	assert_null(find(&result, &problems, &err));
	check(label, result == -1 && err.code == X2GOBROKER_ERR_DENIED);
}

static void
an_index_is_made_of_many_files(void **state unused)
{
	struct problems problems;
	char moved[200];

	make_dir("state");
	make_crowd(KEYINDEX_FILES_MIN - 3);
	ahead = 5;
	check_found("few", "alice", &problems);
	assert_false(has_index());
	write_file("keys.d/u.pub", TYPE KEY_C);
	ahead = 0;
	check_found("just changed", "alice", &problems);
	assert_false(has_index());
	ahead = 5;
	config.state_dir = "/nonexistent/state";
	check_found("nowhere to write it", "alice", &problems);
	config.state_dir = state_dir;
	check_found("many", "alice", &problems);
	assert_true(has_index());
	/* root must not make the broker account's directory */
	snprintf(moved, sizeof(moved), "%s-moved", state_dir);
	assert_int_equal(rename(state_dir, moved), 0);
	check_found("no state-dir", "alice", &problems);
	assert_int_equal(access(state_dir, F_OK), -1);
}

/* The bound that the manual tells. */
static void
an_index_is_trusted_for_ten_minutes(void **state unused)
{
	struct problems problems;

	begin_with_index();
	write_file("keys.d/bob.pub", TYPE KEY_A);
	check_found("bob's file was changed in place", "alice", &problems);
	ahead = KEYINDEX_SECONDS + 5;
	check_two_owners("ten minutes later");
	ahead = -3600;
	check_two_owners("the clock was set back");
}

/* It is read in parts.  Only the index says that bob has not the same key. */
static void
a_large_index_is_searched_to_its_end(void **state unused)
{
	const char *print = PRINT_A + strlen("SHA256:");
	struct buf text = { 0 };
	struct problems problems;
	char mark[100];
	size_t at;

	begin_with_index();
	write_file("keys.d/bob.pub", TYPE KEY_A);
	snprintf(mark, sizeof(mark), "%s", content_of(INDEX));
	mark[strcspn(mark, "\n")] = '\0';
	for (at = KEYINDEX_PART - 70; at < KEYINDEX_PART + 20; at++) {
		buf_truncate(&text, 0);
		buf_puts(&text, mark);
		while (text.len + 50 < at)
			buf_puts(&text, "\nu1.pub 0123456789");
		buf_printf(&text, "\n%.*s", (int)(at - text.len - 1),
		    "0123456789012345678901234567890123456789012345678901");
		buf_printf(&text, "\nalice.pub x %s", print);
		while (text.len < (at % 3 + 1) * KEYINDEX_PART)
			buf_puts(&text, "\nu1.pub 0123456789");
		write_file(INDEX, text.data);
		check_found("by a large one", "alice", &problems);
	}
	buf_printf(&text, "\nbob.pub %s\n", print);
	write_file(INDEX, text.data);
	check_two_owners("in two parts");
	/* a line that is too long, so all files are read */
	buf_truncate(&text, 0);
	buf_printf(&text, "%s\nu1.pub %0*d\nalice.pub %s\n", mark,
	    KEYINDEX_PART, 0, print);
	write_file(INDEX, text.data);
	check_two_owners("a line without an end");
	buf_free(&text);
}

static void
a_stale_index_is_not_believed(void **state unused)
{
	struct problems problems;
	char moved[200];

	begin_with_index();
	write_file("keys.d/a.b-c@d_1.pub", TYPE KEY_A);
	check_two_owners("a new file");
	assert_int_equal(unlink(test_path("keys.d/a.b-c@d_1.pub")), 0);
	check_found("it is gone", "alice", &problems);
	check_owner("revoked in place", "", NULL, &problems);
	write_file("keys.d/bob.pub", TYPE KEY_A);
	check_found("moved in place", "bob", &problems);
	assert_int_equal(unlink(test_path("keys.d/bob.pub")), 0);
	check_found("gone", NULL, &problems);
	snprintf(moved, sizeof(moved), "%s/old", test_dir);
	assert_int_equal(rename(config.keys_dir, moved), 0);
	make_dir("keys.d");
	check_found("another directory", NULL, &problems);
}

static void
a_planted_index_lets_nobody_in(void **state unused)
{
	static const char *const lines[] = {
		"", "alice.pub", "bob.pub @", "u1.pub @", "../alice.pub @",
		"/etc/passwd @", ".alice.pub @", "alice @", " @", "@",
		"alice.pub @\nbob.pub @", "bob.pub\n@",
		"none.pub @\nalice.pub @", "alice.pub @\nalice.pub @",
	};
	struct buf text = { 0 };
	const char *print = PRINT_A + strlen("SHA256:");
	struct problems problems;
	char mark[100];
	const char *p;
	size_t i;

	begin_with_index();
	snprintf(mark, sizeof(mark), "%s", content_of(INDEX));
	mark[strcspn(mark, "\n")] = '\0';
	for (i = 0; i < LENGTH(lines); i++) {
		buf_printf(&text, "%s\n", mark);
		for (p = lines[i]; *p != '\0'; p++)
			buf_printf(&text, *p == '@' ? "%s" : "%.1s",
			    *p == '@' ? print : p);
		write_file(INDEX, text.data);
		check_found(lines[i], "alice", &problems);
		write_file(INDEX, text.data + strlen(mark) + 1);
		check_found(lines[i], "alice", &problems);
		buf_truncate(&text, 0);
	}
	buf_printf(&text, "%s\n%0500d %s\n", mark, 0, print);
	write_file(INDEX, text.data);
	check_found("a name without an end", "alice", &problems);

	/* others must not hide the second owner of a key */
	write_file("keys.d/bob.pub", TYPE KEY_A);
	buf_truncate(&text, 0);
	buf_printf(&text, "%s\nalice.pub %s\n", mark, print);
	write_file(INDEX, text.data);
	check_found("by us", "alice", &problems);
	assert_int_equal(chmod(test_path(INDEX), 0666), 0);
	check_two_owners("everybody's");
	write_file(INDEX, text.data);
	buf_free(&text);
	assert_int_equal(chmod(test_path("state"), 0777), 0);
	check_two_owners("in a directory of everybody's");
}

static void
without_an_index_all_is_as_it_was(void **state unused)
{
	struct problems problems;

	begin_with_index();
	assert_int_equal(unlink(test_path(INDEX)), 0);
	make_dir(INDEX);
	check_found("a directory", "alice", &problems);
	assert_int_equal(rmdir(test_path(INDEX)), 0);
	assert_int_equal(mkfifo(test_path(INDEX), 0600), 0);
	check_found("a pipe", "alice", &problems);
	assert_int_equal(unlink(test_path(INDEX)), 0);
	assert_int_equal(symlink("/etc/passwd", test_path(INDEX)), 0);
	check_found("a link", "alice", &problems);
	assert_int_equal(unlink(test_path(INDEX)), 0);
	check_found("nothing", "alice", &problems);
	assert_true(has_index());
}

static void
without_memory_a_key_is_nobodys(void **state unused)
{
	struct x2gobroker_error err;
	char *name;
	int i, result = -1;

	write_file("keys.d/alice.pub", TYPE KEY_A);
	for (i = 1; countdown == 0; i++) {
		countdown = i;
		result = x2gobroker_keys_find(&config, "ssh-ed25519", KEY_A,
		    NULL, NULL, &name, &err);
		assert_true(i < 100);
		/* the index can do without */
		if (result == -1)
			check(err.text, err.code == X2GOBROKER_ERR_NOMEM ||
			    err.code == X2GOBROKER_ERR_SYSTEM);
		else
			assert_string_equal(name, "alice");
		free(name);
	}
	assert_true(i > 5);
	assert_int_equal(result, 0);

	write_file("keys.d/bob.pub", TYPE KEY_A);
	countdown = 0;
	for (i = 1; countdown == 0 && i < 100; i++) {
		countdown = i;
		assert_int_equal(x2gobroker_keys_find(&config, "ssh-ed25519",
		    KEY_A, NULL, NULL, &name, NULL), -1);
		assert_null(name);
	}
	assert_true(countdown > 0);	/* more than there are */
	countdown = 0;
}

static void
without_memory_nothing_is_changed(void **state unused)
{
	static const char before[] = TYPE KEY_B "\n" TYPE KEY_C "\n";
	int i, adding;
	size_t n = 0;

	for (adding = 1; adding >= 0; adding--) {
		for (i = 1; n == 0; i++) {
			write_file("keys.d/alice.pub", before);
			countdown = i;
			if ((adding ? x2gobroker_keys_add :
			    x2gobroker_keys_remove)(&config, "alice",
			    adding ? TYPE KEY_A "\n" TYPE KEY_B : TYPE KEY_B,
			    "", NULL, NULL, &n, NULL) == -1) {
				countdown = 0;
				assert_string_equal(content_of(
				    "keys.d/alice.pub"), before);
			}
			assert_true(i < 100);
		}
		assert_true(i > 5);
		countdown = 0;
		n = 0;
		assert_string_equal(content_of("keys.d/alice.pub"), adding ?
		    TYPE KEY_B "\n" TYPE KEY_C "\n" TYPE KEY_A "\n" :
		    TYPE KEY_C "\n");
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_site, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_judged_by_table),
		test(a_key_leads_to_whose_file_it_is_in),
		test(what_is_no_line_of_a_key_is_not_used),
		test(a_nul_does_not_hide_what_is_behind_it),
		test(a_key_of_two_users_is_nobodys),
		test(an_account_must_exist_by_that_very_name),
		test(files_with_other_names_are_not_used),
		test(files_of_others_and_links_are_not_used),
		test(a_file_that_only_root_can_read_keeps_nobody_out),
		test(a_directory_that_cannot_be_used_has_nobodys_keys),
		test(a_path_that_is_too_long_has_nobodys_keys),
		test(what_sshd_asks_must_be_a_key),
		test(keys_are_added_behind_those_that_are_there),
		test(what_was_done_is_told_for_each_key),
		test(a_directory_that_is_missing_is_made),
		test(what_is_no_public_key_is_not_added),
		test(keys_are_added_for_accounts_alone),
		test(an_unsafe_file_is_not_added_to),
		test(keys_are_removed_by_table),
		test(keys_of_an_account_that_is_gone_can_be_removed),
		test(all_that_is_wrong_is_reported),
		test(a_directory_may_be_missing_unless_it_is_named),
		test(many_at_a_time_lose_nothing),
		test(whoever_has_the_lock_is_waited_for),
		test(an_index_is_made_of_many_files),
		test(an_index_is_trusted_for_ten_minutes),
		test(a_large_index_is_searched_to_its_end),
		test(a_stale_index_is_not_believed),
		test(a_planted_index_lets_nobody_in),
		test(without_an_index_all_is_as_it_was),
		test(without_memory_a_key_is_nobodys),
		test(without_memory_nothing_is_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
