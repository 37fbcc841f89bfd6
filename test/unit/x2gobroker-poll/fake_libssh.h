/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libssh that does what a test wants: it has no network, fails where it is
 * told to, and counts what it has handed out.  A test that includes this is
 * linked with --wrap for each of the functions below.
 */
#ifndef TEST_SSHLIB_H
#define TEST_SSHLIB_H

#include "x2gobroker-poll/ssh.h"
#include "support.h"

/* The linker knows these functions by their names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static struct played {
	const char *fails;	/* the function that does */
	int after;		/* so many calls of it that do not */
	int again;		/* how often each step has to be made again */
	int known;		/* enum ssh_known_hosts_e, of the host key */
	const char *known_name;	/* the name that is in known_hosts */
	const int *logins;	/* what each attempt brings */
	const char *output;	/* of the command */
	size_t output_len;
	const char *message;	/* on its stderr */
	int message_len;	/* 0: all of it */
	int status;		/* -1: none */
	bool closed;		/* and none will come */
	uint64_t sends;		/* bytes with each step */
	const char *key;	/* what a key is written as */
	/* counted */
	int sessions, channels, keys, texts;
	int tries, logins_made;
	size_t read;
	ssh_counter counter;
	const char *name;	/* the last host that was set */
	int fd;
} played;


static bool
fails(const char *function)
{
	return played.fails != NULL && strcmp(played.fails, function) == 0 &&
	    played.after-- <= 0;
}

static int
result_of(const char *function)
{
	return fails(function) ? SSH_ERROR : SSH_OK;
}

/* Of a call that may have to be made again. */
static int
step_of(const char *function)
{
	played.counter->in_bytes += played.sends;
	if (played.tries++ < played.again)
		return SSH_AGAIN;
	played.tries = 0;
	return result_of(function);
}

static void *
thing(const char *function, int *count)
{
	if (fails(function))
		return NULL;
	++*count;
	return count;
}

static char *
text_of(const char *text)
{
	size_t size = strlen(text) + 1;
	/* not one of those that a test lets fail */
	char *copy = aligned_alloc(1, size);

	assert_non_null(copy);
	memcpy(copy, text, size);
	played.texts++;
	return copy;
}

ssh_session
__wrap_ssh_new(void)
{
	return thing("ssh_new", &played.sessions);
}

void
__wrap_ssh_free(ssh_session session)
{
	assert_ptr_equal(session, &played.sessions);
	played.sessions--;
	/* it was the session's */
	if (played.fd > 0)
		close(played.fd);
}

int
__wrap_ssh_connect(ssh_session session unused)
{
	return step_of("ssh_connect");
}

void
__wrap_ssh_disconnect(ssh_session session unused)
{
}

void
__wrap_ssh_set_blocking(ssh_session session unused, int blocking)
{
	assert_int_equal(blocking, 0);
}

int
__wrap_ssh_get_poll_flags(ssh_session session unused)
{
	return played.tries % 2 != 0 ? SSH_WRITE_PENDING : 0;
}

void
__wrap_ssh_set_counters(ssh_session session unused, ssh_counter socket_counter,
    ssh_counter raw_counter)
{
	assert_null(raw_counter);
	played.counter = socket_counter;
}

int
__wrap_ssh_get_openssh_version(ssh_session session unused)
{
	return SSH_VERSION_INT(9, 2, 0);
}

const char *
__wrap_ssh_get_error(void *error unused)
{
	return "so it is";
}

int
__wrap_ssh_options_set(ssh_session session unused, enum ssh_options_e type,
    const void *value)
{
	if (fails("ssh_options_set"))
		return -1;
	if (type == SSH_OPTIONS_HOST)
		played.name = value;
	if (type == SSH_OPTIONS_FD)
		played.fd = *(const int *)value;
	return 0;
}

int
__wrap_ssh_get_server_publickey(ssh_session session unused, ssh_key *key)
{
	*key = thing("ssh_get_server_publickey", &played.keys);
	return *key != NULL ? SSH_OK : SSH_ERROR;
}

int
__wrap_ssh_get_publickey_hash(const ssh_key key unused,
    enum ssh_publickey_hash_type type unused, unsigned char **hash,
    size_t *len)
{
	if (fails("ssh_get_publickey_hash"))
		return -1;
	*hash = (unsigned char *)text_of("hash");
	*len = 4;
	return 0;
}

char *
__wrap_ssh_get_fingerprint_hash(enum ssh_publickey_hash_type type unused,
    unsigned char *hash unused, size_t len unused)
{
	return fails("ssh_get_fingerprint_hash") ? NULL :
	    text_of("SHA256:finger");
}

void
__wrap_ssh_clean_pubkey_hash(unsigned char **hash)
{
	if (*hash != NULL)
		played.texts--;
	free(*hash);
	*hash = NULL;
}

enum ssh_known_hosts_e
__wrap_ssh_session_has_known_hosts_entry(ssh_session session unused)
{
	return played.known_name != NULL &&
	    strcmp(played.name, played.known_name) == 0 ? SSH_KNOWN_HOSTS_OK :
	    SSH_KNOWN_HOSTS_UNKNOWN;
}

enum ssh_known_hosts_e
__wrap_ssh_session_is_known_server(ssh_session session unused)
{
	return (enum ssh_known_hosts_e)played.known;
}

int
__wrap_ssh_session_export_known_hosts_entry(ssh_session session unused, char **line)
{
	if (fails("ssh_session_export_known_hosts_entry"))
		return SSH_ERROR;
	*line = text_of("ts01 ssh-ed25519 AAAA\n");
	return SSH_OK;
}

void
__wrap_ssh_string_free_char(char *text)
{
	played.texts--;
	free(text);
}

int
__wrap_ssh_pki_import_privkey_base64(const char *text unused,
    const char *passphrase, ssh_auth_callback ask unused, void *arg unused,
    ssh_key *key)
{
	assert_string_equal(passphrase, "");
	*key = thing("ssh_pki_import_privkey_base64", &played.keys);
	return *key != NULL ? SSH_OK : SSH_ERROR;
}

void
__wrap_ssh_key_free(ssh_key key)
{
	if (key != NULL)
		played.keys--;
}

ssh_key
__wrap_ssh_key_dup(const ssh_key key unused)
{
	return thing("ssh_key_dup", &played.keys);
}

int
__wrap_ssh_pki_import_cert_base64(const char *text,
    enum ssh_keytypes_e type, ssh_key *key)
{
	assert_int_equal(type, SSH_KEYTYPE_ED25519_CERT01);
	assert_string_equal(text, "AAAA");
	*key = thing("ssh_pki_import_cert_base64", &played.keys);
	return *key != NULL ? SSH_OK : SSH_ERROR;
}

int
__wrap_ssh_pki_copy_cert_to_privkey(const ssh_key certificate unused,
    ssh_key key unused)
{
	return result_of("ssh_pki_copy_cert_to_privkey");
}

#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 12, 0)
ssh_pki_ctx
__wrap_ssh_pki_ctx_new(void)
{
	return thing("ssh_pki_ctx_new", &played.keys);
}

void
__wrap_ssh_pki_ctx_free(ssh_pki_ctx ctx unused)
{
	played.keys--;
}

int
__wrap_ssh_pki_ctx_options_set(ssh_pki_ctx ctx unused,
    enum ssh_pki_options_e option unused, const void *value unused)
{
	return SSH_OK;
}

int
__wrap_ssh_pki_generate_key(enum ssh_keytypes_e type unused, ssh_pki_ctx ctx unused,
    ssh_key *key)
#else
int
__wrap_ssh_pki_generate(enum ssh_keytypes_e type unused, int parameter unused,
    ssh_key *key)
#endif
{
	*key = thing("ssh_pki_generate", &played.keys);
	return *key != NULL ? SSH_OK : SSH_ERROR;
}

int
__wrap_ssh_pki_export_privkey_base64(const ssh_key key unused,
    const char *passphrase unused, ssh_auth_callback ask unused,
    void *arg unused, char **text)
{
	if (fails("ssh_pki_export_privkey_base64"))
		return SSH_ERROR;
	*text = text_of(played.key);
	return SSH_OK;
}

int
__wrap_ssh_pki_export_pubkey_base64(const ssh_key key unused, char **text)
{
	if (fails("ssh_pki_export_pubkey_base64"))
		return SSH_ERROR;
	*text = text_of(played.key);
	return SSH_OK;
}

int
__wrap_ssh_userauth_publickey(ssh_session session unused, const char *user,
    const ssh_key key unused)
{
	assert_null(user);
	if (played.tries++ < played.again)
		return SSH_AUTH_AGAIN;
	played.tries = 0;
	return played.logins[played.logins_made++];
}

ssh_channel
__wrap_ssh_channel_new(ssh_session session unused)
{
	return thing("ssh_channel_new", &played.channels);
}

void
__wrap_ssh_channel_free(ssh_channel channel)
{
	assert_ptr_equal(channel, &played.channels);
	played.channels--;
}

int
__wrap_ssh_channel_open_session(ssh_channel channel unused)
{
	return step_of("ssh_channel_open_session");
}

int
__wrap_ssh_channel_request_exec(ssh_channel channel unused,
    const char *command unused)
{
	return step_of("ssh_channel_request_exec");
}

int
__wrap_ssh_channel_send_eof(ssh_channel channel unused)
{
	return step_of("ssh_channel_send_eof");
}

int
__wrap_ssh_channel_read_nonblocking(ssh_channel channel unused, void *buf,
    uint32_t size, int is_stderr)
{
	size_t n = played.output_len - played.read;

	if (is_stderr) {
		if (played.message == NULL)
			return SSH_ERROR;
		n = played.message_len != 0 ? (size_t)played.message_len :
		    strlen(played.message);
		assert_true(n <= size);
		memcpy(buf, played.message, n);
		return (int)n;
	}
	if (fails("ssh_channel_read_nonblocking"))
		return SSH_ERROR;
	if (n > size)
		n = size;
	if (n > 0)
		memcpy(buf, played.output + played.read, n);
	played.read += n;
	return (int)n;
}

int
__wrap_ssh_channel_is_eof(ssh_channel channel unused)
{
	return !fails("ssh_channel_is_eof");
}

int
__wrap_ssh_channel_is_closed(ssh_channel channel unused)
{
	return played.closed;
}

#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
int
__wrap_ssh_channel_get_exit_state(ssh_channel channel unused, uint32_t *status,
    char **signal unused, int *core unused)
{
	if (played.status == -1)
		return SSH_AGAIN;
	*status = (uint32_t)played.status;
	return SSH_OK;
}
#else
int
__wrap_ssh_channel_get_exit_status(ssh_channel channel unused)
{
	return played.status;
}
#endif

/* What played says, on good terms with all that is asked. */
static unused void
play(void)
{
	static const int logins[] = { SSH_AUTH_SUCCESS };

	played = (struct played){ .known = SSH_KNOWN_HOSTS_OK,
	    .logins = logins, .key = "AAAA" };
}

/* An order with one service key, and room for two more. */
static char paths[3][100], *files[] = { paths[0], paths[1], paths[2] };
static struct order order;

static unused int
setup(void **state)
{
	play();
	if (make_test_dir(state) == -1)
		return -1;
	strlcpy(paths[0], write_file("key", "a key"),
	    sizeof(paths[0]));
	order = (struct order){ .account = "nobody", .identities = files,
	    .nidentities = 1, .known_hosts = test_path("known_hosts") };
	return 0;
}

/* Nothing that it has handed out is still there. */
static unused void
check_returned(const char *label)
{
	check(label, played.sessions == 0);
	check(label, played.channels == 0);
	check(label, played.keys == 0);
	check(label, played.texts == 0);
}

#endif
