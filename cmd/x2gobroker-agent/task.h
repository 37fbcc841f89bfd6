/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_TASK_H
#define X2GOBROKER_AGENT_TASK_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

#define TASK_ARGS_MAX	2

/* What is to be done, all of it checked. */
struct job {
	const struct account *account;	/* NULL for tasks that need none */
	const char *const *args;	/* as many as the task has */
};

enum task_user {
	USER_IGNORED,		/* whatever stands there */
	USER_NEEDED,
	USER_OR_NOBODY,		/* "-" is for what needs no user of it */
};

struct task {
	const char *name;
	const char *args;	/* for people */
	size_t nargs;
	const char *tool;	/* X2Go's program that it needs, or NULL */
	enum task_user user;
	bool changes_keys;
	/* Refuse arguments that cannot be right (may be NULL: all can), before
	 * any privilege is used. */
	int (*check)(const char *user, const char *const *args,
	    struct x2gobroker_error *err);
	/* What is to be done as whoever has started us, before we become the
	 * user's (may be NULL: nothing).  The task is done also where it fails. */
	int (*prepare)(const struct account *account, const char *const *args,
	    struct x2gobroker_error *err);
	/* Put the data of the answer into out. */
	int (*run)(const struct job *job, struct buf *out,
	    struct x2gobroker_error *err);
};

/* NULL: there is none. */
const struct task *task_find(const char *name);

/* For usage: one after the other, NULL at the end. */
const struct task *task_get(size_t i);

#endif
