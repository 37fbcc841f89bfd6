/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TASKS_ANSWER_H
#define TASKS_ANSWER_H

#include "access/token.h"
#include "base/buf.h"
#include "client/request.h"
#include "config/profile.h"
#include "x2gobroker_admin.h"

struct x2gobroker_answer {
	const struct x2gobroker_request *request;	/* borrowed; or NULL */
	struct buf body;	/* from the first marker on */
	size_t start;		/* end of that marker; a body that ends here
				 * is a refusal */
	struct buf summary;
	struct reporter reporter;	/* of what does not prevent a grant */
	x2gobroker_set_password *set_password;	/* or NULL */
	void *set_password_arg;
	x2gobroker_authenticate *authenticate;		/* or NULL */
	void *authenticate_arg;
	bool trusts_nobody;

	/* decided before anything is written */
	const struct x2gobroker_profiles *profiles;	/* borrowed */
	struct x2gobroker_user *user;			/* borrowed */
	const struct task *task;	/* NULL: not decided yet */
	void *state;			/* of the task, owned; or NULL */
	bool granted;
	struct buf notice;	/* for the person, with a refusal; or "" */
	char token[TOKEN_LEN + 1];	/* for the client, or "" */
};

/* Whether the user's sessions may be given out, and keys for a login. */
bool	answer_shows_sessions(const struct x2gobroker_answer *answer);

/* Whether the request came over HTTP, where clients send no login check. */
bool	answer_is_http(const struct x2gobroker_answer *answer);

/* Refuse because of notice, and show it to the person.  Returns -1. */
int	answer_refuse_for(struct x2gobroker_answer *answer,
	    const struct x2gobroker_notice *notice,
	    struct x2gobroker_error *err);

/* Whether clients are to tell what happens to their sessions.  Where nobody is
 * sure who is asking, anybody could. */
bool	answer_wants_events(const struct x2gobroker_answer *answer);

#endif
