/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AGENT_SERVERS_H
#define AGENT_SERVERS_H

#include "base/buf.h"

/* Of lines "HOST SESSIONS", as x2gogetservers(8) prints them (may be NULL), make
 * lines "PERCENT:HOST": how much of all sessions that host has.  Where only the
 * hosts are said, as with SQLite, that is 0: they are in use, and not known how
 * much.  -1: memory is out. */
int	servers_put_usage(const char *text, struct buf *out);

#endif
