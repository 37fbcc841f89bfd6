/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of the acl- keys.
 */
#include "config/profile.h"
#include "support.h"

static void
values_are_checked_by_table(void **state unused)
{
	static const struct {
		const char *key, *value;
		const char *wrong;	/* NULL: nothing */
	} rows[] = {
		{ "acl-users-allow", "alice,bob", NULL },
		{ "acl-users-allow", "", NULL },
		{ "acl-users-deny", "DOMAIN\\user", NULL },
		{ "acl-groups-allow", "domain users,staff", NULL },
		{ "acl-groups-deny", ",staff,", NULL },
		{ "acl-clients-allow", "", NULL },
		{ "acl-clients-allow", "ALL,192.0.2.1, 10.0.0.0/8,2001:db8::1,"
		    "2001:db8::/32,10.0.0.0/255.0.0.0,lab.example.org", NULL },
		{ "acl-users-order", "allow-deny", NULL },
		{ "acl-groups-order", "deny-allow", NULL },
		{ "acl-clients-order", "", NULL },
		{ "acl-any-order", "allow-deny", NULL },

		{ "acl-users-allow", ",", "only commas" },
		{ "acl-groups-deny", " , ,\n,", "only commas" },
		{ "acl-clients-deny", ",,", "only commas" },
		{ "acl-users-allow", "['alice']", "Python notation" },
		{ "acl-clients-deny", "[]", "Python notation" },
		{ "acl-clients-deny", "10.0.0.0/33", "\"10.0.0.0/33\" is" },
		{ "acl-clients-deny", "ALL,10.0.0", "\"10.0.0\" is neither" },
		{ "acl-clients-allow", "10.0.0.0/-0", "is neither ALL" },
		{ "acl-clients-allow", "10.0.0.0/255.0.255.0", "is neither" },
		{ "acl-clients-allow", "10.0.0.*", "\"10.0.0.*\" is neither" },
		{ "acl-clients-allow", "::g", "is neither ALL" },
		{ "acl-clients-deny", "fe80::1%eth0 10.0.0.1", "is neither" },
		{ "acl-clients-allow", "10.0.0.1 10.0.0.2", "is neither" },
		{ "acl-clients-allow", "*.example.org", "is neither ALL" },
		{ "acl-users-order", "allow", "neither allow-deny nor" },
		{ "acl-users-order", "Allow-Deny", "neither allow-deny nor" },
		{ "acl-users-order", "allow-deny,", "neither allow-deny nor" },
		{ "acl-any-order", "deny", "neither allow-deny nor" },
	};
	const char *wrong;
	char buf[1024];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		wrong = profile_check_acl(profile_row(rows[i].key)->acl,
		    rows[i].value, buf, sizeof(buf));
		if ((wrong == NULL) != (rows[i].wrong == NULL) ||
		    (wrong != NULL && strstr(wrong, rows[i].wrong) == NULL))
			fail_msg("[%s=%s] %s", rows[i].key, rows[i].value,
			    wrong != NULL ? wrong : "is taken");
	}
}

/* As an item between two others, so it is not only what is at the ends. */
static const char *
check_item(const char *key, const char *item, char *buf, size_t size)
{
	char value[300];

	snprintf(value, sizeof(value), "alice, %s, carol", item);
	return profile_check_acl(profile_row(key)->acl, value, buf, size);
}

static void
an_item_that_cannot_be_a_name_is_an_error(void **state unused)
{
	static const char *const keys[] = { "acl-users-deny",
	    "acl-groups-deny", "acl-users-allow", "acl-groups-allow" };
	static const char *const names[] = { "ALL", "bob", "Bob", "b-ob",
	    "bob_", "_bob", "bob.eve", "bob$", "1001", "bob eve", "O'Brien",
	    "EXAMPLE\\bob", "bob@EXAMPLE.ORG", "EXAMPLE+bob", "R&D",
	    "Domain Users", "EXAMPLE\\Domain Users", "Sales & Support",
	    "Sales (EU)", "Sales (R&D) - EU", "Abt. 3", "j\xc3\xbcrgen",
	    "J\xc3\x9cRGEN", "\xd0\xbe\xd1\x82\xd0\xb4\xd0\xb5\xd0\xbb",
	    "IT-\xd0\xbe\xd1\x82\xd0\xb4\xd0\xb5\xd0\xbb",
	    "\xe5\xad\xa6\xe7\x94\x9f", "stra\xc3\x9f" "e", "st.-john" };
	static const char *const wrong[] = { "bob # left", "bob #left",
	    "bob#left", "#bob", "bob ; left", "bob;eve", "; bob", "\"bob\"",
	    "'bob'", "`bob`", "\"bob", "bob\"", "bob'", "bob\neve",
	    "bob\teve", "bob\n# left", "bob\n\neve", "@students",
	    "bob @students", "%students", "&students", "+students", "+bob",
	    "-bob", "bob -eve", "!bob", "~bob", "*", "bob*", "b?b", "b[ou]b",
	    "^bob$", "bob/eve", "bob|eve", "bob & +eve", "bob:", "user:bob",
	    "bob=eve", "=bob", "uid=1001", "#1001", "<bob>", "{bob}", "(bob)",
	    "(bob", "bob)", "bob (left", "bob ((left))", "bob  eve", "bob.",
	    ".bob", "bob\\", "\\bob", "EXAMPLE\\\\bob", "bob@", "bob+",
	    "$bob", "$(bob)", "acl-groups-deny=bob", "acl-groups-deny: bob",
	    "bob\nacl-groups-deny=eve",
	    /* blanks, quotes, dashes and commas of other kinds */
	    "bob\xc2\xa0", "\xc2\xa0" "bob", "bob\xc2\xa0" "eve",
	    "bob\xe3\x80\x80" "eve", "bob\xe2\x80\x8b", "\xef\xbb\xbf" "bob",
	    "bo\xc2\xad" "b", "\xe2\x80\x9c" "bob\xe2\x80\x9d",
	    "\xc2\xab" "bob\xc2\xbb", "bob\xe2\x80\x93" "eve",
	    "bob\xef\xbc\x8c" "eve", "bob\xe3\x80\x81" "eve",
	    "bob\xd8\x8c" "eve", "bob\xef\xbc\x9b" "eve",
	    "\xe2\x80\xae" "bob", "bob\xe2\x80\xa6", "bob\xf0\x9f\x98\x80",
	    /* letters that only look like bob's and ju"rgen's */
	    "\xef\xbd\x82\xef\xbd\x8f\xef\xbd\x82", "b\xd0\xbe" "b",
	    "b\xce\xbf" "b", "ju\xcc\x88rgen", "bob\x01", "bob\x7f", "bo\xfc",
	    "\xef\xac\x81nn" };
	const char *reason;
	char buf[300];
	size_t i, k;

	for (k = 0; k < LENGTH(keys); k++) {
		for (i = 0; i < LENGTH(names); i++)
			if ((reason = check_item(keys[k], names[i], buf,
			    sizeof(buf))) != NULL)
				fail_msg("[%s] %s", names[i], reason);
		for (i = 0; i < LENGTH(wrong); i++) {
			reason = check_item(keys[k], wrong[i], buf,
			    sizeof(buf));
			check(wrong[i], reason != NULL);
			check(wrong[i], strstr(reason, "comma") != NULL);
		}
	}
}

static void
a_range_of_addresses_is_not_a_host_name(void **state unused)
{
	static const char *const names[] = { "lab", "lab.example.org",
	    "lab.example.org.", "10-0-0-1", "pc_1", "ts-1.lan", "4.3.2.1.isp.net",
	    "ip-10-0-0-9.ec2.internal", "10.example.org", "1.xn--p1ai" };
	static const char *const wrong[] = { "10.0.0.0-10.0.0.9",
	    "10.0.0.0-9", "10.0.0-9.0", "10.0.0.0_9", "10.0.0.x", "10.0.x.x",
	    "10.0.0.0-x9", "10.0.0.0-10.0.0.9.", "10.0.0.1-", "10.0.0.1..9",
	    "10.0.0.0 - 10.0.0.9", "10.0.0.0/24-9", "10.0.0.O", "10.0.0.l",
	    "2001:db8::1-9", "10.0.0.0:10.0.0.9", "10.0.0.0\xe2\x80\x93" "9",
	    "10.0.0.[0-9]", "10.0.0.1;10.0.0.2", "!10.0.0.1", "@lab" };
	const char *reason;
	char buf[300];
	size_t i;

	for (i = 0; i < LENGTH(names); i++)
		if ((reason = check_item("acl-clients-deny", names[i], buf,
		    sizeof(buf))) != NULL)
			fail_msg("[%s] %s", names[i], reason);
	for (i = 0; i < LENGTH(wrong); i++)
		check(wrong[i], check_item("acl-clients-deny", wrong[i], buf,
		    sizeof(buf)) != NULL);
}

static void
every_key_may_be_empty_and_not_not_set(void **state unused)
{
	const struct profile_key *row;
	char buf[100];
	size_t i, n = 0;

	for (i = 0; (row = profile_key(i)) != NULL; i++) {
		if (row->type != VALUE_ACL)
			continue;
		n++;
		check(row->name, strncmp(row->name, "acl-", 4) == 0);
		assert_null(profile_check_acl(row->acl, "", buf, sizeof(buf)));
		assert_non_null(profile_check_acl(row->acl, "not-set", buf,
		    sizeof(buf)));
		assert_non_null(profile_check_acl(row->acl, "Not-Set", buf,
		    sizeof(buf)));
	}
	assert_int_equal(n, 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_checked_by_table),
		cmocka_unit_test(an_item_that_cannot_be_a_name_is_an_error),
		cmocka_unit_test(a_range_of_addresses_is_not_a_host_name),
		cmocka_unit_test(every_key_may_be_empty_and_not_not_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
