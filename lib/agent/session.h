/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session as x2golistsessions(8) prints it: 14 to 16 fields, separated by
 * '|'.  It comes from a server and goes to the client, so every field is
 * checked strictly.
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
#define SESSION_ID_MAX		253	/* "C-ID" is the name of a file */

enum session_state {
	SESSION_NONE = 0,
	SESSION_RUNNING = 'R',
	SESSION_SUSPENDED = 'S',
	SESSION_FINISHED = 'F',
};

struct session {
	char *line;	/* owned: all fields, each with a NUL */
	const char *fields[SESSION_FIELDS_MAX];	/* into line, from 0 */
	size_t nfields;
	enum session_state state;
};

/* The fields that we use; numbered from 0, unlike in the manuals. */
#define session_id(s)		((s)->fields[1])
#define session_host(s)		((s)->fields[3])
#define session_created(s)	((s)->fields[5])  /* "2026-11-23T20:49:25" */
#define session_client(s)	((s)->fields[7])
#define session_last(s)		((s)->fields[10])	/* the same form */
#define session_user(s)		((s)->fields[11])

/* Read line (len bytes, without its newline) into *session.  Returns -1, with
 * nothing to free, if it is not a session of user. */
int	session_parse(const char *line, size_t len, const char *user,
	    struct session *session, struct x2gobroker_error *err);

/* Write the line for the client, without a newline, with this host (as SERVER:
 * has it) and state. */
void	session_put(struct buf *buf, const struct session *session,
	    const char *host, enum session_state state);

/* Is id one that X2Go generates, and so safe in a command line?  It has
 * letters, digits, ".", "_", "-" and "@", and does not begin with "-". */
bool	session_is_id(const char *id);

/* Does it show the desktop of another session?  Such a session cannot be
 * resumed. */
bool	session_is_shadow(const struct session *session);

/* For qsort(3): suspended, then running, then finished sessions, each group
 * with the last used session first, and equal ones by id. */
int	session_compare(const void *a, const void *b);

/* Free the contents of *session, not *session itself. */
void	session_free(struct session *session);

#endif
