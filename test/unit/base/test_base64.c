/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support.h"

#include "base/base64.h"

/* RFC 4648, section 10. */
static void
bytes_come_back_as_they_were(void **state unused)
{
	static const char *const rows[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++" },
	};
	char text[32];
	uint8_t bytes[16];
	size_t i, len;

	for (i = 0; i < LENGTH(rows); i++) {
		len = strlen(rows[i][0]);
		check(rows[i][1], base64_decode(rows[i][1],
		    strlen(rows[i][1]), bytes, sizeof(bytes)) == (ssize_t)len);
		assert_memory_equal(bytes, rows[i][0], len);
		base64_encode((const uint8_t *)rows[i][0], len, text);
		/* without the padding */
		assert_memory_equal(text, rows[i][1], strlen(text));
		check(rows[i][1], strcspn(rows[i][1], "=") == strlen(text));
	}
}

static void
what_is_no_base64_is_refused(void **state unused)
{
	static const char *const rows[] = {
		"Z", "Zg", "Zg=", "Zm9", "Zg==Zg==", "Z===", "====", "=",
		"Zm9v\n", "Zm 9v", "Zm9-", "Zm9_", "Zh==", "Zm9=", "Zm9\xc3",
	};
	uint8_t bytes[16];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i], base64_decode(rows[i], strlen(rows[i]), bytes,
		    sizeof(bytes)) == -1);
	assert_int_equal(base64_decode("Zm9vYg==", 8, bytes, 4), 4);
	assert_int_equal(base64_decode("Zm9vYg==", 8, bytes, 3), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back_as_they_were),
		cmocka_unit_test(what_is_no_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
