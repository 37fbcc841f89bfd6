/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer as a whole: built in memory, between the markers of the request,
 * and a refusal until a task is granted.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/throttle.h"
#include "client/markers.h"
#include "tasks/hook.h"
#include "tasks/task.h"

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

static void
free_state(struct x2gobroker_answer *answer)
{
	if (answer->state != NULL && answer->task->free_state != NULL)
		answer->task->free_state(answer->state);
	free(answer->state);
	answer->state = NULL;
}

void
x2gobroker_answer_free(struct x2gobroker_answer *answer)
{
	if (answer == NULL)
		return;
	free_state(answer);
	buf_free(&answer->body);
	buf_free(&answer->summary);
	buf_free(&answer->notice);
	freezero(answer, sizeof(*answer));
}

/* Never send half an answer. */
static int
refuse(struct x2gobroker_answer *answer)
{
	answer->granted = false;
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
	buf_puts(&answer->body, message != NULL ? message :
	    MARKER_LOGIN_OK "\n");
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
x2gobroker_answer_authenticate(struct x2gobroker_answer *answer,
    x2gobroker_authenticate *fn, void *arg)
{
	answer->authenticate = fn;
	answer->authenticate_arg = arg;
}

void
x2gobroker_answer_trust_nobody(struct x2gobroker_answer *answer)
{
	answer->trusts_nobody = true;
}

bool
answer_shows_sessions(const struct x2gobroker_answer *answer)
{
	return !answer->trusts_nobody ||
	    profiles_config(answer->profiles)->http_noauth_session_data;
}

bool
answer_is_http(const struct x2gobroker_answer *answer)
{
	return answer->authenticate != NULL || answer->trusts_nobody;
}

int
answer_refuse_for(struct x2gobroker_answer *answer,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	buf_truncate(&answer->notice, 0);
	buf_puts(&answer->notice, notice->text);
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "maintenance%s%s%s%s: %s", notice->profile != NULL ? " of [" :
	    notice->server != NULL ? " of " : "", notice->profile != NULL ?
	    notice->profile : notice->server != NULL ? notice->server : "",
	    notice->profile != NULL ? "]" : "", notice->resume ? "" :
	    ", nothing is resumed", notice->text);
}

const char *
x2gobroker_answer_notice(const struct x2gobroker_answer *answer)
{
	return answer != NULL && answer->notice.len > 0 ?
	    answer->notice.data : NULL;
}

bool
answer_wants_events(const struct x2gobroker_answer *answer)
{
	return !answer->trusts_nobody &&
	    profiles_config(answer->profiles)->client_events;
}

int
x2gobroker_answer_testcon(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	buf_truncate(&answer->body, answer->start);
	buf_puts(&answer->body, MARKER_GRANTED);
	return finish(answer, err);
}

void
x2gobroker_answer_set_report(struct x2gobroker_answer *answer,
    x2gobroker_report *fn, void *arg)
{
	answer->reporter.fn = fn;
	answer->reporter.arg = arg;
}

static int
check_password(struct x2gobroker_answer *answer, struct x2gobroker_error *err)
{
	const char *password = answer->request->values[OPT_PASSWORD];
	struct throttle throttle;
	struct x2gobroker_error why;
	int result;

	if (password == NULL || *password == '\0')
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "no password, and no valid token");
	if (throttle_begin(&throttle, profiles_config(answer->profiles),
	    answer->user, password, time(NULL), THROTTLE_WAIT_MS, err) == -1)
		return -1;
	result = answer->authenticate(answer->authenticate_arg, answer->user,
	    password, &why);
	throttle_end(&throttle, result == -1 && why.code ==
	    X2GOBROKER_ERR_DENIED, time(NULL));
	if (result == -1 && err != NULL)
		*err = why;
	return result;
}

/* The token that the client has kept may be somebody else's, who used this
 * client before; then the password counts.  setpass needs it in any case.  With
 * require-cookie, there must be a token or a secret as well. */
static int
log_in(struct x2gobroker_answer *answer, struct token *token, const char *sent,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config =
	    profiles_config(answer->profiles);
	time_t now = time(NULL);
	int result;

	if (token_open(token, config, answer->user, sent, now, err) == -1 &&
	    (config->require_cookie ||
	    token_new(token, config, answer->user, now, err) == -1))
		return -1;
	if (token->file == -1 || answer->task->checks_account)
		result = check_password(answer, err);
	else
		result = answer->authenticate(answer->authenticate_arg,
		    answer->user, NULL, err);
	if (result == -1)
		token_close(token);
	return result;
}

/* Events come from clients that have been let in. */
static int
decide_task(struct x2gobroker_answer *answer, struct x2gobroker_error *err)
{
	const struct task *task = answer->task;

	if (!task->is_event && hook_login(answer,
	    profiles_config(answer->profiles), answer->user, task->name, err)
	    == -1)
		return -1;
	return task->decide(answer, answer->state, err);
}

/* Check the token before the task is decided and replace it afterwards, so that
 * a client that is refused still has its token. */
static int
decide_with_token(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	const struct task *task = answer->task;
	const struct x2gobroker_config *config =
	    profiles_config(answer->profiles);
	const char *sent = answer->request->values[OPT_AUTHID];
	struct token token;
	bool keep;
	int result;

	if (!config->require_cookie && answer->authenticate == NULL)
		return decide_task(answer, err);
	if (sent == NULL)
		sent = "";
	if ((answer->authenticate != NULL ? log_in(answer, &token, sent, err) :
	    token_open(&token, config, answer->user, sent, time(NULL), err)) ==
	    -1)
		return -1;
	result = decide_task(answer, err);
	/* over HTTP, the client may never read the answer to an event */
	keep = answer->authenticate != NULL && task->is_event &&
	    token.file != -1;
	if (result == 0 && !keep &&
	    token_advance(&token, answer->token, err) == -1 &&
	    !task->cannot_be_undone)
		result = -1;
	token_close(&token);
	return result;
}

int
x2gobroker_answer_decide(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	const struct task *task = answer->request != NULL ?
	    answer->request->task : NULL;

	refuse(answer);
	if (task == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "no task");
	free_state(answer);
	answer->task = task;
	answer->profiles = profiles;
	answer->user = user;
	if ((answer->state = calloc(1, task->state_size + 1)) == NULL)
		return error_nomem(err);
	if (decide_with_token(answer, err) == -1)
		return refuse(answer);
	answer->granted = true;
	return finish(answer, err);
}

/* What python-x2go reads from "task" is the task that it knows. */
static int
write_json(struct x2gobroker_answer *answer, struct x2gobroker_error *err)
{
	const struct task *task = answer->task;
	struct json json;
	int result = 0;

	json_begin(&json);
	json_string(&json, "task", task->json_name);
	json_string(&json, "auth-status", "Access granted");
	if (answer->token[0] != '\0')
		json_string(&json, "next-authid", answer->token);
	if (task->write_json != NULL)
		result = task->write_json(answer, answer->state, &json, err);
	json_end(&json);
	buf_free(&answer->body);
	answer->body = json.text;
	return result == 0 ? finish(answer, err) : refuse(answer);
}

int
x2gobroker_answer_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	if (!answer->granted)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "nothing has been granted");
	if (answer->request->wants_json)
		return write_json(answer, err);
	/* the client reads the first AUTHID: anywhere in the answer */
	if (answer->token[0] != '\0')
		buf_printf(&answer->body, "%s%s\n", MARKER_AUTHID,
		    answer->token);
	if (answer->task->write == NULL)
		buf_puts(&answer->body, answer->task->granted);
	else if (answer->task->write(answer, answer->state, err) == -1)
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
