/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_TASK_H
#define X2GOBROKER_AGENT_TASK_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

#define TASK_ARGS_MAX	2

/* A task to carry out, fully checked. */
struct job {
	const struct account *account;	/* NULL for tasks that need none */
	const char *const *args;	/* task->nargs of them */
};

enum task_user {
	USER_IGNORED,		/* any word is accepted */
	USER_NEEDED,
	USER_OR_NOBODY,		/* "-" asks for the part that needs no user */
};

struct task {
	const char *name;
	const char *args;	/* for the usage text */
	size_t nargs;
	const char *tool;	/* the X2Go program that it needs, or NULL */
	enum task_user user;
	bool changes_keys;
	/* Check the arguments before any privilege is used; may be NULL. */
	int (*check)(const char *user, const char *const *args,
	    struct x2gobroker_error *err);
	/* Called before the process becomes the user; may be NULL.  If it
	 * fails, the task is carried out all the same. */
	int (*prepare)(const struct account *account, const char *const *args,
	    struct x2gobroker_error *err);
	/* Append the data of the answer to out. */
	int (*run)(const struct job *job, struct buf *out,
	    struct x2gobroker_error *err);
};

/* NULL: no such task. */
const struct task *task_find(const char *name);

/* Task i, for the usage text; NULL past the end. */
const struct task *task_get(size_t i);

#endif
