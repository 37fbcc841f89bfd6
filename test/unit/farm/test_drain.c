/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include "farm/farm.h"
#include "failing_malloc.h"

#define MANY	20	/* administrators */

static char file[100];

static int
make_site(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	snprintf(file, sizeof(file), "%s/lib/drained", test_dir);
	test_config = (struct x2gobroker_config){ .drain_file = file,
	    .session_database = "" };
	return 0;
}

static void
write_list(const char *text)
{
	mkdir(test_path("lib"), 0755);
	write_file("lib/drained", text);
}

static void
check_list(const char *label, const char *want)
{
	char text[4096];
	FILE *fp = fopen(file, "r");
	size_t n;

	check(label, (fp != NULL) == (want != NULL));
	if (fp == NULL)
		return;
	n = fread(text, 1, sizeof(text) - 1, fp);
	text[n] = '\0';
	fclose(fp);
	check_text(label, text, want);
}

static struct x2gobroker_drained *
load(void)
{
	struct x2gobroker_drained *drained;

	assert_int_equal(x2gobroker_drained_load(&test_config, &drained,
	    NULL), 0);
	assert_non_null(drained);
	return drained;
}

/*
 * Reading
 */

static void
names_are_read_in_their_order(void **state unused)
{
	struct x2gobroker_drained *drained;

	write_list("# until Friday\nts02.example.org\n\n  ts01 \n"
	    "\t# ts03\n192.0.2.1\r\n2001:db8::1");
	drained = load();
	assert_string_equal(x2gobroker_drained_get(drained, 0),
	    "ts02.example.org");
	assert_string_equal(x2gobroker_drained_get(drained, 1), "ts01");
	assert_string_equal(x2gobroker_drained_get(drained, 2), "192.0.2.1");
	assert_string_equal(x2gobroker_drained_get(drained, 3),
	    "2001:db8::1");
	assert_null(x2gobroker_drained_get(drained, 4));
	assert_null(x2gobroker_drained_get(drained, (size_t)-1));
	x2gobroker_drained_free(drained);
	x2gobroker_drained_free(NULL);
}

static void
no_file_is_an_empty_list(void **state unused)
{
	const struct host host = { .name = "ts01" };
	struct x2gobroker_drained *drained = load();

	assert_null(x2gobroker_drained_get(drained, 0));
	assert_false(drain_has(drained, &host));
	x2gobroker_drained_free(drained);

	test_config.drain_file = "";
	drained = load();
	assert_null(x2gobroker_drained_get(drained, 0));
	x2gobroker_drained_free(drained);
}

static void
a_line_that_is_no_name_is_an_error(void **state unused)
{
	static const char *const lines[] = {
		"ts01 ts02", "ts01,", "ts01 # broken", "ts01:22", "-ts01",
		"1.2.3", "ts01;", "*", "ts\x01", "t\xc3\xb6st", "[2001:db8::1]",
		"192.0.2.0/24", "ts01 blocked # why", "ts01 Blocked",
		"ts01 blocked blocked",
	};
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err;
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(lines); i++) {
		buf_truncate(&buf, 0);
		buf_printf(&buf, "# x\nts01\n%s\n", lines[i]);
		write_list(buf.data);
		drained = (void *)&err;
		check(lines[i], x2gobroker_drained_load(&test_config, &drained,
		    &err) == -1);
		check_problem(lines[i], &err, &(const struct problem){
		    X2GOBROKER_ERR_SYNTAX, 3, "neither a host name nor" });
		check_text(lines[i], err.file, file);
		check(lines[i], drained == NULL);
		check(lines[i], x2gobroker_drained_load(&test_config, &drained,
		    NULL) == -1);
	}
	buf_free(&buf);
}

static void
a_nul_byte_is_not_the_end_of_a_name(void **state unused)
{
	struct x2gobroker_drained *drained;
	FILE *fp;

	write_list("");
	fp = fopen(file, "w");
	assert_non_null(fp);
	fwrite("ts01\0x\n", 1, 7, fp);
	fclose(fp);
	assert_int_equal(x2gobroker_drained_load(&test_config, &drained, NULL),
	    -1);
}

static void
an_unsafe_file_is_an_error(void **state unused)
{
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err;
	bool changed = true;

	write_list("ts01\n");
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(x2gobroker_drained_load(&test_config, &drained, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(x2gobroker_drain(&test_config, "ts02", &changed,
	    &err), -1);
	assert_false(changed);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(chmod(test_path("lib"), 0777), 0);
	assert_int_equal(x2gobroker_drained_load(&test_config, &drained, &err),
	    -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_int_equal(x2gobroker_undrain(&test_config, "ts01", &changed,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	check_list("unsafe", "ts01\n");
}

static void
hosts_are_found_by_all_their_names(void **state unused)
{
	static const struct {
		struct host host;
		bool drained;
	} rows[] = {
		{ { .name = "ts01" }, true },
		{ { .name = "TS01" }, true },
		{ { .name = "ts01.example.org" }, true },
		{ { .name = "ts01.example.org." }, true },
		{ { .name = "ts02" }, true },
		{ { .name = "ts02.example.org" }, true },
		{ { .name = "web", .address = "192.0.2.1" }, true },
		{ { .name = "web", .address = "ts02.example.org" }, true },
		{ { .name = "192.0.2.1", .port = 22 }, true },
		{ { .name = "2001:DB8::0:1" }, true },
		{ { .name = "ts02.example.com" }, false },
		{ { .name = "ts03" }, false },
		{ { .name = "ts" }, false },
		{ { .name = "ts011" }, false },
		{ { .name = "192.0.2.2" }, false },
		{ { .name = "web", .address = "192.0.2.11" }, false },
		{ { .name = "2001:db8::2" }, false },
	};
	struct x2gobroker_drained *drained;
	size_t i;

	write_list("ts01\nts02.example.org\n192.0.2.1\n2001:db8::1\n");
	drained = load();
	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].host.name, drain_has(drained, &rows[i].host) ==
		    rows[i].drained);
	x2gobroker_drained_free(drained);
}

/*
 * Changes
 */

static void
the_list_is_changed_line_by_line(void **state unused)
{
	static const struct {
		const char *label, *before;	/* NULL: no file */
		const char *host;
		bool off, changed;
		const char *after;
	} rows[] = {
		{ "the first", NULL, "ts01", false, true, "ts01\n" },
		{ "one more", "ts01\n", "ts02", false, true, "ts01\nts02\n" },
		{ "no end of line", "ts01", "ts02", false, true,
		    "ts01\nts02\n" },
		{ "all is kept", "# a\n\n ts01 \n#b\n", "TS02.Lab", false,
		    true, "# a\n\n ts01 \n#b\nTS02.Lab\n" },
		{ "what is wrong, too", "ts01 x\n", "ts02", false, true,
		    "ts01 x\nts02\n" },
		{ "an address", "", "2001:db8::1", false, true,
		    "2001:db8::1\n" },
		{ "is there", "# a\nts01\n", "ts01", false, false,
		    "# a\nts01\n" },
		{ "is there in another case", "TS01\n", "ts01", false, false,
		    "TS01\n" },
		{ "is there by its short name", "ts01\n", "ts01.lab", false,
		    false, "ts01\n" },
		{ "is there in another spelling", "2001:db8::1\n",
		    "2001:DB8::0:1", false, false, "2001:db8::1\n" },
		{ "a full name is one of many", "ts01.lab\n", "ts01", false,
		    true, "ts01.lab\nts01\n" },
		{ "another domain", "ts01.lab\n", "ts01.hall", false, true,
		    "ts01.lab\nts01.hall\n" },
		{ "a comment is no name", "#ts01\n", "ts01", false, true,
		    "#ts01\nts01\n" },

		{ "off", "# a\nts01\nts02\n", "ts01", true, true,
		    "# a\nts02\n" },
		{ "the last one", "ts01\n", "ts01", true, true, "" },
		{ "twice", "ts01\n# a\n TS01 \nts02", "ts01", true, true,
		    "# a\nts02\n" },
		{ "by its short name", "ts01.lab\nts02\n", "ts01", true, true,
		    "ts02\n" },
		{ "by its full name", "ts01\nts02\n", "ts01.lab", true, true,
		    "ts02\n" },
		{ "not there", "ts01\n", "ts02", true, false, "ts01\n" },
		{ "another domain's stays", "ts01.lab\n", "ts01.hall", true,
		    false, "ts01.lab\n" },
		{ "a comment stays", "#ts01\n", "ts01", true, false,
		    "#ts01\n" },
		{ "what is wrong stays", "ts01 x\n", "ts01", true, false,
		    "ts01 x\n" },
		{ "no file", NULL, "ts01", true, false, NULL },
	};
	bool changed;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		unlink(file);
		if (rows[i].before != NULL)
			write_list(rows[i].before);
		changed = !rows[i].changed;
		check(rows[i].label, (rows[i].off ? x2gobroker_undrain :
		    x2gobroker_drain)(&test_config, rows[i].host, &changed,
		    NULL) == 0);
		check(rows[i].label, changed == rows[i].changed);
		check_list(rows[i].label, rows[i].after);
	}
}

static void
a_host_is_blocked_and_drained_by_itself(void **state unused)
{
	typedef int change(const struct x2gobroker_config *, const char *,
	    bool *, struct x2gobroker_error *);
	static const struct {
		const char *before;
		change *make;
		const char *host;
		bool changed;
		const char *after;
	} rows[] = {
		{ "", x2gobroker_block, "ts01", true, "ts01 blocked\n" },
		{ "ts01\n", x2gobroker_block, "ts01", true,
		    "ts01\nts01 blocked\n" },
		{ "ts01\tblocked \n", x2gobroker_block, "TS01", false,
		    "ts01\tblocked \n" },
		{ "ts01\nts01 blocked\n", x2gobroker_unblock, "ts01", true,
		    "ts01\n" },
		{ "ts01.lab blocked\n", x2gobroker_unblock, "ts01", true, "" },
		{ "ts01\n", x2gobroker_unblock, "ts01", false, "ts01\n" },
		{ "ts01 blocked\n", x2gobroker_undrain, "ts01", false,
		    "ts01 blocked\n" },
		{ "ts01 blocked\n", x2gobroker_drain, "ts01", false,
		    "ts01 blocked\n" },
		{ "ts01\nts01 blocked\n", x2gobroker_undrain, "ts01", true,
		    "ts01 blocked\n" },
		{ "ts01 blockedx\n", x2gobroker_unblock, "ts01", false,
		    "ts01 blockedx\n" },
	};
	bool changed;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		write_list(rows[i].before);
		check(rows[i].after, rows[i].make(&test_config, rows[i].host,
		    &changed, NULL) == 0);
		check(rows[i].after, changed == rows[i].changed);
		check_list(rows[i].after, rows[i].after);
	}
}

static void
blocked_hosts_are_told_from_drained_ones(void **state unused)
{
	const struct host one = { .name = "ts01" }, two = { .name = "ts02" },
	    other = { .name = "ts03" };
	struct x2gobroker_drained *drained;

	write_list("ts01 blocked\nts02\n");
	drained = load();
	assert_string_equal(x2gobroker_drained_get(drained, 0), "ts01");
	assert_true(x2gobroker_drained_is_blocked(drained, 0));
	assert_false(x2gobroker_drained_is_blocked(drained, 1));
	assert_false(x2gobroker_drained_is_blocked(drained, 2));
	assert_true(drain_blocks(drained, &one));
	assert_true(drain_has(drained, &one));
	assert_false(drain_blocks(drained, &two));
	assert_true(drain_has(drained, &two));
	assert_false(drain_has(drained, &other));
	assert_false(drain_blocks(NULL, &one));
	x2gobroker_drained_free(drained);
}

static void
what_is_no_host_is_refused(void **state unused)
{
	static const char *const hosts[] = {
		"", "-x", "#ts01", "ts01 ", " ts01", "ts01\nts02", "ts01:22",
		"ts01,ts02", "1.2.3", "[2001:db8::1]", "t\xc3\xb6st", "a;b",
	};
	struct x2gobroker_error err;
	bool changed;
	size_t i;

	for (i = 0; i < LENGTH(hosts); i++) {
		changed = true;
		check(hosts[i], x2gobroker_drain(&test_config, hosts[i],
		    &changed, &err) == -1);
		check(hosts[i], !changed);
		check_problem(hosts[i], &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, "neither a host name nor" });
		check(hosts[i], x2gobroker_undrain(&test_config, hosts[i],
		    &changed, NULL) == -1);
	}
	check_list("nothing", NULL);
}

static void
all_can_read_the_list(void **state unused)
{
	mode_t umask_before = umask(077);
	struct stat st;
	bool changed;

	assert_int_equal(x2gobroker_drain(&test_config, "ts01", &changed,
	    NULL), 0);
	umask(umask_before);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(test_path("lib"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(access(test_path("lib/.new"), F_OK), -1);
}

static void
a_directory_that_is_there_keeps_its_mode(void **state unused)
{
	struct stat st;
	bool changed;

	assert_int_equal(mkdir(test_path("lib"), 0700), 0);
	assert_int_equal(x2gobroker_drain(&test_config, "ts01", &changed,
	    NULL), 0);
	assert_int_equal(stat(test_path("lib"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void
only_the_last_directory_is_made(void **state unused)
{
	struct x2gobroker_error err;
	bool changed;

	snprintf(file, sizeof(file), "%s/a/b/drained", test_dir);
	assert_int_equal(x2gobroker_drain(&test_config, "ts01", &changed,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	assert_int_equal(access(test_path("a"), F_OK), -1);

	/* and none at all to take something off */
	snprintf(file, sizeof(file), "%s/a/drained", test_dir);
	assert_int_equal(x2gobroker_undrain(&test_config, "ts01", &changed,
	    &err), 0);
	assert_false(changed);
	assert_int_equal(access(test_path("a"), F_OK), -1);
}

static void
a_path_is_needed(void **state unused)
{
	static const char *const paths[] = { "", "drained", "a/drained" };
	struct x2gobroker_error err;
	bool changed;
	size_t i;

	for (i = 0; i < LENGTH(paths); i++) {
		test_config.drain_file = paths[i];
		check(paths[i], x2gobroker_drain(&test_config, "ts01",
		    &changed, &err) == -1);
		check(paths[i], err.code == X2GOBROKER_ERR_VALUE);
		check(paths[i], x2gobroker_undrain(&test_config, "ts01",
		    &changed, &err) == -1);
	}
}

static void
many_administrators_lose_nothing(void **state unused)
{
	struct x2gobroker_drained *drained;
	char name[20];
	bool changed;
	pid_t pid;
	int i, status;

	for (i = 0; i < MANY; i++) {
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid != 0)
			continue;
		snprintf(name, sizeof(name), "ts%02d", i);
		_exit(x2gobroker_drain(&test_config, name, &changed, NULL) ==
		    0 && changed ? 0 : 1);
	}
	for (i = 0; i < MANY; i++) {
		assert_int_not_equal(wait(&status), -1);
		assert_int_equal(status, 0);
	}
	drained = load();
	assert_int_equal(drained->n, MANY);
	x2gobroker_drained_free(drained);
}

/*
 * Memory
 */

static void
without_memory_there_is_no_list(void **state unused)
{
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err;
	int n, result;

	write_list("ts01\nts02\n");
	for (n = 1;; n++) {
		alloc_fail(n);
		result = x2gobroker_drained_load(&test_config, &drained, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		assert_null(drained);
	}
	assert_int_equal(result, 0);
	assert_true(n > 4);
	x2gobroker_drained_free(drained);
}

static void
without_memory_the_file_stays_as_it_was(void **state unused)
{
	struct x2gobroker_error err;
	bool changed;
	int n, result;

	write_list("ts01\nts02\n");
	for (n = 1;; n++) {
		alloc_fail(n);
		result = x2gobroker_undrain(&test_config, "ts01", &changed,
		    &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		assert_false(changed);
		check_list("the same", "ts01\nts02\n");
	}
	assert_int_equal(result, 0);
	assert_true(n > 4);
	check_list("changed", "ts02\n");
}

#define test(f)	cmocka_unit_test_setup_teardown(f, make_site, remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(names_are_read_in_their_order),
		test(no_file_is_an_empty_list),
		test(a_line_that_is_no_name_is_an_error),
		test(a_nul_byte_is_not_the_end_of_a_name),
		test(an_unsafe_file_is_an_error),
		test(hosts_are_found_by_all_their_names),
		test(the_list_is_changed_line_by_line),
		test(a_host_is_blocked_and_drained_by_itself),
		test(blocked_hosts_are_told_from_drained_ones),
		test(what_is_no_host_is_refused),
		test(all_can_read_the_list),
		test(a_directory_that_is_there_keeps_its_mode),
		test(only_the_last_directory_is_made),
		test(a_path_is_needed),
		test(many_administrators_lose_nothing),
		test(without_memory_there_is_no_list),
		test(without_memory_the_file_stays_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
