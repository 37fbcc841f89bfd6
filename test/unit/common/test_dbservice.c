/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service file of the session database: what is read, and what is refused.
 * Linked with --wrap for the functions of failing_malloc.h.
 */
#include "../../../cmd/common/dbservice.c"
#include "failing_malloc.h"

static struct dbservice service;
static struct x2gobroker_error err;

static int
read_text(const char *text, mode_t mode)
{
	const char *path = write_file("pg_service.conf", text);

	assert_int_equal(chmod(path, mode), 0);
	dbservice_free(&service);
	return dbservice_read(path, "farm", &service, &err);
}

static void
the_service_of_that_name_is_read(void **state unused)
{
	const char *files[DBSERVICE_FILES_MAX + 1];
	char text[1000];

	assert_int_equal(read_text("# no service\nhost=a\n[other]\nhost=b\n"
	    "options=-c x=y\n\n[farm]\n host=c \n#host=d\nuser=e=f\nport=\n"
	    "[third]\nuser=g\n", 0644), 0);
	assert_int_equal(service.n, 3);
	assert_string_equal(dbservice_value(&service, "host"), "c");
	assert_string_equal(dbservice_value(&service, "user"), "e=f");
	assert_string_equal(dbservice_value(&service, "port"), "");
	assert_null(dbservice_value(&service, "dbname"));
	dbservice_files(&service, files);
	assert_null(files[0]);

	write_file("ca", "");
	assert_int_equal(chmod(write_file("pass", ""), 0600), 0);
	snprintf(text, sizeof(text), "[farm]\nsslrootcert=%s\npassfile=%s\n",
	    test_path("ca"), test_path("pass"));
	assert_int_equal(read_text(text, 0644), 0);
	dbservice_files(&service, files);
	assert_string_equal(files[0], test_path("pass"));
	assert_string_equal(files[1], test_path("ca"));
	assert_null(files[2]);
	dbservice_free(&service);
	assert_int_equal(service.n, 0);
}

static void
all_else_is_refused(void **state unused)
{
	static const struct {
		const char *text;
		mode_t mode;
		unsigned int line;
		const char *why;
	} rows[] = {
		{ "", 0644, 0, "there is no service [farm]" },
		{ "[farm", 0644, 0, "there is no service [farm]" },
		{ "[FARM]\n[farm2]\n[ farm ]\n", 0644, 0, "no service" },
		{ "[farm]\nhost\n", 0644, 2, "host: not KEY=VALUE" },
		{ "[farm]\nldap://x/dc=y\n", 0644, 2, "not KEY=VALUE" },
		{ "[farm]\noptions=-c x=y\n", 0644, 2, "options: not a key" },
		{ "[farm]\nservice=x\n", 0644, 2, "service: not a key" },
		{ "[farm]\nHost=x\n", 0644, 2, "Host: not a key" },
		{ "[farm]\nhost =x\n", 0644, 2, "host : not a key" },
		{ "[farm]\nhost=x\nhost=x\n", 0644, 3, "duplicate key" },
		{ "[farm]\n[farm]\n", 0644, 2, "duplicate service" },
		{ "[farm]\nuser=x\x1b[2Jy\n", 0644, 2, "control character" },
		{ "[farm]\nuser=x\x7f\n", 0644, 2, "control character" },
		{ "[farm]\nuser=x\r\n", 0644, 2, "control character" },
		{ "[farm]\npassword=x\n", 0644, 2, "others can read" },
		{ "[farm]\npassword=x\n", 0640, 2, "others can read" },
		{ "[farm]\nhost=x\n", 0666, 0, "others may write it" },
		{ "[farm]\nsslkey=/nonexistent/x\n", 0644, 0, "" },
	};
	char text[1000];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, read_text(rows[i].text, rows[i].mode) ==
		    -1);
		check(rows[i].text, err.line == rows[i].line);
		check(err.text, strstr(err.text, rows[i].why) != NULL);
	}
	assert_int_equal(read_text("[farm]\npassword=x\n", 0600), 0);
	assert_int_equal(dbservice_read("/nonexistent/file", "farm", &service,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	write_file("pass", "");
	snprintf(text, sizeof(text), "[farm]\npassfile=%s\n",
	    test_path("pass"));
	assert_int_equal(read_text(text, 0644), -1);
	assert_non_null(strstr(err.text, "its mode must be 0600"));
	assert_string_equal(err.file, test_path("pass"));
	dbservice_free(&service);
}

static void
without_memory_it_fails(void **state unused)
{
	int n, result;

	for (n = 1;; n++) {
		write_file("pg_service.conf", "[farm]\nhost=a\nuser=b\n");
		alloc_fail(n);
		result = dbservice_read(test_path("pg_service.conf"), "farm",
		    &service, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		dbservice_free(&service);
	}
	assert_true(n > 4);
	dbservice_free(&service);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, make_test_dir, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_service_of_that_name_is_read),
		TEST(all_else_is_refused),
		TEST(without_memory_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
