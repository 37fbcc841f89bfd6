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
		{ "acl-users-alow", "alice", "unknown key" },
		{ "acl-user-allow", "alice", "unknown key" },
		{ "acl-Users-allow", "alice", "unknown key" },
		{ "acl-any-allow", "alice", "unknown key" },
		{ "acl-users-allow-order", "alice", "unknown key" },
		{ "acl-", "", "unknown key" },
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
	}
	assert_int_equal(n, 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_checked_by_table),
		cmocka_unit_test(every_key_may_be_empty_and_not_not_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
