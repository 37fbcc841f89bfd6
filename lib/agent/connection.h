/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to one x2gobroker-agent, over SSH or as a process here, to be
 * used in a job of a round.
 */
#ifndef AGENT_CONNECTION_H
#define AGENT_CONNECTION_H

#include "agent/answer.h"
#include "base/parallel.h"
#include "agent/ssh.h"

/* Where an agent is.  All of it belongs to the one who asks, as a job that was
 * left to itself has nothing else. */
struct connection_target {
	enum query_mode mode;		/* QUERY_SSH or QUERY_LOCAL */
	struct host host;		/* SSH */
	int port;
	enum hostkey_policy policy;
};

struct connection {
	struct parallel_job *job;
	const struct connection_target *target;
	const char *agent;		/* the path of its program */
	struct ssh_link ssh;
};

/* Connect and log in.  A server that is too busy to talk is tried again until
 * the deadline.  -1 with the text of err; to be closed all the same. */
int	connection_open(struct connection *link, struct parallel_job *job,
	    const struct connection_target *target, const char *agent,
	    const struct ssh_setup *setup, struct x2gobroker_error *err);

/* The same up to the host key alone, so that somebody can look at it. */
int	connection_open_for_key(struct connection *link, struct parallel_job *job,
	    const struct connection_target *target, const struct ssh_setup *setup,
	    struct x2gobroker_error *err);

/* Have the agent do task for user, and put its answer into *answer.  args ends
 * with NULL, or is NULL.  -1 with the text of err: ERR_DENIED where it was the
 * agent that failed, anything else where it was the way to it. */
int	connection_ask(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);

void	connection_close(struct connection *link);

/* Whether anything listens there. */
int	connection_knock(struct parallel_job *job, const struct connection_target *target,
	    struct x2gobroker_error *err);

#endif
