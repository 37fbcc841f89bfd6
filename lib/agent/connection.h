/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to one source of sessions.  The library itself asks only the
 * agent of this host; x2gobroker-poll connects to servers (agent/query.h).
 */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent/answer.h"
#include "base/spawn.h"
#include "config/config.h"

/* Who answers questions about servers, one row for each agent-query-mode. */
struct source {
	const char *name;	/* in messages; NULL: the server's name */
	bool per_server;	/* one at each server, reached by host and port;
				 * else one for all of them */
	bool uses_ssh;		/* x2gobroker-poll connects to it */
	bool adds_keys;		/* knows addauthkey and delauthkey */
};

extern const struct source source_ssh;		/* each server's agent */
extern const struct source source_local;	/* the agent of this host */
extern const struct source source_database;	/* X2Go's session database */

/* NULL for QUERY_NONE. */
const struct source *source_find(enum query_mode mode);

/* Address of a source. */
struct connection_target {
	const struct source *source;	/* NULL: a server that is only knocked
					 * at */
	struct host host;
	int port;
	enum hostkey_policy policy;
};

#define TARGET_TEXT_SIZE	(HOST_TEXT_MAX + 16)

/* Write NAME:PORT of a server, or the name of its source.  Returns text. */
char	*connection_target_name(const struct connection_target *target,
	    char text[static TARGET_TEXT_SIZE]);

/* How sshd judges this host.  It bans an address for some time that has often
 * connected without logging in. */
enum sshd_verdict { SSHD_NEUTRAL, SSHD_PENALISES, SSHD_REFUSES };

/* A version of OpenSSH, in struct connection. */
#define OPENSSH_VERSION(major, minor)	((major) << 16 | (minor) << 8)

struct connection {
	const struct connection_target *target;
	const char *agent;		/* path of the agent */
	int64_t deadline;
	struct spawn *beside;		/* a child to handle meanwhile, or
					 * NULL */
	int openssh;			/* the server's OPENSSH_VERSION(), or 0:
					 * it is another one */
	int (*ask)(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);
};

/* A connection to the agent of this host, until the deadline. */
void	connection_local(struct connection *link,
	    const struct connection_target *target, const char *agent,
	    int64_t deadline, struct spawn *beside);

/* Have the agent do task for user, and append its answer to *answer.  args ends
 * with NULL, or is NULL.  ERR_DENIED: the agent has failed; ERR_VALUE: it
 * cannot be given the name of the user, or an argument; any other error: it was
 * not reached. */
int	connection_ask(struct connection *link, const char *user,
	    const char *task, const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);

/* For the agent of this host: run argv (ends with NULL; argv[0] is a path) with
 * nothing but PATH in its environment, and append what it prints to *out.  At
 * the deadline, a point of clock_ms(), the program and all that it has started
 * are killed.  Handles the child beside (may be NULL) meanwhile.  Returns 0, or
 * -1 with err filled in: it failed (ERR_DENIED), printed more than max bytes
 * (ERR_SYNTAX), or did not start or end (ERR_SYSTEM). */
int	local_run(const char *const *argv, int64_t deadline, size_t max,
	    struct spawn *beside, struct buf *out,
	    struct x2gobroker_error *err);

/* Append line, and a newline, to a file of known hosts.  Creates the file and
 * its directory.  Several processes may do so at the same time. */
int	knownhosts_add(const char *path, const char *line,
	    struct x2gobroker_error *err);

#endif
