/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TASKS_ANSWER_H
#define TASKS_ANSWER_H

#include "base/buf.h"
#include "config/hostlist.h"
#include "config/profile.h"
#include "client/request.h"
#include "agent/session.h"
#include "access/token.h"
#include "access/user.h"

struct x2gobroker_answer {
	const struct x2gobroker_request *request;	/* borrowed; or NULL */
	struct buf body;	/* what is to be written, from the first
				 * marker on */
	size_t start;		/* where the marker ends; nothing behind it:
				 * a refusal */
	struct buf summary;
	struct reporter reporter;	/* of what went wrong on the way */
	x2gobroker_set_password *set_password;	/* or NULL */
	void *set_password_arg;

	/* what has been decided, before anything is written */
	const struct x2gobroker_profiles *profiles;	/* borrowed */
	struct x2gobroker_user *user;			/* borrowed */
	const struct task_row *task;
	const struct x2gobroker_profile **visible;	/* owned */
	size_t nvisible;
	enum session_state *states;	/* of each of them, or NULL; owned */
	struct buf key;			/* a private one for the client, or "" */
	struct buf sessions;		/* lines for SESSION_INFO */
	char server[HOST_TEXT_MAX + 1];
	int port;
	char token[TOKEN_LEN + 1];	/* for the client, or "" */
};

/* A task is done in two steps, so that a process can give up what it does not
 * need any more in between. */
struct task_row {
	enum task task;
	/* Look up and decide all there is; -1 with err filled in: refuse.
	 * Writes nothing but the summary. */
	int (*decide)(struct x2gobroker_answer *answer,
	    struct x2gobroker_error *err);
	/* Write what is granted to answer->body, from memory alone. */
	int (*write)(struct x2gobroker_answer *answer,
	    struct x2gobroker_error *err);
};

extern const struct task_row task_listsessions;
extern const struct task_row task_selectsession;

/* Fill in answer->visible with all profiles that the user may see. */
int	answer_find_visible(struct x2gobroker_answer *answer,
	    struct x2gobroker_error *err);

#endif
