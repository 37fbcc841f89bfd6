/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the files of the broker account are.  Linked with --wrap for the
 * functions of failing_malloc.h and fake_connection.h and asprintf.
 */
#include <pwd.h>

#include "agent/query.h"
#include "failing_malloc.h"
#include "fake_connection.h"

static struct x2gobroker_config config;

static int
setup(void **state)
{
	config = test_config;
	config.broker_account = "nobody";
	if (make_test_dir(state) == -1)
		return -1;
	config.agent_identity_files = write_file("key", "a key");
	config.agent_known_hosts = test_path("known_hosts");
	return 0;
}

static char key_path[X2GOBROKER_FILE_SIZE];
static char key_fingerprint[X2GOBROKER_FINGERPRINT_SIZE];

static bool
is_service_key(size_t i, struct x2gobroker_error *err)
{
	return x2gobroker_service_key(&config, i, key_path, key_fingerprint,
	    err);
}

static void
the_home_of_the_broker_account_is_meant(void **state unused)
{
	static const struct problem nobody = { X2GOBROKER_ERR_NOTFOUND, 0,
	    "broker-account no such account does not exist" };
	struct x2gobroker_error err;
	char **paths, *hosts;
	size_t n;

	config.broker_account = "root";
	config.agent_identity_files = "/nonexistent/a,, ~/nonexistent/b ,";
	assert_int_equal(servicekeys_paths(&config, &paths, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(paths[0], "/nonexistent/a");
	assert_string_equal(paths[1], "/root/nonexistent/b");
	servicekeys_free(paths, n);
	config.agent_known_hosts = "~/known_hosts";
	hosts = servicekeys_known_hosts(&config, &err);
	assert_string_equal(hosts, "/root/known_hosts");
	free(hosts);
	config.broker_account = "no such account";
	assert_int_equal(servicekeys_paths(&config, &paths, &n, &err), -1);
	check_problem("keys", &err, &nobody);
	assert_true(is_service_key(1, &err));
	check_problem("a key", &err, &nobody);
	/* or else a loop over all keys never ends */
	assert_false(is_service_key(2, &err));
	assert_null(servicekeys_known_hosts(&config, &err));
	check_problem("known hosts", &err, &nobody);
}

static void
a_service_key_is_shown(void **state unused)
{
	struct x2gobroker_error err;

	play_servers(NULL);
	assert_true(is_service_key(0, &err));
	assert_int_equal(err.code, X2GOBROKER_OK);
	assert_string_equal(key_path, test_path("key"));
	assert_string_equal(key_fingerprint, "SHA256:finger");
	link_played.no_setup = true;
	assert_true(is_service_key(0, &err));
	assert_string_equal(err.text, "no service key");
	assert_string_equal(key_fingerprint, "");
}

static void
without_memory_there_are_no_paths(void **state unused)
{
	struct x2gobroker_error err;
	char **paths;
	int i, result;
	size_t n;

	config.agent_identity_files = "/a,/b";
	for (i = 1;; i++) {
		alloc_fail(i);
		result = servicekeys_paths(&config, &paths, &n, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
	}
	assert_int_equal(result, 0);
	assert_int_equal(i, 5);
	servicekeys_free(paths, n);
}

/* x2gobrokerctl setup makes the keys that the broker uses. */
static void
setup_and_broker_read_the_same_paths(void **state unused)
{
	static const struct {
		const char *files, *paths[3];
	} rows[] = {
		{ "", { NULL } }, { " , ,", { NULL } },
		{ "~/.ssh/a,~/.ssh/b", { "/h/.ssh/a", "/h/.ssh/b" } },
		{ " /a b ,, /c\td", { "/a b", "/c\td" } },
		{ "~x/a,~,/~/b", { "~x/a", "~", "/~/b" } },
		{ "/a /b;/c", { "/a /b;/c" } },
	};
	char path[X2GOBROKER_FILE_SIZE], own[X2GOBROKER_FILE_SIZE];
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	const char *home;
	size_t i, k;
	bool more;

	config.broker_account = "root";
	home = getpwnam("root")->pw_dir;
	for (i = 0; i < LENGTH(rows); i++) {
		config.agent_identity_files = rows[i].files;
		for (k = 0; k < 3; k++) {
			more = x2gobroker_service_key_path(&config, k, "/h",
			    path);
			check(rows[i].files, more == (rows[i].paths[k] !=
			    NULL));
			check(rows[i].files, x2gobroker_service_key(&config, k,
			    own, fingerprint, NULL) == more);
			if (!more)
				break;
			check_text(rows[i].files, path, rows[i].paths[k]);
			x2gobroker_service_key_path(&config, k, home, path);
			check_text(rows[i].files, own, path);
		}
	}
	/* this one is not a list */
	config.agent_known_hosts = "~/a,b";
	x2gobroker_known_hosts_path(&config, "/h", path);
	assert_string_equal(path, "/h/a,b");
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_home_of_the_broker_account_is_meant),
		TEST(a_service_key_is_shown),
		TEST(setup_and_broker_read_the_same_paths),
		TEST(without_memory_there_are_no_paths),
	};

	return cmocka_run_group_tests_name("servicekeys", tests, NULL, NULL);
}
