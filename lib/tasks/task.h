/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task of the client is one of these, and a row in task.c.
 */
#ifndef TASKS_TASK_H
#define TASKS_TASK_H

#include "base/json.h"
#include "client/request.h"
#include "tasks/answer.h"

struct task {
	const char *name;
	const char *json_name;		/* in JSON; NULL: not served there */
	const char *help;		/* its options, for --help; or "" */
	enum client_option needed;	/* OPT_TASK: it needs no other one */
	size_t state_size;		/* of state, which starts as zeros */

	/* Look up and decide all there is; -1 with err filled in: refuse.
	 * Writes nothing but answer->summary. */
	int (*decide)(struct x2gobroker_answer *answer, void *state,
	    struct x2gobroker_error *err);
	const char *granted;	/* the answer, if there is no write */
	/* Write what is granted to answer->body, from memory alone. */
	int (*write)(struct x2gobroker_answer *answer, void *state,
	    struct x2gobroker_error *err);
	/* The same in JSON; NULL: what all answers have is enough. */
	int (*write_json)(struct x2gobroker_answer *answer, void *state,
	    struct json *json, struct x2gobroker_error *err);
	void (*free_state)(void *state);	/* frees its content; or NULL */

	bool checks_account;		/* itself, so nobody else has to */
	bool is_event;			/* many at a time */
	bool cannot_be_undone;		/* so it is granted in any case */
};

/* What is set now; NULL if that cannot be read, which is reported. */
struct x2gobroker_maintenance *admit_maintenance(
	    struct x2gobroker_answer *answer,
	    const struct x2gobroker_config *config);

/* During maintenance of all, of which notice tells, let in only who has a
 * session to go back to.  -1: refused. */
int	listsessions_admit(struct x2gobroker_answer *answer,
	    const struct x2gobroker_notice *notice,
	    struct x2gobroker_error *err);

extern const struct task task_clientevent;
extern const struct task task_listsessions;
extern const struct task task_selectsession;

#endif
