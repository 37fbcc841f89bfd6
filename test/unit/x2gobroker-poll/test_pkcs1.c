/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PKCS#8 to PKCS#1.  Linked with --wrap for the functions of failing_malloc.h.
 */
#include "failing_malloc.h"
#include "support.h"
#include "x2gobroker-poll/ssh.h"

#define BEGIN	"-----BEGIN PRIVATE KEY-----\n"
#define END	"-----END PRIVATE KEY-----\n"

/* SEQ { INT 0, SEQ { rsaEncryption, NULL }, OCTETS 01 02 03 } */
#define SMALL	"MBcCAQAwDQYJKoZIhvcNAQEBBQAEAwECAw=="

static void
pkcs8_is_unwrapped(void **state unused)
{
	struct buf out = { 0 };

	assert_int_equal(pkcs1_unwrap(BEGIN SMALL "\n" END, &out, NULL),
	    0);
	assert_string_equal(out.data, "-----BEGIN RSA PRIVATE KEY-----\n"
	    "AQID\n-----END RSA PRIVATE KEY-----\n");
	buf_free(&out);
	alloc_fail(1);
	assert_int_equal(pkcs1_unwrap(BEGIN SMALL "\n" END, &out, NULL),
	    -1);
	assert_true(alloc_failed());
	buf_free(&out);
}

static void
malformed_pkcs8_is_refused(void **state unused)
{
	static const char *const rows[] = {
		"",
		BEGIN,
		BEGIN END,
		SMALL,
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" SMALL "\n"
		    "-----END ENCRYPTED PRIVATE KEY-----\n",
		BEGIN SMALL,
		BEGIN "????\n" END,
		BEGIN "MBcCAQAwDQYJKoZIhvcNAQEBBQAEAwECAw=\n" END,
		/* shorter than its first length says */
		BEGIN "MBgCAQAwDQYJKoZIhvcNAQEBBQAEAwECAw==\n" END,
		/* the octets longer than what is there */
		BEGIN "MBcCAQAwDQYJKoZIhvcNAQEBBQAEBAECAw==\n" END,
		/* another algorithm */
		BEGIN "MBcCAQAwDQYJKoZIhvcNAQEFBQAEAwECAw==\n" END,
		/* a bit string for the octets */
		BEGIN "MBcCAQAwDQYJKoZIhvcNAQEBBQADAwECAw==\n" END,
		/* a set for the sequence */
		BEGIN "MRcCAQAwDQYJKoZIhvcNAQEBBQAEAwECAw==\n" END,
		/* lengths of 0, 3 and 127 bytes */
		BEGIN "MIAXAgEA\n" END,
		BEGIN "MIMAABcCAQAwDQYJKoZIhvcNAQEBBQAEAwECAw==\n" END,
		BEGIN "MP8XAgEA\n" END,
		BEGIN "MA==\n" END,
		BEGIN "MIE=\n" END,
	};
	struct x2gobroker_error err;
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i], pkcs1_unwrap(rows[i], &out, &err) == -1);
		check(rows[i], err.code == X2GOBROKER_ERR_SYNTAX);
		check(rows[i], out.len == 0);
	}
}

static void
overlong_keys_are_refused(void **state unused)
{
	static const size_t lengths[] = { 5461, 5464, 8191, 8192, 8193, 100000 };
	char *text;
	size_t i;
	struct buf out = { 0 };

	for (i = 0; i < LENGTH(lengths); i++) {
		assert_true(asprintf(&text, BEGIN "%0*d\n" END, (int)lengths[i],
		    0) > 0);
		assert_int_equal(pkcs1_unwrap(text, &out, NULL), -1);
		assert_int_equal(out.len, 0);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pkcs8_is_unwrapped),
		cmocka_unit_test(malformed_pkcs8_is_refused),
		cmocka_unit_test(overlong_keys_are_refused),
	};

	return cmocka_run_group_tests_name("pkcs1", tests, NULL, NULL);
}
