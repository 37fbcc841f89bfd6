/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSH to a server, over libssh: connect, know the host key, log in with a
 * service key, run a command.  Nothing here reads anybody's ~/.ssh/config or
 * trusts SSH_AUTH_SOCK.  All calls end at the deadline of the link.
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
	int fd;			/* the session's */
	ssh_session session;
	const char *known_as;	/* the name that its key was looked up by */
	char *new_key;		/* a line for known_hosts: the key is not there,
				 * and the policy lets us go on; owned */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];	/* of the host key */
	/* what is being done */
	ssh_key key;
	ssh_channel channel;
	const char *command;
	int status;
	char chunk[8192];
};

/* Speak SSH over the non-blocking socket fd, which belongs to the link from now
 * on even where this fails, up to where the host key is known to be the right one of
 * host, as far as policy wants that.  -1 with the text of err, and *link to be
 * closed all the same. */
int	ssh_link_open(struct ssh_link *link, const struct ssh_setup *setup, int fd,
	    int64_t deadline, const struct host *host, int port,
	    enum hostkey_policy policy, struct x2gobroker_error *err);

/* Log in with the first service key that the server takes. */
int	ssh_link_login(struct ssh_link *link, struct x2gobroker_error *err);

/* Run command there and put what it prints into *out, at most max bytes.
 * -1 with the text of err where it fails (ERR_DENIED), or prints more, or does
 * not come that far. */
int	ssh_link_run(struct ssh_link *link, const char *command, size_t max,
	    struct buf *out, struct x2gobroker_error *err);

void	ssh_link_close(struct ssh_link *link);

#endif
