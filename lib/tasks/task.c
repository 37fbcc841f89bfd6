/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of tasks, and requests that name one of them.
 */
#include <string.h>

#include "tasks/task.h"

static const struct task *const tasks[] = {
	&task_listsessions,
	&task_selectsession,
	&task_testcon,
	&task_setpass,
	&task_clientevent,
};

#define NTASKS	(sizeof(tasks) / sizeof(tasks[0]))

const char *
x2gobroker_task_name(size_t i)
{
	return i < NTASKS ? tasks[i]->name : NULL;
}

const char *
x2gobroker_task_help(size_t i)
{
	return i < NTASKS ? tasks[i]->help : NULL;
}

/* Find the task of a request that is neither a login check nor whoami. */
static int
find_task(struct x2gobroker_request *request, struct x2gobroker_error *err)
{
	const char *name = request->values[OPT_TASK];
	const struct task *task = NULL;
	size_t i;

	if (request->kind != X2GOBROKER_REQUEST_NONE)
		return 0;
	if (name == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--task is missing");
	for (i = 0; i < NTASKS; i++)
		if (strcmp(tasks[i]->name, name) == 0)
			task = tasks[i];
	if (task == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--task %.100s: unknown task", name);
	if (request->values[task->needed] == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "%s requires --%s", name,
		    request_option_name(task->needed));
	request->task = task;
	request->kind = X2GOBROKER_REQUEST_TASK;
	return 0;
}

int
x2gobroker_request_parse(const char *command, struct x2gobroker_request **out,
    struct x2gobroker_error *err)
{
	if (request_parse(command, out, err) == -1)
		return -1;
	return find_task(*out, err);
}

int
x2gobroker_request_from_argv(int argc, char *const *argv,
    struct x2gobroker_request **out, struct x2gobroker_error *err)
{
	if (request_from_argv(argc, argv, out, err) == -1)
		return -1;
	return find_task(*out, err);
}

const char *
x2gobroker_request_task(const struct x2gobroker_request *request)
{
	return request != NULL && request->task != NULL ?
	    request->task->name : "";
}

bool
x2gobroker_request_checks_account(const struct x2gobroker_request *request)
{
	return request != NULL && request->task != NULL &&
	    request->task->checks_account;
}
