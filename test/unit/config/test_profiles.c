/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and directories of profiles: what is read, withheld and in what order.
 */
#include "x2gobroker_admin.h"
#include "config/profile.h"
#include "support.h"

static int
make_profiles_d(void **state)
{
	static char file[100], dir[100];

	if (make_test_dir(state) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/profiles.conf", test_dir);
	snprintf(dir, sizeof(dir), "%s/profiles.d", test_dir);
	test_config = (struct x2gobroker_config){
		.path = file,
		.backends[BACKEND_INIFILE].enable = true,
		.session_profiles = file,
		.profiles_dir = dir,
	};
	make_dir("profiles.d");
	return 0;
}

/* The ids that are served, as "a b c". */
static const char *
ids_of(const struct x2gobroker_profiles *profiles)
{
	static char text[1000];
	size_t i;

	text[0] = '\0';
	for (i = 0; i < x2gobroker_profiles_count(profiles); i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, x2gobroker_profile_id(x2gobroker_profiles_get(
		    profiles, i)));
	}
	return text;
}

/* Load, and compare what is served and what is reported. */
static struct x2gobroker_profiles *
expect(const char *ids, const struct problem *want)
{
	struct problems problems;
	struct x2gobroker_profiles *profiles = load_profiles(&problems);

	check_problems(ids, &problems, want);
	check_text("ids", ids_of(profiles), ids);
	return profiles;
}

static void
expect_only(const char *ids, const struct problem *want)
{
	x2gobroker_profiles_free(expect(ids, want));
}

static const struct problem none[] = { { 0 } };

static void
profiles_are_in_the_order_of_their_ids(void **state unused)
{
	struct x2gobroker_profiles *profiles;

	write_file("profiles.conf", "[b]\nhost=b\n[B]\nhost=B\n[a 1]\nhost=a\n"
	    "[c]\nhost=c\n[a]\nhost=a\n");
	profiles = expect("B a a 1 b c", none);
	assert_int_equal(x2gobroker_profiles_count(profiles), 5);
	assert_null(x2gobroker_profiles_get(profiles, 5));
	assert_null(x2gobroker_profiles_get(profiles, SIZE_MAX));
	x2gobroker_profiles_free(profiles);
}

static void
a_profile_is_found_by_its_exact_id(void **state unused)
{
	static const char *const missing[] = { "", "A", "a ", " a", "b", "aa",
	    "DEFAULT", "a\n" };
	struct x2gobroker_profiles *profiles;
	size_t i;

	write_file("profiles.conf", "[DEFAULT]\n[a]\nhost=a\n[c]\nhost=c\n");
	profiles = expect("a c", none);
	check_text("a", x2gobroker_profile_id(x2gobroker_profiles_find(
	    profiles, "a")), "a");
	for (i = 0; i < LENGTH(missing); i++)
		check(missing[i], x2gobroker_profiles_find(profiles,
		    missing[i]) == NULL);
	x2gobroker_profiles_free(profiles);
}

static void
one_fault_withholds_one_profile(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	const char *file;
	unsigned int line;

	write_file("profiles.conf", "[a]\nhost=a\n[b]\nhost=b\nsound=maybe\n"
	    "[c]\nhost=c\nacl-users-alow=x\n[d]\nhost=d\n[General]\nhost=e\n");
	profiles = expect("a d", (const struct problem[]){
		{ X2GOBROKER_ERR_VALUE, 5, "sound = maybe" },
		{ X2GOBROKER_ERR_VALUE, 8, "acl-users-alow: unknown key" },
		{ X2GOBROKER_ERR_VALUE, 11, "[General]: the id" },
		{ 0 } });
	assert_int_equal(x2gobroker_profiles_count_withheld(profiles), 3);
	assert_true(x2gobroker_profiles_withheld(profiles, "c", &file, &line));
	assert_string_equal(file, test_path("profiles.conf"));
	assert_int_equal(line, 6);
	assert_null(x2gobroker_profiles_find(profiles, "c"));
	assert_false(x2gobroker_profiles_withheld(profiles, "a", &file,
	    &line));
	assert_false(x2gobroker_profiles_withheld(profiles, "x", &file,
	    &line));
	x2gobroker_profiles_free(profiles);
}

static void
a_fault_of_the_defaults_withholds_the_file(void **state unused)
{
	static const struct {
		const char *text;
		struct problem problem;
	} rows[] = {
		{ "[DEFAULT]\nsound=maybe\n[a]\nhost=a\nsound=true\n",
		    { X2GOBROKER_ERR_VALUE, 2, "sound = maybe" } },
		{ "[a]\nhost=a\n[DEFAULT]\nacl-user-deny=x\n",
		    { X2GOBROKER_ERR_VALUE, 4, "unknown key" } },
		{ "[DEFAULT]\nwidth=1\n[a]\nhost=a\n[DEFAULT]\nwidth=2\n",
		    { X2GOBROKER_ERR_VALUE, 6, "duplicate key \"width\"" } },
		{ "[DEFAULT]\nhost=lab:0\n[a]\nhost=a\n",
		    { X2GOBROKER_ERR_VALUE, 2, "no port from 1 to 65535" } },
	};
	size_t i;

	write_file("profiles.d/other.conf", "[other]\nhost=o\n");
	for (i = 0; i < LENGTH(rows); i++) {
		write_file("profiles.conf", rows[i].text);
		expect_only("other", (const struct problem[]){
		    rows[i].problem, { 0 } });
	}
}

static void
several_default_sections_are_one(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	const struct x2gobroker_profile *profile;

	write_file("profiles.conf", "[DEFAULT]\nwidth=1\n[a]\nhost=a\n"
	    "[DEFAULT]\nheight=2\nacl-users-deny=bob\n[DEFAULT]\n");
	profiles = expect("a", none);
	profile = x2gobroker_profiles_get(profiles, 0);
	assert_string_equal(x2gobroker_profile_value(profile, "width"), "1");
	assert_string_equal(x2gobroker_profile_value(profile, "height"), "2");
	assert_string_equal(x2gobroker_profile_value(profile,
	    "acl-users-deny"), "bob");
	x2gobroker_profiles_free(profiles);
}

static void
each_file_has_its_own_defaults(void **state unused)
{
	struct x2gobroker_profiles *profiles;

	write_file("profiles.conf", "[DEFAULT]\nwidth=1\n[a]\nhost=a\n");
	write_file("profiles.d/x.conf", "[b]\nhost=b\n");
	write_file("profiles.d/y.conf", "[DEFAULT]\nwidth=2\n[c]\nhost=c\n");
	profiles = expect("a b c", none);
	check_text("a", x2gobroker_profile_value(x2gobroker_profiles_find(
	    profiles, "a"), "width"), "1");
	check_text("b", x2gobroker_profile_value(x2gobroker_profiles_find(
	    profiles, "b"), "width"), "800");
	check_text("c", x2gobroker_profile_value(x2gobroker_profiles_find(
	    profiles, "c"), "width"), "2");
	x2gobroker_profiles_free(profiles);
}

static void
twins_are_withheld_wherever_they_stand(void **state unused)
{
	struct problems problems;
	struct x2gobroker_profiles *profiles;

	write_file("profiles.conf", "[t]\nhost=a\n[u]\nhost=u\n[t]\nhost=b\n"
	    "[v]\nhost=v\nsound=maybe\n");
	write_file("profiles.d/x.conf", "[t]\nhost=c\n[v]\nhost=d\n");
	profiles = load_profiles(&problems);
	assert_string_equal(ids_of(profiles), "u");
	assert_int_equal(x2gobroker_profiles_count_withheld(profiles), 5);
	assert_int_equal(problems.n, 4);
	assert_non_null(strstr(problems.list[1].text, "[t]: duplicate id "));
	assert_non_null(strstr(problems.list[1].text, ".conf:"));
	assert_non_null(strstr(problems.list[3].text, "[v]: duplicate id "));
	x2gobroker_profiles_free(profiles);
}

static void
a_file_that_cannot_be_parsed_gives_none(void **state unused)
{
	write_file("profiles.conf", "[a]\nhost=a\n[b\nhost=b\n");
	write_file("profiles.d/x.conf", "[c]\nhost=c\n");
	expect_only("c", (const struct problem[]){
		{ X2GOBROKER_ERR_SYNTAX, 3, "a ']' at its end" }, { 0 } });
}

static void
an_unsafe_file_gives_none(void **state unused)
{
	const char *path = write_file("profiles.conf", "[a]\nhost=a\n");

	write_file("profiles.d/x.conf", "[c]\nhost=c\n");
	assert_int_equal(chmod(path, 0664), 0);
	expect_only("c", (const struct problem[]){
		{ X2GOBROKER_ERR_UNSAFE, 0, "chmod go-w" }, { 0 } });
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(test_path("profiles.d/x.conf"), 0646), 0);
	expect_only("a", (const struct problem[]){
		{ X2GOBROKER_ERR_UNSAFE, 0, "chmod go-w" }, { 0 } });
	assert_int_equal(chmod(test_path("profiles.d"), 0775), 0);
	expect_only("a", (const struct problem[]){
		{ X2GOBROKER_ERR_UNSAFE, 0, "chmod go-w" }, { 0 } });
}

static void
only_files_that_end_in_conf_are_read(void **state unused)
{
	static const char *const others[] = { "profiles.d/b",
	    "profiles.d/.conf", "profiles.d/.c.conf", "profiles.d/d.conf~",
	    "profiles.d/e.conf.bak", "profiles.d/f.CONF", "profiles.d/gconf" };
	size_t i;

	for (i = 0; i < LENGTH(others); i++)
		write_file(others[i], "no INI syntax\n");
	write_file("profiles.d/a.conf", "[a]\nhost=a\n");
	expect_only("a", none);
	make_dir("profiles.d/z.conf");
	expect_only("a", (const struct problem[]){
		{ X2GOBROKER_ERR_UNSAFE, 0, "not a regular file" }, { 0 } });
}

static void
links_in_the_directory_are_followed(void **state unused)
{
	make_dir("elsewhere");
	write_file("elsewhere/a", "[a]\nhost=a\n");
	assert_int_equal(symlink("../elsewhere/a",
	    test_path("profiles.d/a.conf")), 0);
	expect_only("a", none);
	assert_int_equal(chmod(test_path("elsewhere"), 0777), 0);
	expect_only("", (const struct problem[]){
		{ X2GOBROKER_ERR_UNSAFE, 0, "chmod go-w" }, { 0 } });
}

static void
files_are_read_in_the_order_of_their_names(void **state unused)
{
	write_file("profiles.d/20.conf", "x\n");
	write_file("profiles.d/10.conf", "[a]\ny\n");
	write_file("profiles.d/B.conf", "[a]\n\nz\n");
	write_file("profiles.conf", "\n\n\nw\n");
	expect_only("", (const struct problem[]){
		{ X2GOBROKER_ERR_SYNTAX, 4, "before the first" },
		{ X2GOBROKER_ERR_SYNTAX, 2, "neither" },
		{ X2GOBROKER_ERR_SYNTAX, 1, "before the first" },
		{ X2GOBROKER_ERR_SYNTAX, 3, "neither" },
		{ 0 } });
}

static void
what_was_configured_must_exist(void **state unused)
{
	static const struct problem missing = { X2GOBROKER_ERR_NOTFOUND, 0,
	    "no such file or directory" };

	/* the file is missing, the directory is empty */
	expect_only("", none);
	test_config.session_profiles_set = true;
	expect_only("", (const struct problem[]){ missing, { 0 } });
	assert_int_equal(rmdir(test_path("profiles.d")), 0);
	test_config.profiles_dir_set = true;
	expect_only("", (const struct problem[]){ missing, missing, { 0 } });
	test_config.session_profiles_set = false;
	test_config.profiles_dir_set = false;
	expect_only("", (const struct problem[]){
		{ X2GOBROKER_ERR_NOTFOUND, 0, "no session profiles" },
		{ 0 } });
}

static void
a_backend_must_be_enabled(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_error err;

	write_file("profiles.conf", "[a]\nhost=a\n");
	test_config.backends[BACKEND_INIFILE].enable = false;
	assert_int_equal(x2gobroker_profiles_load(&test_config, NULL, NULL,
	    &profiles, &err), -1);
	assert_null(profiles);
	check_problem("inifile", &err, &(const struct problem){
	    X2GOBROKER_ERR_DENIED, 0, "the backend inifile is not enabled" });
	test_config.backends[BACKEND_INIFILE].enable = true;
	test_config.backend = BACKEND_ZEROCONF;
	assert_int_equal(x2gobroker_profiles_load(&test_config, NULL, NULL,
	    &profiles, &err), -1);
	assert_null(profiles);
	check_problem("zeroconf", &err, &(const struct problem){
	    X2GOBROKER_ERR_DENIED, 0, "the backend zeroconf is not enabled" });
}

static void
zeroconf_has_one_profile_for_this_host(void **state unused)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_profiles *profiles;

	write_file("profiles.conf", "[a]\nhost=a\n");
	test_config.backend = BACKEND_ZEROCONF;
	test_config.backends[BACKEND_ZEROCONF].enable = true;
	test_config.desktop_shell = "XFCE ; x";
	profiles = expect("localhost", none);
	profile = x2gobroker_profiles_get(profiles, 0);
	assert_string_equal(x2gobroker_profile_value(profile, "host"),
	    "localhost");
	assert_string_equal(x2gobroker_profile_value(profile, "command"),
	    "XFCE ; x");
	x2gobroker_profiles_free(profiles);
}

static void
thousands_are_no_trouble(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	char id[20];
	FILE *fp;
	int i;

	write_file("profiles.conf", "");
	fp = fopen(test_path("profiles.conf"), "w");
	assert_non_null(fp);
	for (i = 4999; i >= 0; i--)
		fprintf(fp, "[p%04d]\nhost=a\nname=%d\n", i, i);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(x2gobroker_profiles_load(&test_config, NULL, NULL,
	    &profiles, NULL), 0);
	assert_int_equal(x2gobroker_profiles_count(profiles), 5000);
	for (i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "p%04d", i);
		check_text(id, x2gobroker_profile_id(x2gobroker_profiles_get(
		    profiles, (size_t)i)), id);
		check(id, x2gobroker_profiles_find(profiles, id) != NULL);
	}
	x2gobroker_profiles_free(profiles);
}

static void
an_empty_list_can_be_asked_all_the_same(void **state unused)
{
	struct x2gobroker_profiles *profiles = expect("", none);
	const char *file;
	unsigned int line;

	assert_int_equal(x2gobroker_profiles_count(profiles), 0);
	assert_null(x2gobroker_profiles_get(profiles, 0));
	assert_null(x2gobroker_profiles_find(profiles, "a"));
	assert_false(x2gobroker_profiles_withheld(profiles, "a", &file,
	    &line));
	x2gobroker_profiles_free(profiles);
	x2gobroker_profiles_free(NULL);
}

static void
rules_that_are_surely_not_meant_are_linted(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems = { 0 };

	write_file("profiles.conf", "[a]\nhost=a\nacl-users-deny=ALL\n"
	    "[b]\nhost=b\n[c]\nhost=c\nacl-groups-deny=ALL\nsound=maybe\n");
	profiles = expect("a b", (const struct problem[]){
		{ X2GOBROKER_ERR_VALUE, 9, "sound" }, { 0 } });
	x2gobroker_profiles_lint(profiles, collect, &problems);
	check_problems("lint", &problems, (const struct problem[]){
		{ X2GOBROKER_WARNING, 3, "[a]: acl-users-deny contains ALL" },
		{ 0 } });
	x2gobroker_profiles_lint(profiles, NULL, NULL);
	x2gobroker_profiles_free(profiles);
}

/* Balancing would ignore them in silence. */
static void
numbers_of_unknown_servers_are_linted(void **state unused)
{
	struct x2gobroker_profiles *profiles;
	struct problems problems = { 0 };

	write_file("profiles.conf", "[DEFAULT]\nbroker-host-weights=ts09:5\n"
	    "[a]\nhost=ts01.lab, ts02 (192.0.2.2)\nbroker-host-weights="
	    "ts01:50, TS02.:60, 192.0.2.2:70, ts3:80\n"
	    "broker-host-limits=ts01.other:5\n"
	    "[b]\nhost=ts01.lab, ts01.other\nbroker-host-limits=ts01:5\n"
	    "[c]\nhost=localhost\nbroker-host-limits=ts01:5\n"
	    "[d]\nhost=ts01\nbroker-host-limits=not-set\n");
	profiles = expect("a b c d", (const struct problem[]){ { 0 } });
	x2gobroker_profiles_lint(profiles, collect, &problems);
	check_problems("lint", &problems, (const struct problem[]){
		{ X2GOBROKER_WARNING, 6, "broker-host-limits: the number of "
		    "ts01.other is ignored" },
		{ X2GOBROKER_WARNING, 5, "[a]: broker-host-weights: the number "
		    "of ts3 is ignored" },
		{ X2GOBROKER_WARNING, 9, "[b]: broker-host-limits: the number "
		    "of ts01 is ignored" },
		{ 0 } });
	x2gobroker_profiles_free(profiles);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_profiles_d, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(profiles_are_in_the_order_of_their_ids),
		test(a_profile_is_found_by_its_exact_id),
		test(one_fault_withholds_one_profile),
		test(a_fault_of_the_defaults_withholds_the_file),
		test(several_default_sections_are_one),
		test(each_file_has_its_own_defaults),
		test(twins_are_withheld_wherever_they_stand),
		test(a_file_that_cannot_be_parsed_gives_none),
		test(an_unsafe_file_gives_none),
		test(only_files_that_end_in_conf_are_read),
		test(links_in_the_directory_are_followed),
		test(files_are_read_in_the_order_of_their_names),
		test(what_was_configured_must_exist),
		test(a_backend_must_be_enabled),
		test(zeroconf_has_one_profile_for_this_host),
		test(thousands_are_no_trouble),
		test(an_empty_list_can_be_asked_all_the_same),
		test(rules_that_are_surely_not_meant_are_linted),
		test(numbers_of_unknown_servers_are_linted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
