/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The number of X2Go sessions on this host, and those that have only just
 * begun.  They are counted as processes, which takes a millisecond; the session
 * database takes a tenth of a second, and may be out of date.
 */
#ifndef X2GOBROKER_AGENT_SESSIONCOUNT_H
#define X2GOBROKER_AGENT_SESSIONCOUNT_H

#include <sys/types.h>

#include "base/buf.h"

#define SESSIONCOUNT_YOUNG_S	120	/* s; older ones show in the load */
#define SESSIONCOUNT_LINES	1000	/* maximum of young sessions */

/* Append "sessions:N", and a line "started:USER:SECONDS" for each young session
 * of a person.  Nothing is appended if other users' processes are hidden. */
void	sessioncount_put(struct buf *out);

/* Parts of it, for tests: whether a process of this name is a session, and when
 * the process of a /proc/PID/stat began, in ticks since the boot, or -1 if the
 * text is malformed. */
int	sessioncount_is_session(const char *comm);
long long sessioncount_parse_start(const char *stat);

#endif
