/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An SSH connection to a server, with libssh: check the host key, log in with a
 * service key, run a command.  Never reads an ssh_config(5) file or uses
 * SSH_AUTH_SOCK.  All calls return by the deadline of the connection.
 */
#ifndef AGENT_SSH_H
#define AGENT_SSH_H

#include "base/buf.h"
#include "config/hostlist.h"
#include "agent/servicekeys.h"

/* One connection. */
struct ssh_link {
	const struct ssh_setup *setup;
	int64_t deadline;
	int fd;			/* closed by the session */
	ssh_session session;
	const char *known_as;	/* the name of its key in known_hosts */
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
