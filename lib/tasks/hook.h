/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of the site that may refuse a request, or choose among the servers
 * of a profile: login-hook and select-hook.  HOOKS in x2gobroker(7) has the
 * form of request and answer.
 */
#ifndef TASKS_HOOK_H
#define TASKS_HOOK_H

#include "config/hostlist.h"
#include "tasks/answer.h"

/* The servers for a new session that a hook has chosen. */
struct hook_choice {
	struct host *hosts;	/* owned; NULL: as without a hook */
	size_t n;
	bool in_order;		/* the first usable one is taken */
};

/* Run login-hook, if there is one, before task.  -1: refused. */
int	hook_login(struct x2gobroker_answer *answer,
	    const struct x2gobroker_config *config,
	    const struct x2gobroker_user *user, const char *task,
	    struct x2gobroker_error *err);

/* Run select-hook, if there is one, on the n hosts of profile, of which it is
 * shown those for which is_usable(arg, host).  -1: refused. */
int	hook_select(struct x2gobroker_answer *answer,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, bool (*is_usable)(void *arg, const struct host *host),
	    void *arg, struct hook_choice *choice,
	    struct x2gobroker_error *err);

#endif
