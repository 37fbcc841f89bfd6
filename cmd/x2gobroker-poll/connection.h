/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to a server and its agent, for use in a thread. */
#ifndef POLL_CONNECTION_H
#define POLL_CONNECTION_H

#include "ssh.h"

struct poll_connection {
	struct connection link;		/* first */
	struct ssh_link ssh;
	enum sshd_verdict sshd;
	enum { QUOTES_UNKNOWN, QUOTES_TAKEN, QUOTES_REFUSED } quotes;
};

/* Connect, and log in if that is wanted.  Retries if the server is too busy to
 * accept the connection.  After -1, too, call ssh_link_close(). */
int	poll_connect(struct poll_connection *connection,
	    const struct connection_target *target, const struct order *order,
	    bool login, const struct ssh_setup *setup,
	    struct x2gobroker_error *err);

/* A connection that has been used for another query, for one about the same
 * server. */
void	poll_reuse(struct poll_connection *connection,
	    const struct connection_target *target, const struct order *order);

/* Does anything listen on the port? */
int	poll_knock(const struct connection_target *target, int64_t deadline,
	    struct x2gobroker_error *err);

/* Connect to name (or address) and port.  Returns a socket, non-blocking and
 * closed on exec, or -1.  Only the name lookup may exceed the deadline. */
int	tcp_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);

enum tcp_greeting {
	TCP_SILENT,	/* received nothing before the deadline */
	TCP_BUSY,	/* closed at once, as by a busy sshd (MaxStartups in
			 * sshd_config(5)): worth another try */
	TCP_REFUSED,	/* the same from sshd 9.8 and later, or a ban
			 * (PerSourcePenalties) */
	TCP_FOREIGN,	/* not an SSH server */
	TCP_SSH,	/* the beginning of an SSH banner */
};

/* Wait for the first bytes from the server, and leave them to be read. */
enum tcp_greeting tcp_await_greeting(int fd, int64_t deadline);

#endif
