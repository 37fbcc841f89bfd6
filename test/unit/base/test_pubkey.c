/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys: those that are accepted, those that are refused and why, and
 * lines of .pub files.
 */
#include "base/pubkey.h"
#include "support.h"

#define ED(middle)	"AAAAC3NzaC1lZDI1NTE5AAAAI" middle
#define KEY_A	ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ")
#define TYPE	"ssh-ed25519 "
#define RSA	"AAAAB3NzaC1yc2EAAAADAQABAAABAQCy1u5JQEPBn6ozo5BwK+scqvtipE1" \
	"zhRLqr8KofQdIELLQAldur7OiPlEc65BhAr1KiBpbh9A4ePsmJqGrBVhVUzCsIWo" \
	"MziwM6VJ3cP0noA/nV039PzCBkWJ+HwPVZkngsJTQthDCdolHCuAHnaAT9ZfPaLV" \
	"cbKL6GDn7Qo+T9Ey4WtZT0q1P4x9WZzaGLUdguAAH4yO+AjNUfgtQNkzsGMcz+sd" \
	"Njk/S9FCAW8FijQwbmYBM84lZVqJpldJ79/nCD1qmlFsO1bCbRh5cD0Rx1VHGVMg" \
	"egiiEVuj6TFu1U6wykg1F+s41Ypv5nWvUy2R2W9dGnXSCB1O5o+cXeh/v"

/*
 * Keys made of fields
 */

static void
put(uint8_t *data, size_t *len, const void *bytes, size_t n)
{
	const uint8_t head[] = { 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(data + *len, head, sizeof(head));
	memcpy(data + *len + sizeof(head), bytes, n);
	*len += sizeof(head) + n;
}

/* One field: "TEXT" as it is; ":N", N bytes that begin with 4, as a point
 * does; ";N", N bytes that do not; "#N", a number of N bits; "-", a negative
 * number; "00", one with a zero too many; "+N", N bytes behind no length; "!",
 * a length and nothing behind it. */
static void
put_field(uint8_t *data, size_t *len, const char *field)
{
	size_t n = (size_t)atoi(field + (*field != '\0'));
	uint8_t bytes[4096] = { 4 };

	switch (*field) {
	case ':':
		put(data, len, bytes, n);
		break;
	case ';':
		bytes[0] = 2;
		put(data, len, bytes, n);
		break;
	case '#':
		/* from a multiple of 8 on there must be a zero in front */
		bytes[0] = 0;
		bytes[n % 8 == 0] = (uint8_t)(1 << (n + 7) % 8);
		put(data, len, bytes, n / 8 + 1);
		break;
	case '-':
		put(data, len, "\x80", 1);
		break;
	case '0':
		put(data, len, "\0\3", 2);
		break;
	case '+':
		memcpy(data + *len, bytes, n);
		*len += n;
		break;
	case '!':
		memcpy(data + *len, "\xff\xff\xff\xff", 4);
		*len += 4;
		break;
	default:
		put(data, len, field, strlen(field));
	}
}

static const char *
encode(const uint8_t *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	static char text[8192];
	size_t i, n = 0;

	for (i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16 |
		    (uint32_t)(i + 1 < len ? data[i + 1] : 0) << 8 |
		    (i + 2 < len ? data[i + 2] : 0);

		text[n++] = digits[bits >> 18];
		text[n++] = digits[bits >> 12 & 63];
		text[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		text[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	text[n] = '\0';
	return text;
}

static const char *
make_key(const char *const *fields)
{
	static uint8_t data[8192];
	size_t len = 0;

	for (; *fields != NULL; fields++)
		put_field(data, &len, *fields);
	return encode(data, len);
}

static void
keys_of_each_type_are_taken(void **state unused)
{
	static const char *const rows[][6] = {
		{ "ssh-ed25519", ":32" },
		{ "ecdsa-sha2-nistp256", "nistp256", ":65" },
		{ "ecdsa-sha2-nistp384", "nistp384", ":97" },
		{ "ecdsa-sha2-nistp521", "nistp521", ":133" },
		{ "ssh-rsa", "#2", "#2048" },
		{ "ssh-rsa", "#17", "#2049" },
		{ "ssh-rsa", "#17", "#4096" },
		{ "ssh-rsa", "#17", "#16384" },
		{ "sk-ssh-ed25519@openssh.com", ":32", "ssh:" },
		{ "sk-ssh-ed25519@openssh.com", ":32", "ssh:for work" },
		{ "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", ":65",
		    "ssh:" },
	};
	const char *wrong;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		if ((wrong = pubkey_check(rows[i][0], make_key(rows[i]))) !=
		    NULL)
			fail_msg("[%s %s] %s", rows[i][0], rows[i][1], wrong);
	/* as ssh-keygen wrote them */
	assert_null(pubkey_check("ssh-ed25519", KEY_A));
	assert_null(pubkey_check("ssh-rsa", RSA));
}

static void
what_is_no_such_key_is_refused(void **state unused)
{
#define P256	"sk-ecdsa-sha2-nistp256@openssh.com"
	static const struct {
		const char *type, *fields[6], *why;
	} rows[] = {
		/* types */
		{ "ssh-dss", { "ssh-dss", "#1024", "#160", "#1023", "#1024" },
		    "DSA keys" },
		{ "ssh-rsa-cert-v01@openssh.com",
		    { "ssh-rsa-cert-v01@openssh.com", "#17", "#2048" },
		    "certificate" },
		{ "ssh-ed25519-cert-v01@openssh.com", { "x" }, "certificate" },
		{ "SSH-ED25519", { "SSH-ED25519", ":32" }, "not TYPE BASE64" },
		{ "ssh-ed448", { "ssh-ed448", ":57" }, "not TYPE BASE64" },
		{ "rsa-sha2-512", { "rsa-sha2-512", "#17", "#2048" },
		    "not TYPE BASE64" },
		{ "webauthn-" P256, { "webauthn-" P256 }, "not TYPE BASE64" },
		{ "ssh-ed25519 ", { "ssh-ed25519", ":32" }, "not TYPE BASE64" },
		{ "", { "", ":32" }, "not TYPE BASE64" },
		/* the type in the key is another one */
		{ "ssh-ed25519", { "ssh-rsa", "#17", "#2048" }, "another" },
		{ "ssh-rsa", { "ssh-ed25519", ":32" }, "another" },
		{ "ssh-ed25519", { "ssh-ed2551", ":32" }, "another" },
		{ "ssh-ed25519", { "ssh-ed255199", ":32" }, "another" },
		{ "ssh-ed25519", { "sk-ssh-ed25519@openssh.com", ":32",
		    "ssh:" }, "another" },
		{ "ssh-ed25519", { "" }, "another" },
		{ "ssh-ed25519", { "!" }, "damaged" },
		{ "ssh-ed25519", { "+3" }, "damaged" },
		/* lengths */
		{ "ssh-ed25519", { "ssh-ed25519" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", "!" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", "+2" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":0" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":31" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":33" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":32", "+1" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":32", "ssh:" }, "damaged" },
		{ "ssh-ed25519", { "ssh-ed25519", ":32", "!" }, "damaged" },
		/* curves */
		{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256", "nistp384",
		    ":65" }, "damaged" },
		{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256", "nistp256",
		    ":64" }, "damaged" },
		{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256", "nistp256",
		    ":33" }, "damaged" },
		{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256", ":65" },
		    "damaged" },
		{ "ecdsa-sha2-nistp256", { "ecdsa-sha2-nistp256", "nistp256",
		    ";65" }, "damaged" },
		{ "ecdsa-sha2-nistp384", { "ecdsa-sha2-nistp384", "nistp384",
		    ":65" }, "damaged" },
		{ "ecdsa-sha2-nistp521", { "ecdsa-sha2-nistp521", "nistp521",
		    ":132" }, "damaged" },
		/* keys of tokens */
		{ P256, { P256, "nistp256", ":65" }, "damaged" },
		{ P256, { P256, "nistp256", ":65", "" }, "damaged" },
		{ P256, { P256, "nistp256", ":65", "ssh:", "+1" }, "damaged" },
		{ "sk-ssh-ed25519@openssh.com",
		    { "sk-ssh-ed25519@openssh.com", ":32" }, "damaged" },
		/* RSA */
		{ "ssh-rsa", { "ssh-rsa", "#17", "#2047" }, "less than 2048" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "#1024" }, "less than 2048" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "#1" }, "less than 2048" },
		{ "ssh-rsa", { "ssh-rsa", "#2048", "#17" }, "less than 2048" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "#16385" }, "more than 16384" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "#30000" }, "more than 16384" },
		{ "ssh-rsa", { "ssh-rsa", "#17" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "", "#2048" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "-", "#2048" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "00", "#2048" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "-" }, "damaged" },
		{ "ssh-rsa", { "ssh-rsa", "#17", "#2048", "#2" }, "damaged" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		const char *wrong = pubkey_check(rows[i].type,
		    make_key(rows[i].fields));

		if (wrong == NULL || strstr(wrong, rows[i].why) == NULL)
			fail_msg("[row %zu, %s] %s", i, rows[i].type,
			    wrong != NULL ? wrong : "taken");
	}
}

static void
only_the_one_text_of_a_key_is_taken(void **state unused)
{
	static const struct {
		const char *why, *type, *base64;
	} rows[] = {
		{ "nothing", "ssh-ed25519", "" },
		{ "one too few", "ssh-ed25519",
		    ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZc") },
		{ "four too few", "ssh-ed25519",
		    ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2") },
		{ "one too many", "ssh-ed25519", KEY_A "A" },
		{ "padding that is not needed", "ssh-ed25519", KEY_A "====" },
		{ "padding alone", "ssh-ed25519", "====" },
		{ "a line break", "ssh-ed25519",
		    ED("F0zx0rJE0JvvYFpX8QXz\nNM6tjuvP5S+jKMaU2F2LZcJ") },
		{ "a blank behind", "ssh-ed25519", KEY_A " " },
		{ "a blank before", "ssh-ed25519", " " KEY_A },
		{ "another alphabet", "ssh-ed25519",
		    ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S-jKMaU2F2LZcJ") },
		{ "no ASCII", "ssh-ed25519",
		    ED("F0zx0rJE0JvvYFpX8QXzNM6tjuvP5S\303\244KMaU2F2LZcJ") },
		{ "quotes", "ssh-ed25519", "\"" KEY_A "\"" },
		{ "a shell's words", "ssh-ed25519", "$(id);`id`&" },
		{ "a path", "ssh-ed25519", "../../../../etc/shadow" },
		/* 52 bytes have two digits more, and "==" */
		{ "a byte too many", "ssh-ed25519", KEY_A "AA==" },
		{ "bits that are not null", "ssh-ed25519", KEY_A "AB==" },
	};
	char longer[16384];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].why, pubkey_check(rows[i].type,
		    rows[i].base64) != NULL);
	memset(longer, 'A', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_non_null(pubkey_check("ssh-rsa", longer));
}

/* As ssh-keygen -l prints it. */
static void
a_key_has_its_fingerprint(void **state unused)
{
	static const char key[] = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6FnakxF297G39fpf"
	    "xV3Z3kraPBsc5vcIJodRXfjjft";
	char text[X2GOBROKER_FINGERPRINT_SIZE];

	assert_int_equal(x2gobroker_key_fingerprint(key, text), 0);
	assert_string_equal(text,
	    "SHA256:4sMKt28y8Ts+p5ETirpLACrplyQNbFRHtXv5gJG2CUQ");
	assert_int_equal(x2gobroker_key_fingerprint("", text), -1);
	assert_int_equal(x2gobroker_key_fingerprint("no key", text), -1);
	assert_int_equal(x2gobroker_key_fingerprint("====", text), -1);
	assert_int_equal(x2gobroker_key_fingerprint(KEY_A " ", text), -1);
}

/*
 * Lines of .pub files
 */

static void
a_line_is_parsed_into_its_words(void **state unused)
{
	static const struct {
		const char *line, *comment;	/* NULL: no key in the line */
	} rows[] = {
		{ TYPE KEY_A, "" },
		{ TYPE KEY_A " alice@desk", "alice@desk" },
		{ TYPE KEY_A "  two  words ", "two  words" },
		{ " \t" TYPE "\t " KEY_A "\t\r", "" },
		{ TYPE KEY_A " J\303\266rg, \"quoted\"", "J\303\266rg, \"quoted\"" },
		{ TYPE KEY_A " # x", "# x" },
		{ "", NULL }, { " \t", NULL }, { "\r", NULL }, { "#", NULL },
		{ "# " TYPE KEY_A, NULL }, { "\t#\1", NULL },
	};
	struct pubkey key;
	char line[500];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(line, sizeof(line), "%s", rows[i].line);
		check(rows[i].line, pubkey_parse_line(line, &key) == NULL);
		check(rows[i].line, (key.type != NULL) ==
		    (rows[i].comment != NULL));
		if (key.type == NULL)
			continue;
		check_text(rows[i].line, key.type, "ssh-ed25519");
		check_text(rows[i].line, key.base64, KEY_A);
		check_text(rows[i].line, key.comment, rows[i].comment);
	}
}

static void
a_line_that_is_no_key_is_refused_with_a_reason(void **state unused)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "restrict " TYPE KEY_A, "options before a key" },
		{ "command=\"id; x\" " TYPE KEY_A, "options before a key" },
		{ "host " TYPE KEY_A, "options before a key" },
		{ KEY_A, "not TYPE BASE64" },
		{ "ssh-ed25519", "damaged" },
		{ "\"" TYPE KEY_A "\"", "not TYPE BASE64" },
		{ "ssh-rsa " KEY_A, "another type" },
		{ "ssh-dss " KEY_A, "DSA keys" },
		{ TYPE KEY_A "=", "damaged" },
		{ TYPE KEY_A " \033[2J", "control characters" },
		{ TYPE KEY_A " \177", "control characters" },
		{ "x\r" TYPE KEY_A, "control characters" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----", "the private key" },
		{ "-----BEGIN PRIVATE KEY-----", "the private key" },
		{ "PuTTY-User-Key-File-3: ssh-rsa", "the private key" },
		{ "\xef\xbb\xbf" TYPE KEY_A, "byte order mark" },
		{ "\xff\xfes", "UTF-16" },
		{ "\xfe\xff", "UTF-16" },
		{ "---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i -f" },
		{ "-----BEGIN PUBLIC KEY-----", "ssh-keygen -i -m PKCS8" },
	};
	struct pubkey key;
	const char *wrong;
	char line[500];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(line, sizeof(line), "%s", rows[i].line);
		wrong = pubkey_parse_line(line, &key);
		check(rows[i].line, wrong != NULL && strstr(wrong,
		    rows[i].why) != NULL);
		check(rows[i].line, key.type == NULL && key.base64 == NULL);
	}
	assert_null(pubkey_refuse_format(TYPE KEY_A));
	assert_null(pubkey_refuse_format(""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_each_type_are_taken),
		cmocka_unit_test(what_is_no_such_key_is_refused),
		cmocka_unit_test(only_the_one_text_of_a_key_is_taken),
		cmocka_unit_test(a_key_has_its_fingerprint),
		cmocka_unit_test(a_line_is_parsed_into_its_words),
		cmocka_unit_test(a_line_that_is_no_key_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
