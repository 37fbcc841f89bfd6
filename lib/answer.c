/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer as a whole: built in memory, a refusal until a task has granted,
 * between the markers that came with the request.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "protocol.h"

/* The X2Go client crashes on a granted testcon without a server, so this is
 * refused; "not granted" is an answer that all of them live with. */
static int
task_testcon(struct x2gobroker_answer *answer __attribute__((unused)),
    const struct x2gobroker_profiles *profiles __attribute__((unused)),
    struct x2gobroker_user *user __attribute__((unused)),
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "testcon: always refused over SSH, as the X2Go client crashes "
	    "where it is granted");
}

static int
task_setpass(struct x2gobroker_answer *answer __attribute__((unused)),
    const struct x2gobroker_profiles *profiles __attribute__((unused)),
    struct x2gobroker_user *user __attribute__((unused)),
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "setpass: this broker does not change passwords");
}

/* Anything but "granted" brings up an error box, each time. */
static int
task_clientevent(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles __attribute__((unused)),
    struct x2gobroker_user *user __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	const char *event = answer->request->values[OPT_EVENT];

	buf_puts(&answer->body, PROTOCOL_GRANTED);
	buf_printf(&answer->summary, "event=%.30s",
	    event != NULL ? event : "");
	return 0;
}

static const struct {
	enum task task;
	int (*run)(struct x2gobroker_answer *,
	    const struct x2gobroker_profiles *, struct x2gobroker_user *,
	    struct x2gobroker_error *);
} handlers[] = {
	{ TASK_LISTSESSIONS, task_listsessions },
	{ TASK_SELECTSESSION, task_selectsession },
	{ TASK_TESTCON, task_testcon },
	{ TASK_SETPASS, task_setpass },
	{ TASK_CLIENTEVENT, task_clientevent },
};

int
x2gobroker_answer_new(const struct x2gobroker_request *request,
    struct x2gobroker_answer **out, struct x2gobroker_error *err)
{
	struct x2gobroker_answer *answer;

	*out = NULL;
	if ((answer = calloc(1, sizeof(*answer))) == NULL)
		return error_nomem(err);
	answer->request = request;
	if (request != NULL && request->uuid[0] != '\0')
		buf_printf(&answer->body, "%s%s\n", PROTOCOL_BEGIN,
		    request->uuid);
	if (answer->body.failed) {
		x2gobroker_answer_free(answer);
		return error_nomem(err);
	}
	answer->start = answer->body.len;
	*out = answer;
	return 0;
}

void
x2gobroker_answer_free(struct x2gobroker_answer *answer)
{
	if (answer == NULL)
		return;
	buf_free(&answer->body);
	buf_free(&answer->summary);
	free(answer);
}

/* Half an answer is none. */
static int
refuse(struct x2gobroker_answer *answer)
{
	buf_truncate(&answer->body, answer->start);
	buf_truncate(&answer->summary, 0);
	return -1;
}

static int
finish(struct x2gobroker_answer *answer, struct x2gobroker_error *err)
{
	if (!answer->body.failed && !answer->summary.failed)
		return 0;
	error_nomem(err);
	return refuse(answer);
}

int
x2gobroker_answer_login_check(struct x2gobroker_answer *answer,
    const char *message, struct x2gobroker_error *err)
{
	buf_truncate(&answer->body, answer->start);
	buf_puts(&answer->body, message != NULL ? message : "LOGIN OK\n");
	return finish(answer, err);
}

int
x2gobroker_answer_whoami(struct x2gobroker_answer *answer, const char *account,
    struct x2gobroker_error *err)
{
	buf_truncate(&answer->body, answer->start);
	buf_puts(&answer->body, account);
	buf_putc(&answer->body, '\n');
	return finish(answer, err);
}

int
x2gobroker_answer_task(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	size_t i;

	refuse(answer);
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (answer->request == NULL ||
		    handlers[i].task != answer->request->task)
			continue;
		if (handlers[i].run(answer, profiles, user, err) == -1)
			return refuse(answer);
		return finish(answer, err);
	}
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "no task");
}

const char *
x2gobroker_answer_summary(const struct x2gobroker_answer *answer)
{
	return answer->summary.data != NULL ? answer->summary.data : "";
}

int
x2gobroker_answer_text(struct x2gobroker_answer *answer, const char **text,
    size_t *len, struct x2gobroker_error *err)
{
	struct buf *body = &answer->body;

	if (body->len == answer->start)
		buf_puts(body, PROTOCOL_DENIED);
	if (answer->start > 0)
		buf_printf(body, "%s%s\n", PROTOCOL_END,
		    answer->request->uuid);
	if (body->failed)
		return error_nomem(err);
	*text = body->data;
	*len = body->len;
	return 0;
}
