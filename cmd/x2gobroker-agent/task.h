/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_TASK_H
#define X2GOBROKER_AGENT_TASK_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"
#include "keyfile.h"
#include "temporarykey.h"

#define TASK_ARGS_MAX	2

/* A request to carry out a task. */
struct job {
	const struct task *task;
	const char *user;		/* as requested */
	const char *const *args;	/* task->nargs of them */
	struct buf key_line;		/* made of args[0] by task->check() */
	bool forced;			/* a broker asks through sshd */
	/* the operator's options of the forced command */
	const char *const *key_files;	/* --key-file=FILE */
	size_t nkey_files;
	bool all_sessions;		/* --all-sessions */
	const struct account *account;	/* NULL for tasks that need none */
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
	enum key_change change;
	enum temporarykey_end end;	/* of a key that is added */
	bool as_root;			/* not as the user */
	/* Check the arguments before any privilege is used; may be NULL. */
	int (*check)(struct job *job, struct x2gobroker_error *err);
	/* Append the data of the answer to out. */
	int (*run)(const struct job *job, struct buf *out,
	    struct x2gobroker_error *err);
};

extern const struct task tasks[];	/* the last one has no name */

/* NULL: no such task. */
const struct task *task_find(const char *name);

#endif
