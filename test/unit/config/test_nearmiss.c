/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys that are almost known ones.
 */
#include "config/nearmiss.h"
#include "config/profile.h"
#include "support.h"
#include "x2gobroker_admin.h"

/* How a profile with that key fares. */
enum fate { WITHHELD, IGNORED, TOLD, PASSED };

static enum fate
fate_of(const char *key)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	enum fate fate = PASSED;
	char text[300];

	snprintf(text, sizeof(text), "[p]\nname=P\nhost=a\n%s=true\n", key);
	profiles = load_text(text, &problems);
	if (problems.n > 0) {
		check_problem(key, &problems.list[0], &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 4, "key" });
		check(key, x2gobroker_profiles_count(profiles) == 0);
		fate = WITHHELD;
	} else if (profile_row(key)->listing == LIST_NEVER)
		fate = IGNORED;
	x2gobroker_profiles_lint(profiles, collect, &problems);
	if (fate == PASSED && problems.n > 0) {
		check_problem(key, &problems.list[0], &(const struct problem){
		    X2GOBROKER_WARNING, 4, "did you mean" });
		fate = TOLD;
	}
	x2gobroker_profiles_free(profiles);
	return fate;
}

static void
check_fates(const char *const *keys, size_t n, enum fate fate)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fate_of(keys[i]) != fate)
			fail_msg("[%s] is %d instead of %d", keys[i],
			    fate_of(keys[i]), fate);
}

static void
a_key_that_almost_hides_or_opens_withholds_the_profile(void **state unused)
{
	static const char *const keys[] = { "ACL-Users-Deny",
	    "acl-users-Deny", "acl_users_deny", "acl_users_allow",
	    "acl.users.deny", "aclusersdeny", "acl-users deny",
	    "acl-user-deny", "acl-users-denied", "acl-users-denny",
	    "acl-host-deny", "acl-usres-deny", "acl--users-deny",
	    "acl-users-deny-", "-acl-users-deny", "_acl-users-deny",
	    "x-acl-users-deny", "acls-users-deny", "alc-users-deny",
	    "al-users-deny", "cl-users-deny", "axl-groups-order",
	    "acl-deny-users", "users-deny", "deny-users", "DenyUsers",
	    "AllowGroups", "user_allow", "clients.allow", "denied-groups",
	    "acl", "acl-", "acl-any-allow", "acl-order", "acl-anyorder",
	    "acl-users-allow-of-a-key-that-is-much-longer-than-any-other",
	    "acl-users-deny+", "acl-users-deny\xc2\xa0", "\xd0\xb0"
	    "cl-users-deny", "broker-sesion-autologin",
	    "broker_session_autologin", "Broker-Session-Autologin",
	    "brokersessionautologin", "broker-session-autologn",
	    "session-autologin", "brokr-session-autologin",
	    "broker-session-auto-login", "broker-session-autologins",
	    "borker-session-autologin", "broker-host-weight", "hostweights",
	    "BROKER-AGENT-QUERY-MODE", "broker-agent-hostkeys-policy",
	    "broker-portscan-x2goserver", "broker-authorised-keys" };

	check_fates(keys, LENGTH(keys), WITHHELD);
}

/* In the words of an error, with file and line. */
static void
the_error_says_what_to_write(void **state unused)
{
	static const char *const rows[][2] = {
		{ "acl_users_allow", "so it is not known who may see this "
		    "profile; write acl-users-allow, or see x2gobroker-" },
		{ "AllowUsers", "may see this profile; see x2gobroker-" },
		{ "broker-sesion-autologin", "similar to one for the broker; "
		    "write broker-session-autologin, or see" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=a\n%s=x\n",
		    rows[i][0]);
		profiles = load_text(text, &problems);
		check_problem(rows[i][0], &problems.list[0],
		    &(const struct problem){ X2GOBROKER_ERR_VALUE, 3,
		    rows[i][1] });
		x2gobroker_profiles_free(profiles);
	}
}

static void
a_key_that_resembles_another_one_is_told(void **state unused)
{
	static const char *const keys[] = { "cmd", "Host", "sshPort", "hosts",
	    "ssh-port", "NAME", "Name", "comand", "command_", "rootles",
	    "server", "hostname", "username", "port", "usr", "usser",
	    "fullscren", "full-screen", "Sound", "clip-board", "usesshproxi",
	    "sshproxy-host", "heigth", "rdpServer" };
	static const char *const other[] = { "broker-unheard-of", "Broker-x",
	    "broker_x", "broker.x" };

	check_fates(keys, LENGTH(keys), TOLD);
	check_fates(other, LENGTH(other), IGNORED);
}

static void
a_key_that_resembles_nothing_is_for_the_client(void **state unused)
{
	static const char *const keys[] = { "icon", "rdpport", "rdpserver",
	    "usesshproxy", "sshproxyautologin", "krblogin", "clipboard",
	    "directxdmcp", "sshproxytype", "status", "future", "unknown",
	    "un.known-2_x", "x", "-", "oracle-client", "video-codec",
	    "restoreexports", "setsessiontitle", "auto_connect",
	    "a-key-that-is-much-longer-than-any-key-which-is-known-here-is" };

	check_fates(keys, LENGTH(keys), PASSED);
}

/* Where it looks like the start of a line, but is part of the one above. */
/* The profiles of a file with these lines in its only one, which begin with line
 * 4, and all that is said of them. */
static struct x2gobroker_profiles *
load_lines(const char *lines, struct problems *problems)
{
	struct x2gobroker_profiles *profiles;
	char text[200];

	snprintf(text, sizeof(text), "[p]\nname=P\nhost=a\n%s\n", lines);
	x2gobroker_profiles_free(load_text(text, problems));
	problems->n = 0;
	assert_int_equal(x2gobroker_profiles_load(&test_config, collect,
	    problems, &profiles, NULL), 0);
	return profiles;
}

/* A line in it is told with this code; X2GOBROKER_OK: nothing is told. */
static void
check_indented(const char *const *lines, size_t n, enum x2gobroker_code code)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	size_t i;

	for (i = 0; i < n; i++) {
		profiles = load_lines(lines[i], &problems);
		check(lines[i], x2gobroker_profiles_count(profiles) ==
		    (code != X2GOBROKER_ERR_VALUE));
		if (code == X2GOBROKER_OK)
			check(lines[i], problems.n == 0);
		else
			check_problem(lines[i], &problems.list[0],
			    &(const struct problem){ code, 4, "is indented" });
		x2gobroker_profiles_free(profiles);
	}
}

static void
a_rule_that_is_indented_withholds_the_profile(void **state unused)
{
	static const char *const hidden[] = {
		"command=XFCE\n acl-users-deny=bob",
		"command=XFCE\n\tacl-users-deny: bob",
		"command=XFCE\n\n # why\n  acl_users_deny = bob",
		"future=1\n x\n broker-session-autologin=true",
		"applications=a,\n acl-users-denied=bob",
		"acl-users-allow=alice,\n acl-users-deny=bob",
		"acl-any-order=allow-deny\n acl-users-deny=bob",
	};

	check_indented(hidden, LENGTH(hidden), X2GOBROKER_ERR_VALUE);
}

static void
another_key_or_section_that_is_indented_is_told(void **state unused)
{
	static const char *const told[] = {
		"command=XFCE\n host=b", "command=XFCE\n\tfullscreen: true",
		"icon=Q\n shadowuser = bob", "command=XFCE\n [q]",
		"command=XFCE\n [q] # the next one",
	};

	check_indented(told, LENGTH(told), X2GOBROKER_WARNING);
}

static void
an_indented_line_may_be_meant(void **state unused)
{
	static const char *const meant[] = {
		"command=XFCE\n --colour=red", "export=a:1;\n b:1;",
		"acl-users-allow=alice,\n bob", "command=a\n acl-users-deny",
		"broker-host-weights=a:200,\n b:50", "future=\n =\n :",
		"command=XFCE\n [q", "command=XFCE\n host", "future=\n :b",
	};

	check_indented(meant, LENGTH(meant), X2GOBROKER_OK);
}

static void
a_section_that_is_almost_DEFAULT_withholds_the_file(void **state unused)
{
	static const char *const names[] = { "default", "Default", "DEFAULTS",
	    "DEFALT", "DEFAULT ", " DEFAULT", "DEFAULT] # [x", "De-fault" };
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		snprintf(text, sizeof(text), "[p]\nname=P\nhost=a\n[%s]\n"
		    "acl-users-deny=bob\n", names[i]);
		profiles = load_text(text, &problems);
		check(names[i], x2gobroker_profiles_count(profiles) == 0);
		check_problem(names[i], &problems.list[0],
		    &(const struct problem){ X2GOBROKER_ERR_VALUE, 4,
		    "if this is to be [DEFAULT], write it so" });
		x2gobroker_profiles_free(profiles);
	}
	profiles = load_text("[p]\nname=P\nhost=a\n[default]\nname=Default\n"
	    "host=b\n[defence]\nhost=c\n", &problems);
	assert_int_equal(problems.n, 0);
	assert_int_equal(x2gobroker_profiles_count(profiles), 3);
	x2gobroker_profiles_free(profiles);
}

static void
a_profile_without_a_server_of_its_own_is_told(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems;

	profiles = load_text("[p]\nname=P\n", &problems);
	x2gobroker_profiles_lint(profiles, collect, &problems);
	check_problems("none", &problems, (const struct problem[]){
		{ X2GOBROKER_WARNING, 1, "[p]: no host=" }, { 0 } });
	x2gobroker_profiles_free(profiles);
	profiles = load_text("[p]\nname=P\n[DEFAULT]\nhost=a\n", &problems);
	x2gobroker_profiles_lint(profiles, collect, &problems);
	assert_int_equal(problems.n, 0);
	x2gobroker_profiles_free(profiles);
}

/* A known key is never a near miss of another one for the client. */
static void
known_keys_are_themselves(void **state unused)
{
	const struct profile_key *row;
	size_t i;

	for (i = 0; (row = profile_key(i)) != NULL; i++) {
		check(row->name, profile_row(row->name) == row);
		check(row->name, nearmiss_resembles(row->name,
		    strlen(row->name), row->name));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_almost_hides_or_opens_withholds_the_profile),
		cmocka_unit_test(the_error_says_what_to_write),
		cmocka_unit_test(a_key_that_resembles_another_one_is_told),
		cmocka_unit_test(a_key_that_resembles_nothing_is_for_the_client),
		cmocka_unit_test(a_rule_that_is_indented_withholds_the_profile),
		cmocka_unit_test(another_key_or_section_that_is_indented_is_told),
		cmocka_unit_test(an_indented_line_may_be_meant),
		cmocka_unit_test(a_section_that_is_almost_DEFAULT_withholds_the_file),
		cmocka_unit_test(a_profile_without_a_server_of_its_own_is_told),
		cmocka_unit_test(known_keys_are_themselves),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
