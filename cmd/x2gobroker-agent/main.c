/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-agent: carries out the session broker's tasks on an X2Go server.
 * sshd starts it for the broker's service key, whose holder may ask for the
 * tasks of task.c and nothing else.  An answer is printed completely or not at
 * all.
 */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/priv.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/safefile.h"
#include "process.h"
#include "keysweep.h"
#include "task.h"
#include "command.h"

/* The request. */
struct call {
	const struct process *process;
	struct words words;	/* which the others may point to */
	const char *user;
	const struct task *task;
	const char *const *args;
};

/* Log the request and its result, in one line. */
static void
log_call(const struct call *call, const char *outcome, int64_t since)
{
	const char *address = call->process->address;
	char line[512];

	snprintf(line, sizeof(line), "uid %u from %.45s: %.64s %.32s: "
	    "%.300s (%lld ms)", (unsigned int)call->process->uid,
	    address != NULL ? address : "-", call->user != NULL ? call->user :
	    "-", call->task != NULL ? call->task->name : "-", outcome,
	    (long long)(clock_ms() - since));
	process_make_harmless(line);
	syslog(LOG_NOTICE, "%s", line);
}

static void
put_usage(FILE *fp)
{
	const struct task *task;
	size_t i;

	fprintf(fp, "usage: x2gobroker-agent USER TASK [ARGUMENT ...]\n"
	    "       x2gobroker-agent --sweep | --help | --version\n"
	    "The tasks are:\n");
	for (i = 0; (task = task_get(i)) != NULL; i++)
		fprintf(fp, "  %s%s\n", task->name, task->args);
}

/* The operator's options, which no client can give. */
static bool
answer_option(int argc, char **argv, const struct process *process,
    bool *done)
{
	*done = true;
	if (argc != 2)
		return false;
	if (strcmp(argv[1], "--sweep") == 0)
		*done = keysweep_all(process);
	else if (strcmp(argv[1], "--help") == 0)
		put_usage(stdout);
	else if (strcmp(argv[1], "--version") == 0)
		printf("x2gobroker-agent %s\n", X2GOBROKER_VERSION);
	else
		return false;
	return true;
}

/* "USER TASK [ARGUMENT ...]" in n words. */
static int
parse_call(struct call *call, char **words, size_t n,
    struct x2gobroker_error *err)
{
	if (n < 2)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "missing USER or TASK; see x2gobroker-agent(8)");
	call->user = words[0];
	if ((call->task = task_find(words[1])) == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no such task: %.64s", words[1]);
	if (n - 2 != call->task->nargs)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%s takes %zu arguments, not %zu", call->task->name,
		    call->task->nargs, n - 2);
	call->args = (const char *const *)words + 2;
	return call->task->check == NULL ? 0 :
	    call->task->check(call->user, call->args, err);
}

/* The forced command restricts the service key.  With a line in the agent
 * account's own file, the holder of that key could escape it. */
static int
check_own_keys(const struct call *call, const struct account *account,
    struct x2gobroker_error *err)
{
	if (!call->task->changes_keys || call->process->command == NULL ||
	    account->uid != call->process->uid)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "%.64s: a "
	    "forced command cannot change the keys of its own account",
	    account->name);
}

static bool
is_for_user(const struct call *call)
{
	/* parse_call() has found a task
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	return call->task->user == USER_NEEDED ||
	    (call->task->user == USER_OR_NOBODY &&
	    strcmp(call->user, "-") != 0);
}

static void
prepare(const struct call *call, const struct account *account)
{
	struct x2gobroker_error err;

	if (call->task->prepare != NULL &&
	    call->process->uid != account->uid &&
	    call->task->prepare(account, call->args, &err) == -1)
		process_warn(account->name, &err);
}

static int
become_user(const struct call *call, struct account *account,
    struct x2gobroker_error *err)
{
	if (account_find(call->user, account, err) == -1 ||
	    check_own_keys(call, account, err) == -1)
		return -1;
	prepare(call, account);
	return process_become(call->process, account, err);
}

/* Drop all privileges that the task does not need, before it begins. */
static int
switch_identity(const struct call *call, struct account *account,
    struct x2gobroker_error *err)
{
	if (!is_for_user(call))
		process_be_caller();
	else if (become_user(call, account, err) == -1)
		return -1;
	/* X2Go's tools use a setgid program for their database */
	if ((call->task->tool == NULL || !is_for_user(call)) &&
	    !priv_no_new_privs())
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "this kernel has no PR_SET_NO_NEW_PRIVS");
	return 0;
}

static int
run_call(const struct call *call, struct buf *answer,
    struct x2gobroker_error *err)
{
	struct account account = { 0 };
	const struct job job = {
		.account = is_for_user(call) ? &account : NULL,
		.args = call->args,
	};
	int result;

	buf_puts(answer, "OK\n");
	if ((result = switch_identity(call, &account, err)) == 0 &&
	    (result = call->task->run(&job, answer, err)) == 0 &&
	    answer->failed)
		result = error_nomem(err);
	account_free(&account);
	return result;
}

static int
write_answer(const struct buf *answer, struct x2gobroker_error *err)
{
	if (safefile_write(STDOUT_FILENO, answer->data, answer->len))
		return 0;
	return error_errno(err, NULL, "cannot write the answer");
}

/* The request is on the command line, which is the operator's, or in the
 * command that sshd has received from the client. */
static int
answer_call(struct call *call, int argc, char **argv,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };
	struct words *words = &call->words;
	const char *command = call->process->command;
	int result;

	if (argc > 1 || command == NULL)
		result = parse_call(call, argv + 1, (size_t)argc - 1, err);
	else if ((result = command_parse(command, words, err)) == 0)
		result = parse_call(call, words->list, words->n, err);
	if (result == 0 && (result = run_call(call, &text, err)) == 0)
		result = write_answer(&text, err);
	return result;
}

static void
print_error(struct x2gobroker_error *err)
{
	process_make_harmless(err->file);
	process_make_harmless(err->text);
	fprintf(stderr, "x2gobroker-agent: %s%s%s\n", err->file,
	    err->file[0] != '\0' ? ": " : "", err->text);
}

int
main(int argc, char **argv)
{
	struct x2gobroker_error err = { 0 };
	struct process process;
	struct call call = { .process = &process };
	int64_t start = clock_ms();
	bool done;
	int result;

	process_init(&process);
	if (answer_option(argc, argv, &process, &done))
		return done ? 0 : 1;
	if ((result = answer_call(&call, argc, argv, &err)) == -1)
		print_error(&err);
	log_call(&call, result == 0 ? "done" : err.text, start);
	command_free(&call.words);
	process_free(&process);
	return result == 0 ? 0 : 1;
}
