/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked with the look-ups of accounts and groups wrapped: alice has the
 * primary group 100 "users" and is in 200 "staff" and 300 "lab".
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>

#include "support.h"
#include "access/user.h"

struct passwd	*__wrap_getpwnam(const char *name);
struct group	*__wrap_getgrgid(gid_t gid);
int	__wrap_getgrouplist(const char *name, gid_t primary, gid_t *gids,
	    int *n);

static char *alice[] = { (char[]){ "bob" }, (char[]){ "alice" }, NULL };
static char *nobody[] = { NULL };

static struct group the_groups[] = {
	{ .gr_gid = 100, .gr_name = (char[]){ "users" }, .gr_mem = nobody },
	{ .gr_gid = 200, .gr_name = (char[]){ "staff" }, .gr_mem = alice },
	{ .gr_gid = 300, .gr_name = (char[]){ "lab" }, .gr_mem = nobody },
};

static int lookups, account_errno, broken_gid, broken_errno, ngids;

struct passwd *
__wrap_getpwnam(const char *name)
{
	static struct passwd pw = { .pw_uid = 1001, .pw_gid = 100 };

	lookups++;
	if (strcmp(name, "alice") == 0 && account_errno == 0)
		return &pw;
	errno = account_errno;
	return NULL;
}

struct group *
__wrap_getgrgid(gid_t gid)
{
	size_t i;

	for (i = 0; i < LENGTH(the_groups); i++)
		if (the_groups[i].gr_gid == gid && (int)gid != broken_gid)
			return &the_groups[i];
	errno = broken_errno;
	return NULL;
}

/* What the next list of groups lacks, whether it is in another order, and what
 * each leaves in errno. */
static int missing, list_errno;
static bool swapped;

/* As in getgrouplist(3): -1 and the number where there is not room enough; if
 * ngids is -1, there never is.  Numbers from 1000 on have no name. */
int
__wrap_getgrouplist(const char *name unused, gid_t primary, gid_t *gids,
    int *n)
{
	int i, room = *n;

	*n = ngids != -1 ? ngids : 2 * room;
	if (room < *n)
		return -1;
	for (i = 0; i < ngids; i++)
		gids[i] = i == 0 ? primary : i == ngids - 2 ? 200 :
		    i == ngids - 1 ? 300 : 1000 + (gid_t)i;
	if (list_errno != 0)
		errno = list_errno;
	if (swapped) {
		gids[0] = gids[ngids - 1];
		gids[ngids - 1] = primary;
	}
	swapped = false;
	*n -= missing;
	missing = 0;
	return *n;
}

static int
reset(void **state unused)
{
	lookups = account_errno = broken_gid = broken_errno = 0;
	missing = list_errno = 0;
	swapped = false;
	ngids = 3;
	the_groups[0].gr_mem = nobody;
	return 0;
}

/* The groups that user has, as "a b c". */
static const char *
groups_of(const struct x2gobroker_user *user)
{
	static char text[200];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < user->ngroups && i < 10; i++) {
		strcat(text, i > 0 ? " " : "");
		strncat(text, user->groups[i], 15);
	}
	return text;
}

static void
a_user_has_a_name_and_perhaps_an_address(void **state unused)
{
	static const char *const rows[] = { "192.0.2.1", "::ffff:192.0.2.1",
	    "2001:db8::1", "fe80::1%eth0" };
	struct x2gobroker_user *user = make_user("alice", NULL);
	size_t i;

	assert_string_equal(x2gobroker_user_name(user), "alice");
	assert_null(x2gobroker_user_address(user));
	x2gobroker_user_free(user);
	for (i = 0; i < LENGTH(rows); i++) {
		user = make_user("alice", rows[i]);
		check_text(rows[i], x2gobroker_user_address(user), rows[i]);
		x2gobroker_user_free(user);
	}
	x2gobroker_user_free(NULL);
}

static void
nobody_and_nowhere_are_refused(void **state unused)
{
	static const struct {
		const char *name, *address;
		struct problem problem;
	} rows[] = {
		{ "", NULL, { X2GOBROKER_ERR_DENIED, 0, "is empty" } },
		{ "", "192.0.2.1", { X2GOBROKER_ERR_DENIED, 0, "is empty" } },
		{ "alice", "", { X2GOBROKER_ERR_VALUE, 0, "not an IP address" } },
		{ "alice", "UNKNOWN", { X2GOBROKER_ERR_VALUE, 0,
		    "\"UNKNOWN\" is not an IP address" } },
		{ "alice", "192.0.2.1 22", { X2GOBROKER_ERR_VALUE, 0, "no" } },
		{ "alice", "192.0.2.0/24", { X2GOBROKER_ERR_VALUE, 0, "no" } },
		{ "alice", "localhost", { X2GOBROKER_ERR_VALUE, 0, "no" } },
	};
	struct x2gobroker_error err;
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].name, x2gobroker_user_new(rows[i].name,
		    rows[i].address, &user, &err) == -1);
		check(rows[i].name, user == NULL);
		check_problem(rows[i].name, &err, &rows[i].problem);
	}
}

static void
groups_are_looked_up_once(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);

	assert_int_equal(lookups, 0);
	assert_int_equal(user_need_groups(user, false, NULL), 0);
	assert_int_equal(user_need_groups(user, false, NULL), 0);
	assert_int_equal(lookups, 1);
	assert_string_equal(groups_of(user), "staff lab");
	x2gobroker_user_free(user);
}

static void
the_primary_group_counts_if_asked_for_or_named_in(void **state unused)
{
	static const struct {
		bool with_primary, named;
		const char *groups;
	} rows[] = {
		{ false, false, "staff lab" },
		{ true, false, "users staff lab" },
		{ false, true, "users staff lab" },
		{ true, true, "users staff lab" },
	};
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		user = make_user("alice", NULL);
		the_groups[0].gr_mem = rows[i].named ? alice : nobody;
		assert_int_equal(user_need_groups(user, rows[i].with_primary,
		    NULL), 0);
		check_text("groups", groups_of(user), rows[i].groups);
		x2gobroker_user_free(user);
	}
}

static void
somebody_can_be_in_hundreds_of_groups(void **state unused)
{
	static const int rows[] = { 63, 64, 65, 128, 129, 1000, 65536 };
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		ngids = rows[i];
		user = make_user("alice", NULL);
		assert_int_equal(user_need_groups(user, false, NULL), 0);
		/* those without a name are left out */
		assert_string_equal(groups_of(user), "staff lab");
		x2gobroker_user_free(user);
	}
}

static void
what_cannot_be_looked_up_is_an_error(void **state unused)
{
	static const struct {
		const char *why, *name;
		int account_errno, ngids, broken_gid, broken_errno;
		struct problem problem;
	} rows[] = {
		{ "no such account", "carol", 0, 3, 0, 0,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "carol cannot be looked up: "
		    "there is no such account" } },
		{ "no directory", "alice", EIO, 3, 0, 0,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "Input/output error" } },
		{ "no end of groups", "alice", 0, -1, 0, 0,
		    { X2GOBROKER_ERR_SYSTEM, 0, "groups of alice cannot be" } },
		/* a deny list must not miss for want of a name */
		{ "no directory for a group", "alice", 0, 3, 200, EIO,
		    { X2GOBROKER_ERR_SYSTEM, 0, "cannot be looked up" } },
	};
	struct x2gobroker_error err;
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		account_errno = rows[i].account_errno;
		ngids = rows[i].ngids;
		broken_gid = rows[i].broken_gid;
		broken_errno = rows[i].broken_errno;
		user = make_user(rows[i].name, NULL);
		check(rows[i].why, user_need_groups(user, true, &err) == -1);
		check_problem(rows[i].why, &err, &rows[i].problem);
		check(rows[i].why, !user->groups_known);
		x2gobroker_user_free(user);
	}
}

static void
a_group_without_a_name_is_noted(void **state unused)
{
	static const struct {
		int broken_gid, errnum;
		bool with_primary;
		const char *groups;
	} rows[] = {
		{ 300, 0, true, "users staff" }, { 300, ENOENT, true,
		    "users staff" }, { 200, 0, false, "lab" },
		/* it could have the user as a member, if it had a name */
		{ 100, 0, true, "staff lab" }, { 100, 0, false, "staff lab" },
	};
	static const char *const given[] = { "a" };
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		broken_gid = rows[i].broken_gid;
		broken_errno = rows[i].errnum;
		user = make_user("alice", NULL);
		assert_int_equal(user_need_groups(user, rows[i].with_primary,
		    NULL), 0);
		check_text(rows[i].groups, groups_of(user), rows[i].groups);
		assert_true(user->has_nameless);
		assert_int_equal(user->nameless, rows[i].broken_gid);
		assert_int_equal(x2gobroker_user_set_groups(user, given, 1,
		    NULL), 0);
		assert_false(user->has_nameless);
		x2gobroker_user_free(user);
	}
	broken_gid = 0;
	user = make_user("alice", NULL);
	assert_int_equal(user_need_groups(user, true, NULL), 0);
	assert_false(user->has_nameless);
	x2gobroker_user_free(user);
}

/* getgrouplist(3) says nothing of what it could not read. */
static void
half_a_list_of_groups_is_an_error(void **state unused)
{
	static const struct {
		const char *why;
		int missing, list_errno;
		bool swapped, ok;
	} rows[] = {
		{ "one is missing", 1, 0, false, false },
		{ "a file cannot be read", 0, EIO, false, false },
		{ "no descriptor is left", 0, EMFILE, false, false },
		{ "no nscd(8)", 0, ENOENT, false, true },
		{ "another order", 0, 0, true, true },
		{ "all is well", 0, 0, false, true },
	};
	struct x2gobroker_error err = { 0 };
	struct x2gobroker_user *user;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		missing = rows[i].missing;
		list_errno = rows[i].list_errno;
		swapped = rows[i].swapped;
		user = make_user("alice", NULL);
		check(rows[i].why, (user_need_groups(user, true, &err) == 0) ==
		    rows[i].ok);
		check(rows[i].why, rows[i].ok || (user->ngroups == 0 &&
		    user->groups_error->code == X2GOBROKER_ERR_SYSTEM));
		x2gobroker_user_free(user);
	}
}

/* A listing asks again at the next profile, when the directory may be back. */
static void
a_lookup_that_failed_can_be_tried_again(void **state unused)
{
	struct x2gobroker_user *user = make_user("alice", NULL);

	broken_gid = 300;
	broken_errno = EIO;
	assert_int_equal(user_need_groups(user, true, NULL), -1);
	assert_int_equal(user_need_groups(user, true, NULL), -1);
	assert_int_equal(user->ngroups, 0);
	broken_gid = 0;
	assert_int_equal(user_need_groups(user, true, NULL), 0);
	assert_string_equal(groups_of(user), "users staff lab");
	x2gobroker_user_free(user);
}

static void
given_groups_replace_the_lookup(void **state unused)
{
	static const char *const some[] = { "a", "b" }, *const other[] = {
	    "c" };
	struct x2gobroker_user *user = make_user("carol", NULL);

	assert_int_equal(x2gobroker_user_set_groups(user, some, 2, NULL), 0);
	assert_int_equal(user_need_groups(user, true, NULL), 0);
	assert_string_equal(groups_of(user), "a b");
	assert_int_equal(x2gobroker_user_set_groups(user, other, 1, NULL), 0);
	assert_string_equal(groups_of(user), "c");
	assert_int_equal(x2gobroker_user_set_groups(user, NULL, 0, NULL), 0);
	assert_int_equal(user_need_groups(user, true, NULL), 0);
	assert_string_equal(groups_of(user), "");
	assert_int_equal(lookups, 0);
	x2gobroker_user_free(user);
}

static void
numbers_in_a_list_are_ids(void **state unused)
{
	static const struct {
		const char *list;
		bool uid, gid;
	} rows[] = {
		{ "1001", true, false }, { "bob, 1001", true, false },
		{ "01001", true, false }, { "200", false, true },
		{ "1,2,300 ,4", false, true }, { "100", false, false },
		{ "", false, false }, { "1001a", false, false },
		{ "10011", false, false }, { "-1001", false, false },
		{ "4294968297", false, false }, { "11111111111", false, false },
		{ "alice", false, false },
	};
	struct x2gobroker_user *user = make_user("alice", NULL);
	struct x2gobroker_user *given = make_user("alice", NULL);
	struct x2gobroker_user *stranger = make_user("carol", NULL);
	size_t i;

	assert_int_equal(user_need_groups(user, false, NULL), 0);
	assert_int_equal(x2gobroker_user_set_groups(given, NULL, 0, NULL), 0);
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].list, user_has_uid_in(user, rows[i].list) ==
		    rows[i].uid);
		check(rows[i].list, user_has_gid_in(user, rows[i].list) ==
		    rows[i].gid);
		check(rows[i].list, !user_has_gid_in(given, rows[i].list));
		check(rows[i].list, !user_has_uid_in(stranger, rows[i].list));
	}
	account_errno = EIO;	/* who cannot be looked up may be meant */
	assert_true(user_has_uid_in(user, "7"));
	assert_false(user_has_uid_in(user, "seven"));
	x2gobroker_user_free(stranger);
	x2gobroker_user_free(given);
	x2gobroker_user_free(user);
}

#define test(name)	cmocka_unit_test_setup(name, reset)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_user_has_a_name_and_perhaps_an_address),
		test(nobody_and_nowhere_are_refused),
		test(groups_are_looked_up_once),
		test(the_primary_group_counts_if_asked_for_or_named_in),
		test(somebody_can_be_in_hundreds_of_groups),
		test(what_cannot_be_looked_up_is_an_error),
		test(a_group_without_a_name_is_noted),
		test(half_a_list_of_groups_is_an_error),
		test(a_lookup_that_failed_can_be_tried_again),
		test(numbers_in_a_list_are_ids),
		test(given_groups_replace_the_lookup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
