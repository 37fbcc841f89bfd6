/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer as a whole: built in memory, a refusal until a task has granted,
 * between the markers that came with the request.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tasks/answer.h"
#include "client/markers.h"

#define EVENT_MAX	20	/* "TERMINATING" is the longest there is */

/* The X2Go client crashes on a granted testcon without a server, so this is
 * refused; "not granted" is an answer that all of them live with. */
static int
testcon_decide(struct x2gobroker_answer *answer __attribute__((unused)),
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "testcon: always refused over SSH, as the X2Go client crashes "
	    "where it is granted");
}

static int
setpass_decide(struct x2gobroker_answer *answer, struct x2gobroker_error *err)
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

static int
setpass_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err __attribute__((unused)))
{
	buf_puts(&answer->body, MARKER_GRANTED "PASSWORD CHANGED: OK\n");
	return 0;
}

static int
clientevent_decide(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err __attribute__((unused)))
{
	const char *event = answer->request->values[OPT_EVENT];

	/* it goes into the log as it is, so only what an event's name can be */
	if (event == NULL || strlen(event) > EVENT_MAX ||
	    strspn(event, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(event))
		event = "unknown";
	buf_printf(&answer->summary, "event=%s", event);
	return 0;
}

/* Anything but "granted" brings up an error box, each time. */
static int
clientevent_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err __attribute__((unused)))
{
	buf_puts(&answer->body, MARKER_GRANTED);
	return 0;
}

static const struct task_row task_testcon = {
	TASK_TESTCON, testcon_decide, NULL,
};
static const struct task_row task_setpass = {
	TASK_SETPASS, setpass_decide, setpass_write,
};
static const struct task_row task_clientevent = {
	TASK_CLIENTEVENT, clientevent_decide, clientevent_write,
};

static const struct task_row *const tasks[] = {
	&task_listsessions, &task_selectsession, &task_testcon, &task_setpass,
	&task_clientevent,
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
		buf_printf(&answer->body, "%s%s\n", MARKER_BEGIN,
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
	buf_free(&answer->key);
	buf_free(&answer->sessions);
	free(answer->visible);
	free(answer->states);
	explicit_bzero(answer->token, sizeof(answer->token));
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
	if (!answer->body.failed && !answer->summary.failed &&
	    !answer->key.failed && !answer->sessions.failed)
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

void
x2gobroker_answer_allow_setpass(struct x2gobroker_answer *answer,
    x2gobroker_set_password *fn, void *arg)
{
	answer->set_password = fn;
	answer->set_password_arg = arg;
}

void
x2gobroker_answer_set_report(struct x2gobroker_answer *answer,
    x2gobroker_report *fn, void *arg)
{
	answer->reporter.fn = fn;
	answer->reporter.arg = arg;
}

int
answer_find_visible(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	size_t i, n = x2gobroker_profiles_count(answer->profiles);
	const struct x2gobroker_error *why = &answer->user->groups_error;
	const struct x2gobroker_profile *profile;

	answer->visible = calloc(n + 1, sizeof(*answer->visible));
	if (answer->visible == NULL)
		return error_nomem(err);
	for (i = 0; i < n; i++) {
		profile = x2gobroker_profiles_get(answer->profiles, i);
		if (x2gobroker_acl_check(profile, answer->user, NULL) ==
		    X2GOBROKER_ALLOW)
			answer->visible[answer->nvisible++] = profile;
	}
	/* else nobody would know why the list is short today */
	if (why->code != X2GOBROKER_OK)
		report(&answer->reporter, why->code, why->file, why->line,
		    "%s, so that profiles with acl-groups-* are hidden",
		    why->text);
	return 0;
}

static const struct task_row *
find_task(const struct x2gobroker_request *request)
{
	size_t i;

	for (i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
		if (x2gobroker_request_kind(request) ==
		    X2GOBROKER_REQUEST_TASK && tasks[i]->task == request->task)
			return tasks[i];
	return NULL;
}

/* Decide the task between the check of the token and its replacement, so that
 * a refused client still has the token that it came with. */
static int
decide_with_token(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config =
	    profiles_config(answer->profiles);
	const char *sent = answer->request->values[OPT_AUTHID];
	struct token token;
	int result;

	if (!config->require_cookie)
		return answer->task->decide(answer, err);
	if (token_open(&token, config, answer->user, sent != NULL ? sent : "",
	    time(NULL), err) == -1)
		return -1;
	result = answer->task->decide(answer, err);
	/* a password that is changed is changed, whatever becomes of the token;
	 * the client then keeps the one that it has */
	if (result == 0 && token_advance(&token, answer->token, err) == -1 &&
	    answer->task != &task_setpass)
		result = -1;
	token_close(&token);
	return result;
}

int
x2gobroker_answer_decide(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	refuse(answer);
	if ((answer->task = find_task(answer->request)) == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "no task");
	answer->profiles = profiles;
	answer->user = user;
	if (decide_with_token(answer, err) == 0 && !answer->summary.failed)
		return 0;
	if (answer->summary.failed)
		error_nomem(err);
	answer->task = NULL;
	return refuse(answer);
}

int
x2gobroker_answer_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	if (answer->task == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "nothing has been granted");
	/* the client takes the first AUTHID: that it finds anywhere */
	if (answer->token[0] != '\0')
		buf_printf(&answer->body, "%s%s\n", MARKER_AUTHID,
		    answer->token);
	if (answer->task->write(answer, err) == -1)
		return refuse(answer);
	return finish(answer, err);
}

int
x2gobroker_answer_task(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	if (x2gobroker_answer_decide(answer, profiles, user, err) == -1)
		return -1;
	return x2gobroker_answer_write(answer, err);
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
		buf_puts(body, MARKER_DENIED);
	if (answer->start > 0)
		buf_printf(body, "%s%s\n", MARKER_END,
		    answer->request->uuid);
	if (body->failed)
		return error_nomem(err);
	*text = body->data;
	*len = body->len;
	return 0;
}
