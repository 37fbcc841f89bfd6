/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "autologin/autologin.h"

#define RSA_BITS	2048

static int
export_private(const struct libssh *lib, ssh_key key,
    enum autologin_key_type type, struct keypair *keypair,
    struct x2gobroker_error *err)
{
	char *pem = NULL;
	int result = 0;

	if (lib->ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &pem) !=
	    SSH_OK)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot write a private key");
	/* an older libssh writes PKCS#1 itself */
	if (type == AUTOLOGIN_RSA && !pkcs1_is_pem(pem))
		result = pkcs1_unwrap(pem, &keypair->private, err);
	else
		buf_puts(&keypair->private, pem);
	explicit_bzero(pem, strlen(pem));
	lib->ssh_string_free_char(pem);
	if (keypair->private.failed)
		return error_nomem(err);
	return result;
}

static int
export_public(const struct libssh *lib, ssh_key key,
    enum autologin_key_type type, struct keypair *keypair,
    struct x2gobroker_error *err)
{
	char *base64 = NULL;

	if (lib->ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot write a public key");
	if (asprintf(&keypair->public, "%s %s", type == AUTOLOGIN_RSA ?
	    "ssh-rsa" : "ssh-ed25519", base64) == -1)
		keypair->public = NULL;
	lib->ssh_string_free_char(base64);
	return keypair->public != NULL ? 0 : error_nomem(err);
}

static int
generate(const struct libssh *lib, enum autologin_key_type type, ssh_key *key)
{
	enum ssh_keytypes_e kind = type == AUTOLOGIN_RSA ? SSH_KEYTYPE_RSA :
	    SSH_KEYTYPE_ED25519;
	int bits = type == AUTOLOGIN_RSA ? RSA_BITS : 0;
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 12, 0)
	ssh_pki_ctx ctx;
	int result = SSH_ERROR;

	if ((ctx = lib->ssh_pki_ctx_new()) == NULL)
		return -1;
	if (bits == 0 || lib->ssh_pki_ctx_options_set(ctx,
	    SSH_PKI_OPTION_RSA_KEY_SIZE, &bits) == SSH_OK)
		result = lib->ssh_pki_generate_key(kind, ctx, key);
	lib->ssh_pki_ctx_free(ctx);
	return result == SSH_OK ? 0 : -1;
#else
	return lib->ssh_pki_generate(kind, bits, key) == SSH_OK ? 0 : -1;
#endif
}

int
keypair_make(const struct libssh *lib, enum autologin_key_type type,
    struct keypair *keypair, struct x2gobroker_error *err)
{
	ssh_key key = NULL;
	int result;

	memset(keypair, 0, sizeof(*keypair));
	if (generate(lib, type, &key) == -1)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "libssh cannot make a key pair");
	result = export_private(lib, key, type, keypair, err);
	if (result == 0)
		result = export_public(lib, key, type, keypair, err);
	lib->ssh_key_free(key);
	if (result == -1)
		keypair_free(keypair);
	return result;
}

void
keypair_free(struct keypair *keypair)
{
	buf_free(&keypair->private);
	free(keypair->public);
	memset(keypair, 0, sizeof(*keypair));
}
