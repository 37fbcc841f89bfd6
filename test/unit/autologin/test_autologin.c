/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked with --wrap=time,--wrap=install_keys and those of failing_malloc.h and
 * asprintf: it is NOW, and what is to be put
 * somewhere is written down.  That it comes there, and what it is good for, is
 * for test_autologin.py.
 */
#include <time.h>

#include "autologin/autologin.h"
#include "failing_malloc.h"
#include "support.h"

#define NOW	1763930965	/* 2025-11-23 20:49:25 UTC */
#define KEY	"ssh-rsa AAAA"
#define LINE	"restrict,pty,port-forwarding," \
		"expiry-time=\"20251123205025Z\" " KEY " x2gobroker:alice"
#define LINE_LOCAL "restrict,pty,port-forwarding," \
		"expiry-time=\"20251123205025\" " KEY " x2gobroker:alice"

time_t	__wrap_time(time_t *out);
int	__wrap_install_keys(struct x2gobroker_farm *farm,
	    const struct installation *places, size_t n, struct reporter *rep,
	    struct x2gobroker_error *err);

static char placed[2000];	/* a line for each: NAME:PORT FILE LINE */

time_t
__wrap_time(time_t *out)
{
	if (out != NULL)
		*out = NOW;
	return NOW;
}

int
__wrap_install_keys(struct x2gobroker_farm *farm, const struct installation *places,
    size_t n, struct reporter *rep unused, struct x2gobroker_error *err unused)
{
	size_t i, len = 0;

	placed[0] = '\0';
	for (i = 0; i < n; i++) {
		assert_int_equal(places[i].expires, NOW +
		    farm->config->autologin_key_lifetime);
		len += (size_t)snprintf(placed + len, sizeof(placed) - len,
		    "%s:%d %s %s\n", places[i].target.source == &source_local ?
		    "here" : places[i].target.host.name, places[i].target.port,
		    places[i].file != NULL ? places[i].file : "store",
		    places[i].line);
	}
	return 0;
}

/* A test's own settings. */
static void
set_config(void)
{
	test_config.default_agent_query_mode = QUERY_SSH;
	test_config.default_session_autologin = true;
	test_config.autologin_key_lifetime = 60;
	test_config.autologin_key_from = false;
	test_config.autologin_agent_forwarding = false;
	test_config.default_authorized_keys = "%h/server";
	test_config.default_sshproxy_authorized_keys = "%h/proxy";
}

static int
setup(void **state)
{
	set_config();
	return make_test_dir(state);
}

/* What is placed for alice at the first server of profile p; NULL: it fails. */
static const char *
place(const char *lines, const char *address, struct x2gobroker_error *err)
{
	static char public[] = KEY;
	const struct autologin autologin = { .query.public_key = public };
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_farm *farm;
	struct reporter rep = { 0 };
	struct problems problems;
	struct host *hosts;
	char text[500];
	size_t n;
	int result;

	snprintf(text, sizeof(text), "[p]\nhost=ts01\n%s\n", lines);
	profiles = load_text(text, &problems);
	profile = x2gobroker_profiles_find(profiles, "p");
	assert_non_null(profile);
	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	assert_int_equal(x2gobroker_farm_add(farm, profile, NULL), 0);
	assert_int_equal(farm_hosts(NULL, profile, &hosts, &n, NULL), 0);
	result = autologin_place(&autologin, farm, profile, &hosts[0], address,
	    &rep, err);
	free(hosts);
	x2gobroker_farm_free(farm);
	x2gobroker_profiles_free(profiles);
	return result == 0 ? placed : NULL;
}

static void
the_line_has_all_that_sshd_can_see_to(void **state unused)
{
	assert_string_equal(place("", "192.0.2.7", NULL),
	    "ts01:22 %h/server " LINE "\n");
	test_config.autologin_key_lifetime = 5;
	assert_non_null(strstr(place("", NULL, NULL),
	    ",expiry-time=\"20251123204930Z\" "));
	test_config.autologin_agent_forwarding = true;
	assert_non_null(strstr(place("", NULL, NULL),
	    " restrict,pty,port-forwarding,agent-forwarding,expiry-time="));
}

static void
it_can_be_bound_to_the_clients_address(void **state unused)
{
	test_config.autologin_key_from = true;
	assert_non_null(strstr(place("", "192.0.2.7", NULL),
	    "Z\",from=\"192.0.2.7\" " KEY));
	assert_non_null(strstr(place("", "2001:db8::7", NULL),
	    "Z\",from=\"2001:db8::7\" " KEY));
	/* where it is known */
	assert_null(strstr(place("", NULL, NULL), "from="));
	test_config.autologin_key_from = false;
	assert_null(strstr(place("", "192.0.2.7", NULL), "from="));
}

static void
the_profile_says_where_it_goes(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "ts01:22 %h/server " },
		{ "sshport=2022", "ts01:2022 %h/server " },
		{ "broker-authorized-keys=/keys/%u", "ts01:22 /keys/%u " },
		{ "broker-authorized-keys=", "ts01:22 %h/server " },
		{ "broker-authorized-keys=not-set", "ts01:22 %h/server " },
		{ "broker-agent-query-mode=LOCAL", "here:0 %h/server " },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		place(rows[i][0], NULL, NULL);
		check(rows[i][0], strncmp(placed, rows[i][1],
		    strlen(rows[i][1])) == 0);
		check(rows[i][0], strchr(placed, '\n')[1] == '\0');
	}
	test_config.default_authorized_keys = "";
	assert_string_equal(place("", NULL, NULL), "ts01:22 store " LINE "\n");
	assert_string_equal(place("broker-authorized-keys=%h/k", NULL, NULL),
	    "ts01:22 %h/k " LINE "\n");
}

static void
a_proxy_gets_it_too(void **state unused)
{
	static const char *const rows[][2] = {
		{ "sshproxyhost=gw", "gw:22 %h/proxy " },
		{ "sshproxyhost=gw:222", "gw:222 %h/proxy " },
		{ "sshproxyhost=gw\nsshproxyport=222", "gw:222 %h/proxy " },
		{ "sshproxyhost=gw:22\nsshproxyport=222", "gw:22 %h/proxy " },
		{ "sshproxyhost=gw\nbroker-sshproxy-authorized-keys=/k/%u",
		    "gw:22 /k/%u " },
		/* which is not asked by what runs here */
		{ "sshproxyhost=gw\nbroker-agent-query-mode=LOCAL",
		    "gw:22 %h/proxy " },
	};
	const char *second;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		place(rows[i][0], NULL, NULL);
		check(rows[i][0], strncmp(placed, rows[i][1],
		    strlen(rows[i][1])) == 0);
		second = strchr(placed, '\n') + 1;
		/* for this host, in its time, which is UTC in a test */
		check(rows[i][0], strstr(second, strstr(rows[i][0], "LOCAL") !=
		    NULL ? " %h/server " LINE_LOCAL "\n" : " %h/server " LINE
		    "\n") != NULL);
	}
	place("sshproxyhost=", NULL, NULL);
	assert_string_equal(placed, "ts01:22 %h/server " LINE "\n");
}

/* The server sees the proxy's address, which the broker does not know. */
static void
behind_a_proxy_it_is_bound_to_no_address(void **state unused)
{
	const char *second;

	test_config.autologin_key_from = true;
	place("sshproxyhost=gw", "192.0.2.7", NULL);
	second = strchr(placed, '\n') + 1;
	assert_non_null(strstr(placed, "from=\"192.0.2.7\""));
	assert_true(strstr(placed, "from=") < second);
	assert_null(strstr(second, "from="));
}

static void
a_proxy_that_has_no_name_is_none(void **state unused)
{
	struct x2gobroker_error err = { 0 };

	assert_null(place("sshproxyhost=a b c", NULL, &err));
	assert_true(err.text[0] != '\0');
}

/* Each row: lines of a profile, whether a key is announced and whether one is
 * made, and what is said where that is not the same. */
static void
not_every_profile_gets_one(void **state unused)
{
	static const struct {
		const char *lines;
		bool announced, wanted;
		const char *why;
	} rows[] = {
		{ "", true, true, NULL },
		{ "broker-session-autologin=true", true, true, NULL },
		{ "broker-session-autologin=yes", true, true, NULL },
		{ "broker-session-autologin=false", false, false, NULL },
		{ "user=BROKER_USER", true, true, NULL },
		{ "user=alice", true, true, NULL },
		{ "user=guest", true, false, "own account" },
		{ "user=root", true, false, "own account" },
		{ "user=Alice", true, false, "own account" },
		{ "broker-agent-query-mode=LOCAL", true, true, NULL },
		{ "broker-agent-query-mode=NONE", true, false, "no agent" },
		{ "command=SHADOW", true, false, "no agent" },
	};
	struct x2gobroker_user *user = make_user("alice", NULL);
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;
	struct problems problems, said;
	struct reporter rep = { .fn = collect, .arg = &said };
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *lines = rows[i].lines;

		snprintf(text, sizeof(text), "[p]\nhost=ts01\n%s\n", lines);
		profiles = load_text(text, &problems);
		profile = x2gobroker_profiles_find(profiles, "p");
		assert_non_null(profile);
		said.n = 0;
		check(lines, autologin_is_announced(profile) ==
		    rows[i].announced);
		check(lines, autologin_is_wanted(profile, user, &rep) ==
		    rows[i].wanted);
		check(lines, said.n == (rows[i].why != NULL));
		test_config.default_authorized_keys = "%h/server";
		check(lines, !x2gobroker_profile_uses_store(profile));
		test_config.default_authorized_keys = "";
		check(lines, x2gobroker_profile_uses_store(profile) ==
		    (rows[i].wanted || strncmp(lines, "user=", 5) == 0));
		if (rows[i].why != NULL)
			check_problem(lines, &said.list[0],
			    &(const struct problem){ X2GOBROKER_WARNING, 1,
			    rows[i].why });
		x2gobroker_profiles_free(profiles);
	}
	x2gobroker_user_free(user);
}

#define ED25519	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA" \
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* As python-x2go writes it; what else a client sends is no key. */
static void
a_client_can_send_its_own(void **state unused)
{
	static const struct {
		const char *line, *why;		/* NULL: taken */
	} rows[] = {
		{ ED25519, NULL },
		{ ED25519 " a b c", NULL },
		{ "no-X11-forwarding,no-pty,no-user-rc " ED25519 " a@b", NULL },
		{ "command=\"id\" " ED25519, NULL },
		{ "", "empty" },
		{ "x", "" },
		{ "ssh-rsa", "" },
		{ "ssh-ed25519 AAAA", "" },
		{ "ssh-rsa " ED25519, "" },
		{ "command=\"a b\" " ED25519, "" },
		{ "no-pty no-pty " ED25519, "" },
		{ ED25519 "\nssh-ed25519", "control characters" },
		{ ED25519 "AAAA", "" },
	};
	struct autologin *autologin;
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		autologin = autologin_new_sent(rows[i].line, &err);
		check(rows[i].line, (autologin != NULL) ==
		    (rows[i].why == NULL));
		if (autologin != NULL)
			check_text(rows[i].line, autologin->query.public_key,
			    ED25519);
		else
			check(rows[i].line, strstr(err.text, "of the client: ") !=
			    NULL && strstr(err.text, rows[i].why) != NULL);
		autologin_free(autologin);
	}
}

static void
it_takes_memory(void **state unused)
{
	struct autologin *autologin;
	struct x2gobroker_error err;
	int n = 0;

	do {
		alloc_fail(++n);
		autologin = autologin_new_sent(ED25519, &err);
		if (alloc_failed()) {
			assert_null(autologin);
			assert_string_equal(err.text, "out of memory");
		}
		autologin_free(autologin);
	} while (autologin == NULL);
	assert_int_equal(n, 4);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_line_has_all_that_sshd_can_see_to),
		TEST(it_can_be_bound_to_the_clients_address),
		TEST(the_profile_says_where_it_goes),
		TEST(a_proxy_gets_it_too),
		TEST(behind_a_proxy_it_is_bound_to_no_address),
		TEST(a_proxy_that_has_no_name_is_none),
		TEST(not_every_profile_gets_one),
		TEST(a_client_can_send_its_own),
		TEST(it_takes_memory),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests_name("autologin", tests, NULL, NULL);
}
