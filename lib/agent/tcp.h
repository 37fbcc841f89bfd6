/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP to a server, within a deadline.
 */
#ifndef AGENT_TCP_H
#define AGENT_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Connect to name (or address) and port.  Returns a socket, non-blocking and
 * closed on exec, or -1 with the text of err.  The resolver knows no deadline;
 * all else keeps to it. */
int	tcp_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);

enum tcp_greeting {
	TCP_SILENT,	/* nothing came before the deadline */
	TCP_BUSY,	/* it was closed at once, as a busy sshd does
			 * (MaxStartups of sshd_config(5)): worth another try */
	TCP_FOREIGN,	/* that is no SSH server */
	TCP_SSH,	/* there is something to read */
};

/* Wait for the first bytes that an SSH server sends, and leave them there. */
enum tcp_greeting tcp_await_greeting(int fd, int64_t deadline);

#endif
