/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made with the real libssh, and with one that fails.  Linked with --wrap for
 * libssh_load, the functions of failing_malloc.h and asprintf.
 */
#include <sys/wait.h>

#include "autologin/autologin.h"
#include "failing_malloc.h"
#include "fake_libssh.h"

static struct libssh lib;

static int
load_libssh(void **state)
{
	return __real_libssh_load(&lib, NULL) == -1 ? -1 : make_test_dir(state);
}

/* What ssh-keygen(1) says is the public half of the private one. */
static void
check_with_ssh_keygen(const struct keypair *keypair)
{
	char command[200], public[2000] = "";
	size_t len;
	FILE *fp;

	snprintf(command, sizeof(command), "ssh-keygen -y -f '%s'",
	    write_file("key", keypair->private.data));
	assert_int_equal(chmod(test_path("key"), 0600), 0);
	fp = popen(command, "r");
	assert_non_null(fp);
	assert_non_null(fgets(public, sizeof(public), fp));
	assert_int_equal(pclose(fp), 0);
	len = strlen(keypair->public);
	/* a comment may follow */
	assert_memory_equal(public, keypair->public, len);
	assert_true(public[len] == '\n' || public[len] == ' ');
}

static void
pairs_are_what_openssh_takes(void **state unused)
{
	static const struct {
		enum autologin_key_type type;
		const char *private, *end, *public;
	} rows[] = {
		{ AUTOLOGIN_RSA, "-----BEGIN RSA PRIVATE KEY-----\nMII",
		    "\n-----END RSA PRIVATE KEY-----\n", "ssh-rsa AAAA" },
		{ AUTOLOGIN_ED25519, "-----BEGIN OPENSSH PRIVATE KEY-----\n",
		    "\n-----END OPENSSH PRIVATE KEY-----\n",
		    "ssh-ed25519 AAAA" },
	};
	struct keypair keypair, other;
	size_t i, n;

	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(keypair_make(&lib, rows[i].type, &keypair,
		    NULL), 0);
		assert_int_equal(strlen(keypair.private.data),
		    keypair.private.len);
		check(rows[i].public, strncmp(keypair.private.data,
		    rows[i].private, strlen(rows[i].private)) == 0);
		n = strlen(rows[i].end);
		check_text(rows[i].public, keypair.private.data +
		    keypair.private.len - n, rows[i].end);
		check(rows[i].public, strncmp(keypair.public, rows[i].public,
		    strlen(rows[i].public)) == 0);
		check_with_ssh_keygen(&keypair);
		assert_int_equal(keypair_make(&lib, rows[i].type, &other,
		    NULL), 0);
		check(rows[i].public, strcmp(keypair.public, other.public) !=
		    0);
		keypair_free(&keypair);
		keypair_free(&other);
		assert_null(keypair.public);
		assert_null(keypair.private.data);
	}
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
	struct keypair keypair;
	struct x2gobroker_error err;
	struct libssh broken;
	size_t i;
	int n, result;

	for (i = 0; i < LENGTH(rows); i++) {
		play();
		assert_int_equal(libssh_load(&broken, NULL), 0);
		played.key = PKCS1;
		played.fails = rows[i].fails;
		check(rows[i].fails, keypair_make(&broken, AUTOLOGIN_RSA,
		    &keypair, &err) == -1);
		check(rows[i].fails, strstr(err.text, rows[i].text) != NULL);
		check(rows[i].fails, keypair.public == NULL);
		check(rows[i].fails, keypair.private.data == NULL);
		check_returned(rows[i].fails);
	}
	/* a key of another form than it should be */
	play();
	assert_int_equal(keypair_make(&broken, AUTOLOGIN_RSA, &keypair, &err),
	    -1);
	check_returned("form");
	played.key = PKCS1;
	for (n = 1;; n++) {
		/* the two texts of libssh are none of ours */
		alloc_fail(n);
		result = keypair_make(&broken, AUTOLOGIN_RSA, &keypair, &err);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
		assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
		check_returned("memory");
	}
	assert_int_equal(n, 3);
	assert_string_equal(keypair.private.data, PKCS1);
	keypair_free(&keypair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_what_openssh_takes),
		cmocka_unit_test(what_fails_makes_no_pair),
	};

	return cmocka_run_group_tests(tests, load_libssh, remove_test_dir);
}
