/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <string.h>

#include "autologin/autologin.h"
#include "base/base64.h"

#define DER_MAX		4096	/* an RSA-2048 key has 1,200 bytes */
#define PEM_WIDTH	64	/* RFC 7468 */

#define PKCS8_BEGIN	"-----BEGIN PRIVATE KEY-----\n"
#define PKCS8_END	"-----END PRIVATE KEY-----"
#define PKCS1_BEGIN	"-----BEGIN RSA PRIVATE KEY-----\n"
#define PKCS1_END	"-----END RSA PRIVATE KEY-----\n"

/* Unread DER (X.690). */
struct der {
	const uint8_t *data;
	size_t len;
};

#define DER_INTEGER	0x02
#define DER_OCTETS	0x04
#define DER_SEQUENCE	0x30

/* Read the next element, which must have that tag. */
static bool
der_take(struct der *from, uint8_t tag, struct der *value)
{
	size_t len, head = 2, i;

	if (from->len < 2 || from->data[0] != tag)
		return false;
	len = from->data[1];
	if (len >= 0x80) {
		head += len - 0x80;
		/* no key here needs more than two bytes for a length */
		if (head < 3 || head > 4 || head > from->len)
			return false;
		for (len = 0, i = 2; i < head; i++)
			len = len << 8 | from->data[i];
	}
	if (len > from->len - head)
		return false;
	*value = (struct der){ from->data + head, len };
	from->data += head + len;
	from->len -= head + len;
	return true;
}

/* PrivateKeyInfo ::= SEQUENCE { version INTEGER, algorithm SEQUENCE { OBJECT
 * IDENTIFIER, NULL }, privateKey OCTET STRING } */
static bool
find_rsa_key(struct der wrapped, struct der *key)
{
	/* SEQUENCE content: rsaEncryption, NULL */
	static const uint8_t rsa[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	    0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
	struct der info, version, algorithm;

	return der_take(&wrapped, DER_SEQUENCE, &info) &&
	    der_take(&info, DER_INTEGER, &version) &&
	    der_take(&info, DER_SEQUENCE, &algorithm) &&
	    algorithm.len == sizeof(rsa) &&
	    memcmp(algorithm.data, rsa, sizeof(rsa)) == 0 &&
	    der_take(&info, DER_OCTETS, key);
}

/* Decode a PKCS#8 PEM.  Returns the number of bytes, or -1. */
static ssize_t
read_pem(const char *pem, uint8_t der[static DER_MAX])
{
	char text[2 * DER_MAX];
	const char *end;
	size_t len = 0;
	ssize_t result;

	if (strncmp(pem, PKCS8_BEGIN, strlen(PKCS8_BEGIN)) != 0 ||
	    (end = strstr(pem, PKCS8_END)) == NULL)
		return -1;
	for (pem += strlen(PKCS8_BEGIN); pem < end && len < sizeof(text);
	    pem++)
		if (*pem != '\n')
			text[len++] = *pem;
	result = len < sizeof(text) ? base64_decode(text, len, der, DER_MAX) :
	    -1;
	explicit_bzero(text, sizeof(text));
	return result;
}

static void
write_pem(struct der key, struct buf *out)
{
	char text[2 * DER_MAX];
	size_t len, i;

	base64_encode(key.data, key.len, text);
	len = strlen(text);
	while (len % 4 != 0)
		text[len++] = '=';
	buf_puts(out, PKCS1_BEGIN);
	for (i = 0; i < len; i += PEM_WIDTH) {
		buf_put(out, text + i, len - i < PEM_WIDTH ? len - i :
		    PEM_WIDTH);
		buf_putc(out, '\n');
	}
	buf_puts(out, PKCS1_END);
	explicit_bzero(text, sizeof(text));
}

int
pkcs1_unwrap(const char *pem, struct buf *out,
    struct x2gobroker_error *err)
{
	uint8_t bytes[DER_MAX];
	struct der key;
	ssize_t len;
	bool found;

	len = read_pem(pem, bytes);
	found = len != -1 &&
	    find_rsa_key((struct der){ bytes, (size_t)len }, &key);
	if (found)
		write_pem(key, out);
	explicit_bzero(bytes, sizeof(bytes));
	if (!found)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "libssh wrote an RSA key in an unknown format");
	return out->failed ? error_nomem(err) : 0;
}

bool
pkcs1_is_pem(const char *pem)
{
	return strncmp(pem, PKCS1_BEGIN, strlen(PKCS1_BEGIN)) == 0;
}
