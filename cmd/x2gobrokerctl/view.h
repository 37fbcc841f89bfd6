/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions that a command is about: those of one user, or all.  Functions
 * that fail have printed an error message.
 */
#ifndef X2GOBROKERCTL_VIEW_H
#define X2GOBROKERCTL_VIEW_H

#include "connected.h"
#include "filter.h"
#include "servers.h"

/* A farm has the time of one request.  A person may take longer to answer a
 * question, so the servers are asked anew after it. */
struct view {
	struct site site;
	const struct ctl *ctl;
	const char *user;	/* NULL, with --all: any */
	struct filter filter;	/* with --all */
	struct x2gobroker_farm *farm;
	struct x2gobroker_connected *connected;	/* or NULL: not known */
	size_t failed;		/* servers */
};

/* For view_close(), unless it fails.  The filter was set before. */
int	view_open(const struct ctl *ctl, struct view *view);
void	view_close(struct view *view);

/* With --all: list the sessions, after which those before are invalid. */
int	view_list_all(struct view *view);

/* The session *i, or the next one that the options leave; *i is set to the
 * number after it.  NULL: there is none. */
const struct x2gobroker_session *view_next(const struct view *view,
	    size_t *i);

/* "running" or "suspended", also "finished". */
const char *view_state(const struct x2gobroker_session *session);

int	view_print_table(const struct view *view);

/* Wait for the client of a session that its server does not end.  Returns an
 * exit status. */
int	view_wait_for_client(const struct view *view, const char *user,
	    const char *id, const char *done);

#endif
