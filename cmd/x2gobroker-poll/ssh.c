/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ssh.h"

#define MESSAGE_MAX	400	/* bytes of stderr that are shown */

/* What a server may send in a step beside the answer: handshakes take a few
 * KiB, and answers are padded. */
#define PROTOCOL_MAX	(512 * 1024)

static int
ssh_error(struct ssh_link *link, const char *what, struct x2gobroker_error *err)
{
	if (link->received.in_bytes > link->receive_max)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%s: it sends more than %llu bytes", what,
		    (unsigned long long)link->receive_max);
	if (clock_left(link->deadline) == 0)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "timed out");
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s: %.300s",
	    what, ssh_get_error(link->session));
}

/* Wait until the socket can be read, or written to if libssh has data to send.
 * sshd sends small pieces, and its kernel holds back the second until ours has
 * acknowledged the first.  Ours does so at once only with TCP_QUICKACK, which
 * it forgets whenever we send. */
static bool
wait_for_socket(struct ssh_link *link)
{
	bool write_too = ssh_get_poll_flags(link->session) &
	    SSH_WRITE_PENDING;
	int on = 1;

	setsockopt(link->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	return clock_poll(link->fd, write_too ? POLLIN | POLLOUT : POLLIN,
	    link->deadline) > 0;
}

/* A call of libssh, to be repeated while it returns SSH_AGAIN. */
typedef int step(struct ssh_link *link);

static int
do_step(struct ssh_link *link, step *fn)
{
	int result;

	while ((result = fn(link)) == SSH_AGAIN &&
	    link->received.in_bytes <= link->receive_max &&
	    wait_for_socket(link))
		continue;
	return result;
}

static int
set_options(struct ssh_link *link, int port, struct x2gobroker_error *err)
{
	static const bool no = false;
	unsigned int number = (unsigned int)port;
	const struct {
		enum ssh_options_e type;
		const void *value;
	} options[] = {
		/* first, so that libssh reads no configuration */
		{ SSH_OPTIONS_PROCESS_CONFIG, &no },
		{ SSH_OPTIONS_SSH_DIR, "/nonexistent" },
		{ SSH_OPTIONS_USER, link->setup->user },
		{ SSH_OPTIONS_PORT, &number },
		{ SSH_OPTIONS_KNOWNHOSTS, link->setup->known_hosts },
		/* from here on, the session closes the socket */
		{ SSH_OPTIONS_FD, &link->fd },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ssh_options_set(link->session, options[i].type,
		    options[i].value) < 0) {
			close(link->fd);
			return ssh_error(link, "cannot set up SSH", err);
		}
	ssh_set_blocking(link->session, 0);
	ssh_set_counters(link->session, &link->received, NULL);
	link->receive_max = PROTOCOL_MAX;
	return 0;
}

/* Find out whether the host key is stored under the name in the profile or
 * under the address.  This comes before the connection, because libssh requests
 * the types of key that it finds in the file. */
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
		if (ssh_options_set(link->session,
		    SSH_OPTIONS_HOST, names[i]) < 0)
			return ssh_error(link, "cannot set up SSH", err);
		if (ssh_session_has_known_hosts_entry(
		    link->session) == SSH_KNOWN_HOSTS_OK)
			break;
	}
	return 0;
}

static int
get_fingerprint(struct ssh_link *link, struct x2gobroker_error *err)
{
	unsigned char *hash = NULL;
	size_t len, width;
	ssh_key key = NULL;
	char *text = NULL;

	if (ssh_get_server_publickey(link->session, &key) == SSH_OK &&
	    ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash,
	    &len) == 0)
		text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256,
		    hash, len);
	if (text != NULL) {
		width = strnlen(text, sizeof(link->fingerprint) - 1);
		memcpy(link->fingerprint, text, width);
		ssh_string_free_char(text);
	}
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return text != NULL ? 0 : ssh_error(link, "no host key", err);
}

/* Keep the key for the caller. */
static int
unknown_key(struct ssh_link *link, const struct known_lines *lines,
    enum hostkey_policy policy, struct x2gobroker_error *err)
{
	char *line = NULL;

	if (ssh_session_export_known_hosts_entry(link->session,
	    &line) == SSH_OK && line != NULL) {
		link->new_key = strndup(line, strcspn(line, "\n"));
		ssh_string_free_char(line);
	}
	if (link->new_key == NULL)
		return error_nomem(err);
	if (policy != HOSTKEY_REJECT)
		return 0;
	if (lines->authority != 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, lines->path,
		    lines->authority, "@cert-authority is not supported: the "
		    "host key %s has to be known itself; if it is the right "
		    "one, run: x2gobrokerctl known-hosts add %.200s",
		    link->fingerprint, link->known_as);
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "unknown host key %s; if it is the right one, run: "
	    "x2gobrokerctl known-hosts add %.200s", link->fingerprint,
	    link->known_as);
}

static int
changed_key(const struct ssh_link *link, struct x2gobroker_error *err)
{
	const char *path = link->setup->known_hosts;
	char name[TARGET_NAME_SIZE];

	knownhosts_name(link->known_as, link->port, name);
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "the host key %s is not the one in %.200s: possible "
	    "man-in-the-middle attack, or the host was reinstalled; remove "
	    "the old key with: ssh-keygen -f %.200s -R '%s'",
	    link->fingerprint, path, path, name);
}

static int
find_lines(struct ssh_link *link, struct known_lines *lines,
    struct x2gobroker_error *err)
{
	struct hostkey hostkey = { .host = link->host, .port = link->port,
	    .known_as = link->known_as };
	ssh_key key = NULL;
	char *text = NULL;
	int result;

	if (ssh_get_server_publickey(link->session, &key) == SSH_OK &&
	    ssh_pki_export_pubkey_base64(key, &text) == SSH_OK) {
		hostkey.key = text;
		result = knownhosts_find(link->setup->known_hosts, &hostkey,
		    lines, err);
		ssh_string_free_char(text);
	} else
		result = ssh_error(link, "no host key", err);
	ssh_key_free(key);
	return result;
}

static int
check_host_key(struct ssh_link *link, enum hostkey_policy policy,
    struct x2gobroker_error *err)
{
	struct known_lines lines;

	if (find_lines(link, &lines, err) == -1)
		return -1;
	if (lines.revoked)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the host key %s is marked @revoked in %.200s or "
		    KNOWN_HOSTS_OF_ALL ": give the server a new host key",
		    link->fingerprint, link->setup->known_hosts);
	switch (ssh_session_is_known_server(link->session)) {
	case SSH_KNOWN_HOSTS_OK:
		return lines.excluded && !lines.vouched ?
		    unknown_key(link, &lines, policy, err) : 0;
	case SSH_KNOWN_HOSTS_UNKNOWN:
	case SSH_KNOWN_HOSTS_NOT_FOUND:
		return unknown_key(link, &lines, policy, err);
	case SSH_KNOWN_HOSTS_CHANGED:
	case SSH_KNOWN_HOSTS_OTHER:
		return lines.excluded && !lines.others ?
		    unknown_key(link, &lines, policy, err) :
		    changed_key(link, err);
	default:
		return ssh_error(link, "cannot check the host key", err);
	}
}

static int
step_connect(struct ssh_link *link)
{
	return ssh_connect(link->session);
}

int
ssh_link_open(struct ssh_link *link, const struct ssh_setup *setup, int fd,
    int64_t deadline, const struct host *host, int port,
    enum hostkey_policy policy, struct x2gobroker_error *err)
{
	memset(link, 0, sizeof(*link));
	link->setup = setup;
	link->deadline = deadline;
	link->fd = fd;
	link->host = host;
	link->port = port;
	if ((link->session = ssh_new()) == NULL) {
		close(fd);
		return error_nomem(err);
	}
	if (set_options(link, port, err) == -1 ||
	    find_known_name(link, host, err) == -1)
		return -1;
	if (do_step(link, step_connect) != SSH_OK)
		return ssh_error(link, "no SSH connection", err);
	link->openssh = ssh_get_openssh_version(link->session);
	if (get_fingerprint(link, err) == -1)
		return -1;
	return check_host_key(link, policy, err);
}

static int
step_login(struct ssh_link *link)
{
	int result = ssh_userauth_publickey(link->session, NULL,
	    link->key);

	return result == SSH_AUTH_AGAIN ? SSH_AGAIN : result;
}

int
ssh_link_login(struct ssh_link *link, struct x2gobroker_error *err)
{
	bool partial = false;
	size_t i;

	for (i = 0; i < link->setup->nidentities; i++) {
		link->key = link->setup->identities[i].key;
		switch (do_step(link, step_login)) {
		case SSH_AUTH_SUCCESS:
			return 0;
		case SSH_AUTH_PARTIAL:
			partial = true;
			break;
		case SSH_AUTH_DENIED:
			break;
		default:
			return ssh_error(link, "connection lost at the login",
			    err);
		}
	}
	if (partial)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "login as %.100s: sshd accepts the key, but wants more "
		    "than that; in sshd_config there, write: Match User %.100s "
		    "and AuthenticationMethods publickey", link->setup->user,
		    link->setup->user);
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "login as %.100s with %.300s denied; is the public key in "
	    "authorized_keys there, and is the account unlocked?",
	    link->setup->user, link->setup->tried);
}

static int
step_open_channel(struct ssh_link *link)
{
	return ssh_channel_open_session(link->channel);
}

static int
step_exec(struct ssh_link *link)
{
	return ssh_channel_request_exec(link->channel,
	    link->command);
}

static int
step_send_eof(struct ssh_link *link)
{
	return ssh_channel_send_eof(link->channel);
}

/* Returns the number of bytes read, or SSH_EOF at the end. */
static int
step_read(struct ssh_link *link)
{
	int n = ssh_channel_read_nonblocking(link->channel,
	    link->chunk, sizeof(link->chunk), 0);

	if (n == 0)
		return ssh_channel_is_eof(link->channel) ? SSH_EOF :
		    SSH_AGAIN;
	return n;
}

static int
read_output(struct ssh_link *link, size_t max, struct buf *out,
    struct x2gobroker_error *err)
{
	size_t begin = out->len;
	int n;

	while ((n = do_step(link, step_read)) > 0) {
		buf_put(out, link->chunk, (size_t)n);
		if (out->len - begin > max)
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "its answer is longer than %zu bytes", max);
	}
	if (out->failed)
		return error_nomem(err);
	return n == SSH_EOF ? 0 :
	    ssh_error(link, "the answer is incomplete", err);
}

/* What the command printed to stderr, on one line. */
static void
read_message(struct ssh_link *link, char message[static MESSAGE_MAX + 1])
{
	int i, n;

	n = ssh_channel_read_nonblocking(link->channel, message,
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

/* The status arrives after the end of the output, or never if the command was
 * killed: then the channel is closed without one. */
static int
step_get_status(struct ssh_link *link)
{
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
	uint32_t status;

	link->status = ssh_channel_get_exit_state(link->channel,
	    &status, NULL, NULL) == SSH_OK ? (int)status : -1;
#else
	link->status = ssh_channel_get_exit_status(link->channel);
#endif
	return link->status != -1 ||
	    ssh_channel_is_closed(link->channel) ? SSH_OK :
	    SSH_AGAIN;
}

/* Prefer the message of the agent, which says what to do. */
static int
check_exit(struct ssh_link *link, bool silent, struct x2gobroker_error *err)
{
	char message[MESSAGE_MAX + 1];

	if (do_step(link, step_get_status) != SSH_OK)
		return ssh_error(link, "the answer is incomplete", err);
	read_message(link, message);
	if (link->status == 0 && (message[0] == '\0' || !silent))
		return 0;
	if (message[0] != '\0')
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the agent there says: %s", message);
	if (link->status == -1)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the agent there was killed");
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "the agent there exited with status %d", link->status);
}

int
ssh_link_run(struct ssh_link *link, const char *command, size_t max,
    struct buf *out, struct x2gobroker_error *err)
{
	size_t begin = out->len;
	int result = -1;

	if ((link->channel = ssh_channel_new(link->session)) == NULL)
		return error_nomem(err);
	link->command = command;
	link->receive_max = link->received.in_bytes + max + PROTOCOL_MAX;
	if (do_step(link, step_open_channel) != SSH_OK ||
	    do_step(link, step_exec) != SSH_OK)
		ssh_error(link, "cannot start the agent", err);
	else if (do_step(link, step_send_eof) != SSH_OK)
		ssh_error(link, "connection lost", err);
	else if (read_output(link, max, out, err) == 0)
		result = check_exit(link, out->len == begin, err);
	ssh_channel_free(link->channel);
	link->channel = NULL;
	return result;
}

void
ssh_link_close(struct ssh_link *link)
{
	if (link->session != NULL) {
		ssh_disconnect(link->session);
		ssh_free(link->session);
	}
	free(link->new_key);
	memset(link, 0, sizeof(*link));
}
