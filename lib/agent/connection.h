/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to one source of sessions, for use in a job of parallel_run().
 */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent/answer.h"
#include "agent/ssh.h"
#include "base/parallel.h"

struct connection;

/* Who answers questions about servers, one row for each agent-query-mode. */
struct source {
	const char *name;	/* in messages; NULL: the server's name */
	bool per_server;	/* one at each server, reached by host and port;
				 * else one for all of them */
	bool uses_ssh;		/* needs a struct ssh_setup */
	bool adds_keys;		/* knows addauthkey and delauthkey */
	int (*ask)(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);
};

extern const struct source source_ssh;		/* each server's agent */
extern const struct source source_local;	/* the agent of this host */

/* NULL for QUERY_NONE. */
const struct source *source_find(enum query_mode mode);

/* Address of a source.  Held by value: an abandoned job may outlive everything
 * that it points to. */
struct connection_target {
	const struct source *source;	/* NULL: for connection_knock() alone */
	struct host host;
	int port;
	enum hostkey_policy policy;
};

#define TARGET_TEXT_SIZE	(HOST_TEXT_MAX + 16)

/* Write NAME:PORT of a server, or the name of its source.  Returns text. */
char	*connection_target_name(const struct connection_target *target,
	    char text[static TARGET_TEXT_SIZE]);

struct connection {
	struct parallel_job *job;
	const struct connection_target *target;
	const char *agent;		/* path of the agent */
	/* How sshd judges this host.  It bans an address for some time that has
	 * often connected without logging in. */
	enum sshd_verdict { SSHD_NEUTRAL, SSHD_PENALISES, SSHD_REFUSES } sshd;
	struct ssh_link ssh;
	enum { QUOTES_UNKNOWN, QUOTES_TAKEN, QUOTES_REFUSED } quotes;
};

/* Connect and log in; without agent, only get the host key.  Retries if the
 * server is too busy to accept the connection.  After -1, call
 * connection_close(), too. */
int	connection_open(struct connection *link, struct parallel_job *job,
	    const struct connection_target *target, const char *agent,
	    const struct ssh_setup *setup, struct x2gobroker_error *err);

/* Have the agent do task for user, and append its answer to *answer.  args ends
 * with NULL, or is NULL.  ERR_DENIED: the agent has failed; ERR_VALUE: it
 * cannot be given the name of the user, or an argument; any other error: it was
 * not reached. */
int	connection_ask(struct connection *link, const char *user,
	    const char *task, const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);

void	connection_close(struct connection *link);

/* Does anything listen on the port? */
int	connection_knock(struct parallel_job *job,
	    const struct connection_target *target,
	    struct x2gobroker_error *err);

/* For the agent of this host: run argv (ends with NULL; argv[0] is a path) with
 * nothing but PATH in its environment, and append what it prints to *out.  At
 * the deadline, a point of clock_ms(), the program and all that it has started
 * are killed.  Returns 0, or -1 with err filled in: it failed (ERR_DENIED),
 * printed more than max bytes (ERR_SYNTAX), or did not start or end
 * (ERR_SYSTEM). */
int	local_run(const char *const *argv, int64_t deadline, size_t max,
	    struct buf *out, struct x2gobroker_error *err);

/* Connect to name (or address) and port.  Returns a socket, non-blocking and
 * closed on exec, or -1.  Only the name lookup may exceed the deadline. */
int	tcp_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);

enum tcp_greeting {
	TCP_SILENT,	/* received nothing before the deadline */
	TCP_BUSY,	/* closed at once, as by a busy sshd (MaxStartups in
			 * sshd_config(5)): worth another try */
	TCP_REFUSED,	/* the same from sshd 9.8 and later, or a ban
			 * (PerSourcePenalties) */
	TCP_FOREIGN,	/* not an SSH server */
	TCP_SSH,	/* the beginning of an SSH banner */
};

/* Wait for the first bytes from the server, and leave them to be read. */
enum tcp_greeting tcp_await_greeting(int fd, int64_t deadline);

#endif
