/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP to a server, within a deadline.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Connect to name (or address) and port.  Returns a socket, non-blocking and
 * closed on exec, or -1 with the text of err.  The resolver knows no deadline;
 * all else keeps to it. */
int	net_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);

enum net_greeting {
	NET_SILENT,	/* nothing came before the deadline */
	NET_BUSY,	/* it was closed at once, as a busy sshd does
			 * (MaxStartups of sshd_config(5)): worth another try */
	NET_FOREIGN,	/* that is no SSH server */
	NET_SSH,	/* there is something to read */
};

/* Wait for the first bytes that an SSH server sends, and leave them there. */
enum net_greeting net_await_greeting(int fd, int64_t deadline);

#endif
