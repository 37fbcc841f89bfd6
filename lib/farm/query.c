/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "farm/query.h"
#include "base/clock.h"

/* How long until a state is looked at again.  Debian's agent only marks a
 * session, for x2gocleansessions(8) to act on when it sees the mark for the
 * second time, which takes 4 to 5 seconds; and x2golistsessions(8) takes the mark
 * away as long as that has not happened.  So there it must be waited for without
 * looking. */
#define LOOK_AGAIN_MS		100
#define LOOK_AGAIN_DEBIAN_MS	6000

struct query_context *
query_context_new(const struct x2gobroker_config *config, const char *user,
    struct x2gobroker_error *err)
{
	struct query_context *context = calloc(1, sizeof(*context));

	if (context == NULL) {
		error_nomem(err);
		return NULL;
	}
	context->users = 1;
	context->agent = strdup(config->agent_command);
	if (user != NULL)
		context->user = strdup(user);
	if (context->agent == NULL || (user != NULL && context->user == NULL)) {
		query_context_release(context);
		error_nomem(err);
		return NULL;
	}
	return context;
}

void
query_context_release(struct query_context *context)
{
	if (context == NULL || atomic_fetch_sub(&context->users, 1) > 1)
		return;
	ssh_setup_free(&context->setup);
	free(context->agent);
	free(context->user);
	free(context);
}

/* Ask, and have parse read the answer. */
static int
ask_report(struct query *ask, struct connection *link, const char *task,
    int (*parse)(const char *, size_t, const char *, struct agent_report *,
    struct x2gobroker_error *), struct x2gobroker_error *err)
{
	const char *user = ask->context->user;
	struct buf answer = { 0 };
	int result;

	/* nobody's sessions are asked of "-", which is no account's name */
	result = connection_ask(link, user != NULL ? user : "-", task, NULL, &answer,
	    err);
	if (result == 0)
		result = parse(answer.data != NULL ? answer.data : "",
		    answer.len, user, &ask->report, err);
	buf_free(&answer);
	return result;
}

static int
parse_load(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	return agent_parse_load(text, len, report, err);
}

static int
parse_servers(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	return agent_parse_servers(text, len, report, err);
}

/* An agent of ours says all at once; one that does not know that task prints
 * nothing.  To ask for availabletasks first would cost every request more than
 * the attempt does, which only costs the others. */
static int
ask_all(struct query *ask, struct connection *link, struct x2gobroker_error *err)
{
	struct x2gobroker_error ignored;
	int result;

	result = ask_report(ask, link, "status", agent_parse_status, err);
	if (result == 0)
		ask->report.time_here = time(NULL);
	if (result == -1 && (err->code == X2GOBROKER_ERR_NOTFOUND ||
	    err->code == X2GOBROKER_ERR_DENIED)) {
		result = ask->context->user == NULL ? 0 : ask_report(ask,
		    link, "listsessions", agent_parse_sessions, err);
		if (result == 0)
			result = ask_report(ask, link, "checkload",
			    parse_load, err);
	} else if (link->target->mode == QUERY_SSH)
		return result;
	/* who has a database for all servers, knows how many each one has; many
	 * have not, so that nothing is missing where this fails */
	if (result == 0 && ask->context->user != NULL)
		ask_report(ask, link, "getservers", parse_servers, &ignored);
	return result;
}

/* Have a task done that answers nothing but OK. */
static int
ask_ok(struct connection *link, const char *user, const char *task,
    const char *const *args, struct x2gobroker_error *err)
{
	struct buf answer = { 0 };
	int result;

	result = connection_ask(link, user, task, args, &answer, err);
	if (result == 0)
		result = agent_parse_ok(answer.data != NULL ? answer.data : "",
		    answer.len, err);
	buf_free(&answer);
	return result;
}

/* Whether the agent is ours. */
static bool
is_ours(struct query *ask, struct connection *link)
{
	struct buf answer = { 0 };
	bool found;

	found = connection_ask(link, ask->context->user, "availabletasks", NULL,
	    &answer, NULL) == 0 && answer.data != NULL &&
	    strstr(answer.data, "\nstatus\n") != NULL;
	buf_free(&answer);
	return found;
}

/* Do the task that this is about. */
static int
do_task(struct query *ask, struct connection *link, const char *task,
    struct x2gobroker_error *err)
{
	return ask_ok(link, ask->context->user, task,
	    (const char *const *)ask->args, err);
}

/*
 * Sessions that are to change their state
 */

/* The state of the session by now; SESSION_FINISHED where it is gone. */
static int
look_at_state(struct query *ask, struct connection *link, enum session_state *state,
    struct x2gobroker_error *err)
{
	size_t i;

	agent_report_free(&ask->report);
	agent_report_init(&ask->report);
	if (ask_report(ask, link, "listsessions", agent_parse_sessions, err) ==
	    -1)
		return -1;
	*state = SESSION_FINISHED;
	for (i = 0; i < ask->report.nsessions; i++)
		if (strcmp(session_id(&ask->report.sessions[i]),
		    ask->args[0]) == 0)
			*state = ask->report.sessions[i].state;
	return 0;
}

static int
change_state(struct query *ask, struct connection *link, const char *task,
    enum session_state wanted, struct x2gobroker_error *err)
{
	int64_t deadline = parallel_deadline(&ask->job);
	bool at_once = is_ours(ask, link);
	int ms = at_once ? LOOK_AGAIN_MS : LOOK_AGAIN_DEBIAN_MS;
	enum session_state state;

	if (do_task(ask, link, task, err) == -1)
		return -1;
	for (;;) {
		if (!at_once)
			usleep((useconds_t)ms * 1000);
		if (look_at_state(ask, link, &state, err) == -1)
			return -1;
		if (state == wanted)
			return 0;
		if (state == SESSION_FINISHED)
			return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
			    "session %s has ended", ask->args[0]);
		if (clock_left(deadline) < ms)
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "session %s is still in state %c after %s",
			    ask->args[0], state, task);
		if (at_once)
			usleep((useconds_t)ms * 1000);
		else if (do_task(ask, link, task, err) == -1)
			return -1;
	}
}

/*
 * Keys
 */

/* Take out what others have left.  What is taken out and not written down as
 * such is tried again, which does no harm. */
static void
delete_stale(struct query *ask, struct connection *link)
{
	const struct stalekey *lease;
	size_t i;

	for (i = 0; i < ask->stale.n; i++) {
		lease = &ask->stale.list[i];
		const char *args[] = { lease->line, lease->file, NULL };

		if (ask_ok(link, lease->user, "delauthkey", args, NULL) == 0)
			stalekeys_add(&ask->done, lease, NULL);
	}
}

/* Our agent takes out what has expired by itself.  If the connection breaks, the
 * line may be there or not. */
static int
add_key(struct query *ask, struct connection *link, struct x2gobroker_error *err)
{
	if (do_task(ask, link, "addauthkey", err) == -1) {
		ask->stays = err->code == X2GOBROKER_ERR_SYSTEM;
		return -1;
	}
	ask->stays = !is_ours(ask, link);
	delete_stale(ask, link);
	return 0;
}

/*
 * The job
 */

static int
talk(struct query *ask, struct connection *link, struct x2gobroker_error *err)
{
	switch (ask->what) {
	case QUERY_SESSIONS:
		return ask_report(ask, link, "listsessions",
		    agent_parse_sessions, err);
	case QUERY_ALL:
		return ask_all(ask, link, err);
	case QUERY_SUSPEND:
		return change_state(ask, link, "suspendsession",
		    SESSION_SUSPENDED, err);
	case QUERY_TERMINATE:
		return change_state(ask, link, "terminatesession",
		    SESSION_FINISHED, err);
	case QUERY_ADD_KEY:
		return add_key(ask, link, err);
	case QUERY_HOST_KEY:
	case QUERY_KNOCK:
		break;
	}
	return 0;
}

/* The host key is worth keeping where the rest has failed, too. */
static void
keep_host_key(struct query *ask, struct connection *link)
{
	ask->new_key = link->ssh.new_key;
	link->ssh.new_key = NULL;
	memcpy(ask->fingerprint, link->ssh.fingerprint,
	    sizeof(ask->fingerprint));
}

static int
run(struct parallel_job *job, struct x2gobroker_error *err)
{
	struct query *ask = (struct query *)job;
	const struct query_context *context = ask->context;
	struct connection link;
	int result;

	if (ask->what == QUERY_KNOCK)
		return connection_knock(job, &ask->target, err);
	if (ask->what == QUERY_HOST_KEY)
		result = connection_open_for_key(&link, job, &ask->target,
		    &context->setup, err);
	else
		result = connection_open(&link, job, &ask->target, context->agent,
		    &context->setup, err);
	if (result == 0)
		result = talk(ask, &link, err);
	keep_host_key(ask, &link);
	connection_close(&link);
	return result;
}

static void
free_job(struct parallel_job *job)
{
	query_free((struct query *)job);
}

struct query *
query_new(struct query_context *context, const struct connection_target *target,
    enum query_what what, const char *arg, const char *more,
    struct x2gobroker_error *err)
{
	struct query *ask = calloc(1, sizeof(*ask));

	if (ask == NULL) {
		error_nomem(err);
		return NULL;
	}
	ask->job.run = run;
	ask->job.free = free_job;
	ask->context = context;
	atomic_fetch_add(&context->users, 1);
	ask->target = *target;
	ask->what = what;
	agent_report_init(&ask->report);
	if ((arg != NULL && (ask->args[0] = strdup(arg)) == NULL) ||
	    (more != NULL && (ask->args[1] = strdup(more)) == NULL)) {
		query_free(ask);
		error_nomem(err);
		return NULL;
	}
	return ask;
}

void
query_free(struct query *ask)
{
	if (ask == NULL)
		return;
	agent_report_free(&ask->report);
	stalekeys_free(&ask->stale);
	stalekeys_free(&ask->done);
	query_context_release(ask->context);
	free(ask->new_key);
	free(ask->args[0]);
	free(ask->args[1]);
	free(ask);
}
