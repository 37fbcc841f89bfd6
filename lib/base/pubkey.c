/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys: whether one is complete and of a type that OpenSSH still
 * accepts, its fingerprint, and the lines of .pub files.
 */
#include <sha2.h>
#include <string.h>

#include "base/base64.h"
#include "base/pubkey.h"
#include "x2gobroker.h"

#define BLANKS		" \t"
#define DATA_MAX	16384	/* an RSA key of RSA_BITS_MAX takes 2 KiB */
#define FINGERPRINT	"SHA256:"	/* and 43 characters */
#define RSA_BITS_MIN	2048
#define RSA_BITS_MAX	16384	/* OpenSSH's own limit */

static const struct key_type {
	const char *name;
	const char *curve;	/* the second field; NULL: no such field */
	size_t point;		/* bytes of the key itself; 0: RSA's numbers */
	bool has_application;	/* hardware keys end with one: "ssh:" */
} types[] = {
	{ "ssh-ed25519", NULL, 32 },
	{ "ecdsa-sha2-nistp256", "nistp256", 65 },
	{ "ecdsa-sha2-nistp384", "nistp384", 97 },
	{ "ecdsa-sha2-nistp521", "nistp521", 133 },
	{ "ssh-rsa", NULL, 0 },
	{ "sk-ssh-ed25519@openssh.com", NULL, 32, true },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 65, true },
};

#define NTYPES	(sizeof(types) / sizeof(types[0]))

static const char damaged[] = "the key is damaged or incomplete; copy it again";

static const struct key_type *
find_type(const char *name)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

/* Why a word is not one of the types. */
static const char *
refuse_type(const char *name)
{
	if (strcmp(name, "ssh-dss") == 0)
		return "OpenSSH no longer accepts DSA keys; make a new key: "
		    "ssh-keygen -t ed25519";
	if (strstr(name, "-cert-v0") != NULL)
		return "this is a certificate; use the file of the key "
		    "itself, without -cert";
	return "not TYPE BASE64 COMMENT with a TYPE that x2gobrokerctl(8) "
	    "lists";
}

/* The rest of a key's data: fields, each after its length (RFC 4251). */
struct data {
	const uint8_t *at;
	size_t left;
};

static bool
take_field(struct data *data, const uint8_t **field, size_t *len)
{
	const uint8_t *at = data->at;

	if (data->left < 4)
		return false;
	*len = (size_t)at[0] << 24 | (size_t)at[1] << 16 |
	    (size_t)at[2] << 8 | at[3];
	if (*len > data->left - 4)
		return false;
	*field = at + 4;
	data->at += 4 + *len;
	data->left -= 4 + *len;
	return true;
}

static bool
is_text(const uint8_t *field, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(field, text, len) == 0;
}

/* Take a positive number, written in as few bytes as possible, and count its
 * bits. */
static bool
take_number(struct data *data, size_t *bits)
{
	const uint8_t *field;
	uint8_t top;
	size_t len;

	if (!take_field(data, &field, &len) || len == 0 || field[0] >= 0x80)
		return false;
	if (field[0] == 0) {	/* needed only if the next bit is a one */
		field++;
		if (--len == 0 || field[0] < 0x80)
			return false;
	}
	*bits = 8 * (len - 1);
	for (top = field[0]; top != 0; top >>= 1)
		(*bits)++;
	return true;
}

static bool
take_point(struct data *data, const struct key_type *type)
{
	const uint8_t *field;
	size_t len;

	if (!take_field(data, &field, &len) || len != type->point)
		return false;
	/* 4: both coordinates follow (SEC 1), as OpenSSH requires */
	return type->curve == NULL || field[0] == 4;
}

static const char *
check_rsa(struct data *data)
{
	size_t bits;

	if (!take_number(data, &bits) || !take_number(data, &bits) ||
	    data->left != 0)
		return damaged;
	if (bits < RSA_BITS_MIN)
		return "an RSA key of less than 2048 bits is too weak; make a "
		    "new key: ssh-keygen -t ed25519";
	if (bits > RSA_BITS_MAX)
		return "OpenSSH accepts no RSA key of more than 16384 bits";
	return NULL;
}

const char *
pubkey_check(const char *name, const char *base64)
{
	const struct key_type *type = find_type(name);
	uint8_t bytes[DATA_MAX];
	struct data data = { .at = bytes };
	const uint8_t *field;
	ssize_t n;
	size_t len;

	if (type == NULL)
		return refuse_type(name);
	n = base64_decode(base64, strlen(base64), bytes, sizeof(bytes));
	if (n == -1)
		return damaged;
	data.left = (size_t)n;
	if (!take_field(&data, &field, &len))
		return damaged;
	if (!is_text(field, len, name))
		return "the key is of another type than the word before it";
	if (type->point == 0)
		return check_rsa(&data);
	if ((type->curve != NULL && (!take_field(&data, &field, &len) ||
	    !is_text(field, len, type->curve))) || !take_point(&data, type) ||
	    (type->has_application &&
	    (!take_field(&data, &field, &len) || len == 0)) || data.left != 0)
		return damaged;
	return NULL;
}

int
x2gobroker_key_fingerprint(const char *base64,
    char dst[X2GOBROKER_FINGERPRINT_SIZE])
{
	uint8_t data[DATA_MAX], digest[SHA256_DIGEST_LENGTH];
	ssize_t len = base64_decode(base64, strlen(base64), data,
	    sizeof(data));
	SHA2_CTX ctx;

	if (len <= 0)
		return -1;
	SHA256Init(&ctx);
	SHA256Update(&ctx, data, (size_t)len);
	SHA256Final(digest, &ctx);
	memcpy(dst, FINGERPRINT, strlen(FINGERPRINT));
	base64_encode(digest, sizeof(digest), dst + strlen(FINGERPRINT));
	return 0;
}

const char *
pubkey_refuse_format(const char *line)
{
	if (strncmp(line, "\xef\xbb\xbf", 3) == 0)
		return "the file begins with a byte order mark; save it as "
		    "plain text, without one";
	if (strncmp(line, "\xff\xfe", 2) == 0 ||
	    strncmp(line, "\xfe\xff", 2) == 0)
		return "the file is in UTF-16; save it as plain text";
	if (strncmp(line, "PuTTY-User-Key-File", 19) == 0 ||
	    (strncmp(line, "-----BEGIN ", 11) == 0 &&
	    strstr(line, "PRIVATE KEY") != NULL))
		return "this is the private key; use the .pub file";
	if (strncmp(line, "---- BEGIN SSH2 PUBLIC KEY", 26) == 0)
		return "this is a public key in RFC 4716 format; convert it: "
		    "ssh-keygen -i -f FILE";
	if (strncmp(line, "-----BEGIN PUBLIC KEY", 21) == 0)
		return "this is a public key in PKCS #8 format; convert it: "
		    "ssh-keygen -i -m PKCS8 -f FILE";
	return NULL;
}

/* Cut off and return the next word of *rest; "" at the end. */
static char *
next_word(char **rest)
{
	char *word = *rest + strspn(*rest, BLANKS);
	char *end = word + strcspn(word, BLANKS);

	*rest = end;
	if (*end != '\0')
		*(*rest)++ = '\0';
	return word;
}

/* Why a line that does not begin with a type is refused. */
static const char *
refuse_start(const char *word, char *rest)
{
	const char *next;

	while (*(next = next_word(&rest)) != '\0')
		if (find_type(next) != NULL)
			return "options before a key are not allowed here; "
			    "remove them";
	return refuse_type(word);
}

const char *
pubkey_parse_line(char *line, struct pubkey *key)
{
	size_t len = strlen(line);
	const char *type, *base64, *wrong;
	char *rest, *p;

	memset(key, 0, sizeof(*key));
	while (len > 0 && strchr(BLANKS "\r", line[len - 1]) != NULL)
		line[--len] = '\0';
	rest = line + strspn(line, BLANKS);
	if (*rest == '\0' || *rest == '#')
		return NULL;
	for (p = rest; *p != '\0'; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return "the line has control characters";
	if ((wrong = pubkey_refuse_format(rest)) != NULL)
		return wrong;
	type = next_word(&rest);
	if (find_type(type) == NULL)
		return refuse_start(type, rest);
	base64 = next_word(&rest);
	if ((wrong = pubkey_check(type, base64)) != NULL)
		return wrong;
	key->type = type;
	key->base64 = base64;
	key->comment = rest + strspn(rest, BLANKS);
	return NULL;
}
