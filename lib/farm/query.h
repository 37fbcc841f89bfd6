/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done with one server, as a job of a round.
 */
#ifndef FARM_QUERY_H
#define FARM_QUERY_H

#include <stdatomic.h>

#include "autologin/stalekeys.h"
#include "agent/connection.h"

enum query_what {
	QUERY_SESSIONS = 1,	/* the user's */
	QUERY_ALL,		/* and load, and how many there are */
	QUERY_HOST_KEY,		/* which one it has, known or not */
	QUERY_KNOCK,		/* whether anything listens there */
	QUERY_SUSPEND,		/* the session of that id, until it is */
	QUERY_TERMINATE,		/* the session of that id, until it is gone */
	QUERY_ADD_KEY,		/* the line to the file of authorized keys */
};

#define QUERY_ARGS_MAX	2	/* id; line and file */

/* What the jobs of a farm have in common.  They share it, as one that hangs may
 * outlive the farm. */
struct query_context {
	atomic_uint users;
	struct ssh_setup setup;		/* empty as long as there is no SSH */
	char *agent;			/* agent-command */
	char *user;			/* whose sessions, or NULL */
};

struct query {
	struct parallel_job job;		/* first */
	struct query_context *context;
	struct connection_target target;
	enum query_what what;
	char *args[QUERY_ARGS_MAX + 1];	/* what it is about; ended by NULL */
	struct stalekeys stale;		/* QUERY_ADD_KEY: what is to be taken out
					 * on the way */
	/* the answer */
	bool stays;			/* QUERY_ADD_KEY: the line may be there,
					 * and the agent will not take it out */
	struct stalekeys done;		/* QUERY_ADD_KEY: those of stale that
					 * were taken out */
	struct agent_report report;
	char *new_key;			/* a line for known_hosts, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
};

struct query_context *query_context_new(const struct x2gobroker_config *config,
	    const char *user, struct x2gobroker_error *err);
void	query_context_release(struct query_context *context);

/* arg and more may be NULL where what needs none. */
struct query *query_new(struct query_context *context,
	    const struct connection_target *target, enum query_what what,
	    const char *arg, const char *more, struct x2gobroker_error *err);
void	query_free(struct query *ask);

#endif
