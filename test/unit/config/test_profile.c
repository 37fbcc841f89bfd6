/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a profile, key by key, and which value a key has.
 */
#include "config/profile.h"
#include "support.h"

/* All that is reported of a file with this text, warnings too. */
static struct x2gobroker_profiles *
load_all(const char *text, struct problems *problems)
{
	struct x2gobroker_profiles *profiles = load_text(text, problems);

	x2gobroker_profiles_free(profiles);
	problems->n = 0;
	assert_int_equal(x2gobroker_profiles_load(&test_config, collect,
	    problems, &profiles, NULL), 0);
	return profiles;
}

static void
keys_and_values_are_checked_by_table(void **state unused)
{
	static const struct {
		const char *line;
		const char *wrong;	/* NULL: the profile is served */
	} rows[] = {
		{ "sound=true", NULL }, { "sound=Off", NULL },
		{ "sound=1", NULL }, { "print=NO", NULL },
		{ "dpi=120", NULL }, { "width=-1", NULL }, { "dpi=+96", NULL },
		{ "sshport=1", NULL }, { "sshport=65535", NULL },
		{ "setdpi=true", NULL }, { "setdpi=0", NULL },
		{ "setdpi=2", NULL }, { "setdpi=-1", NULL },
		{ "applications=", NULL }, { "applications=a,b", NULL },
		{ "applications=[a", NULL }, { "export=", NULL },
		{ "command=[x]", NULL }, { "export=a\tb", NULL },
		{ "export=a,\n b", NULL }, { "sound=not-set", NULL },
		{ "dpi=not-set", NULL }, { "unknown=x", NULL },
		{ "un.known-2_x=\"a\"", NULL },
		{ "broker-agent-query-mode=none", NULL },
		{ "broker-agent-query-mode=SSH", NULL },
		{ "broker-session-autologin=yes", NULL },
		{ "export=B\xc3\xbcro", NULL },

		{ "sound=maybe", "sound = maybe: neither true nor false" },
		{ "sound=", "sound = : neither true nor false" },
		{ "sound=2", "neither true nor false" },
		{ "sound=Not-Set", "neither true nor false" },
		{ "broker-session-autologin=ja", "neither true nor false" },
		{ "dpi=", "dpi = : not a number, or out of range" },
		{ "dpi=96x", "not a number" }, { "dpi=9 6", "not a number" },
		{ "dpi=2147483648", "out of range" },
		{ "width=true", "not a number" },
		{ "sshport=0", "out of range" },
		{ "sshport=65536", "out of range" },
		{ "sshport=-22", "out of range" },
		{ "sshport=ssh", "not a number" },
		{ "sshproxyport=0", "out of range" },
		{ "setdpi=", "neither true, false nor a number" },
		{ "setdpi=often", "neither true, false nor a number" },
		{ "applications=['a']", "lists in Python notation" },
		{ "broker-agent-query-mode=HTTP", "neither NONE, LOCAL nor" },
		{ "broker-autologin-key=mine", "neither new nor own" },
		{ "broker-agent-query-mode=", "neither NONE, LOCAL nor SSH" },
		{ "acl-users-alow=alice", "unknown key" },
		{ "acl-clients-deny=10.0.0.0/33", "\"10.0.0.0/33\" is" },
		{ "acl-users-order=deny", "neither allow-deny nor" },
		{ "acl-users-allow=not-set", "list the names that you mean" },
		{ "acl-groups-deny=not-set", "list the names that you mean" },
		{ "my key=x", "\"my key\" is not a valid key" },
		{ "k\xc3\xa4y=x", "is not a valid key" },
		{ "key#=x", "is not a valid key" },
		{ "a/b=x", "is not a valid key" },
		{ "START_USER_SESSIONS=x", "is not a valid key" },
		{ "x-END_CLIENT_CONFIG=x", "is not a valid key" },
		{ "export=B\xfcro", "not UTF-8" },
		{ "unknown=\xed\xa0\x80", "not UTF-8" },
		{ "export=a\x1b[0m", "control character" },
		{ "export=a\x7f", "control character" },
		{ "unknown=a\rb", "control character" },
		{ "sound=1\nsound=1", "duplicate key \"sound\" (first" },
		{ "unknown=1\nunknown=2", "duplicate key \"unknown\" (fi" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\nhost=a\nname=P\n%s\n",
		    rows[i].line);
		profiles = load_text(text, &problems);
		check(rows[i].line, problems.n == (rows[i].wrong != NULL));
		if (rows[i].wrong != NULL)
			check_problem(rows[i].line, &problems.list[0],
			    &(const struct problem){ X2GOBROKER_ERR_VALUE,
			    strchr(rows[i].line, '\n') != NULL ? 5 : 4,
			    rows[i].wrong });
		check(rows[i].line, x2gobroker_profiles_count(profiles) ==
		    (rows[i].wrong == NULL));
		x2gobroker_profiles_free(profiles);
	}
}

static void
hosts_are_checked_by_table(void **state unused)
{
	static const struct {
		const char *line;
		const char *wrong;
	} rows[] = {
		{ "host=lab", NULL }, { "host=a,b:22,c (192.0.2.7)", NULL },
		{ "host=a,\n b,\n c", NULL }, { "name=X", NULL },
		{ "host=2001:db8::1,lab", NULL },
		{ "host=2001:db8::1 (192.0.2.1)", NULL },
		{ "host=", "no server given" }, { "host=,", "no server given" },
		{ "host=not-set", "no server given" },
		{ "host=lab:0", "no port from 1 to 65535" },
		{ "host=a b", "neither a host name" },
		{ "host=a,b c", "\"b c\"" },
		{ "host=['a','b']", "neither a host name" },
		{ "host=[2001:db8::1]:22", "no server that X2Go clients" },
		{ "host=2001:db8::1, 2001:db8::2", "no server that" },
		{ "host=END_USER_SESSIONS", "neither a host name" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "[p]\n%s\n", rows[i].line);
		profiles = load_text(text, &problems);
		check(rows[i].line, problems.n == (rows[i].wrong != NULL));
		if (rows[i].wrong != NULL)
			check_problem(rows[i].line, &problems.list[0],
			    &(const struct problem){ X2GOBROKER_ERR_VALUE, 2,
			    rows[i].wrong });
		check(rows[i].line, x2gobroker_profiles_count(profiles) ==
		    (rows[i].wrong == NULL));
		x2gobroker_profiles_free(profiles);
	}
}

static void
ids_are_checked_by_table(void **state unused)
{
	static const struct {
		const char *id;
		const char *wrong;
	} rows[] = {
		{ "lab", NULL }, { "Lab 1", NULL }, { "B\xc3\xbcro", NULL },
		{ "a,b", NULL }, { "a=b", NULL }, { "a'b", NULL },
		{ "--task", NULL }, { "generally", NULL }, { "#1", NULL },
		{ "\xf0\x9f\x96\xa5", NULL },
		{ "a/b", "do not accept" }, { "a;b", "do not accept" },
		{ "50%", "do not accept" }, { "a]b", "do not accept" },
		{ "a[b", "do not accept" }, { "a\"b", "do not accept" },
		{ "a\\b", "do not accept" },
		{ "General", "reserved by the X2Go client" },
		{ "general", "reserved by the X2Go client" },
		{ " lab", "begins or ends with a blank" },
		{ "lab ", "begins or ends with a blank" },
		{ " ", "begins or ends with a blank" },
		{ "a\tb", "control character" }, { "a\x7f", "control char" },
		{ "a\x1b[0m", "c" }, { "a\rb", "control character" },
		{ "B\xfcro", "is not UTF-8" },
		{ "SERVER:x", "a word of the broker protocol" },
		{ "END_USER_SESSIONS", "a word of the broker protocol" },
		{ "a<br>b", "c" }, { "xAccess granted", "a word of" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(text, sizeof(text), "\n[%s]\nhost=a\n", rows[i].id);
		profiles = load_text(text, &problems);
		check(rows[i].id, problems.n == (rows[i].wrong != NULL));
		if (rows[i].wrong != NULL)
			check_problem(rows[i].id, &problems.list[0],
			    &(const struct problem){ X2GOBROKER_ERR_VALUE, 2,
			    rows[i].wrong });
		check(rows[i].id, (x2gobroker_profiles_find(profiles,
		    rows[i].id) != NULL) == (rows[i].wrong == NULL));
		x2gobroker_profiles_free(profiles);
	}
}

static void
what_can_be_but_is_odd_is_a_warning(void **state unused)
{
	static const struct {
		const char *text;
		struct problem problems[3];
	} rows[] = {
		{ "[p]\nhost=a\nname=\n", { { 0 } } },
		{ "[p]\nhost=a\n",
		    { { X2GOBROKER_WARNING, 1, "no name=" } } },
		{ "[p]\nhost=a\nname=not-set\n",
		    { { X2GOBROKER_WARNING, 1, "no name=" } } },
		{ "[p]\nname=P\nhost=2001:db8::1,a\n",
		    { { X2GOBROKER_WARNING, 3, "cannot connect to an IPv6" } } },
		{ "[p]\nname=P\nhost=a\nbroker-unheard-of=x\n",
		    { { X2GOBROKER_WARNING, 4, "unknown key, ignored" } } },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		profiles = load_all(rows[i].text, &problems);
		check_problems(rows[i].text, &problems, rows[i].problems);
		check(rows[i].text, x2gobroker_profiles_count(profiles) == 1);
		x2gobroker_profiles_free(profiles);
	}
}

static void
the_nearest_place_has_the_value(void **state unused)
{
	static const char text[] = "[DEFAULT]\nwidth=1024\nheight=not-set\n"
	    "name=Default\nfuture=1\nkey:/k\n"
	    "[p]\nhost=a\nwidth=640\nname=\n\n[q]\nhost=b\nfuture=not-set\n"
	    "dpi=not-set\nName=Q\n";
	static const struct {
		const char *id, *key;
		const char *value;	/* NULL: there is none */
	} rows[] = {
		{ "p", "width", "640" }, { "q", "width", "1024" },
		{ "p", "height", NULL }, { "p", "dpi", "96" },
		{ "q", "dpi", NULL }, { "p", "name", "" },
		{ "q", "name", "Default" }, { "q", "Name", "Q" },
		{ "p", "Name", NULL }, { "p", "future", "1" },
		{ "q", "future", NULL }, { "q", "key", "/k" },
		{ "p", "sshport", "22" }, { "p", "user", "BROKER_USER" },
		{ "p", "command", "TERMINAL" }, { "p", "autologin", NULL },
		{ "p", "WIDTH", NULL }, { "p", "", NULL }, { "p", "zz", NULL },
		{ "p", "acl-users-allow", NULL },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	const char *value;
	size_t i;

	profiles = load_text(text, &problems);
	for (i = 0; i < LENGTH(rows); i++) {
		value = x2gobroker_profile_value(x2gobroker_profiles_find(
		    profiles, rows[i].id), rows[i].key);
		check_text(rows[i].key, value != NULL ? value : "(none)",
		    rows[i].value != NULL ? rows[i].value : "(none)");
	}
	x2gobroker_profiles_free(profiles);
}

/* x2gobrokerctl list shows what the client is sent. */
static void
BROKER_USER_is_the_user_in_user_alone(void **state unused)
{
	static const char text[] = "[p]\nhost=a\nuser=BROKER_USER\n"
	    "name=BROKER_USER\ncommand=BROKER_USER\nfuture=BROKER_USER\n"
	    "[q]\nhost=BROKER_USER\nuser=\n";
	static const struct {
		const char *id, *key, *value;
	} rows[] = {
		{ "p", "user", "alice" }, { "p", "name", "BROKER_USER" },
		{ "p", "command", "BROKER_USER" },
		{ "p", "future", "BROKER_USER" },
		{ "q", "user", "alice" }, { "q", "host", "BROKER_USER" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	size_t i;

	profiles = load_text(text, &problems);
	for (i = 0; i < LENGTH(rows); i++)
		check_text(rows[i].key, x2gobroker_profile_value_for(
		    x2gobroker_profiles_find(profiles, rows[i].id),
		    rows[i].key, "alice"), rows[i].value);
	x2gobroker_profiles_free(profiles);
}

static void
booleans_fall_back_where_there_is_none(void **state unused)
{
	static const char text[] = "[p]\nhost=a\nsound=off\nprint=not-set\n"
	    "future=often\n";
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct problems problems;

	profiles = load_text(text, &problems);
	profile = x2gobroker_profiles_find(profiles, "p");
	assert_false(profile_bool(profile, "sound", true));
	assert_true(profile_bool(profile, "rootless", false));
	assert_true(profile_bool(profile, "print", true));
	assert_false(profile_bool(profile, "print", false));
	assert_true(profile_bool(profile, "nowhere", true));
	assert_false(profile_bool(profile, "future", false));
	x2gobroker_profiles_free(profiles);
}

static void
the_place_of_a_key_is_known(void **state unused)
{
	static const char text[] = "[DEFAULT]\nwidth=1\n[p]\nhost=a\n";
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct problems problems;

	profiles = load_text(text, &problems);
	profile = x2gobroker_profiles_find(profiles, "p");
	assert_string_equal(x2gobroker_profile_id(profile), "p");
	assert_string_equal(x2gobroker_profile_file(profile),
	    test_path("profiles.conf"));
	assert_int_equal(x2gobroker_profile_line(profile), 3);
	assert_int_equal(profile_key_line(profile, "host"), 4);
	assert_int_equal(profile_key_line(profile, "width"), 2);
	assert_int_equal(profile_key_line(profile, "dpi"), 3);
	assert_int_equal(profile_key_line(profile, "nowhere"), 3);
	assert_null(profile_find_key(profile, "nowhere"));
	x2gobroker_profiles_free(profiles);
}

static void
the_table_of_keys_is_sorted(void **state unused)
{
	size_t i;

	for (i = 1; profile_key(i) != NULL; i++)
		check(profile_key(i)->name, strcmp(profile_key(i - 1)->name,
		    profile_key(i)->name) < 0);
	assert_true(i > 40);
	assert_null(profile_key(i + 1));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_values_are_checked_by_table),
		cmocka_unit_test(hosts_are_checked_by_table),
		cmocka_unit_test(ids_are_checked_by_table),
		cmocka_unit_test(what_can_be_but_is_odd_is_a_warning),
		cmocka_unit_test(the_nearest_place_has_the_value),
		cmocka_unit_test(BROKER_USER_is_the_user_in_user_alone),
		cmocka_unit_test(booleans_fall_back_where_there_is_none),
		cmocka_unit_test(the_place_of_a_key_is_known),
		cmocka_unit_test(the_table_of_keys_is_sorted),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
