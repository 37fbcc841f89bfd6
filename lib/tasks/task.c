/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of tasks, with those that are short, and requests that name one of
 * them.
 */
#include <string.h>

#include "client/markers.h"
#include "tasks/task.h"

/* The user wants a new password. */
static int
setpass_decide(struct x2gobroker_answer *answer,
    void *state __attribute__((unused)), struct x2gobroker_error *err)
{
	const char *password = answer->request->values[OPT_NEWPASS];

	if (answer->set_password == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "setpass: this broker does not change passwords; see "
		    "allow-password-change in x2gobroker.conf(5)");
	if (password == NULL || *password == '\0')
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "setpass without --newpass");
	return answer->set_password(answer->set_password_arg, answer->user,
	    password, err);
}

static const struct task setpass = {
	.name = "setpass",
	.help = "",
	.decide = setpass_decide,
	.granted = MARKER_GRANTED "PASSWORD CHANGED: OK\n",
	.checks_account = true,
	.cannot_be_undone = true,
};

/* The X2Go client crashes if it is granted without a server, so it is refused,
 * which all clients can handle. */
static int
testcon_decide(struct x2gobroker_answer *answer __attribute__((unused)),
    void *state __attribute__((unused)), struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "testcon: always refused over SSH, because the X2Go client "
	    "crashes if it is granted");
}

static const struct task testcon = {
	.name = "testcon",
	.help = "",
	.decide = testcon_decide,
};

/* python-x2go begins with a form without a task. */
static int
login_decide(struct x2gobroker_answer *answer __attribute__((unused)),
    void *state __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	return 0;
}

static const struct task login = {
	.name = "login",
	.json_name = "",
	.decide = login_decide,
};

static const struct task *const tasks[] = {
	&task_listsessions,
	&task_selectsession,
	&testcon,
	&setpass,
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

static bool
is_named(const struct task *task, const char *name, bool json)
{
	if (json && task->json_name == NULL)
		return false;
	return strcmp(task->name, name) == 0 ||
	    (json && strcmp(task->json_name, name) == 0);
}

/* Find the task of a request that is neither a login check nor whoami. */
static int
find_task(struct x2gobroker_request *request, struct x2gobroker_error *err)
{
	const char *name = request->values[OPT_TASK];
	bool json = request->wants_json;
	const struct task *task = NULL;
	size_t i;

	if (request->kind != X2GOBROKER_REQUEST_NONE)
		return 0;
	if (json && (name == NULL || *name == '\0'))
		task = &login;
	else if (name == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--task is missing");
	for (i = 0; i < NTASKS && task == NULL; i++)
		if (is_named(tasks[i], name, json))
			task = tasks[i];
	if (task == NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "--task %.100s: unknown task", name);
	if (task->needed != OPT_TASK && request->values[task->needed] == NULL)
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

int
x2gobroker_request_from_form(const char *body, size_t len,
    struct x2gobroker_request **out, struct x2gobroker_error *err)
{
	if (request_from_form(body, len, out, err) == -1)
		return -1;
	return find_task(*out, err);
}

int
x2gobroker_request_from_json_client(const char *body, size_t len,
    struct x2gobroker_request **out, struct x2gobroker_error *err)
{
	if (request_from_form(body, len, out, err) == -1)
		return -1;
	(*out)->wants_json = true;
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
