/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Service keys and known hosts as a fake libssh reads them, and the key pairs
 * that it makes: what is refused, and that nothing leaks.  Linked with --wrap
 * for the functions of fake_libssh.h and failing_malloc.h and asprintf.
 */
#include "failing_malloc.h"
#include "fake_libssh.h"

static void
keys_are_loaded(void **state unused)
{
	struct ssh_setup it;
	char list[600];

	strlcpy(paths[1], test_path("missing"),
	    sizeof(paths[1]));
	strlcpy(paths[2], write_file("other", "another"),
	    sizeof(paths[2]));
	order.nidentities = 3;
	assert_int_equal(ssh_setup_load(&order, true, &it, NULL), 0);
	assert_int_equal(it.nidentities, 2);
	assert_string_equal(it.user, "nobody");
	assert_string_equal(it.known_hosts, test_path("known_hosts"));
	snprintf(list, sizeof(list), "%s, %s", test_path("key"),
	    test_path("other"));
	assert_string_equal(it.tried, list);
	ssh_setup_free(&it);
	check_returned("keys");
	/* known hosts alone need none */
	order.nidentities = 0;
	write_file("known_hosts", "");
	assert_int_equal(ssh_setup_load(&order, false, &it, NULL), 0);
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
		order.nidentities = rows[i].files[0] != '\0';
		strlcpy(paths[0], strcmp(rows[i].files, "@") == 0 ? path :
		    test_path("nonexistent"),
	    sizeof(paths[0]));
		check(rows[i].why.text, ssh_setup_load(&order, true, &it,
		    &err) == -1);
		check_problem(rows[i].files, &err, &rows[i].why);
		check_returned(rows[i].why.text);
	}
}

#define CERTIFICATE	"ssh-ed25519-cert-v01@openssh.com AAAA broker\n"

static void
a_certificate_comes_before_its_key(void **state unused)
{
	static const struct {
		const char *fails;
		struct problem why;
	} rows[] = {
		{ "ssh_pki_import_cert_base64",
		    { X2GOBROKER_ERR_SYNTAX, 0, "not a certificate" } },
		{ "ssh_pki_copy_cert_to_privkey",
		    { X2GOBROKER_ERR_SYSTEM, 0, "cannot be used" } },
		{ "ssh_key_dup",
		    { X2GOBROKER_ERR_SYSTEM, 0, "cannot be used" } },
	};
	const char *path = write_file("key-cert.pub", CERTIFICATE);
	struct x2gobroker_error err;
	struct ssh_setup it;
	char list[600];
	size_t i;

	order.nidentities = 1;
	assert_int_equal(ssh_setup_load(&order, true, &it, NULL), 0);
	assert_int_equal(it.nidentities, 2);
	assert_true(it.identities[0].certified);
	assert_false(it.identities[1].certified);
	snprintf(list, sizeof(list), "%s, %s", path, test_path("key"));
	assert_string_equal(it.tried, list);
	ssh_setup_free(&it);
	check_returned("certificate");
	/* one that cannot be used is not ignored */
	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.fails = rows[i].fails;
		assert_int_equal(ssh_setup_load(&order, true, &it, &err), -1);
		check_problem(rows[i].fails, &err, &rows[i].why);
		check_returned(rows[i].fails);
	}
	play();
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(ssh_setup_load(&order, true, &it, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	check_returned("mode");
}

static void
known_hosts_of_anybody_are_not_used(void **state unused)
{
	static const struct problem unsafe = { X2GOBROKER_ERR_UNSAFE, 0,
	    "others may write" };
	struct x2gobroker_error err;
	struct ssh_setup it;

	assert_int_equal(chmod(write_file("known_hosts", ""), 0666), 0);
	assert_int_equal(ssh_setup_load(&order, true, &it, &err), -1);
	check_problem("known hosts", &err, &unsafe);
	assert_int_equal(ssh_setup_load(&order, true, &it, NULL), -1);
	check_returned("known hosts");
}

static void
a_service_key_is_shown(void **state unused)
{
	/* of "ssh-ed25519" and 32 zero bytes */
	static const char base64[] = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	struct x2gobroker_error err;

	played.key = base64;
	assert_int_equal(identity_fingerprint(files[0], fingerprint, &err), 0);
	assert_int_equal(strncmp(fingerprint, "SHA256:", 7), 0);
	assert_int_equal(identity_fingerprint("/nonexistent", fingerprint,
	    &err), -1);

	played.key = "!";
	assert_int_equal(identity_fingerprint(files[0], fingerprint, &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot be derived"));
	played.fails = "ssh_pki_export_pubkey_base64";
	assert_int_equal(identity_fingerprint(files[0], fingerprint, &err),
	    -1);
	assert_non_null(strstr(err.text, "cannot be derived"));
	check_returned("service key");
}

static void
without_memory_there_is_no_setup(void **state unused)
{
	struct x2gobroker_error err;
	struct ssh_setup it;
	int n, result;

	strlcpy(paths[1], test_path("missing"),
	    sizeof(paths[1]));
	strlcpy(paths[2], write_file("other", "another"),
	    sizeof(paths[2]));
	write_file("other-cert.pub", CERTIFICATE);
	order.nidentities = 3;
	for (n = 1;; n++) {
		alloc_fail(n);
		result = ssh_setup_load(&order, true, &it, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		check_returned("no memory");
	}
	assert_int_equal(result, 0);
	assert_true(n > 3);
	ssh_setup_free(&it);
	check_returned("memory");
}

#define PKCS1	"-----BEGIN RSA PRIVATE KEY-----\n"

/* Half a pair is none, and nothing of it is left. */
static void
what_fails_makes_no_pair(void **state unused)
{
	static const struct {
		const char *fails, *text;
	} rows[] = {
		{ "ssh_pki_generate", "cannot make a key pair" },
		{ "ssh_pki_export_privkey_base64", "write a private key" },
		{ "ssh_pki_export_pubkey_base64", "write a public key" },
	};
	struct buf private = { 0 };
	char *public = NULL;
	struct x2gobroker_error err;
	size_t i;
	int n, result;

	for (i = 0; i < LENGTH(rows); i++) {
		play();
		played.key = PKCS1;
		played.fails = rows[i].fails;
		check(rows[i].fails, keypair_make(AUTOLOGIN_RSA, &private,
		    &public, &err) == -1);
		check(rows[i].fails, strstr(err.text, rows[i].text) != NULL);
		check(rows[i].fails, public == NULL);
		check(rows[i].fails, private.len == 0);
		check_returned(rows[i].fails);
	}
	/* a key of another form than it should be */
	play();
	assert_int_equal(keypair_make(AUTOLOGIN_RSA, &private, &public, &err),
	    -1);
	check_returned("form");
	played.key = PKCS1;
	buf_free(&private);
	for (n = 1;; n++) {
		/* the two texts of libssh are none of ours */
		alloc_fail(n);
		result = keypair_make(AUTOLOGIN_RSA, &private, &public, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		buf_free(&private);
		check_returned("memory");
	}
	assert_int_equal(n, 3);
	assert_string_equal(private.data, PKCS1);
	buf_free(&private);
	free(public);
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, \
			    remove_test_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_are_loaded),
		TEST(what_is_no_key_has_a_reason),
		TEST(a_certificate_comes_before_its_key),
		TEST(known_hosts_of_anybody_are_not_used),
		TEST(a_service_key_is_shown),
		TEST(what_fails_makes_no_pair),
		TEST(without_memory_there_is_no_setup),
	};

	return cmocka_run_group_tests_name("servicekeys", tests, NULL, NULL);
}
