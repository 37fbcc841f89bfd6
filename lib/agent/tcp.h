/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP connection to a server, within a deadline.
 */
#ifndef AGENT_TCP_H
#define AGENT_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Connect to name (or address) and port.  Returns a socket, non-blocking and
 * closed on exec, or -1.  Only the name lookup may exceed the deadline. */
int	tcp_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);

enum tcp_greeting {
	TCP_SILENT,	/* received nothing before the deadline */
	TCP_BUSY,	/* closed at once, as by a busy sshd (MaxStartups in
			 * sshd_config(5)): worth another try */
	TCP_FOREIGN,	/* not an SSH server */
	TCP_SSH,	/* the beginning of an SSH banner */
};

/* Wait for the first bytes from the server, and leave them to be read. */
enum tcp_greeting tcp_await_greeting(int fd, int64_t deadline);

#endif
