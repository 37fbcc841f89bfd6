/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_SERVERUSAGE_H
#define X2GOBROKER_AGENT_SERVERUSAGE_H

#include "base/buf.h"

/* For each line "HOST SESSIONS" of x2gogetservers(8) in text (may be NULL),
 * append a line "PERCENT:HOST": the host's share of all sessions.  With
 * SQLite, lines have only the host; the percentage is 0 then, as the usage is
 * not known.  Returns 0, or -1 if memory is out. */
int	serverusage_put(const char *text, struct buf *out);

#endif
