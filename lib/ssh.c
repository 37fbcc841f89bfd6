/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "protocol.h"
#include "ssh.h"
#include "value.h"

/* Where somebody has to end a call that takes too long, it is done by shutting
 * the socket down; this only must not be sooner. */
#define NEVER_SECONDS	86400L

#define KEY_SIZE_MAX	(64 * 1024)
#define MESSAGE_MAX	400	/* of what a server says on its stderr */

/*
 * What is the same for all connections
 */

/* path with the broker account's home for its "~". */
static char *
expand_home(const struct x2gobroker_config *config, const char *path,
    size_t len, struct x2gobroker_error *err)
{
	const struct passwd *pw;
	char *full;

	if (len < 2 || memcmp(path, "~/", 2) != 0) {
		if ((full = strndup(path, len)) == NULL)
			error_nomem(err);
		return full;
	}
	if ((pw = getpwnam(config->broker_account)) == NULL) {
		error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0, "%.*s: "
		    "broker-account %.100s does not exist, so there is no ~",
		    (int)len, path, config->broker_account);
		return NULL;
	}
	if (asprintf(&full, "%s%.*s", pw->pw_dir, (int)len - 1, path + 1) == -1)
		full = NULL;
	if (full == NULL)
		error_nomem(err);
	return full;
}

/* The whole of a private key's file. */
static char *
read_identity(const char *path, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = file_open(path, err);
	char *text;
	size_t len;

	if (fp == NULL)
		return NULL;
	if ((text = calloc(1, KEY_SIZE_MAX)) == NULL) {
		error_nomem(err);
		return NULL;
	}
	/* what stdio has read of it is not to be found in memory later */
	setvbuf(fp, NULL, _IONBF, 0);
	len = fread(text, 1, KEY_SIZE_MAX - 1, fp);
	if (ferror(fp) == 0 && feof(fp) != 0 && strlen(text) == len)
		return text;
	error_set(err, X2GOBROKER_ERR_SYNTAX, path, 0, "no private key");
	explicit_bzero(text, KEY_SIZE_MAX);
	free(text);
	return NULL;
}

/* Add the key of that path.  That it is missing is fine; that it is there and
 * cannot be read is worth a reason, should there be no other. */
static int
add_identity(struct ssh_setup *setup, char *path, struct x2gobroker_error *why)
{
	struct ssh_identity *more;
	char *text;

	if ((text = read_identity(path, why)) == NULL) {
		free(path);
		return why->code == X2GOBROKER_ERR_NOMEM ? -1 : 0;
	}
	more = reallocarray(setup->identities, setup->nidentities + 1,
	    sizeof(*more));
	if (more == NULL) {
		explicit_bzero(text, strlen(text));
		free(text);
		free(path);
		return error_nomem(why);
	}
	setup->identities = more;
	more[setup->nidentities++] = (struct ssh_identity){ path, text };
	return 0;
}

static int
load_identities(const struct x2gobroker_config *config,
    struct ssh_setup *setup, struct x2gobroker_error *err)
{
	const char *next = config->agent_identity_files, *item;
	struct x2gobroker_error why = { 0 };
	size_t len;
	char *path;

	while (value_next_item(&next, &item, &len)) {
		if (len == 0)
			continue;
		if ((path = expand_home(config, item, len, err)) == NULL)
			return -1;
		if (add_identity(setup, path, &why) == -1)
			return error_nomem(err);
	}
	if (setup->nidentities > 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_NOTFOUND, why.file, why.line,
	    "no service key to ask servers with: %.300s; see "
	    "agent-identity-files in x2gobroker.conf(5)", why.text);
}

/* "a, b", as they stand in the configuration. */
static int
name_identities(struct ssh_setup *setup, struct x2gobroker_error *err)
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

/* libssh reads the file by its name, some time later; so it is the directory
 * and the file that others must not be able to write, which file_open() sees
 * to. */
static int
check_known_hosts(const struct x2gobroker_config *config,
    struct ssh_setup *setup, struct x2gobroker_error *err)
{
	const char *path = config->agent_known_hosts;
	struct x2gobroker_error why = { 0 };
	FILE *fp;

	setup->known_hosts = expand_home(config, path, strlen(path), err);
	if (setup->known_hosts == NULL)
		return -1;
	if ((fp = file_open(setup->known_hosts, &why)) != NULL)
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
	memset(setup, 0, sizeof(*setup));
	if ((setup->user = strdup(config->agent_user)) == NULL)
		return error_nomem(err);
	if ((!with_keys || (load_identities(config, setup, err) == 0 &&
	    name_identities(setup, err) == 0)) &&
	    check_known_hosts(config, setup, err) == 0 &&
	    sshlib_load(&setup->lib, err) == 0)
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
		explicit_bzero(setup->identities[i].text,
		    strlen(setup->identities[i].text));
		free(setup->identities[i].text);
	}
	free(setup->identities);
	free(setup->user);
	free(setup->known_hosts);
	free(setup->tried);
	memset(setup, 0, sizeof(*setup));
}

/*
 * One connection
 */

#define LIB(link)	(&(link)->setup->lib)

static int
fail(struct ssh_link *link, const char *what, struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s: %.300s",
	    what, LIB(link)->ssh_get_error(link->session));
}

static int
set_options(struct ssh_link *link, int fd, int port,
    struct x2gobroker_error *err)
{
	static const bool no = false;
	static const long never = NEVER_SECONDS;
	unsigned int number = (unsigned int)port;
	const struct {
		enum ssh_options_e type;
		const void *value;
	} options[] = {
		/* before anything that could make it read one */
		{ SSH_OPTIONS_PROCESS_CONFIG, &no },
		{ SSH_OPTIONS_SSH_DIR, "/nonexistent" },
		{ SSH_OPTIONS_USER, link->setup->user },
		{ SSH_OPTIONS_PORT, &number },
		{ SSH_OPTIONS_KNOWNHOSTS, link->setup->known_hosts },
		{ SSH_OPTIONS_TIMEOUT, &never },
		/* from here on, the socket is the session's */
		{ SSH_OPTIONS_FD, &fd },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (LIB(link)->ssh_options_set(link->session, options[i].type,
		    options[i].value) < 0) {
			close(fd);
			return fail(link, "cannot set up SSH", err);
		}
	return 0;
}

/* The name that the host's key is stored by: what the profile calls it, or the
 * address in brackets behind it.  libssh asks for the kinds of key that it
 * finds there, so this comes before the connection. */
static int
find_known_name(struct ssh_link *link, const struct host *host,
    struct x2gobroker_error *err)
{
	const char *names[] = { host->name, host->address, host->name };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i][0] == '\0')
			continue;
		link->known_as = names[i];
		if (LIB(link)->ssh_options_set(link->session,
		    SSH_OPTIONS_HOST, names[i]) < 0)
			return fail(link, "cannot set up SSH", err);
		if (LIB(link)->ssh_session_has_known_hosts_entry(
		    link->session) == SSH_KNOWN_HOSTS_OK)
			break;
	}
	return 0;
}

static int
get_fingerprint(struct ssh_link *link, struct x2gobroker_error *err)
{
	const struct sshlib *lib = LIB(link);
	unsigned char *hash = NULL;
	size_t len, width;
	ssh_key key = NULL;
	char *text = NULL;

	if (lib->ssh_get_server_publickey(link->session, &key) == SSH_OK &&
	    lib->ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash,
	    &len) == 0)
		text = lib->ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256,
		    hash, len);
	if (text != NULL) {
		width = strnlen(text, sizeof(link->fingerprint) - 1);
		memcpy(link->fingerprint, text, width);
		lib->ssh_string_free_char(text);
	}
	lib->ssh_clean_pubkey_hash(&hash);
	lib->ssh_key_free(key);
	return text != NULL ? 0 : fail(link, "no host key", err);
}

/* The key is in no file.  Remember it for those who are to be told. */
static int
unknown_key(struct ssh_link *link, enum hostkey_policy policy,
    struct x2gobroker_error *err)
{
	char *line = NULL;

	if (LIB(link)->ssh_session_export_known_hosts_entry(link->session,
	    &line) == SSH_OK && line != NULL) {
		link->new_key = strdup(line);
		LIB(link)->ssh_string_free_char(line);
	}
	if (link->new_key == NULL)
		return error_nomem(err);
	if (policy != HOSTKEY_REJECT)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "its host key %s is not known; if it is the right one: "
	    "x2gobrokerctl known-hosts add %.200s", link->fingerprint,
	    link->known_as);
}

static int
check_host_key(struct ssh_link *link, enum hostkey_policy policy,
    struct x2gobroker_error *err)
{
	switch (LIB(link)->ssh_session_is_known_server(link->session)) {
	case SSH_KNOWN_HOSTS_OK:
		return 0;
	case SSH_KNOWN_HOSTS_UNKNOWN:
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		return unknown_key(link, policy, err);
	case SSH_KNOWN_HOSTS_CHANGED:
	case SSH_KNOWN_HOSTS_OTHER:
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "its host key is %s, and %.200s has another one: it was "
		    "installed anew, or somebody is in between",
		    link->fingerprint, link->setup->known_hosts);
	default:
		return fail(link, "its host key cannot be checked", err);
	}
}

int
ssh_link_open(struct ssh_link *link, const struct ssh_setup *setup, int fd,
    const struct host *host, int port, enum hostkey_policy policy,
    struct x2gobroker_error *err)
{
	memset(link, 0, sizeof(*link));
	link->setup = setup;
	if ((link->session = setup->lib.ssh_new()) == NULL) {
		close(fd);
		return error_nomem(err);
	}
	if (set_options(link, fd, port, err) == -1 ||
	    find_known_name(link, host, err) == -1)
		return -1;
	if (setup->lib.ssh_connect(link->session) != SSH_OK)
		return fail(link, "no SSH connection", err);
	if (get_fingerprint(link, err) == -1)
		return -1;
	return check_host_key(link, policy, err);
}

static int
login_with(struct ssh_link *link, const struct ssh_identity *identity)
{
	ssh_key key = NULL;
	int result;

	if (LIB(link)->ssh_pki_import_privkey_base64(identity->text, NULL,
	    NULL, NULL, &key) != SSH_OK)
		return SSH_AUTH_DENIED;
	result = LIB(link)->ssh_userauth_publickey(link->session, NULL, key);
	LIB(link)->ssh_key_free(key);
	return result;
}

int
ssh_link_login(struct ssh_link *link, struct x2gobroker_error *err)
{
	size_t i;

	for (i = 0; i < link->setup->nidentities; i++)
		switch (login_with(link, &link->setup->identities[i])) {
		case SSH_AUTH_SUCCESS:
			return 0;
		case SSH_AUTH_ERROR:
			return fail(link, "login", err);
		default:
			break;
		}
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "it does not let %.100s in with %.300s; does authorized_keys there "
	    "have the public half, and is the account not locked?",
	    link->setup->user, link->setup->tried);
}

static int
read_output(struct ssh_link *link, ssh_channel channel, size_t max,
    struct buf *out, struct x2gobroker_error *err)
{
	char chunk[8192];
	size_t begin = out->len;
	int n;

	while ((n = LIB(link)->ssh_channel_read(channel, chunk, sizeof(chunk),
	    0)) > 0) {
		buf_put(out, chunk, (size_t)n);
		if (out->len - begin > max)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "its answer has more than %zu bytes", max);
	}
	if (out->failed)
		return error_nomem(err);
	return n == 0 ? 0 : fail(link, "its answer broke off", err);
}

/* What the command said on stderr, in one line, for a message. */
static void
read_message(struct ssh_link *link, ssh_channel channel,
    char message[static MESSAGE_MAX + 1])
{
	int i, n;

	n = LIB(link)->ssh_channel_read_nonblocking(channel, message,
	    MESSAGE_MAX, 1);
	if (n < 0)
		n = 0;
	message[n] = '\0';
	for (i = 0; i < n; i++)
		if (message[i] == '\n' || message[i] == '\0')
			message[i] = ' ';
	while (n > 0 && message[n - 1] == ' ')
		message[--n] = '\0';
}

/* The agent's own words come first where it has some: they say what to do. */
static int
check_exit(struct ssh_link *link, ssh_channel channel, bool silent,
    struct x2gobroker_error *err)
{
	char message[MESSAGE_MAX + 1];
	int status;

	read_message(link, channel, message);
	status = LIB(link)->ssh_channel_get_exit_status(channel);
	if (status == 0 && (message[0] == '\0' || !silent))
		return 0;
	if (message[0] == '\0')
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the agent there ended with status %d", status);
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "the agent there says: %s", message);
}

int
ssh_link_run(struct ssh_link *link, const char *command, size_t max,
    struct buf *out, struct x2gobroker_error *err)
{
	const struct sshlib *lib = LIB(link);
	size_t begin = out->len;
	ssh_channel channel;
	int result = -1;

	if ((channel = lib->ssh_channel_new(link->session)) == NULL)
		return error_nomem(err);
	if (lib->ssh_channel_open_session(channel) != SSH_OK ||
	    lib->ssh_channel_request_exec(channel, command) != SSH_OK)
		fail(link, "it does not run the agent", err);
	else if (lib->ssh_channel_send_eof(channel) != SSH_OK)
		fail(link, "its connection broke off", err);
	else if (read_output(link, channel, max, out, err) == 0)
		result = check_exit(link, channel, out->len == begin, err);
	lib->ssh_channel_free(channel);
	return result;
}

void
ssh_link_close(struct ssh_link *link)
{
	if (link->session != NULL) {
		LIB(link)->ssh_disconnect(link->session);
		LIB(link)->ssh_free(link->session);
	}
	free(link->new_key);
	memset(link, 0, sizeof(*link));
}
