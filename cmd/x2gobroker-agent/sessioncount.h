/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many X2Go sessions there are on this host, and which of them have only
 * just begun: as processes, which costs a millisecond, where the session
 * database costs a tenth of a second and knows only what it was told.
 */
#ifndef X2GOBROKER_AGENT_SESSIONCOUNT_H
#define X2GOBROKER_AGENT_SESSIONCOUNT_H

#include <sys/types.h>

#include "base/buf.h"

#define CENSUS_YOUNG_S	120	/* seconds; then it shows in the load */
#define CENSUS_LINES	1000	/* of sessions that have just begun */

/* Write "sessions:N", and a line "started:USER:SECONDS" for each young one of a
 * person.  Nothing is written where other users' processes cannot be seen. */
void	sessioncount_put(struct buf *out);

/* The pieces of it, for tests.  A process that is a session, by its name; and
 * when it has begun, in ticks since the host has, by /proc/PID/stat: -1 where
 * the text is not as it should be. */
int	sessioncount_is_session(const char *comm);
long long sessioncount_parse_start(const char *stat);

#endif
