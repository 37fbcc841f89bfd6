/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "ssh.h"

#define RSA_BITS	2048

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

static int
export_private(ssh_key key, enum autologin_key_type type, struct buf *private,
    struct x2gobroker_error *err)
{
	char *pem = NULL;
	int result = 0;

	if (ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &pem) !=
	    SSH_OK)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot write a private key");
	/* an older libssh writes PKCS#1 itself */
	if (type == AUTOLOGIN_RSA && !pkcs1_is_pem(pem))
		result = pkcs1_unwrap(pem, private, err);
	else
		buf_puts(private, pem);
	explicit_bzero(pem, strlen(pem));
	ssh_string_free_char(pem);
	if (private->failed)
		return error_nomem(err);
	return result;
}

static int
export_public(ssh_key key, enum autologin_key_type type, char **public,
    struct x2gobroker_error *err)
{
	char *base64 = NULL;

	if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot write a public key");
	if (asprintf(public, "%s %s", type == AUTOLOGIN_RSA ?
	    "ssh-rsa" : "ssh-ed25519", base64) == -1)
		*public = NULL;
	ssh_string_free_char(base64);
	return *public != NULL ? 0 : error_nomem(err);
}

static int
generate(enum autologin_key_type type, ssh_key *key)
{
	enum ssh_keytypes_e kind = type == AUTOLOGIN_RSA ? SSH_KEYTYPE_RSA :
	    SSH_KEYTYPE_ED25519;
	int bits = type == AUTOLOGIN_RSA ? RSA_BITS : 0;
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 12, 0)
	ssh_pki_ctx ctx;
	int result = SSH_ERROR;

	if ((ctx = ssh_pki_ctx_new()) == NULL)
		return -1;
	if (bits == 0 || ssh_pki_ctx_options_set(ctx,
	    SSH_PKI_OPTION_RSA_KEY_SIZE, &bits) == SSH_OK)
		result = ssh_pki_generate_key(kind, ctx, key);
	ssh_pki_ctx_free(ctx);
	return result == SSH_OK ? 0 : -1;
#else
	return ssh_pki_generate(kind, bits, key) == SSH_OK ? 0 : -1;
#endif
}

int
keypair_make(enum autologin_key_type type, struct buf *private, char **public,
    struct x2gobroker_error *err)
{
	ssh_key key = NULL;
	int result;

	if (generate(type, &key) == -1)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot make a key pair");
	result = export_private(key, type, private, err);
	if (result == 0)
		result = export_public(key, type, public, err);
	ssh_key_free(key);
	if (result == -1)
		buf_truncate(private, 0);
	return result;
}
