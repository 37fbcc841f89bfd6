/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's authorized_keys: which lines are taken, what becomes of a text,
 * where the file may be, and what happens to it there.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <time.h>

#include "keyfile.h"
#include "keypath.h"
#include "support.h"
#include "temporarykey.h"

#define ED(middle)	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" middle
#define KEY_A	ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ")
#define KEY_B	ED("CUuhl+bpWVFigvdYEHFMU0XcUJKExiMVgyduwzquU5w")
#define KEY_C	ED("A96bJf87W7erzzZYlMePrALThmVA83mW5trEV+aGbn6")
#define ECDSA	"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbml" \
	"zdHAyNTYAAABBBEYkmiP06bdmWDWYjeILCDLLsguVY/ryB2Hat5u5hCSScTJ5rRnQ" \
	"CQttI7XpTApyuJa6XcCWpR9ap4F8KS3vJEk="
#define RSA	"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCy1u5JQEPBn6ozo5BwK+sc" \
	"qvtipE1zhRLqr8KofQdIELLQAldur7OiPlEc65BhAr1KiBpbh9A4ePsmJqGrBVhVU" \
	"zCsIWoMziwM6VJ3cP0noA/nV039PzCBkWJ+HwPVZkngsJTQthDCdolHCuAHnaAT9Z" \
	"fPaLVcbKL6GDn7Qo+T9Ey4WtZT0q1P4x9WZzaGLUdguAAH4yO+AjNUfgtQNkzsGMc" \
	"z+sdNjk/S9FCAW8FijQwbmYBM84lZVqJpldJ79/nCD1qmlFsO1bCbRh5cD0Rx1VHG" \
	"VMgegiiEVuj6TFu1U6wykg1F+s41Ypv5nWvUy2R2W9dGnXSCB1O5o+cXeh/v"

/* Temporary lines, at NOW: one that is good, and one that was. */
#define NOW		1700000000	/* 2023-11-14 22:13:20 UTC */
#define MARK		" x2gobroker:alice@192.0.2.1"
#define OURS(key)	"restrict,pty,expiry-time=\"20231114221400Z\" " key MARK
#define LATER(key)	"restrict,pty,expiry-time=\"20231114221500Z\" " key MARK
#define OVER(key)	"restrict,pty,expiry-time=\"20231114221319Z\" " key MARK
#define PYTHONS(key)	"no-X11-forwarding,no-pty,no-user-rc " key " alice@::1"

static struct x2gobroker_error err;

/*
 * New lines
 */

/* as it is given, and as it is written; NULL: the same */
static const char *const good_lines[][2] = {
	{ OURS(KEY_A), NULL },
	{ PYTHONS(RSA), NULL },
	{ "restrict " ECDSA, NULL },
	{ "no-pty " KEY_A " a comment of words", NULL },
	{ "restrict,port-forwarding,agent-forwarding,X11-forwarding " KEY_A,
	    NULL },
	{ "no-port-forwarding,no-agent-forwarding " KEY_A, NULL },
	{ "from=\"192.0.2.0/24,!*.example.org,fe80::?\",restrict " KEY_A,
	    NULL },
	{ "expiry-time=\"20301231\" " KEY_A, NULL },
	{ "expiry-time=\"203012312359\" " KEY_A, NULL },
	{ "expiry-time=\"203012312359Z\" " KEY_A, NULL },
	/* quotes that did not come through */
	{ "restrict,expiry-time=20301231235900Z " KEY_A,
	    "restrict,expiry-time=\"20301231235900Z\" " KEY_A },
	{ "from=192.0.2.1 " KEY_A, "from=\"192.0.2.1\" " KEY_A },
	{ "  restrict   " KEY_A "   x  y  ", "restrict " KEY_A " x  y" },
};

static const char *const bad_lines[][2] = {
	{ "", "no key" },
	{ "   ", "no key" },
	{ "#" OURS(KEY_A), "no key" },
	{ "restrict", "no key" },
	{ "restrict ssh-rsa", "no key" },
	{ "restrict\n" KEY_A, "no key" },
	{ KEY_A, "must have options" },
	{ KEY_A MARK, "must have options" },
	{ ", " KEY_A, "not allowed" },
	{ ",restrict " KEY_A, "not allowed" },
	{ "command=\"id\" " KEY_A, "command" },
	{ "restrict,command=\"id\" " KEY_A, "command" },
	{ "restrict,Command=\"id\" " KEY_A, "Command" },
	{ "environment=\"LD_PRELOAD=/tmp/x\" " KEY_A, "environment" },
	{ "permitopen=\"*:*\" " KEY_A, "permitopen" },
	{ "permitlisten=\"*\" " KEY_A, "permitlisten" },
	{ "principals=\"root\" " KEY_A, "principals" },
	{ "cert-authority " KEY_A, "cert-authority" },
	{ "tunnel=\"0\" " KEY_A, "tunnel" },
	{ "user-rc " KEY_A, "user-rc" },
	{ "no-touch-required " KEY_A, "no-touch" },
	{ "restrictx " KEY_A, "restrictx" },
	{ "RESTRICT " KEY_A, "RESTRICT" },
	{ "restrict=\"\" " KEY_A, "restrict" },
	{ "restrict,restrict " KEY_A, "duplicate" },
	{ "expiry-time=\"20301231\",expiry-time=\"20311231\" " KEY_A, "duplicate" },
	{ "expiry-time " KEY_A, "not allowed" },
	{ "expiry-time=\"\" " KEY_A, "value" },
	{ "expiry-time=\"2030\" " KEY_A, "YYYY" },
	{ "expiry-time=\"20301331\" " KEY_A, "YYYY" },
	{ "expiry-time=\"always\" " KEY_A, "value" },
	{ "expiry-time=\"20301231 " KEY_A, "no key" },
	{ "from=\"\" " KEY_A, "value" },
	{ "from=\"a b\" " KEY_A, "value" },
	{ "from=\"a\\\"b\" " KEY_A, "value" },
	{ "from=\"a\",command=\"id\" " KEY_A, "command" },
	{ "from=\"a\"command=\"id\" " KEY_A, "value" },
	{ "from=\"$(id)\" " KEY_A, "value" },
	{ "restrict " KEY_A " a;b", "comment" },
	{ "restrict " KEY_A " $(id)", "comment" },
	{ "restrict " KEY_A " a\nssh-rsa", "comment" },
	{ "restrict " KEY_A " a\tb", "comment" },
	{ "restrict " KEY_A " \"a\"", "comment" },
	{ "restrict " KEY_A " b\xc3\xbcro", "comment" },
	{ "restrict " KEY_A "x", "damaged" },
	{ "restrict " KEY_A "\nx", "damaged" },
	{ "restrict ssh-ed25519 AAAA", "damaged" },
	{ "restrict ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIF0zx0rJE0JvvYFpX8QXzNM6tj"
	    "uvP5S+jKMaU2F2LZcJ", "another type" },
	{ "restrict ssh-dss AAAAB3NzaC1kc3M=", "DSA" },
	{ "restrict sk-ssh-ed25519@openssh.com AAAA", "damaged" },
	{ "restrict ssh-ed25519-cert-v01@openssh.com AAAA", "certificate" },
};

static void
test_good_lines(void **state unused)
{
	size_t i;

	for (i = 0; i < LENGTH(good_lines); i++) {
		const char *line = good_lines[i][0];
		struct buf out = { 0 };

		if (temporarykey_make(line, END_ANY, NOW, &out, &err) == -1)
			fail_msg("[%s] %s", line, err.text);
		check_text(line, out.data, good_lines[i][1] != NULL ?
		    good_lines[i][1] : line);
		buf_free(&out);
	}
}

static void
test_bad_lines(void **state unused)
{
	size_t i;

	for (i = 0; i < LENGTH(bad_lines); i++) {
		const char *line = bad_lines[i][0];
		struct buf out = { 0 };

		check(line, temporarykey_make(line, END_ANY, NOW, &out, &err) == -1);
		if (strstr(err.text, bad_lines[i][1]) == NULL)
			fail_msg("[%s] \"%s\" does not say \"%s\"", line,
			    err.text, bad_lines[i][1]);
		buf_free(&out);
	}
}

static void
test_line_length(void **state unused)
{
	static char line[TEMPORARYKEY_MAX + 2];
	struct buf out = { 0 };
	int n = snprintf(line, sizeof(line), "restrict %s ", KEY_A);

	memset(line + n, 'x', sizeof(line) - 1 - (size_t)n);
	assert_int_equal(temporarykey_make(line, END_ANY, NOW, &out, &err), -1);
	assert_non_null(strstr(err.text, "8 KiB"));
	line[TEMPORARYKEY_MAX] = '\0';
	assert_int_equal(temporarykey_make(line, END_ANY, NOW, &out, &err), 0);
	buf_free(&out);
}

/* What addauthkey makes of a line at NOW, by the clock of the server. */
static const struct {
	const char *line;
	enum temporarykey_end end;
	const char *written;	/* or a piece of why it is refused */
	bool refused;
} new_lines[] = {
	{ OURS(KEY_A), END_AS_SENT, OURS(KEY_A), false },
	{ "restrict,expiry-time=20231114231320Z " KEY_A MARK, END_AS_SENT,
	    "restrict,expiry-time=\"20231114231320Z\" " KEY_A MARK, false },
	/* TZ is two hours ahead, and sshd knows no summer time */
	{ OURS(KEY_A), END_LOCAL,
	    "restrict,pty,expiry-time=\"20231115001400\" " KEY_A MARK, false },
	{ "restrict,expiry-time=\"20231115001400\" " KEY_A MARK, END_LOCAL,
	    "restrict,expiry-time=\"20231115001400\" " KEY_A MARK, false },
	/* the agent marks the line and ends it */
	{ "restrict,expiry-time=\"20231114221321Z\" " KEY_A, END_AS_SENT,
	    "restrict,expiry-time=\"20231114221321Z\" " KEY_A " x2gobroker",
	    false },
	{ "restrict,expiry-time=\"20231114221321Z\" " KEY_A " x2gobrokers",
	    END_AS_SENT, "restrict,expiry-time=\"20231114221321Z\" " KEY_A
	    " x2gobroker x2gobrokers", false },
	{ PYTHONS(KEY_A), END_AS_SENT, "no-X11-forwarding,no-pty,no-user-rc,"
	    "expiry-time=\"20231115001420\" " KEY_A " x2gobroker alice@::1",
	    false },
	/* no other end than one within an hour */
	{ "restrict,expiry-time=\"20231114221320Z\" " KEY_A MARK, END_AS_SENT,
	    "0 seconds ago", true },
	{ OVER(KEY_A), END_AS_SENT, "1 seconds ago by the clock of this server;"
	    " from 1 to 3600 seconds ahead are allowed.  If the broker asked "
	    "for less, the clocks differ", true },
	{ OVER(KEY_A), END_LOCAL, "1 seconds ago", true },
	{ "restrict,expiry-time=\"20231114231321Z\" " KEY_A MARK, END_AS_SENT,
	    "3601 seconds ahead", true },
	{ "restrict,expiry-time=\"99991231235959Z\" " KEY_A MARK, END_LOCAL,
	    "seconds ahead", true },
	{ "restrict,expiry-time=\"20231115\" " KEY_A MARK, END_AS_SENT,
	    "seconds ago", true },
	{ "restrict,expiry-time=\"\" " KEY_A MARK, END_AS_SENT, "value",
	    true },
	{ KEY_A MARK, END_AS_SENT, "must have options", true },
};

static void
test_every_new_key_ends_within_an_hour(void **state unused)
{
	size_t i;

	setenv("TZ", "EET-2EEST", 1);
	tzset();
	for (i = 0; i < LENGTH(new_lines); i++) {
		const char *line = new_lines[i].line;
		struct buf out = { 0 };
		int result = temporarykey_make(line, new_lines[i].end, NOW,
		    &out, &err);

		check(line, result == (new_lines[i].refused ? -1 : 0));
		if (result == 0)
			check_text(line, out.data, new_lines[i].written);
		else if (strstr(err.text, new_lines[i].written) == NULL)
			fail_msg("[%s] \"%s\" does not say \"%s\"", line,
			    err.text, new_lines[i].written);
		buf_free(&out);
	}
	unsetenv("TZ");
	tzset();
}

/* Lines that are there already. */
static void
test_expired(void **state unused)
{
	static const struct {
		const char *line;
		bool temporary, expired;
	} rows[] = {
		{ OURS(KEY_A), true, false },
		{ OVER(KEY_A), true, true },
		{ OVER(KEY_A) "\r", true, true },
		{ "expiry-time=\"20231114221320Z\" " KEY_A " x2gobroker", true,
		    true },
		{ "\t expiry-time=\"20231114221319Z\"\t" KEY_A
		    "\tx2gobroker\tx", true, true },
		{ "command=\"echo \\\"a b\\\", expiry-time\",expiry-time="
		    "\"20231114221319Z\" " KEY_A " x2gobroker", true, true },
		/* somebody else's */
		{ "expiry-time=\"20231114221319Z\" " KEY_A " alice", false,
		    false },
		{ "expiry-time=\"20231114221319Z\" " KEY_A " x2gobrokers",
		    false, false },
		{ "expiry-time=\"20231114221319Z\" " KEY_A " a x2gobroker",
		    false, false },
		{ "expiry-time=\"20231114221319Z\" " KEY_A, false, false },
		{ "restrict " KEY_A " x2gobroker", false, false },
		{ KEY_A " x2gobroker", false, false },
		{ "command=\"expiry-time=20231114221319Z\" " KEY_A
		    " x2gobroker", false, false },
		{ "command=\",expiry-time=20231114221319Z\" " KEY_A
		    " x2gobroker", false, false },
		{ "expiry-time=\"never\" " KEY_A " x2gobroker", false, false },
		{ "xexpiry-time=\"20231114221319Z\" " KEY_A " x2gobroker",
		    false, false },
	};
	struct keyline line;
	time_t expiry;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *text = rows[i].line;

		check(text, keyline_split(text, strlen(text), &line));
		check(text, temporarykey_check(&line, &expiry) ==
		    rows[i].temporary);
		check(text, (rows[i].temporary && expiry <= NOW) ==
		    rows[i].expired);
	}
}

/*
 * Texts
 */

static const struct {
	const char *label, *before;
	enum key_change change;
	const char *line, *after;	/* NULL: as before */
} texts[] = {
	{ "first", "", KEY_ADD, OURS(KEY_A), OURS(KEY_A) "\n" },
	{ "behind", KEY_B "\n", KEY_ADD, OURS(KEY_A),
	    KEY_B "\n" OURS(KEY_A) "\n" },
	{ "behind an open line", KEY_B, KEY_ADD, OURS(KEY_A),
	    KEY_B "\n" OURS(KEY_A) },
	{ "duplicate", OURS(KEY_A) "\n", KEY_ADD, OURS(KEY_A), NULL },
	{ "twice, with CR", OURS(KEY_A) "\r\n", KEY_ADD, OURS(KEY_A), NULL },
	{ "a new time", OURS(KEY_A) "\n", KEY_ADD, LATER(KEY_A),
	    LATER(KEY_A) "\n" },
	{ "a permanent key", "x\n" KEY_A "\ny\n", KEY_ADD, OURS(KEY_A), NULL },
	{ "expired ones go", OVER(KEY_B) "\n" KEY_C "\n" OVER(KEY_B), KEY_ADD,
	    OURS(KEY_A), KEY_C "\n" OURS(KEY_A) },
	{ "expired itself", OVER(KEY_A) "\n", KEY_ADD, OURS(KEY_A),
	    OURS(KEY_A) "\n" },
	{ "of somebody else", OURS(KEY_B) "\n", KEY_ADD, OURS(KEY_A),
	    OURS(KEY_B) "\n" OURS(KEY_A) "\n" },
	{ "other text", "#\n\n  \nnonsense \"\n\377\n", KEY_ADD, OURS(KEY_A),
	    "#\n\n  \nnonsense \"\n\377\n" OURS(KEY_A) "\n" },
	{ "Python's", KEY_B "\n", KEY_ADD, PYTHONS(KEY_A),
	    KEY_B "\n" PYTHONS(KEY_A) "\n" },

	{ "the only one", OURS(KEY_A) "\n", KEY_REMOVE, OURS(KEY_A), "" },
	{ "the only one, open", OURS(KEY_A), KEY_REMOVE, OURS(KEY_A), "" },
	{ "by its key", "#\n" LATER(KEY_A) "\n", KEY_REMOVE, OURS(KEY_A),
	    "#\n" },
	{ "all of them", OURS(KEY_A) "\nx\n" LATER(KEY_A) "\n", KEY_REMOVE,
	    OURS(KEY_A), "x\n" },
	{ "from an open line", KEY_B "\n" OURS(KEY_A), KEY_REMOVE, OURS(KEY_A),
	    KEY_B },
	{ "in the middle", KEY_B "\n" OURS(KEY_A) "\n\n" KEY_C, KEY_REMOVE,
	    OURS(KEY_A), KEY_B "\n\n" KEY_C },
	{ "not there", KEY_B "\n", KEY_REMOVE, OURS(KEY_A), NULL },
	{ "nothing there", "", KEY_REMOVE, OURS(KEY_A), NULL },
	{ "a permanent key stays", KEY_A "\n" KEY_A " alice\nrestrict " KEY_A
	    MARK "\n", KEY_REMOVE, OURS(KEY_A), NULL },
	{ "in a comment", "#" OURS(KEY_A) "\n", KEY_REMOVE, OURS(KEY_A),
	    NULL },
	{ "in a command", "command=\"" KEY_A "\" " KEY_B "\n", KEY_REMOVE,
	    OURS(KEY_A), NULL },
	{ "Python's again", KEY_B "\n" PYTHONS(KEY_A) "\n", KEY_REMOVE,
	    PYTHONS(KEY_A), KEY_B "\n" },
	{ "not Python's", PYTHONS(KEY_A) "\n", KEY_REMOVE, OURS(KEY_A), NULL },
	{ "expired ones go, too", OVER(KEY_B) "\n" KEY_C "\n", KEY_REMOVE,
	    OURS(KEY_A), KEY_C "\n" },
};

static void
test_texts(void **state unused)
{
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		const char *after = texts[i].after != NULL ? texts[i].after :
		    texts[i].before;
		struct buf out = { 0 };

		keyfile_edit(texts[i].before, strlen(texts[i].before),
		    texts[i].change, texts[i].line, NOW, &out);
		check_text(texts[i].label, out.data != NULL ? out.data : "",
		    after);
		buf_free(&out);
	}
}

/* Whatever was there before, and in whatever order they go again. */
static void
test_there_and_back(void **state unused)
{
	static const char *const before[] = { "", "\n", "\n\n", KEY_C,
	    KEY_C "\n", "#", "\n#", "a\n\nb", "a\r\nb\r\n", KEY_C " x2gobroker",
	    "\"", "a\\" };
	static const char *const lines[] = { OURS(KEY_A), OURS(KEY_B) };
	struct buf texts_[5];
	size_t i, order, step;

	for (i = 0; i < LENGTH(before); i++)
		for (order = 0; order < 2; order++) {
			memset(texts_, 0, sizeof(texts_));
			buf_puts(&texts_[0], before[i]);
			for (step = 0; step < 4; step++)
				keyfile_edit(texts_[step].len > 0 ?
				    texts_[step].data : "", texts_[step].len,
				    step < 2 ? KEY_ADD : KEY_REMOVE,
				    lines[step < 2 ? step : (step + order) %
				    2], NOW, &texts_[step + 1]);
			check_text(before[i], texts_[4].data != NULL ?
			    texts_[4].data : "", before[i]);
			for (step = 0; step < 5; step++)
				buf_free(&texts_[step]);
		}
}

/*
 * Paths
 */

static char name[] = "alice", home[] = "/home/alice", shell[] = "/bin/sh";

static const struct {
	const char *home, *template;
	const char *path;	/* or, where it is refused, a piece of why */
	const char *below;	/* NULL: it is refused */
} paths[] = {
	{ "/home/alice", "%h/.x2go/authorized_keys",
	    "/home/alice/.x2go/authorized_keys", ".x2go/authorized_keys" },
	{ "/home/alice", ".x2go/authorized_keys",
	    "/home/alice/.x2go/authorized_keys", ".x2go/authorized_keys" },
	{ "/home/alice", "authorized_keys", "/home/alice/authorized_keys",
	    "authorized_keys" },
	{ "/home/alice", "/home/alice/.ssh/authorized_keys2",
	    "/home/alice/.ssh/authorized_keys2", ".ssh/authorized_keys2" },
	{ "/home/alice//", "%h/.ssh/authorized_keys",
	    "/home/alice/.ssh/authorized_keys", ".ssh/authorized_keys" },
	{ "/", "%h/.ssh/authorized_keys", "/.ssh/authorized_keys",
	    ".ssh/authorized_keys" },
	{ "/", ".ssh/authorized_keys", "/.ssh/authorized_keys",
	    ".ssh/authorized_keys" },
	{ "/home/alice", "%u/%U-%G%%%u/authorized_keys.%u",
	    "/home/alice/alice/1000-1001%alice/authorized_keys.alice",
	    "alice/1000-1001%alice/authorized_keys.alice" },
	{ "/home/%u", "%h/authorized_keys", "/home/%u/authorized_keys",
	    "authorized_keys" },
	{ "/home/alice", "/var/lib/keys/%u/authorized_keys",
	    "/var/lib/keys/alice/authorized_keys",
	    "var/lib/keys/alice/authorized_keys" },
	{ "/home/alice", "/var/lib/keys/%u/%u", "/var/lib/keys/alice/alice",
	    "var/lib/keys/alice/alice" },
	{ "/home/alice", "/home/alice2/authorized_keys",
	    "/home/alice2/authorized_keys", "home/alice2/authorized_keys" },
	/* refused */
	{ "/home/alice", "", "empty component" },
	{ "/home/alice", "%h", "empty component" },
	{ "/home/alice", "%hx", "does not begin with" },
	{ "/", "%h", "absolute path" },
	{ "/", "%hauthorized_keys", "absolute path" },
	{ "/home/alice", "%h/", "empty component" },
	{ "/home/alice", "/", "empty component" },
	{ "/home/alice", "%h//authorized_keys", "empty component" },
	{ "/home/alice", "//authorized_keys", "empty component" },
	{ "/home/alice", "%h/authorized_keys/", "empty component" },
	{ "/home/alice", "%h/../bob/authorized_keys", "component . or .." },
	{ "/home/alice", "../bob/authorized_keys", "component . or .." },
	{ "/home/alice", "%h/./authorized_keys", "component . or .." },
	{ "/home/alice", "%h/authorized_keys/..", "component . or .." },
	{ "/home/alice", "%h/.", "component . or .." },
	{ "/home/alice", "%h/.bashrc", "does not begin with" },
	{ "/home/alice", "%h/.ssh/rc", "does not begin with" },
	{ "/home/alice", "%h/x-authorized_keys", "does not begin with" },
	{ "/home/alice", "%h/alice", "does not begin with" },
	{ "/home/alice", "/etc/passwd", "does not begin with" },
	{ "/home/alice", "%d/authorized_keys", "not one of" },
	{ "/home/alice", "%h/authorized_keys%", "not one of" },
	{ "/home/alice", "%h/authorized_keys\n", "control" },
};

static void
test_paths(void **state unused)
{
	struct account account = { .name = name, .shell = shell, .uid = 1000,
	    .gid = 1001 };
	struct keypath path;
	size_t i;

	for (i = 0; i < LENGTH(paths); i++) {
		const char *label = paths[i].template;
		int result;

		account.home = strdup(paths[i].home);
		result = keypath_make(label, &account, &path, &err);
		if (paths[i].below == NULL) {
			check(label, result == -1);
			check(label, strstr(err.text, paths[i].path) != NULL);
		} else {
			check(label, result == 0);
			check_text(label, path.text, paths[i].path);
			check_text(label, path.below, paths[i].below);
		}
		free(account.home);
	}
}

static void
test_path_length(void **state unused)
{
	const struct account account = { .name = name, .home = home };
	static char template[2 * KEYPATH_SIZE];
	struct keypath path;

	memset(template, 'a', sizeof(template) - 1);
	assert_int_equal(keypath_make(template, &account, &path, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
	/* that becomes too long */
	template[0] = '\0';
	while (strlen(template) < 3000)
		strcat(template, "%h");
	strcat(template, "/authorized_keys");
	assert_int_equal(keypath_make(template, &account, &path, &err), -1);
	assert_non_null(strstr(err.text, "too long"));
}

/*
 * Files
 */

static char *home_dir;
static struct account here;

static void
make_home(const char *sub)
{
	home_dir = strdup(make_dir(sub));
	assert_int_equal(chmod(home_dir, 0755), 0);
	here = (struct account){ .name = name, .home = home_dir,
	    .shell = shell, .uid = geteuid(), .gid = getegid() };
}

static const char *
read_file(const char *path)
{
	static char text[65536];
	FILE *fp = fopen(path, "r");
	size_t n;

	if (fp == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, fp);
	text[n] = '\0';
	fclose(fp);
	return text;
}

static int
change(enum key_change what, const char *line)
{

	return keyfile_change("%h/.x2go/authorized_keys", &here, what, line,
	    &err);
}

#define FOREVER(key)	"restrict,expiry-time=\"22231114221400Z\" " key MARK

static void
test_file(void **state unused)
{
	struct stat st;
	char *file;

	make_home("file");
	assert_int_equal(change(KEY_REMOVE, FOREVER(KEY_A)), 0);
	assert_int_equal(access(test_path("file/.x2go"), F_OK), -1);
	assert_int_equal(change(KEY_ADD, FOREVER(KEY_A)), 0);
	file = strdup(test_path("file/.x2go/authorized_keys"));
	assert_string_equal(read_file(file), FOREVER(KEY_A) "\n");
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(test_path("file/.x2go"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* nothing changes: it is the same file */
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(change(KEY_ADD, FOREVER(KEY_A)), 0);
	assert_int_equal(st.st_ino, (stat(file, &st), st.st_ino));
	assert_int_equal(change(KEY_REMOVE, FOREVER(KEY_A)), 0);
	assert_null(read_file(file));
	assert_int_equal(rmdir(test_path("file/.x2go")), 0);
	free(file);
	free(home_dir);
}

static void
test_modes(void **state unused)
{
	static const mode_t modes[][2] = { { 0600, 0600 }, { 0644, 0644 },
	    { 0400, 0400 }, { 0640, 0640 }, { 0666, 0644 }, { 0777, 0744 } };
	const char *file;
	struct stat st;
	size_t i;

	make_home("modes");
	make_dir("modes/.x2go");
	for (i = 0; i < LENGTH(modes); i++) {
		file = write_file("modes/.x2go/authorized_keys", KEY_B);
		assert_int_equal(chmod(file, modes[i][0]), 0);
		assert_int_equal(change(KEY_ADD, FOREVER(KEY_A)), 0);
		assert_string_equal(read_file(file),
		    KEY_B "\n" FOREVER(KEY_A));
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i][1]);
		assert_int_equal(change(KEY_REMOVE, FOREVER(KEY_A)), 0);
		assert_string_equal(read_file(file), KEY_B);
		unlink(file);
	}
	free(home_dir);
}

static void
refuse(const char *label, const char *why)
{
	check(label, change(KEY_ADD, FOREVER(KEY_A)) == -1);
	if (strstr(err.text, why) == NULL)
		fail_msg("[%s] \"%s\" does not say \"%s\"", label, err.text,
		    why);
	check(label, access(test_path("refuse/.x2go/.authorized_keys."
	    "x2gobroker"), F_OK) == -1);
}

static void
test_refused_files(void **state unused)
{
	const char *file = test_path("refuse/.x2go/authorized_keys");
	char *dir;
	FILE *fp;

	make_home("refuse");
	write_file("other", KEY_B);
	dir = strdup(make_dir("refuse/.x2go"));
	assert_int_equal(symlink(test_path("other"), file), 0);
	refuse("a link", "symbolic link");
	unlink(file);
	assert_int_equal(symlink("/nonexistent", file), 0);
	refuse("a link to nothing", "symbolic link");
	unlink(file);
	assert_int_equal(link(test_path("other"), file), 0);
	refuse("a hard link", "hard link");
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	refuse("a FIFO", "not a regular file");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	refuse("a directory", "not a regular file");
	rmdir(file);
	fp = fopen(file, "w");
	assert_int_equal(ftruncate(fileno(fp), 2 * 1024 * 1024), 0);
	fclose(fp);
	refuse("large", "1 MiB");
	unlink(file);
	assert_int_equal(chmod(dir, 0770), 0);
	refuse("a directory of the group", "may write");
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(home_dir, 0757), 0);
	refuse("a home directory of all", "may write");
	assert_int_equal(chmod(home_dir, 0755), 0);
	rmdir(dir);
	assert_int_equal(symlink(test_dir, dir), 0);
	refuse("a link to a directory", "symbolic link");
	unlink(dir);
	write_file("refuse/.x2go", "");
	refuse("no directory", "not a directory");
	unlink(dir);
	assert_string_equal(read_file(test_path("other")), KEY_B);
	free(dir);
	free(home_dir);
}

/* A lock of somebody who was ended is not one for long. */
static void
test_stale(void **state unused)
{
	make_home("stale");
	make_dir("stale/.x2go");
	write_file("stale/.x2go/.authorized_keys.x2gobroker", "half");
	assert_int_equal(change(KEY_ADD, FOREVER(KEY_A)), 0);
	assert_string_equal(read_file(test_path("stale/.x2go/"
	    "authorized_keys")), FOREVER(KEY_A) "\n");
	assert_int_equal(access(test_path("stale/.x2go/.authorized_keys."
	    "x2gobroker"), F_OK), -1);
	free(home_dir);
}

/* On a busy machine, one of many can wait too long for the others, or be so slow
 * that they take its lock for that of a dead one; then nothing has changed. */
static int
change_in_crowd(enum key_change what, const char *line)
{
	int tries = 10;

	while (change(what, line) == -1)
		if (--tries == 0)
			return -1;
	return 0;
}

/* One of many, each with a key line of its own: by its comment. */
static int
come_and_go(int number)
{
	char line[1024];
	int round;

	/* any 32 bytes are a key: these end in digits */
	snprintf(line, sizeof(line), "restrict,expiry-time=\"22231114Z\" "
	    ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F%04d") MARK, number);
	for (round = 0; round < 10; round++)
		if (change_in_crowd(KEY_ADD, line) == -1 || strstr(read_file(
		    test_path("crowd/.x2go/authorized_keys")), line) == NULL ||
		    change_in_crowd(KEY_REMOVE, line) == -1)
			return 1;
	return 0;
}

static void
test_crowd(void **state unused)
{
	int i, status, failed = 0;

	make_home("crowd");
	make_dir("crowd/.x2go");
	write_file("crowd/.x2go/authorized_keys", KEY_B "\n\n# end");
	for (i = 0; i < 20; i++)
		if (fork() == 0)
			_exit(come_and_go(i));
	for (i = 0; i < 20; i++)
		failed += wait(&status) == -1 || status != 0;
	assert_int_equal(failed, 0);
	assert_string_equal(read_file(test_path("crowd/.x2go/"
	    "authorized_keys")), KEY_B "\n\n# end");
	free(home_dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_lines),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_every_new_key_ends_within_an_hour),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_refused_files),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_crowd),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
