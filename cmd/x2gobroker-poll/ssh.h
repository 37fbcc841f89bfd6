/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An SSH connection to a server, with libssh: check the host key, log in with a
 * service key, run a command.  Never reads an ssh_config(5) file or uses
 * SSH_AUTH_SOCK.  All calls return by the deadline of the connection.
 */
#ifndef POLL_SSH_H
#define POLL_SSH_H

#include <libssh/libssh.h>

#include "agent/record.h"

/* Connections only read it, so threads may share it.  Text is the order's. */
struct ssh_setup {
	const char *user;		/* the account on the servers */
	const char *known_hosts;	/* path */
	struct ssh_identity {
		const char *path;
		bool certified;		/* by PATH-cert.pub */
		ssh_key key;		/* private; libssh wipes it */
	} *identities;
	size_t nidentities;
	char *tried;			/* their paths, for messages; owned */
};

/* Check the known hosts and, with_keys, load the service keys.  Fails if there
 * is no key, or if others may write a key or the known hosts; that file may be
 * missing. */
int	ssh_setup_load(const struct order *order, bool with_keys,
	    struct ssh_setup *setup, struct x2gobroker_error *err);
void	ssh_setup_free(struct ssh_setup *setup);

/* The fingerprint of the service key in that file. */
int	identity_fingerprint(const char *path,
	    char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
	    struct x2gobroker_error *err);

/* Generate an RSA key of 2048 bits as PKCS#1, which every X2Go client reads, or
 * an Ed25519 one in OpenSSH's own format, which newer clients read. */
int	keypair_make(enum autologin_key_type type, struct buf *private,
	    char **public, struct x2gobroker_error *err);

/* Is it PKCS#1 (RFC 8017), "BEGIN RSA PRIVATE KEY"? */
bool	pkcs1_is_pem(const char *pem);

/* Write the PKCS#1 key that a PKCS#8 one (RFC 5208, "BEGIN PRIVATE KEY", as
 * libssh writes it) contains.  -1: pem is no RSA key in PKCS#8. */
int	pkcs1_unwrap(const char *pem, struct buf *out,
	    struct x2gobroker_error *err);

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
