/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service keys, with which x2gobroker-poll logs in to servers. */
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "ssh.h"

#define KEY_SIZE_MAX	(64 * 1024)

#define CERTIFICATE	"%s-cert.pub"	/* where ssh(1) looks for it, too */

/* Read a file that nobody else can write.  What is no text becomes "". */
static int
read_file(const char *path, char text[KEY_SIZE_MAX],
    struct x2gobroker_error *err)
{
	/* its descriptor is read, so that no copy is left in stdio */
	cleanup_file FILE *fp = safefile_open(path, err);
	ssize_t len;

	if (fp == NULL)
		return -1;
	memset(text, 0, KEY_SIZE_MAX);
	len = safefile_read(fileno(fp), text, KEY_SIZE_MAX);
	if (len < 0 || len == KEY_SIZE_MAX || strlen(text) != (size_t)len)
		text[0] = '\0';
	return 0;
}

/* The private key in that file, or NULL. */
static ssh_key
load_identity(const char *path, struct x2gobroker_error *err)
{
	char text[KEY_SIZE_MAX];
	ssh_key key = NULL;

	if (read_file(path, text, err) == -1)
		return NULL;
	/* without a passphrase libcrypto asks for one at the terminal */
	if (text[0] == '\0' || ssh_pki_import_privkey_base64(text, "", NULL,
	    NULL, &key) != SSH_OK) {
		error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
		    "not a private key, or one with a passphrase");
		key = NULL;
	}
	explicit_bzero(text, sizeof(text));
	return key;
}

/* The certificate in a file with the line "TYPE BASE64 [COMMENT]", or NULL. */
static ssh_key
load_certificate(const char *path, struct x2gobroker_error *err)
{
	char text[KEY_SIZE_MAX], *rest = text;
	const char *type, *base64;
	ssh_key key = NULL;

	if (read_file(path, text, err) == -1)
		return NULL;
	type = strsep(&rest, " \n");
	base64 = rest != NULL ? strsep(&rest, " \n") : "";
	if (ssh_pki_import_cert_base64(base64, ssh_key_type_from_name(type),
	    &key) == SSH_OK)
		return key;
	return error_null(error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
	    "not a certificate"));
}

static int
append(struct ssh_setup *setup, const char *path, bool certified, ssh_key key,
    struct x2gobroker_error *err)
{
	struct ssh_identity *more = array_grow(setup->identities,
	    setup->nidentities, sizeof(*more));

	if (more == NULL) {
		ssh_key_free(key);
		return error_nomem(err);
	}
	setup->identities = more;
	more[setup->nidentities++] = (struct ssh_identity){ path, certified,
	    key };
	return 0;
}

/* If there is a certificate for the key, add the key with it: servers that do
 * not trust it are offered the key alone afterwards. */
static int
add_certified(struct ssh_setup *setup, const char *path, ssh_key key,
    struct x2gobroker_error *err)
{
	cleanup_free char *name = NULL;
	struct x2gobroker_error why;
	ssh_key certificate, both;
	int result;

	if (asprintf(&name, CERTIFICATE, path) == -1) {
		name = NULL;
		return error_nomem(err);
	}
	if ((certificate = load_certificate(name, &why)) == NULL) {
		if (why.code == X2GOBROKER_ERR_NOTFOUND)
			return 0;
		if (err != NULL)
			*err = why;
		return -1;
	}
	both = ssh_key_dup(key);
	result = both == NULL ? SSH_ERROR :
	    ssh_pki_copy_cert_to_privkey(certificate, both);
	ssh_key_free(certificate);
	if (result == SSH_OK)
		return append(setup, path, true, both, err);
	ssh_key_free(both);
	return error_set(err, X2GOBROKER_ERR_SYSTEM, name, 0, "cannot be used "
	    "with the key");
}

/* Add the key in that file.  A missing file is no error, nor is one that is no
 * key: why is in *why. */
static int
add_identity(struct ssh_setup *setup, const char *path,
    struct x2gobroker_error *why, struct x2gobroker_error *err)
{
	struct x2gobroker_error error;
	ssh_key key;

	if ((key = load_identity(path, &error)) == NULL) {
		if (error.code != X2GOBROKER_ERR_NOTFOUND)
			*why = error;
		return error.code == X2GOBROKER_ERR_NOMEM ? error_nomem(err) :
		    0;
	}
	if (add_certified(setup, path, key, err) == 0)
		return append(setup, path, false, key, err);
	ssh_key_free(key);
	return -1;
}

/* Those that were loaded, or all if there are none. */
static int
list_identities(const struct order *order, struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	const struct ssh_identity *identity = setup->identities;
	size_t i, n = setup->nidentities;
	struct buf buf = { 0 };

	for (i = 0; n == 0 && i < order->nidentities; i++)
		buf_printf(&buf, "%s%s", i > 0 ? ", " : "",
		    order->identities[i]);
	for (i = 0; i < n; i++, identity++) {
		buf_puts(&buf, i > 0 ? ", " : "");
		buf_printf(&buf, identity->certified ? CERTIFICATE : "%s",
		    identity->path);
	}
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
		if (add_identity(setup, order->identities[i], &why, err) ==
		    -1)
			return -1;
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
