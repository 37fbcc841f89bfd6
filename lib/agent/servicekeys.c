/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "agent/ssh.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/safefile.h"

#define KEY_SIZE_MAX	(64 * 1024)

/* Where the path begins behind a "~", which stands for a home, or 0. */
static size_t
tilde_len(const char *path, size_t len)
{
	return len >= 2 && memcmp(path, "~/", 2) == 0 ? 1 : 0;
}

/* A copy of path, with the home of the broker account for a leading "~". */
static char *
expand_home(const struct x2gobroker_config *config, const char *path,
    size_t len, struct x2gobroker_error *err)
{
	size_t tilde = tilde_len(path, len);
	const struct passwd *pw = NULL;
	char *full;

	if (tilde > 0 && (pw = getpwnam(config->broker_account)) == NULL)
		return error_null(error_set(err, X2GOBROKER_ERR_NOTFOUND,
		    NULL, 0, "%.*s: broker-account %.100s does not exist, so "
		    "it has no home",
		    (int)len, path, config->broker_account));
	if (asprintf(&full, "%s%.*s", pw != NULL ? pw->pw_dir : "",
	    (int)(len - tilde), path + tilde) != -1)
		return full;
	return error_null(error_nomem(err));
}

/* The i-th path of agent-identity-files, as it is written.  All who read this
 * key do it here. */
static bool
find_path(const struct x2gobroker_config *config, size_t i, const char **path,
    size_t *len)
{
	const char *next = config->agent_identity_files;

	while (parse_next_item(&next, path, len))
		if (*len > 0 && i-- == 0)
			return true;
	return false;
}

static void
copy_path(char dst[X2GOBROKER_FILE_SIZE], const char *home, const char *path,
    size_t len)
{
	size_t tilde = tilde_len(path, len), size = X2GOBROKER_FILE_SIZE;
	size_t n = strlcpy(dst, tilde > 0 ? home : "", size);

	len -= tilde;
	if (n < size)
		strlcpy(dst + n, path + tilde, len < size - n ? len + 1 :
		    size - n);
}

bool
x2gobroker_service_key_path(const struct x2gobroker_config *config, size_t i,
    const char *home, char path[X2GOBROKER_FILE_SIZE])
{
	const char *text;
	size_t len;

	if (!find_path(config, i, &text, &len))
		return false;
	copy_path(path, home, text, len);
	return true;
}

void
x2gobroker_known_hosts_path(const struct x2gobroker_config *config,
    const char *home, char path[X2GOBROKER_FILE_SIZE])
{
	const char *hosts = config->agent_known_hosts;

	copy_path(path, home, hosts, strlen(hosts));
}

/* The private key in that file, or NULL. */
static ssh_key
load_identity(const struct libssh *lib, const char *path,
    struct x2gobroker_error *err)
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
	    lib->ssh_pki_import_privkey_base64(text, "", NULL, NULL, &key) !=
	    SSH_OK) {
		error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
		    "not a private key, or one with a passphrase");
		key = NULL;
	}
	explicit_bzero(text, sizeof(text));
	return key;
}

/* Add the key in that file, and take over path.  A missing file is no error;
 * why a file cannot be used is in *why. */
static int
add_identity(struct ssh_setup *setup, char *path, struct x2gobroker_error *why)
{
	struct x2gobroker_error error;
	struct ssh_identity *more;
	ssh_key key;

	if ((key = load_identity(&setup->lib, path, &error)) == NULL) {
		free(path);
		if (error.code != X2GOBROKER_ERR_NOTFOUND)
			*why = error;
		return error.code == X2GOBROKER_ERR_NOMEM ? -1 : 0;
	}
	more = reallocarray(setup->identities, setup->nidentities + 1,
	    sizeof(*more));
	if (more == NULL) {
		setup->lib.ssh_key_free(key);
		free(path);
		return -1;
	}
	setup->identities = more;
	more[setup->nidentities++] = (struct ssh_identity){ path, key };
	return 0;
}

static int
load_identities(const struct x2gobroker_config *config,
    struct ssh_setup *setup, struct x2gobroker_error *err)
{
	struct x2gobroker_error why = { 0 };
	const char *text;
	size_t i, len;
	char *path;

	for (i = 0; find_path(config, i, &text, &len); i++) {
		if ((path = expand_home(config, text, len, err)) == NULL)
			return -1;
		if (add_identity(setup, path, &why) == -1)
			return error_nomem(err);
	}
	if (setup->nidentities > 0)
		return 0;
	if (why.code == X2GOBROKER_OK)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no usable service key: no such file: %.300s "
		    "(agent-identity-files in x2gobroker.conf(5))",
		    config->agent_identity_files);
	return error_set(err, X2GOBROKER_ERR_NOTFOUND, why.file, why.line,
	    "no usable service key: %.300s; see agent-identity-files in "
	    "x2gobroker.conf(5)", why.text);
}

static int
list_identities(struct ssh_setup *setup, struct x2gobroker_error *err)
{
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < setup->nidentities; i++)
		buf_printf(&buf, "%s%s", i > 0 ? ", " : "",
		    setup->identities[i].path);
	if (buf.failed)
		return error_nomem(err);
	setup->tried = buf.data;
	return 0;
}

static void
get_public_fingerprint(const struct libssh *lib, ssh_key key,
    const char *path, char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
    struct x2gobroker_error *err)
{
	char *base64 = NULL;

	if (lib->ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK ||
	    x2gobroker_key_fingerprint(base64, fingerprint) == -1)
		error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0,
		    "its public key cannot be derived");
	if (base64 != NULL)
		lib->ssh_string_free_char(base64);
}

bool
x2gobroker_service_key(const struct x2gobroker_config *config, size_t i,
    char path[X2GOBROKER_FILE_SIZE],
    char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
    struct x2gobroker_error *err)
{
	struct x2gobroker_error ignored;
	cleanup_free char *full = NULL;
	struct libssh lib;
	const char *item;
	ssh_key key;
	size_t len;

	if (err == NULL)
		err = &ignored;
	memset(err, 0, sizeof(*err));
	*path = *fingerprint = '\0';
	if (!find_path(config, i, &item, &len))
		return false;
	if ((full = expand_home(config, item, len, err)) == NULL)
		return true;
	strlcpy(path, full, X2GOBROKER_FILE_SIZE);
	if (libssh_load(&lib, err) == -1 ||
	    (key = load_identity(&lib, full, err)) == NULL)
		return true;
	get_public_fingerprint(&lib, key, full, fingerprint, err);
	lib.ssh_key_free(key);
	return true;
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
ssh_setup_load(const struct x2gobroker_config *config, bool with_keys,
    struct ssh_setup *setup, struct x2gobroker_error *err)
{
	const char *hosts = config->agent_known_hosts;

	memset(setup, 0, sizeof(*setup));
	if ((setup->user = strdup(config->agent_user)) == NULL)
		return error_nomem(err);
	if (libssh_load(&setup->lib, err) == 0 &&
	    (!with_keys || (load_identities(config, setup, err) == 0 &&
	    list_identities(setup, err) == 0)) &&
	    (setup->known_hosts = expand_home(config, hosts, strlen(hosts),
	    err)) != NULL && check_known_hosts(setup->known_hosts, err) == 0)
		return 0;
	ssh_setup_free(setup);
	return -1;
}

void
ssh_setup_free(struct ssh_setup *setup)
{
	size_t i;

	for (i = 0; i < setup->nidentities; i++) {
		free(setup->identities[i].path);
		setup->lib.ssh_key_free(setup->identities[i].key);
	}
	free(setup->identities);
	free(setup->user);
	free(setup->known_hosts);
	free(setup->tried);
	memset(setup, 0, sizeof(*setup));
}
