/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session as x2golistsessions(8) prints it: 14 to 16 fields, separated by
 * '|'.  It comes from a server and goes to the client, so nothing passes that
 * could be anything else than what it should be.
 */
#ifndef AGENT_SESSION_H
#define AGENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

#define SESSION_FIELDS_MIN	14	/* servers before 4.1 */
#define SESSION_FIELDS_MAX	16
#define SESSION_LINE_MAX	2048	/* real ones have 150 to 300 bytes */
#define SESSION_ID_MAX		253	/* a file is named "C-ID" */

enum session_state {
	SESSION_NONE = 0,
	SESSION_RUNNING = 'R',
	SESSION_SUSPENDED = 'S',
	SESSION_FINISHED = 'F',
};

struct session {
	char *line;	/* owned: all fields, each ended by a NUL */
	const char *fields[SESSION_FIELDS_MAX];	/* into line, from 0 */
	size_t nfields;
	enum session_state state;
};

/* The fields that we look at; from 0, unlike in the manuals. */
#define session_id(s)		((s)->fields[1])
#define session_host(s)		((s)->fields[3])
#define session_created(s)	((s)->fields[5])  /* "2026-11-23T20:49:25" */
#define session_client(s)	((s)->fields[7])
#define session_last(s)		((s)->fields[10])	/* the same form */
#define session_user(s)		((s)->fields[11])

/* Read line (len bytes, without its end) into *session.  -1 with the text of
 * err filled in, and nothing to free: that is no session of user. */
int	session_parse(const char *line, size_t len, const char *user,
	    struct session *session, struct x2gobroker_error *err);

/* Write the line for the client, without its end, as a session that is on host
 * (what SERVER: would say for that server) and in that state. */
void	session_put(struct buf *buf, const struct session *session,
	    const char *host, enum session_state state);

/* Whether id is one that X2Go makes: letters, digits, ".", "_", "-", "@", and
 * no "-" at its start.  It can go into a command line then. */
bool	session_is_id(const char *id);

/* Whether it shows somebody's desktop rather than being one: such a session
 * cannot be resumed. */
bool	session_is_shadow(const struct session *session);

/* For qsort(3): suspended ones before running ones before finished ones, and
 * among them the one that was used last first; equal ones by their id. */
int	session_compare(const void *a, const void *b);

/* Release what is in *session, not *session itself. */
void	session_free(struct session *session);

#endif
