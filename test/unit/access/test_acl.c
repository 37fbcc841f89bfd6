/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets in.  In the tables, user alice asks from 192.0.2.7, and is in the
 * groups staff and lab.
 */
#include <grp.h>
#include <pwd.h>

#include "x2gobroker_admin.h"
#include "access/acl.h"
#include "access/user.h"
#include "support.h"

struct passwd	*__wrap_getpwnam(const char *name);
struct group	*__wrap_getgrnam(const char *name);

static int lookups;		/* of users, with which those of groups begin */

/* A directory that has the user bob and the groups lab and "Domain Users", and
 * finds them in any case. */
struct passwd *
__wrap_getpwnam(const char *name)
{
	static char bob[] = "bob";
	static struct passwd pw = { .pw_name = bob };

	lookups++;
	return strcasecmp(name, "bob") == 0 ? &pw : NULL;
}

struct group *
__wrap_getgrnam(const char *name)
{
	static char names[2][20] = { "lab", "Domain Users" };
	static struct group gr;
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		gr.gr_name = names[i];
		if (strcasecmp(name, names[i]) == 0)
			return &gr;
	}
	return NULL;
}

#define ALLOW	X2GOBROKER_ALLOW
#define DENY	X2GOBROKER_DENY

struct row {
	const char *keys;		/* of the profile */
	enum x2gobroker_verdict verdict;
	const char *why;		/* a piece of the reason */
};

static struct x2gobroker_profiles *
load_profile(const char *keys)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[1024];

	snprintf(text, sizeof(text), "[p]\nname=P\nhost=a\n%s\n", keys);
	profiles = load_text(text, &problems);
	check_problems(keys, &problems, &(const struct problem){ 0 });
	check(keys, x2gobroker_profiles_count(profiles) == 1);
	return profiles;
}

static void
check_row(const struct row *row, const char *address)
{
	static const char *const groups[] = { "staff", "lab" };
	struct x2gobroker_profiles *profiles = load_profile(row->keys);
	const struct x2gobroker_profile *profile =
	    x2gobroker_profiles_get(profiles, 0);
	struct x2gobroker_user *user = make_user("alice", address);
	struct x2gobroker_error why;

	assert_int_equal(x2gobroker_user_set_groups(user, groups, 2, NULL), 0);
	if (x2gobroker_acl_check(profile, user, &why) != row->verdict)
		fail_msg("[%s] from %s: %s", row->keys, address != NULL ?
		    address : "nowhere", why.text);
	check(row->keys, x2gobroker_acl_check(profile, user, NULL) ==
	    row->verdict);
	check_problem(row->keys, &why, &(const struct problem){
	    row->verdict == ALLOW ? X2GOBROKER_OK : X2GOBROKER_ERR_DENIED,
	    why.line, row->why });
	check_text(row->keys, why.file, x2gobroker_profile_file(profile));
	x2gobroker_user_free(user);
	x2gobroker_profiles_free(profiles);
}

static void
users_and_groups_are_decided_by_table(void **state unused)
{
	static const struct row rows[] = {
		{ "", ALLOW, "everyone has access" },
		{ "acl-users-allow=\nacl-users-deny=", ALLOW, "everyone has access" },
		{ "acl-users-order=deny-allow", ALLOW, "everyone has access" },

		/* users alone */
		{ "acl-users-allow=alice", ALLOW, "acl-users-allow: the user's name is in" },
		{ "acl-users-allow=bob, alice ,carol", ALLOW, "user's name is in" },
		{ "acl-users-allow=bob,\n alice,\n\n carol", ALLOW, "is in the" },
		{ "acl-users-allow=ALL", ALLOW, "the user's name is in" },
		{ "acl-users-allow=ALL\nacl-users-deny=bob", ALLOW, "is in the" },
		{ "acl-users-allow=bob", DENY, "in either list" },
		{ "acl-users-allow=Alice", DENY, "in either list" },
		{ "acl-users-allow=all", DENY, "in either list" },
		{ "acl-users-allow=ali", DENY, "in either list" },
		{ "acl-users-allow=alice2", DENY, "in either list" },
		{ "acl-users-allow=alice bob", DENY, "in either list" },
		{ "acl-users-allow=staff", DENY, "in either list" },
		{ "acl-users-allow=,bob,", DENY, "in either list" },
		{ "acl-users-deny=alice", DENY, "acl-users-deny: the user's name is in" },
		{ "acl-users-deny=ALL", DENY, "acl-users-deny: the user's name is in" },
		{ "acl-users-deny=bob", DENY, "acl-users-deny: the user's name is not" },

		/* both lists: the order decides */
		{ "acl-users-allow=alice\nacl-users-deny=alice", DENY,
		    "acl-users-deny: the user's name is in" },
		{ "acl-users-allow=alice\nacl-users-deny=ALL", DENY,
		    "acl-users-deny: the user's name is in" },
		{ "acl-users-allow=alice\nacl-users-deny=ALL\n"
		    "acl-users-order=deny-allow", DENY, "checked first" },
		{ "acl-users-allow=alice\nacl-users-deny=ALL\n"
		    "acl-users-order=allow-deny", ALLOW, "checked first" },
		{ "acl-users-allow=bob\nacl-users-deny=ALL\n"
		    "acl-users-order=allow-deny", DENY, "checked second" },
		{ "acl-users-allow=ALL\nacl-users-deny=alice\n"
		    "acl-users-order=allow-deny", ALLOW, "checked first" },
		{ "acl-users-allow=ALL\nacl-users-deny=bob\n"
		    "acl-users-order=deny-allow", ALLOW, "checked second" },
		{ "acl-users-allow=bob\nacl-users-deny=carol\n"
		    "acl-users-order=allow-deny", DENY, "acl-users-allow: the user's name is not" },

		/* the default of all orders */
		{ "acl-any-order=allow-deny\nacl-users-allow=alice\n"
		    "acl-users-deny=ALL", ALLOW, "checked first" },
		{ "acl-any-order=deny-allow\nacl-users-allow=alice\n"
		    "acl-users-deny=ALL", DENY, "checked first" },
		{ "acl-any-order=allow-deny\nacl-users-order=deny-allow\n"
		    "acl-users-allow=alice\nacl-users-deny=ALL", DENY, "deny" },
		{ "acl-any-order=deny-allow\nacl-users-order=allow-deny\n"
		    "acl-users-allow=alice\nacl-users-deny=ALL", ALLOW, "" },
		{ "acl-any-order=allow-deny\nacl-users-order=\n"
		    "acl-users-allow=alice\nacl-users-deny=ALL", ALLOW, "" },

		/* groups alone */
		{ "acl-groups-allow=staff", ALLOW, "a group of the user" },
		{ "acl-groups-allow=guests,lab", ALLOW, "a group of" },
		{ "acl-groups-allow=ALL", ALLOW, "a group of the user" },
		{ "acl-groups-allow=guests", DENY, "no group of the user" },
		{ "acl-groups-allow=alice", DENY, "in either list" },
		{ "acl-groups-allow=Staff", DENY, "in either list" },
		{ "acl-groups-allow=staff lab", DENY, "in either list" },
		{ "acl-groups-deny=lab", DENY, "acl-groups-deny: a group of the user is in" },
		{ "acl-groups-deny=ALL", DENY, "acl-groups-deny: a group of the user is in" },
		{ "acl-groups-deny=guests", DENY, "in either list" },
		{ "acl-groups-allow=staff\nacl-groups-deny=lab", DENY, "deny" },
		{ "acl-groups-allow=staff\nacl-groups-deny=lab\n"
		    "acl-groups-order=allow-deny", ALLOW, "first" },
		{ "acl-groups-allow=staff\nacl-groups-deny=guests", ALLOW,
		    "checked second" },
		{ "acl-groups-allow=ALL\nacl-groups-deny=staff", DENY, "" },
		{ "acl-groups-allow=staff\nacl-groups-deny=lab\n"
		    "acl-users-order=allow-deny", DENY, "checked first" },

		/* users decide before groups; a miss leaves it to groups */
		{ "acl-users-allow=alice\nacl-groups-deny=ALL", ALLOW,
		    "acl-users-allow: the user's name is in" },
		{ "acl-users-allow=alice\nacl-groups-allow=guests", ALLOW,
		    "acl-users-allow: the user's name is in" },
		{ "acl-users-deny=alice\nacl-groups-allow=staff", DENY,
		    "acl-users-deny: the user's name is in" },
		{ "acl-users-deny=alice\nacl-groups-allow=ALL", DENY,
		    "acl-users-deny: the user's name is in" },
		{ "acl-users-allow=bob\nacl-groups-allow=staff", ALLOW,
		    "acl-groups-allow: a group of the user is in" },
		{ "acl-users-deny=bob\nacl-groups-allow=staff", ALLOW,
		    "acl-groups-allow: a group of the user is in" },
		{ "acl-users-allow=bob\nacl-groups-allow=guests", DENY,
		    "acl-groups-allow: no group" },
		{ "acl-users-deny=bob\nacl-groups-deny=staff", DENY,
		    "acl-groups-deny: a group of the user is in" },
		{ "acl-users-allow=bob\nacl-groups-deny=guests", DENY,
		    "acl-groups-deny: no group" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check_row(&rows[i], "192.0.2.7");
		check_row(&rows[i], NULL);	/* it does not matter here */
	}
}

static void
clients_are_decided_by_table(void **state unused)
{
	static const struct row rows[] = {
		{ "acl-clients-allow=192.0.2.7", ALLOW, "everyone has access" },
		{ "acl-clients-allow=192.0.2.0/24", ALLOW, "" },
		{ "acl-clients-allow=192.0.2.0/255.255.255.0", ALLOW, "" },
		{ "acl-clients-allow=10.0.0.0/8, 192.0.2.7", ALLOW, "" },
		{ "acl-clients-allow=0.0.0.0/0", ALLOW, "" },
		{ "acl-clients-allow=ALL", ALLOW, "" },
		{ "acl-clients-allow=ALL\nacl-clients-deny=10.0.0.0/8", ALLOW,
		    "" },
		{ "acl-clients-allow=192.0.2.7\nacl-clients-deny=ALL\n"
		    "acl-clients-order=allow-deny", ALLOW, "" },
		{ "acl-any-order=allow-deny\nacl-clients-allow=192.0.2.7\n"
		    "acl-clients-deny=192.0.2.0/24", ALLOW, "" },
		{ "acl-clients-allow=ALL\nacl-users-allow=alice", ALLOW,
		    "acl-users-allow: the user's name is in" },

		{ "acl-clients-allow=192.0.2.8", DENY, "the client's address "
		    "is not in either list" },
		{ "acl-clients-allow=192.0.2.0/30", DENY, "in either list" },
		{ "acl-clients-allow=::/0", DENY, "in either list" },
		{ "acl-clients-allow=192.0.2.7\nacl-clients-deny=ALL", DENY,
		    "acl-clients-deny: the client's address is in" },
		{ "acl-clients-allow=ALL\nacl-clients-deny=192.0.2.0/24", DENY,
		    "acl-clients-deny: the client's address is in" },
		{ "acl-clients-deny=192.0.2.7", DENY, "acl-clients-deny: the client's address is in" },
		{ "acl-clients-deny=10.0.0.0/8", DENY, "in either list" },
		{ "acl-clients-allow=no-such-host.invalid", DENY, "in either list" },
		/* a name that does not resolve denies, and never allows */
		{ "acl-clients-allow=ALL\n"
		    "acl-clients-deny=no-such-host.invalid", DENY,
		    "acl-clients-deny: the client's address is in" },
		{ "acl-clients-allow=localhost", DENY, "in either list" },
		{ "acl-clients-allow=ALL\nacl-clients-deny=localhost", ALLOW,
		    "" },

		/* both must be passed: the clients' lists and the others */
		{ "acl-clients-allow=ALL\nacl-users-allow=bob", DENY,
		    "acl-users-allow: the user's name is not" },
		{ "acl-clients-allow=ALL\nacl-groups-allow=guests", DENY,
		    "acl-groups-allow: no group" },
		{ "acl-clients-allow=192.0.2.8\nacl-users-allow=alice", DENY,
		    "acl-clients-allow: the client's address is not" },
		{ "acl-clients-deny=ALL\nacl-groups-allow=staff", DENY,
		    "acl-clients-deny: the client's address is in" },
	};
	struct row unknown;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check_row(&rows[i], "192.0.2.7");
		check_row(&rows[i], "::ffff:192.0.2.7");
		unknown = rows[i];
		unknown.verdict = DENY;
		unknown.why = "the client's address is unknown";
		check_row(&unknown, NULL);
	}
}

static void
ipv6_clients_are_decided_by_table(void **state unused)
{
	static const struct row rows[] = {
		{ "acl-clients-allow=2001:db8::/32", ALLOW, "" },
		{ "acl-clients-allow=::/0", ALLOW, "" },
		{ "acl-clients-allow=2001:db8::7", ALLOW, "" },
		{ "acl-clients-allow=0.0.0.0/0", DENY, "in either list" },
		{ "acl-clients-allow=2001:db9::/32", DENY, "in either list" },
		{ "acl-clients-allow=ALL\nacl-clients-deny=2001:db8::/64",
		    DENY, "acl-clients-deny: the client's address is in" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check_row(&rows[i], "2001:db8::7");
}

static void
the_rule_that_decided_is_named_by_its_line(void **state unused)
{
	static const char text[] = "[DEFAULT]\nacl-users-deny=alice\n"
	    "[inherits]\nhost=a\n"
	    "[own]\nhost=a\nname=x\nacl-users-deny=bob,alice\n"
	    "[emptied]\nhost=a\nacl-users-deny=\n";
	static const struct {
		const char *id;
		enum x2gobroker_verdict verdict;
		unsigned int line;
	} rows[] = {
		{ "inherits", DENY, 2 }, { "own", DENY, 8 },
		{ "emptied", ALLOW, 0 },
	};
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_error why;
	struct problems problems;
	size_t i;

	profiles = load_text(text, &problems);
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].id, x2gobroker_acl_check(x2gobroker_profiles_find(
		    profiles, rows[i].id), user, &why) == rows[i].verdict);
		check(rows[i].id, why.line == rows[i].line);
	}
	x2gobroker_profiles_free(profiles);
	x2gobroker_user_free(user);
}

static void
groups_that_cannot_be_looked_up_deny(void **state unused)
{
	static const char *const rows[] = { "acl-groups-allow=ALL",
	    "acl-groups-deny=x\nacl-groups-allow=ALL",
	    "acl-users-deny=bob\nacl-groups-allow=ALL" };
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user = make_user("no such account", NULL);
	struct x2gobroker_error why;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		profiles = load_profile(rows[i]);
		check(rows[i], x2gobroker_acl_check(x2gobroker_profiles_get(
		    profiles, 0), user, &why) == DENY);
		check_problem(rows[i], &why, &(const struct problem){
		    X2GOBROKER_ERR_DENIED, why.line, "cannot be looked up" });
		x2gobroker_profiles_free(profiles);
	}
	x2gobroker_user_free(user);
}

/* It is alice, of staff and lab, who asks. */
static void
a_deny_list_hits_in_any_case_and_by_each_word(void **state unused)
{
	static const char *const hits[] = { "alice", "Alice", "ALICE",
	    "all", "All", "bob,aLICE", "bob alice", "alice bob", "x Alice y",
	    "bob (alice)", "alice(left)", "bob & alice", "ALL,bob",
	    "EXAMPLE\\Alice", "bob, Alice@example.com",
	    "bob alice@example.com" };
	static const char *const misses[] = { "alic", "alice2", "bob",
	    "alice-2", "alice.x", "x alic y", "alice\\bob",
	    "bob@alice", "EXAMPLE\\bob", "All Users", "not all", "b\xc3\xbc" "b" };
	char keys[200];
	size_t i;

	for (i = 0; i < LENGTH(hits) + LENGTH(misses); i++) {
		bool hit = i < LENGTH(hits);
		const char *list = hit ? hits[i] : misses[i - LENGTH(hits)];

		snprintf(keys, sizeof(keys), "acl-users-allow=alice\n"
		    "acl-users-deny=%s", list);
		check_row(&(const struct row){ keys, hit ? DENY : ALLOW,
		    hit ? "the deny list" : "the allow list" }, NULL);
	}
	check_row(&(const struct row){ "acl-groups-allow=staff\n"
	    "acl-groups-deny=the LAB", DENY, "the deny list" }, NULL);
	/* who is let in by a list is in it exactly */
	check_row(&(const struct row){ "acl-users-allow=Alice, alice bob, all",
	    DENY, "in either list" }, NULL);
}

/* Each row: the name of an account, a deny list, and what that means. */
static void
a_deny_list_hits_with_and_without_the_domain(void **state unused)
{
	static const struct {
		const char *name, *list;
		enum x2gobroker_verdict verdict;
	} rows[] = {
		{ "bob@example.com", "Bob", DENY },
		{ "EXAMPLE\\bob", "BOB", DENY },
		{ "EXAMPLE\\bob", "bob@example.com", DENY },
		{ "bob@example.com", "BOB@EXAMPLE.COM", DENY },
		{ "bob@example.com", "bob@example.org", ALLOW },
		{ "EXAMPLE\\bob", "OTHER\\bob", ALLOW },
		{ "bob@example.com", "example.com", ALLOW },
		{ "EXAMPLE\\bob", "EXAMPLE", ALLOW },
	};
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	char keys[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(keys, sizeof(keys), "acl-users-allow=ALL\n"
		    "acl-users-deny=%s", rows[i].list);
		profiles = load_profile(keys);
		user = make_user(rows[i].name, "192.0.2.7");
		check(rows[i].list, x2gobroker_acl_check(
		    x2gobroker_profiles_get(profiles, 0), user, NULL) ==
		    rows[i].verdict);
		x2gobroker_user_free(user);
		x2gobroker_profiles_free(profiles);
	}
}

/* As if alice were in a third group, with the gid 4711. */
static void
a_group_without_a_name_is_denied(void **state unused)
{
	static const char *const groups[] = { "staff", "lab" };
	static const struct row rows[] = {
		{ "acl-groups-deny=guests\nacl-groups-allow=staff", DENY,
		    "or may be, as gid 4711 has no name" },
		{ "acl-groups-deny=lab", DENY, "the deny list" },
		{ "acl-groups-deny=guests\nacl-users-deny=bob", DENY, "4711" },
		{ "acl-groups-deny=guests\nacl-groups-allow=staff\n"
		    "acl-groups-order=allow-deny", ALLOW, "the allow list" },
		{ "acl-groups-allow=staff", ALLOW, "the allow list" },
		{ "acl-groups-deny=\nacl-groups-allow=lab", ALLOW, "" },
		{ "acl-groups-allow=guests", DENY, "no group of the user" },
		{ "acl-users-allow=alice\nacl-groups-deny=x", ALLOW, "name" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems = { 0 };
	struct reporter rep = { .fn = collect, .arg = &problems };
	struct x2gobroker_user *user;
	struct x2gobroker_error why;
	struct visible visible;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		profiles = load_profile(rows[i].keys);
		user = make_user("alice", NULL);
		assert_int_equal(x2gobroker_user_set_groups(user, groups, 2,
		    NULL), 0);
		user->has_nameless = true;
		user->nameless = 4711;
		check(rows[i].keys, x2gobroker_acl_check(
		    x2gobroker_profiles_get(profiles, 0), user, &why) ==
		    rows[i].verdict);
		check(rows[i].keys, strstr(why.text, rows[i].why) != NULL);
		problems.n = 0;
		assert_int_equal(visible_find(&visible, profiles, user, NULL,
		    NULL, &rep, NULL), 0);
		check(rows[i].keys, problems.n == user->nameless_denied);
		free(visible.list);
		x2gobroker_user_free(user);
		x2gobroker_profiles_free(profiles);
	}
}

static void
a_name_that_the_directory_does_not_have_is_told(void **state unused)
{
	static const struct {
		const char *list, *told;
	} rows[] = {
		{ "acl-users-deny=bob", NULL },
		{ "acl-groups-deny=lab, Domain Users", NULL },
		{ "acl-users-allow=bob, nobody yet", "no user \"nobody yet\"" },
		{ "acl-users-allow=soon", NULL },
		{ "acl-users-allow=Bob", "spells \"Bob\" as \"bob\"" },
		{ "acl-users-allow=all", "and not ALL; write ALL in capitals" },
		{ "acl-users-deny=Bob", "spells \"Bob\" as \"bob\"" },
		{ "acl-users-deny=bbo", "no user \"bbo\"; correct the sp" },
		{ "acl-users-deny=bob eve", "put commas between the names" },
		{ "acl-users-deny=lab", "no user \"lab\"" },
		{ "acl-users-deny=1001", "no user \"1001\"" },
		{ "acl-groups-deny=LAB", "spells \"LAB\" as \"lab\"" },
		{ "acl-groups-deny=labs", "no group \"labs\"" },
		{ "acl-groups-deny=domain users", "as \"Domain Users\"" },
		{ "acl-clients-deny=192.0.2.1, localhost", NULL },
		{ "acl-clients-deny=192.0.2.1, no-such-host.invalid",
		    "no-such-host.invalid cannot be resolved, so it matches "
		    "all clients" },
		{ "acl-clients-allow=no-such-host.invalid", "no client" },
		{ "acl-groups-deny=all\nacl-groups-order=allow-deny",
		    "means ALL here; write ALL" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	char text[200];
	size_t i, own;

	/* in the profile itself, or in the defaults, where it is told once */
	for (i = 0; i < 2 * LENGTH(rows); i++) {
		own = i % 2;
		snprintf(text, sizeof(text), own ? "[p]\nname=P\nhost=a\n%s\n"
		    : "[DEFAULT]\nhost=a\nname=P\n%s\n[p]\n[q]\n",
		    rows[i / 2].list);
		profiles = load_text(text, &problems);
		problems.n = 0;
		x2gobroker_profiles_lint(profiles, collect, &problems);
		check(text, problems.n == (rows[i / 2].told != NULL));
		if (problems.n == 1)
			check_problem(text, &problems.list[0],
			    &(const struct problem){ X2GOBROKER_WARNING, 4,
			    rows[i / 2].told });
		x2gobroker_profiles_free(profiles);
	}
}

static void
what_no_rule_needs_is_not_looked_up(void **state unused)
{
	static const struct {
		const char *keys;
		int lookups;
	} rows[] = {
		{ "", 0 }, { "acl-users-allow=alice", 0 },
		{ "acl-users-allow=ALL\nacl-users-deny=bob, eve", 0 },
		{ "acl-users-allow=1, 2, 3", 0 },
		{ "acl-groups-order=allow-deny\nacl-groups-allow=", 0 },
		/* decided before the groups are */
		{ "acl-users-allow=alice\nacl-groups-deny=lab", 0 },
		{ "acl-clients-allow=10.0.0.0/8\nacl-groups-allow=lab", 0 },
		{ "acl-groups-allow=lab", 1 },
		{ "acl-groups-allow=lab\nacl-groups-deny=1, 2, 3", 1 },
		{ "acl-users-deny=bob\nacl-groups-allow=lab", 1 },
		{ "acl-users-deny=1", 1 },
	};
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		profiles = load_profile(rows[i].keys);
		user = make_user("alice", "192.0.2.7");
		lookups = 0;
		x2gobroker_acl_check(x2gobroker_profiles_get(profiles, 0), user,
		    NULL);
		if (lookups != rows[i].lookups)
			fail_msg("[%s] %d look-ups", rows[i].keys, lookups);
		x2gobroker_user_free(user);
		x2gobroker_profiles_free(profiles);
	}
}

static void
what_is_surely_not_meant_is_told(void **state unused)
{
	static const struct {
		const char *keys, *told;	/* "": nothing */
	} rows[] = {
		{ "", "" },
		{ "acl-users-allow=ALL", "" },
		{ "acl-users-deny=ALL\nacl-users-allow=alice\n"
		    "acl-users-order=allow-deny", "" },
		{ "acl-users-deny=ALL", "acl-users-deny contains ALL" },
		{ "acl-groups-deny=lab, ALL", "acl-groups-order = allow-deny" },
		{ "acl-clients-deny=ALL\nacl-clients-order=deny-allow",
		    "acl-clients-deny contains ALL and is checked first" },
		{ "acl-any-order=allow-deny\nacl-users-deny=ALL\n"
		    "acl-users-allow=alice", "acl-any-order" },
		{ "acl-any-order=allow-deny\nacl-users-deny=bob", "" },
		{ "acl-any-order=allow-deny\nacl-users-allow=bob", "" },
		{ "acl-any-order=deny-allow\nacl-users-deny=bob\n"
		    "acl-users-allow=alice", "" },
		{ "acl-any-order=allow-deny\nacl-users-order=allow-deny\n"
		    "acl-users-deny=bob\nacl-users-allow=alice", "" },
	};
	struct x2gobroker_profiles *profiles;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		profiles = load_profile(rows[i].keys);
		problems.n = 0;
		x2gobroker_profiles_lint(profiles, collect, &problems);
		check(rows[i].keys, problems.n == (*rows[i].told != '\0'));
		if (problems.n == 1)
			check_problem(rows[i].keys, &problems.list[0],
			    &(const struct problem){ X2GOBROKER_WARNING,
			    problems.list[0].line, rows[i].told });
		x2gobroker_profiles_free(profiles);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_and_groups_are_decided_by_table),
		cmocka_unit_test(clients_are_decided_by_table),
		cmocka_unit_test(ipv6_clients_are_decided_by_table),
		cmocka_unit_test(the_rule_that_decided_is_named_by_its_line),
		cmocka_unit_test(groups_that_cannot_be_looked_up_deny),
		cmocka_unit_test(a_deny_list_hits_in_any_case_and_by_each_word),
		cmocka_unit_test(a_deny_list_hits_with_and_without_the_domain),
		cmocka_unit_test(a_group_without_a_name_is_denied),
		cmocka_unit_test(a_name_that_the_directory_does_not_have_is_told),
		cmocka_unit_test(what_no_rule_needs_is_not_looked_up),
		cmocka_unit_test(what_is_surely_not_meant_is_told),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
