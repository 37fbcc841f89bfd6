/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Service keys and known hosts as a fake libssh reads them: which files are
 * refused, and that nothing leaks.  Linked with --wrap for libssh_load, the
 * functions of failing_malloc.h and asprintf.
 */
#include <pwd.h>

#include "agent/ssh.h"
#include "failing_malloc.h"
#include "fake_libssh.h"

static struct x2gobroker_config config;

static int
setup(void **state)
{
	play();
	config = test_config;
	config.broker_account = "nobody";
	if (make_test_dir(state) == -1)
		return -1;
	config.agent_identity_files = write_file("key", "a key");
	config.agent_known_hosts = test_path("known_hosts");
	return 0;
}

static void
keys_are_loaded(void **state unused)
{
	struct ssh_setup it;
	char list[600];

	snprintf(list, sizeof(list), "%s,, %s ,%s", test_path("missing"),
	    test_path("key"), write_file("other", "another"));
	config.agent_identity_files = list;
	assert_int_equal(ssh_setup_load(&config, true, &it, NULL), 0);
	assert_int_equal(it.nidentities, 2);
	assert_string_equal(it.user, "nobody");
	assert_string_equal(it.known_hosts, test_path("known_hosts"));
	snprintf(list, sizeof(list), "%s, %s", test_path("key"),
	    test_path("other"));
	assert_string_equal(it.tried, list);
	ssh_setup_free(&it);
	check_returned("keys");
	/* known hosts alone need none */
	config.agent_identity_files = "";
	write_file("known_hosts", "");
	assert_int_equal(ssh_setup_load(&config, false, &it, NULL), 0);
	assert_int_equal(it.nidentities, 0);
	ssh_setup_free(&it);
}

/* Each row: the file that is asked for, what is in it, its mode, the function
 * of libssh that fails, and why there is no key. */
static void
what_is_no_key_has_a_reason(void **state unused)
{
	static const struct {
		const char *files, *text;
		size_t len;
		mode_t mode;
		const char *fails;
		struct problem why;
	} rows[] = {
		{ "", "", 0, 0600, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" } },
		{ " , ", "", 0, 0600, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" } },
		{ "/nonexistent/key", "", 0, 0600, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "no such file" } },
		{ "@", "key", 3, 0666, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "others may write" } },
		{ "@", "k\0y", 3, 0600, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "not a private key" } },
		{ "@", NULL, 64 * 1024, 0600, NULL,
		    { X2GOBROKER_ERR_NOTFOUND, 0, "not a private key" } },
		{ "@", "key", 3, 0600, "ssh_pki_import_privkey_base64",
		    { X2GOBROKER_ERR_NOTFOUND, 0, "one with a passphrase" } },
		{ "@", "key", 3, 0600, "libssh_load",
		    { X2GOBROKER_ERR_SYSTEM, 0, "there is no libssh" } },
	};
	static char large[64 * 1024];
	struct x2gobroker_error err;
	struct ssh_setup it;
	const char *path;
	size_t i;
	FILE *fp;

	memset(large, 'k', sizeof(large));
	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.fails = rows[i].fails;
		path = write_file("it", "");
		fp = fopen(path, "w");
		assert_non_null(fp);
		fwrite(rows[i].text != NULL ? rows[i].text : large, 1,
		    rows[i].len, fp);
		assert_int_equal(fclose(fp), 0);
		assert_int_equal(chmod(path, rows[i].mode), 0);
		config.agent_identity_files = strcmp(rows[i].files, "@") == 0 ?
		    path : rows[i].files;
		check(rows[i].why.text, ssh_setup_load(&config, true, &it,
		    &err) == -1);
		check_problem(rows[i].files, &err, &rows[i].why);
		check_returned(rows[i].why.text);
	}
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
	struct ssh_setup it;

	config.broker_account = "root";
	config.agent_identity_files = "/nonexistent/a, ~/nonexistent/b";
	assert_true(is_service_key(1, &err));
	assert_string_equal(key_path, "/root/nonexistent/b");
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	config.broker_account = "no such account";
	assert_int_equal(ssh_setup_load(&config, true, &it, &err), -1);
	check_problem("keys", &err, &nobody);
	assert_true(is_service_key(1, &err));
	check_problem("a key", &err, &nobody);
	/* or else a loop over all keys never ends */
	assert_false(is_service_key(2, &err));
	config.agent_identity_files = test_path("key");
	config.agent_known_hosts = "~/known_hosts";
	assert_int_equal(ssh_setup_load(&config, true, &it, &err), -1);
	check_problem("known hosts", &err, &nobody);
	check_returned("home");
}

static void
known_hosts_of_anybody_are_not_used(void **state unused)
{
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "others may write" };
	struct x2gobroker_error err;
	struct ssh_setup it;

	assert_int_equal(chmod(write_file("known_hosts", ""), 0666), 0);
	assert_int_equal(ssh_setup_load(&config, true, &it, &err), -1);
	check_problem("known hosts", &err, &unsafe);
	assert_int_equal(ssh_setup_load(&config, true, &it, NULL), -1);
	check_returned("known hosts");
}

static void
a_service_key_is_shown(void **state unused)
{
	/* of "ssh-ed25519" and 32 zero bytes */
	static const char base64[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct x2gobroker_error err;

	played.key = base64;
	assert_true(is_service_key(0, &err));
	assert_int_equal(err.code, X2GOBROKER_OK);
	assert_int_equal(strncmp(key_fingerprint, "SHA256:", 7), 0);
	assert_false(is_service_key(1, &err));

	played.key = "!";
	assert_true(is_service_key(0, &err));
	assert_non_null(strstr(err.text, "cannot be derived"));
	played.fails = "ssh_pki_export_pubkey_base64";
	assert_true(is_service_key(0, &err));
	assert_non_null(strstr(err.text, "cannot be derived"));
	played.fails = "libssh_load";
	assert_true(is_service_key(0, &err));
	assert_string_equal(err.text, "there is no libssh");
	assert_string_equal(key_fingerprint, "");
	check_returned("service key");
}

static void
without_memory_there_is_no_setup(void **state unused)
{
	struct x2gobroker_error err;
	struct ssh_setup it;
	int n, result;
	char list[600];

	snprintf(list, sizeof(list), "~/nonexistent,%s,%s", test_path("key"),
	    write_file("other", "another"));
	config.agent_identity_files = list;
	for (n = 1;; n++) {
		alloc_fail(n);
		result = ssh_setup_load(&config, true, &it, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		check_returned("no memory");
	}
	assert_int_equal(result, 0);
	assert_true(n > 6);
	ssh_setup_free(&it);
	check_returned("memory");
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
		TEST(keys_are_loaded),
		TEST(what_is_no_key_has_a_reason),
		TEST(the_home_of_the_broker_account_is_meant),
		TEST(known_hosts_of_anybody_are_not_used),
		TEST(a_service_key_is_shown),
		TEST(setup_and_broker_read_the_same_paths),
		TEST(without_memory_there_is_no_setup),
	};

	return cmocka_run_group_tests_name("servicekeys", tests, NULL, NULL);
}
