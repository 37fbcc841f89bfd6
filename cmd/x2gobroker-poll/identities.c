/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service keys, with which x2gobroker-poll logs in to servers. */
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "ssh.h"

#define KEY_SIZE_MAX	(64 * 1024)

/* The private key in that file, or NULL. */
static ssh_key
load_identity(const char *path, struct x2gobroker_error *err)
{
	/* its descriptor is read, so that no copy is left in stdio */
	cleanup_file FILE *fp = safefile_open(path, err);
	char text[KEY_SIZE_MAX] = "";
	ssh_key key = NULL;
	ssize_t len;

	if (fp == NULL)
		return NULL;
	len = safefile_read(fileno(fp), text, sizeof(text));
	/* without a passphrase libcrypto asks for one at the terminal */
	if (len < 0 || len == sizeof(text) || strlen(text) != (size_t)len ||
	    ssh_pki_import_privkey_base64(text, "", NULL, NULL, &key) !=
	    SSH_OK) {
		error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
		    "not a private key, or one with a passphrase");
		key = NULL;
	}
	explicit_bzero(text, sizeof(text));
	return key;
}

/* Add the key in that file.  A missing file is no error; why a file cannot be
 * used is in *why. */
static int
add_identity(struct ssh_setup *setup, const char *path,
    struct x2gobroker_error *why)
{
	struct x2gobroker_error error;
	struct ssh_identity *more;
	ssh_key key;

	if ((key = load_identity(path, &error)) == NULL) {
		if (error.code != X2GOBROKER_ERR_NOTFOUND)
			*why = error;
		return error.code == X2GOBROKER_ERR_NOMEM ? -1 : 0;
	}
	more = array_grow(setup->identities, setup->nidentities,
	    sizeof(*more));
	if (more == NULL) {
		ssh_key_free(key);
		return -1;
	}
	setup->identities = more;
	more[setup->nidentities++] = (struct ssh_identity){ path, key };
	return 0;
}

/* Those that were loaded, or all if there are none. */
static int
list_identities(const struct order *order, struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	size_t i, n = setup->nidentities;
	struct buf buf = { 0 };

	for (i = 0; i < (n > 0 ? n : order->nidentities); i++)
		buf_printf(&buf, "%s%s", i > 0 ? ", " : "", n > 0 ?
		    setup->identities[i].path : order->identities[i]);
	if (buf.failed)
		return error_nomem(err);
	setup->tried = buf.data;
	return 0;
}

static int
load_identities(const struct order *order, struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	struct x2gobroker_error why = { 0 };
	size_t i;

	for (i = 0; i < order->nidentities; i++)
		if (add_identity(setup, order->identities[i], &why) == -1)
			return error_nomem(err);
	if (list_identities(order, setup, err) == -1)
		return -1;
	if (setup->nidentities > 0)
		return 0;
	if (why.code == X2GOBROKER_OK)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no usable service key: no such file: %.300s "
		    "(agent-identity-files in x2gobroker.conf(5))",
		    setup->tried);
	return error_set(err, X2GOBROKER_ERR_NOTFOUND, why.file, why.line,
	    "no usable service key: %.300s; see agent-identity-files in "
	    "x2gobroker.conf(5)", why.text);
}

int
identity_fingerprint(const char *path,
    char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
    struct x2gobroker_error *err)
{
	ssh_key key = load_identity(path, err);
	char *base64 = NULL;
	int result = 0;

	if (key == NULL)
		return -1;
	if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK ||
	    x2gobroker_key_fingerprint(base64, fingerprint) == -1)
		result = error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
		    "its public key cannot be derived");
	if (base64 != NULL)
		ssh_string_free_char(base64);
	ssh_key_free(key);
	return result;
}

/* libssh opens the file by its name, later; so nobody else may be able to
 * replace it, which safefile_open() checks. */
static int
check_known_hosts(const char *path, struct x2gobroker_error *err)
{
	struct x2gobroker_error why = { 0 };
	FILE *fp;

	if ((fp = safefile_open(path, &why)) != NULL)
		fclose(fp);
	else if (why.code != X2GOBROKER_ERR_NOTFOUND) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return 0;
}

int
ssh_setup_load(const struct order *order, bool with_keys,
    struct ssh_setup *setup, struct x2gobroker_error *err)
{
	*setup = (struct ssh_setup){
		.user = order->account, .known_hosts = order->known_hosts,
	};
	if ((!with_keys || load_identities(order, setup, err) == 0) &&
	    check_known_hosts(setup->known_hosts, err) == 0)
		return 0;
	ssh_setup_free(setup);
	return -1;
}

void
ssh_setup_free(struct ssh_setup *setup)
{
	size_t i;

	for (i = 0; i < setup->nidentities; i++)
		ssh_key_free(setup->identities[i].key);
	free(setup->identities);
	free(setup->tried);
	*setup = (struct ssh_setup){ 0 };
}
