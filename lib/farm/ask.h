/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done with one server, as a job of a round.
 */
#ifndef ASK_H
#define ASK_H

#include <stdatomic.h>

#include "autologin/leases.h"
#include "agent/link.h"

enum ask_what {
	ASK_SESSIONS = 1,	/* the user's */
	ASK_ALL,		/* and load, and how many there are */
	ASK_HOST_KEY,		/* which one it has, known or not */
	ASK_KNOCK,		/* whether anything listens there */
	ASK_SUSPEND,		/* the session of that id, until it is */
	ASK_TERMINATE,		/* the session of that id, until it is gone */
	ASK_ADD_KEY,		/* the line to the file of authorized keys */
};

#define ASK_ARGS_MAX	2	/* id; line and file */

/* What the jobs of a farm have in common.  They share it, as one that hangs may
 * outlive the farm. */
struct ask_context {
	atomic_uint users;
	struct ssh_setup setup;		/* empty as long as there is no SSH */
	char *agent;			/* agent-command */
	char *user;			/* whose sessions, or NULL */
};

struct ask {
	struct round_job job;		/* first */
	struct ask_context *context;
	struct link_target target;
	enum ask_what what;
	char *args[ASK_ARGS_MAX + 1];	/* what it is about; ended by NULL */
	struct leases stale;		/* ASK_ADD_KEY: what is to be taken out
					 * on the way */
	/* the answer */
	bool stays;			/* ASK_ADD_KEY: the line may be there,
					 * and the agent will not take it out */
	struct leases done;		/* ASK_ADD_KEY: those of stale that
					 * were taken out */
	struct agent_report report;
	char *new_key;			/* a line for known_hosts, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
};

struct ask_context *ask_context_new(const struct x2gobroker_config *config,
	    const char *user, struct x2gobroker_error *err);
void	ask_context_release(struct ask_context *context);

/* arg and more may be NULL where what needs none. */
struct ask *ask_new(struct ask_context *context,
	    const struct link_target *target, enum ask_what what,
	    const char *arg, const char *more, struct x2gobroker_error *err);
void	ask_free(struct ask *ask);

#endif
