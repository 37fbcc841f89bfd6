/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A public key: is it one, whole and of a kind that OpenSSH still takes?  And a
 * line of a .pub file, which is what people have at hand.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/pubkey.h"

#define BLANKS		" \t"
#define DATA_MAX	4096	/* twice an RSA key of RSA_BITS_MAX */
#define RSA_BITS_MIN	2048
#define RSA_BITS_MAX	16384	/* OpenSSH's own limit */

static const struct key_type {
	const char *name;
	const char *curve;	/* second in the key; NULL: it has none */
	size_t point;		/* bytes of the key itself; 0: RSA's numbers */
	bool has_application;	/* last, in keys that a token holds: "ssh:" */
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

static const char damaged[] = "the key is damaged or cut off; copy it again";

static const struct key_type *
find_type(const char *name)
{
	size_t i;

	for (i = 0; i < NTYPES; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

/* Why a word is none of the types. */
static const char *
refuse_type(const char *name)
{
	if (strcmp(name, "ssh-dss") == 0)
		return "OpenSSH takes no DSA keys any more; make a new key: "
		    "ssh-keygen -t ed25519";
	if (strstr(name, "-cert-v0") != NULL)
		return "this is a certificate; name the file with the key "
		    "itself, without -cert";
	return "TYPE BASE64 COMMENT is needed, TYPE being one of those that "
	    "x2gobrokerctl(8) lists";
}

/* What is left of a key's data: fields, each behind its length (RFC 4251). */
struct data {
	const uint8_t *at;
	size_t left;
};

static bool
take(struct data *data, const uint8_t **field, size_t *len)
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

/* A positive number in as few bytes as possible; how many bits it has. */
static bool
take_number(struct data *data, size_t *bits)
{
	const uint8_t *field;
	uint8_t top;
	size_t len;

	if (!take(data, &field, &len) || len == 0 || field[0] >= 0x80)
		return false;
	if (field[0] == 0) {	/* only to say that it is not negative */
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

	if (!take(data, &field, &len) || len != type->point)
		return false;
	/* 4: both coordinates are there (SEC 1), as OpenSSH wants it */
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
		return "OpenSSH takes no RSA key of more than 16384 bits";
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
	if (!take(&data, &field, &len))
		return damaged;
	if (!is_text(field, len, name))
		return "the key itself says that it is of another type than "
		    "the word before it";
	if (type->curve != NULL && (!take(&data, &field, &len) ||
	    !is_text(field, len, type->curve)))
		return damaged;
	if (type->point == 0)
		return check_rsa(&data);
	if (!take_point(&data, type))
		return damaged;
	if (type->has_application && (!take(&data, &field, &len) || len == 0))
		return damaged;
	return data.left == 0 ? NULL : damaged;
}

const char *
pubkey_refuse_form(const char *line)
{
	if (strncmp(line, "PuTTY-User-Key-File", 19) == 0 ||
	    (strncmp(line, "-----BEGIN ", 11) == 0 &&
	    strstr(line, "PRIVATE KEY") != NULL))
		return "this is the private key; name the .pub file";
	if (strncmp(line, "---- BEGIN SSH2 PUBLIC KEY", 26) == 0)
		return "this is a public key in the form of RFC 4716; "
		    "ssh-keygen -i -f FILE turns it into the one needed here";
	if (strncmp(line, "-----BEGIN PUBLIC KEY", 21) == 0)
		return "this is a public key in the form of PKCS #8; "
		    "ssh-keygen -i -m PKCS8 -f FILE turns it into the one "
		    "needed here";
	return NULL;
}

/* Cut the next word off *rest; "" at the end. */
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

/* The line begins with something that is no type. */
static const char *
refuse_start(const char *word, char *rest)
{
	const char *next;

	while (*(next = next_word(&rest)) != '\0')
		if (find_type(next) != NULL)
			return "options before a key are not allowed here; "
			    "those that are needed come with the key when "
			    "sshd asks";
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
			return "there are control characters in it";
	if ((wrong = pubkey_refuse_form(rest)) != NULL)
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
