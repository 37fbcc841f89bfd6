/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_SERVERUSAGE_H
#define X2GOBROKER_AGENT_SERVERUSAGE_H

#include "base/buf.h"

/* Of lines "HOST SESSIONS", as x2gogetservers(8) prints them (may be NULL), make
 * lines "PERCENT:HOST": how much of all sessions that host has.  Where only the
 * hosts are said, as with SQLite, that is 0: they are in use, and not known how
 * much.  -1: memory is out. */
int	serverusage_put(const char *text, struct buf *out);

#endif
