/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A query: one question to one server, as a job for parallel_run(). */
#ifndef FARM_QUERY_H
#define FARM_QUERY_H

#include <stdatomic.h>

#include "agent/connection.h"

/* Shared by the queries of a farm.  A query that hangs may outlive the farm, so
 * the last user frees it. */
struct query_context {
	atomic_uint users;
	const struct x2gobroker_config *config;	/* borrowed; not for jobs */
	struct ssh_setup setup;		/* loaded for the first use of SSH */
	char *agent;			/* agent-command */
	char *user;			/* whose sessions, or NULL */
};

struct query;

/* What a query does, and how far it has to get for that. */
struct question {
	enum { REACH_PORT, REACH_HOST_KEY, REACH_AGENT } reach;
	int (*ask)(struct query *query, struct connection *link,
	    struct x2gobroker_error *err);	/* REACH_AGENT */
	const char *task;		/* that changes a session to the state */
	enum session_state wanted;
};

extern const struct question
    query_knock,	/* does anything listen on the port? */
    query_host_key,	/* which host key does it have, known or not? */
    query_sessions,	/* the sessions of the context's user */
    query_all,		/* these, the load and the number of all sessions */
    query_suspend,	/* the session; done when it is suspended */
    query_terminate;	/* the session; done when it has ended */

struct query {
	struct parallel_job job;	/* first */
	struct query_context *context;
	struct connection_target target;
	const struct question *question;
	char session[SESSION_ID_MAX + 1];	/* for suspend and terminate */
	size_t server;			/* for the caller */
	/* the answer */
	struct agent_report report;
	char *new_key;			/* a line for known_hosts, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
};

struct query_context *query_context_new(const struct x2gobroker_config *config,
	    const char *user, struct x2gobroker_error *err);
void	query_context_release(struct query_context *context);

/* session may be NULL where the question needs none. */
struct query *query_new(struct query_context *context,
	    const struct connection_target *target,
	    const struct question *question, const char *session,
	    struct x2gobroker_error *err);
void	query_free(struct query *query);

/* The same for a query that is part of a larger job, zeroed, which sets
 * job.free itself.  Nothing to release after -1. */
int	query_init(struct query *query, struct query_context *context,
	    const struct connection_target *target,
	    const struct question *question, struct x2gobroker_error *err);
void	query_release(struct query *query);

/* Have the agent do a task whose only answer is OK. */
int	query_do(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct x2gobroker_error *err);

/* Is it our own agent, which acts at once and removes expired keys? */
bool	query_is_our_agent(struct connection *link, const char *user);

#endif
