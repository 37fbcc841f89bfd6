/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ANSWER_H
#define ANSWER_H

#include "buf.h"
#include "profile.h"
#include "request.h"
#include "user.h"

struct x2gobroker_answer {
	const struct x2gobroker_request *request;	/* borrowed; or NULL */
	struct buf body;	/* what is to be written, from the first
				 * marker on */
	size_t start;		/* where the marker ends; nothing behind it:
				 * a refusal */
	struct buf summary;
};

/* The tasks.  Each appends to answer->body and answer->summary and returns 0, or
 * returns -1 with err filled in; what it has written then does not count. */
int	task_listsessions(struct x2gobroker_answer *answer,
	    const struct x2gobroker_profiles *profiles,
	    struct x2gobroker_user *user, struct x2gobroker_error *err);
int	task_selectsession(struct x2gobroker_answer *answer,
	    const struct x2gobroker_profiles *profiles,
	    struct x2gobroker_user *user, struct x2gobroker_error *err);

#endif
