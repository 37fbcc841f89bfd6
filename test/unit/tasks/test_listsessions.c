/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tasks/answer.h"
#include "support.h"

#define HEAD	"Access granted\nSTART_USER_SESSIONS\n\n"
#define TAIL	"END_USER_SESSIONS\n"
#define LIST	"x --user eve --task listsessions"

/* What user alice is told of a file with this text. */
static char *
list(const char *text, struct x2gobroker_error *err)
{
	struct x2gobroker_user *user = make_user("alice", "192.0.2.7");
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char *answer;

	profiles = load_text(text, &problems);
	answer = answer_to(LIST, profiles, user, err);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
	return answer;
}

static bool
has_line(const char *answer, const char *line)
{
	char wanted[300];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	return strstr(answer, wanted) != NULL;
}

static bool
has_key(const char *answer, const char *key)
{
	char wanted[100];

	snprintf(wanted, sizeof(wanted), "\n%s=", key);
	return strstr(answer, wanted) != NULL;
}

static void
a_user_without_profiles_gets_an_empty_list(void **state unused)
{
	static const char *const rows[] = {
		"", "[DEFAULT]\nhost=a\n",
		"[a]\nhost=a\nacl-users-deny=alice\n",
		("[a]\nhost=a\nacl-users-allow=bob\n"
		    "[b]\nhost=a\nacl-clients-allow=10.0.0.0/8\n"),
		"[a]\nhost=a\nsound=maybe\n",
		"no INI syntax",
	};
	struct x2gobroker_error err;
	char *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		answer = list(rows[i], &err);
		check(rows[i], err.code == X2GOBROKER_OK);
		check_text(rows[i], answer, HEAD TAIL);
		free(answer);
	}
}

static void
only_what_the_user_may_see_is_listed(void **state unused)
{
	static const char text[] = "[DEFAULT]\nacl-users-allow=bob\n"
	    "[hidden]\nhost=a\nname=Hidden\n"
	    "[seen]\nhost=a\nname=Seen\nacl-users-allow=alice\n"
	    "[near]\nhost=a\nacl-users-allow=\nacl-clients-allow=192.0.2.0/24\n"
	    "[far]\nhost=a\nacl-users-allow=\nacl-clients-allow=10.0.0.0/8\n"
	    "[broken]\nhost=a\nacl-users-allow=alice\nacl-users-alow=x\n";
	char *answer = list(text, NULL);

	check(answer, strncmp(answer, HEAD, strlen(HEAD)) == 0);
	check(answer, has_line(answer, "[seen]"));
	check(answer, has_line(answer, "[near]"));
	check(answer, strstr(answer, "idden") == NULL);
	check(answer, strstr(answer, "[far]") == NULL);
	check(answer, strstr(answer, "[broken]") == NULL);
	check(answer, strstr(answer, "acl-") == NULL);
	check(answer, strcmp(strstr(answer, "END_"), TAIL) == 0);
	free(answer);
}

static void
values_go_out_as_the_client_reads_them(void **state unused)
{
	static const struct {
		const char *line;	/* of the profile */
		const char *sent;
	} rows[] = {
		{ "name=Lab", "name=Lab" },
		{ "name=B\xc3\xbcro, 1. Stock", "name=\"B\\xfcro, 1. Stock\"" },
		{ "name=\"a, b\"", "name=\"a, b\"" },
		{ "name=SERVER:x", "name=\"\\x53\\x45RVER:x\"" },
		{ "future=1;2", "future=\"1;2\"" },
		{ "future=true", "future=true" },
		{ "future=", "future=" },
		{ "sound=off", "sound=0" }, { "sound=YES", "sound=1" },
		{ "fstunnel=False", "fstunnel=0" },
		{ "dpi=+120", "dpi=120" }, { "width=007", "width=7" },
		{ "setdpi=true", "setdpi=1" }, { "setdpi=0", "setdpi=0" },
		{ "setdpi=no", "setdpi=0" }, { "setdpi=2", "setdpi=2" },
		{ "setdpi=-1", "setdpi=-1" },
		{ "applications=TERMINAL, OFFICE,", "applications=TERMINAL,"
		    "OFFICE" },
		{ "applications=", "applications=" },
		{ "sshport=2222", "sshport=2222" },
		{ "user=bob", "user=bob" },
		{ "layout=BROKER_USER", "layout=BROKER_USER" },
		{ "directrdp=1", "directrdp=1" },
		{ "status=S", "status=S" },
		{ "usebrokerpass=true", "usebrokerpass=1" },
		{ "key=/k", "key=/k" },
		{ "rootless=no", "rootless=0" },
		{ "rootless=on", "rootless=1" },
		{ "command=TERMINAL", "command=TERMINAL" },
		{ "command=xterm -e \"a\"", "command=\"xterm -e \\\"a\\\"\"" },
		{ "command=SHADOW", "command=SHADOW" },
		/* a whole desktop: upper case, and a root window */
		{ "command=kde", "command=KDE" },
		{ "command=Mate", "command=MATE" },
		{ "command=XFCE", "rootless=0" },
		{ "command=gnome\nrootless=true", "rootless=0" },
		{ "command=KDE2", "command=KDE2" },
		{ "command=KDE2\nrootless=true", "rootless=1" },
		/* built-in defaults */
		{ "", "command=TERMINAL" }, { "", "rootless=1" },
		{ "", "sshport=22" }, { "", "user=alice" }, { "", "dpi=96" },
		{ "", "applications=TERMINAL,WWWBROWSER,MAILCLIENT,OFFICE" },
		{ "", "sound=1" }, { "", "export=" }, { "", "useiconv=0" },
	};
	char text[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=a\n%s\n",
		    rows[i].line);
		answer = list(text, NULL);
		if (!has_line(answer, rows[i].sent))
			fail_msg("[%s] no %s in\n%s", rows[i].line,
			    rows[i].sent, answer);
		free(answer);
	}
}

static void
the_client_is_told_the_first_host(void **state unused)
{
	static const char *const rows[][2] = {
		{ "lab", "host=lab" },
		{ "a, b, c", "host=a" },
		{ ",\n  a:22,\n  b", "host=a" },
		{ "lab (192.0.2.7:22)", "host=lab" },
		{ "localhost", "host=localhost" },
	};
	char text[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=%s\n", rows[i][0]);
		answer = list(text, NULL);
		check(rows[i][0], has_line(answer, rows[i][1]));
		free(answer);
	}
}

/* Else it logs in by its local name, which may be somebody else's there. */
static void
the_client_is_told_as_whom_to_log_in(void **state unused)
{
	static const char *const rows[][2] = {
		{ "user=", "user=alice" }, { "user= \t", "user=alice" },
		{ "user:", "user=alice" }, { "", "user=alice" },
		{ "user=BROKER_USER", "user=alice" },
		{ "user=bob", "user=bob" },
		{ "user=broker_user", "user=broker_user" },
		{ "user=EXAMPLE\\bob", "user=\"EXAMPLE\\\\bob\"" },
	};
	char text[200], *answer;
	size_t i;

	for (i = 0; i < 2 * LENGTH(rows); i++) {
		snprintf(text, sizeof(text), i % 2 == 0 ? "[p]\nhost=a\n%s\n" :
		    "[DEFAULT]\n%s\n[p]\nhost=a\n", rows[i / 2][0]);
		answer = list(text, NULL);
		check(text, has_line(answer, rows[i / 2][1]));
		free(answer);
	}
	answer = list("[p]\nhost=a\nuser=not-set\n", NULL);
	check("not-set", !has_key(answer, "user"));
	free(answer);
}

static void
the_brokers_own_keys_are_kept_back(void **state unused)
{
	static const char text[] = "[p]\nhost=a\nacl-users-deny=bob\n"
	    "acl-users-allow=alice\nbroker-session-autologin=no\n"
	    "broker-agent-query-mode=SSH\nbroker-unheard-of=x\n"
	    "broker-authorized-keys=%h/k\nsound=not-set\nfuture=not-set\n";
	static const char *const kept[] = { "acl-users-deny",
	    "acl-users-allow", "broker-session-autologin",
	    "broker-agent-query-mode", "broker-unheard-of",
	    "broker-authorized-keys", "sound", "future", "autologin", "key",
	    "name", "sshproxyhost" };
	char *answer = list(text, NULL);
	size_t i;

	for (i = 0; i < LENGTH(kept); i++)
		check(kept[i], !has_key(answer, kept[i]));
	check("not-set", strstr(answer, "not-set") == NULL);
	free(answer);
}

static void
the_port_of_a_proxy_is_a_key_of_its_own(void **state unused)
{
	static const struct {
		const char *lines, *listed;
	} rows[] = {
		{ "sshproxyhost=gw", "\nsshproxyhost=gw\n" },
		{ "sshproxyhost=gw:222\nsshproxyport=22",
		    "\nsshproxyhost=gw\nsshproxyport=222\n" },
		{ "sshproxyhost=gw (192.0.2.1:222)",
		    "\nsshproxyhost=192.0.2.1\nsshproxyport=222\n" },
		{ "sshproxyhost=gw\nsshproxyport=23",
		    "\nsshproxyhost=gw\nsshproxyport=23\n" },
		{ "sshproxyport=23", "\nsshproxyport=23\n" },
	};
	char text[200], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=a\n%s\n",
		    rows[i].lines);
		answer = list(text, NULL);
		check(rows[i].lines, strstr(answer, rows[i].listed) != NULL);
		check(rows[i].lines, strstr(strstr(answer, "sshproxyport") !=
		    NULL ? strstr(answer, "sshproxyport") + 1 : "",
		    "sshproxyport") == NULL);
		free(answer);
	}
}

static void
autologin_is_announced_with_a_key(void **state unused)
{
	static const struct {
		const char *lines;
		bool by_default, announced;
		const char *autologin;	/* NULL: there is none */
	} rows[] = {
		{ "broker-session-autologin=true", false, true, "1" },
		{ "broker-session-autologin=YES\nautologin=false\nkey=/k",
		    false, true, "1" },
		{ "", true, true, "1" },
		{ "autologin=false", true, true, "1" },
		{ "broker-session-autologin=false", true, false, NULL },
		{ "", false, false, NULL },
		{ "autologin=true", false, false, "1" },
		{ "autologin=false", false, false, "0" },
		{ "broker-session-autologin=not-set", false, false, NULL },
	};
	char text[200], line[20], *answer;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		test_config.default_session_autologin = rows[i].by_default;
		snprintf(text, sizeof(text), "[p]\nhost=a\n%s\n",
		    rows[i].lines);
		answer = list(text, NULL);
		check(rows[i].lines, (strstr(answer, "\nkey=<will-be-exchanged"
		    "-during-session-selection>\n") != NULL) ==
		    rows[i].announced);
		check(rows[i].lines, strstr(answer, "/k") == NULL);
		snprintf(line, sizeof(line), "autologin=%s",
		    rows[i].autologin != NULL ? rows[i].autologin : "");
		check(rows[i].lines, rows[i].autologin != NULL ?
		    has_line(answer, line) : !has_key(answer, "autologin"));
		free(answer);
	}
	test_config.default_session_autologin = false;
}

/* Every key of section once, the same keys in any order of the file. */
static void
defaults_are_overridden_key_by_key(void **state unused)
{
	static const char text[] = "[DEFAULT]\naaa=1\nwidth=1024\nzzz=1\n"
	    "future=1\nheight=not-set\ncommand=KDE\n"
	    "[a]\nhost=a\n"
	    "[b]\nhost=b\naaa=2\nwidth=640\nzzz=2\nheight=3\ncommand=x\n"
	    "[c]\nhost=c\nfuture=not-set\naa=0\nzzzz=9\ndpi=not-set\n";
	static const struct {
		const char *id, *line;
		bool there;
	} rows[] = {
		{ "a", "aaa=1", true }, { "a", "width=1024", true },
		{ "a", "zzz=1", true }, { "a", "future=1", true },
		{ "a", "command=KDE", true }, { "a", "rootless=0", true },
		{ "b", "aaa=2", true }, { "b", "aaa=1", false },
		{ "b", "width=640", true }, { "b", "width=1024", false },
		{ "b", "zzz=2", true }, { "b", "zzz=1", false },
		{ "b", "height=3", true }, { "b", "future=1", true },
		{ "b", "command=x", true }, { "b", "command=KDE", false },
		{ "b", "rootless=1", true }, { "b", "rootless=0", false },
		{ "c", "aa=0", true }, { "c", "aaa=1", true },
		{ "c", "zzz=1", true }, { "c", "zzzz=9", true },
		{ "c", "future=1", false }, { "c", "dpi=96", false },
		{ "a", "height=600", false }, { "a", "dpi=96", true },
		{ "c", "user=alice", true }, { "c", "host=c", true },
	};
	char *answer = list(text, NULL), *section, start[10], *p, *end;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(start, sizeof(start), "\n[%s]\n", rows[i].id);
		p = strstr(answer, start);
		end = p != NULL ? strstr(p + 1, "\n\n") : NULL;
		check(rows[i].id, end != NULL);
		assert_non_null(section = strndup(p, (size_t)(end - p) + 1));
		if (has_line(section, rows[i].line) != rows[i].there)
			fail_msg("[%s] %s in\n%s", rows[i].id, rows[i].line,
			    section);
		free(section);
	}
	free(answer);
}

static void
no_key_is_sent_twice(void **state unused)
{
	static const char text[] = "[DEFAULT]\naaa=1\ncommand=KDE\n"
	    "autologin=true\nkey=/k\nrootless=true\nuser=bob\n"
	    "[a]\nhost=a\naaa=2\ncommand=XFCE\nautologin=false\nkey=/l\n"
	    "rootless=false\nuser=carol\nbroker-session-autologin=true\n";
	char *answer = list(text, NULL), *line, *save, *seen[100];
	size_t i, n = 0;

	for (line = strtok_r(strstr(answer, "[a]"), "\n", &save);
	    line != NULL && strncmp(line, "END", 3) != 0;
	    line = strtok_r(NULL, "\n", &save)) {
		for (i = 0; i < n; i++)
			check(line, strncmp(line, seen[i], strcspn(line, "=") +
			    1) != 0);
		assert_true(n < LENGTH(seen));
		seen[n++] = line;
	}
	assert_true(n > 30);
	free(answer);
}

static void
files_do_not_share_their_defaults(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char dir[100], *answer;

	profiles = load_text("[DEFAULT]\nmark=one\n[b]\nhost=b\n", &problems);
	x2gobroker_profiles_free(profiles);
	snprintf(dir, sizeof(dir), "%s", make_dir("profiles.d"));
	write_file("profiles.d/2.conf", "[DEFAULT]\nmark=two\n[a]\nhost=a\n"
	    "[c]\nhost=c\n");
	test_config.profiles_dir = dir;
	profiles = load_profiles(&problems);
	answer = answer_to(LIST, profiles, user, NULL);
	check(answer, strstr(strstr(answer, "[a]"), "mark=") ==
	    strstr(answer, "mark=two"));
	check(answer, strncmp(strstr(strstr(answer, "[b]"), "mark="),
	    "mark=one\n", 9) == 0);
	check(answer, strncmp(strstr(strstr(answer, "[c]"), "mark="),
	    "mark=two\n", 9) == 0);
	free(answer);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
}

static void
the_summary_counts_what_is_listed(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_request *request;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_answer *answer;
	struct problems problems;

	profiles = load_text("[a]\nhost=a\n[b]\nhost=b\n[c]\nhost=c\n"
	    "acl-users-deny=alice\n[d]\nhost=d\nsound=x\n", &problems);
	assert_int_equal(x2gobroker_request_parse(LIST, &request, NULL), 0);
	assert_int_equal(x2gobroker_answer_new(request, &answer, NULL), 0);
	assert_int_equal(x2gobroker_answer_task(answer, profiles, user, NULL),
	    0);
	assert_string_equal(x2gobroker_answer_summary(answer), "profiles=2");
	x2gobroker_answer_free(answer);
	x2gobroker_request_free(request);
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_test_dir, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_user_without_profiles_gets_an_empty_list),
		test(only_what_the_user_may_see_is_listed),
		test(values_go_out_as_the_client_reads_them),
		test(the_client_is_told_the_first_host),
		test(the_client_is_told_as_whom_to_log_in),
		test(the_brokers_own_keys_are_kept_back),
		test(the_port_of_a_proxy_is_a_key_of_its_own),
		test(autologin_is_announced_with_a_key),
		test(defaults_are_overridden_key_by_key),
		test(no_key_is_sent_twice),
		test(files_do_not_share_their_defaults),
		test(the_summary_counts_what_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
