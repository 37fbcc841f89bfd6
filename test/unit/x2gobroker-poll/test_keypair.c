/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made with the real libssh; test_identities.c has one that fails. */
#include <sys/wait.h>

#include "support.h"
#include "x2gobroker-poll/ssh.h"

struct keypair {
	struct buf private;
	char *public;
};

static void
keypair_free(struct keypair *keypair)
{
	buf_free(&keypair->private);
	free(keypair->public);
	keypair->public = NULL;
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
	struct keypair keypair = { 0 }, other = { 0 };
	size_t i, n;

	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(keypair_make(rows[i].type,
		    &keypair.private, &keypair.public, NULL), 0);
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
		assert_int_equal(keypair_make(rows[i].type,
		    &other.private, &other.public, NULL), 0);
		check(rows[i].public, strcmp(keypair.public, other.public) !=
		    0);
		keypair_free(&keypair);
		keypair_free(&other);
		assert_null(keypair.public);
		assert_null(keypair.private.data);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_what_openssh_takes),
	};

	return cmocka_run_group_tests(tests, make_test_dir, remove_test_dir);
}
