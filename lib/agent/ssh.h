/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An SSH connection to a server, with libssh: check the host key, log in with a
 * service key, run a command.  Never reads an ssh_config(5) file or uses
 * SSH_AUTH_SOCK.  All calls return by the deadline of the connection.
 */
#ifndef AGENT_SSH_H
#define AGENT_SSH_H

#include <libssh/libssh.h>

#include "x2gobroker_admin.h"
#include "base/buf.h"
#include "config/config.h"
#include "config/hostlist.h"

/* Calls that newer versions have in place of older ones. */
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
#define LIBSSH_EXIT_FUNCTIONS(X)		\
	X(ssh_channel_get_exit_state)
#else
#define LIBSSH_EXIT_FUNCTIONS(X)		\
	X(ssh_channel_get_exit_status)
#endif
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 12, 0)
#define LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_pki_ctx_new)			\
	X(ssh_pki_ctx_free)			\
	X(ssh_pki_ctx_options_set)		\
	X(ssh_pki_generate_key)
#else
#define LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_pki_generate)
#endif

/* The functions of libssh that we call.  It is loaded when the first server is
 * asked: loading it with libcrypto takes longer than the rest of a listing, and
 * most requests ask no server. */
#define LIBSSH_FUNCTIONS(X)			\
	LIBSSH_EXIT_FUNCTIONS(X)		\
	LIBSSH_GENERATE_FUNCTIONS(X)		\
	X(ssh_new)				\
	X(ssh_free)				\
	X(ssh_connect)				\
	X(ssh_disconnect)			\
	X(ssh_set_blocking)			\
	X(ssh_get_poll_flags)			\
	X(ssh_set_counters)			\
	X(ssh_get_openssh_version)		\
	X(ssh_get_error)			\
	X(ssh_options_set)			\
	X(ssh_get_server_publickey)		\
	X(ssh_get_publickey_hash)		\
	X(ssh_get_fingerprint_hash)		\
	X(ssh_clean_pubkey_hash)		\
	X(ssh_session_has_known_hosts_entry)	\
	X(ssh_session_is_known_server)		\
	X(ssh_session_export_known_hosts_entry)	\
	X(ssh_string_free_char)			\
	X(ssh_pki_import_privkey_base64)	\
	X(ssh_key_free)				\
	X(ssh_pki_export_privkey_base64)	\
	X(ssh_pki_export_pubkey_base64)		\
	X(ssh_userauth_publickey)		\
	X(ssh_channel_new)			\
	X(ssh_channel_free)			\
	X(ssh_channel_open_session)		\
	X(ssh_channel_request_exec)		\
	X(ssh_channel_send_eof)			\
	X(ssh_channel_read_nonblocking)		\
	X(ssh_channel_is_eof)			\
	X(ssh_channel_is_closed)

/* A pointer to each, of the same name. */
struct libssh {
#define LIBSSH_POINTER(name)	__typeof__(name) *name;
	LIBSSH_FUNCTIONS(LIBSSH_POINTER)
#undef LIBSSH_POINTER
};

/* Load libssh, unless it is loaded already, and fill in *lib. */
int	libssh_load(struct libssh *lib, struct x2gobroker_error *err);

/* Connections only read it, so threads may share it. */
struct ssh_setup {
	struct libssh lib;
	char *user;			/* the account on the servers */
	char *known_hosts;		/* path */
	struct ssh_identity {
		char *path;
		ssh_key key;		/* private; libssh wipes it */
	} *identities;
	size_t nidentities;
	char *tried;			/* their paths, for messages */
};

/* Load libssh and, with_keys, the service keys.  Fails if there is no key, or
 * if others may write a key or the known hosts; that file may be missing. */
int	ssh_setup_load(const struct x2gobroker_config *config, bool with_keys,
	    struct ssh_setup *setup, struct x2gobroker_error *err);
void	ssh_setup_free(struct ssh_setup *setup);

/*
 * Files of known hosts: the broker's own, and that of the system.
 */
#define KNOWN_HOSTS_OF_ALL	"/etc/ssh/ssh_known_hosts"

/* A key that a server has shown. */
struct hostkey {
	const char *key;	/* in base64 */
	const struct host *host;
	const char *known_as;	/* its name, or address, in the file */
	int port;
};

/* What the lines say about it. */
struct known_lines {
	bool revoked;		/* "@revoked" has the key, for a name of it */
	bool vouched;		/* a line has the key for the name */
	bool others;		/* a line has another key for the name */
	bool excluded;		/* a line has "!" before the name */
	unsigned int authority;	/* the line of a "@cert-authority" for it */
	const char *path;	/* of that line */
};

int	knownhosts_find(const char *path, const struct hostkey *hostkey,
	    struct known_lines *found, struct x2gobroker_error *err);

/* Write name as these files have it: "[NAME]:PORT" if the port is another one
 * than usual.  Returns text. */
#define TARGET_NAME_SIZE	(HOST_TEXT_MAX + 16)
char	*knownhosts_name(const char *name, int port,
	    char text[static TARGET_NAME_SIZE]);

/* Append line, and a newline, to the file of known hosts.  Creates the file and
 * its directory.  Several processes may do so at the same time. */
int	knownhosts_add(const char *path, const char *line,
	    struct x2gobroker_error *err);

/* One connection. */
struct ssh_link {
	const struct ssh_setup *setup;
	int64_t deadline;
	int fd;			/* closed by the session */
	ssh_session session;
	struct ssh_counter_struct received;	/* from the socket */
	uint64_t receive_max;	/* libssh keeps all that it is sent */
	int openssh;		/* SSH_VERSION_INT() of the server's OpenSSH, or
				 * 0: it is another one */
	const char *known_as;	/* the name of its key in known_hosts */
	const struct host *host;
	int port;
	char *new_key;		/* a line for known_hosts if the key is not
				 * there, or NULL; owned */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];	/* of the host key */
	/* arguments and result of the current step */
	ssh_key key;
	ssh_channel channel;
	const char *command;
	int status;
	char chunk[8192];
};

/* Set up SSH on the non-blocking socket fd, which the link takes over even on
 * failure, and check the key of host as policy demands.  After -1, too, call
 * ssh_link_close(). */
int	ssh_link_open(struct ssh_link *link, const struct ssh_setup *setup,
	    int fd, int64_t deadline, const struct host *host, int port,
	    enum hostkey_policy policy, struct x2gobroker_error *err);

/* Log in with the first service key that the server accepts. */
int	ssh_link_login(struct ssh_link *link, struct x2gobroker_error *err);

/* Run command there and append its output to *out, at most max bytes.  Returns
 * -1 if it fails (ERR_DENIED), prints more, or cannot be run. */
int	ssh_link_run(struct ssh_link *link, const char *command, size_t max,
	    struct buf *out, struct x2gobroker_error *err);

void	ssh_link_close(struct ssh_link *link);

#endif
