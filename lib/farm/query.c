/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <time.h>

#include "agent/answer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "farm/farm.h"

/* How long to wait before the state of a session is read again.  Debian's agent
 * only marks the session; x2gocleansessions(8) acts when it sees the mark for
 * the second time, after 4 to 5 seconds, and x2golistsessions(8) removes a mark
 * that it finds before.  So with that agent, wait first and read then. */
#define RECHECK_MS		100
#define RECHECK_DEBIAN_MS	6000

struct query_context *
query_context_new(const struct x2gobroker_config *config, const char *user,
    struct x2gobroker_error *err)
{
	struct query_context *context = calloc(1, sizeof(*context));

	if (context == NULL)
		return error_null(error_nomem(err));
	context->users = 1;
	context->config = config;
	context->agent = strdup(config->agent_command);
	if (user != NULL)
		context->user = strdup(user);
	if (context->agent == NULL || (user != NULL && context->user == NULL)) {
		query_context_release(context);
		return error_null(error_nomem(err));
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

/* Whose sessions are asked for, or NULL. */
static const char *
find_user(const struct query *query)
{
	return query->unnamed ? NULL : query->context->user;
}

/* Did it fail because of the name?  A new session is possible all the same. */
static bool
is_unnamed(struct query *query, const struct x2gobroker_error *err)
{
	const char *user = find_user(query);

	query->unnamed |= user != NULL && err->code == X2GOBROKER_ERR_VALUE &&
	    !agent_name_is_plain(user);
	return user != NULL && query->unnamed;
}

/* Ask, and have parse read the answer. */
static int
ask_report(struct query *query, struct connection *link, const char *task,
    agent_parser *parse, struct x2gobroker_error *err)
{
	const char *user = find_user(query);
	cleanup_buf struct buf answer = { 0 };

	/* "-", which is not the name of an account, has no sessions */
	if (connection_ask(link, user != NULL ? user : "-", task, NULL,
	    &answer, err) == -1)
		return -1;
	return parse(answer.data != NULL ? answer.data : "", answer.len, user,
	    &query->report, err);
}

static int
ask_list(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	return ask_report(query, link, AGENT_LISTSESSIONS,
	    agent_parse_sessions, err);
}

/* Are all sessions on the host of that name? */
static bool
are_here(const struct query *query)
{
	const struct agent_report *report = &query->report;
	size_t i;

	for (i = 0; i < report->nsessions; i++)
		if (hostlist_match(&query->target.host, 1,
		    session_host(&report->sessions[i])) == NULL)
			return false;
	return true;
}

/* The profile may have an alias or an address of the server.  Its own name is
 * needed only where a session has another one.  Not every agent tells it. */
static int
ask_sessions(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf answer = { 0 };
	struct agent_report status;

	if (ask_list(query, link, err) == -1)
		return is_unnamed(query, err) ? 0 : -1;
	if (!query->target.source->per_server || are_here(query))
		return 0;
	agent_report_init(&status);
	if (connection_ask(link, "-", AGENT_STATUS, NULL, &answer, NULL) == 0 &&
	    answer.data != NULL && agent_parse_status(answer.data, answer.len,
	    NULL, &status, NULL) == 0)
		strlcpy(query->report.host, status.host,
		    sizeof(query->report.host));
	agent_report_free(&status);
	return 0;
}

/* Our agent answers all questions at once.  Another one refuses "status" or
 * prints nothing: to ask it for "availabletasks" first would cost every request
 * of ours more than the attempt costs others. */
static int
ask_all(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	const char *user = find_user(query);
	int result;

	result = ask_report(query, link, AGENT_STATUS, agent_parse_status, err);
	if (result == -1 && is_unnamed(query, err))
		return ask_all(query, link, err);
	if (result == 0)
		query->report.time_here = time(NULL);
	if (result == -1 && (err->code == X2GOBROKER_ERR_NOTFOUND ||
	    err->code == X2GOBROKER_ERR_DENIED)) {
		result = user == NULL ? 0 : ask_list(query, link, err);
		if (result == 0)
			result = ask_report(query, link, AGENT_CHECKLOAD,
			    agent_parse_load, err);
	} else if (link->target->source->per_server)
		return result;
	/* counts for all servers exist only where they share a database, so
	 * failure is no error */
	if (result == 0 && user != NULL)
		ask_report(query, link, AGENT_GETSERVERS,
		    agent_parse_servers, &(struct x2gobroker_error){ 0 });
	return result;
}

int
query_do(struct connection *link, const char *user, const char *task,
    const char *const *args, struct x2gobroker_error *err)
{
	cleanup_buf struct buf answer = { 0 };

	if (connection_ask(link, user, task, args, &answer, err) == -1)
		return -1;
	return agent_parse_ok(answer.data != NULL ? answer.data : "",
	    answer.len, err);
}

bool
query_is_our_agent(struct connection *link, const char *user)
{
	cleanup_buf struct buf answer = { 0 };

	return connection_ask(link, user, AGENT_AVAILABLETASKS, NULL,
	    &answer, NULL) == 0 && answer.data != NULL &&
	    strstr(answer.data, "\n" AGENT_STATUS "\n") != NULL;
}

/* The present state of the session; SESSION_FINISHED if it is gone. */
static int
get_state(struct query *query, struct connection *link,
    enum session_state *state, struct x2gobroker_error *err)
{
	const struct agent_report *report = &query->report;
	size_t i;

	agent_report_free(&query->report);
	if (ask_list(query, link, err) == -1)
		return -1;
	*state = SESSION_FINISHED;
	for (i = 0; i < report->nsessions; i++)
		if (strcmp(session_id(&report->sessions[i]),
		    query->session) == 0)
			*state = report->sessions[i].state;
	return 0;
}

static int
change_state(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	const char *task = query->question->task;
	const char *user = query->context->user, *id = query->session;
	const char *args[] = { id, NULL };
	int64_t deadline = parallel_deadline(&query->job);
	bool at_once = query_is_our_agent(link, user);
	int ms = at_once ? RECHECK_MS : RECHECK_DEBIAN_MS;
	enum session_state state;

	if (query_do(link, user, task, args, err) == -1)
		return -1;
	for (;;) {
		if (!at_once)
			usleep((useconds_t)ms * 1000);
		if (get_state(query, link, &state, err) == -1)
			return -1;
		if (state == query->question->wanted)
			return 0;
		if (state == SESSION_FINISHED)
			return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
			    "session %s has ended", id);
		if (clock_left(deadline) < ms)
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "session %s is still in state %c after %s", id,
			    state, task);
		if (at_once)
			usleep((useconds_t)ms * 1000);
		else if (query_do(link, user, task, args, err) == -1)
			return -1;
	}
}

const struct question
    query_knock = { REACH_PORT, NULL },
    query_host_key = { REACH_HOST_KEY, NULL },
    query_sessions = { REACH_AGENT, ask_sessions },
    query_all = { REACH_AGENT, ask_all },
    query_suspend = { REACH_AGENT, change_state, AGENT_SUSPENDSESSION,
	SESSION_SUSPENDED },
    query_terminate = { REACH_AGENT, change_state,
	AGENT_TERMINATESESSION, SESSION_FINISHED };

static int
run_query(struct parallel_job *job, struct x2gobroker_error *err)
{
	struct query *query = (struct query *)job;
	const struct query_context *context = query->context;
	const struct question *question = query->question;
	struct connection link;
	int result;

	if (question->reach == REACH_PORT)
		return connection_knock(job, &query->target, err);
	result = connection_open(&link, job, &query->target,
	    question->ask != NULL ? context->agent : NULL, &context->setup,
	    err);
	query->sshd = link.sshd;
	if (result == 0 && question->ask != NULL)
		result = question->ask(query, &link, err);
	/* the host key is kept even if the rest has failed */
	query->new_key = link.ssh.new_key;
	link.ssh.new_key = NULL;
	strlcpy(query->fingerprint, link.ssh.fingerprint,
	    sizeof(query->fingerprint));
	connection_close(&link);
	return result;
}

int
query_init(struct query *query, struct query_context *context,
    const struct connection_target *target, const struct question *question,
    struct x2gobroker_error *err)
{
	if (question->reach != REACH_PORT && target->source->uses_ssh &&
	    context->setup.user == NULL && ssh_setup_load(context->config,
	    question->reach == REACH_AGENT, &context->setup, err) == -1)
		return -1;
	query->job.run = run_query;
	query->context = context;
	atomic_fetch_add(&context->users, 1);
	query->target = *target;
	query->question = question;
	agent_report_init(&query->report);
	return 0;
}

struct query *
query_new(struct query_context *context,
    const struct connection_target *target, const struct question *question,
    const char *session, struct x2gobroker_error *err)
{
	struct query *query = calloc(1, sizeof(*query));

	if (query == NULL)
		return error_null(error_nomem(err));
	if (query_init(query, context, target, question, err) == -1) {
		free(query);
		return NULL;
	}
	query->job.free = query_free;
	if (session != NULL)
		strlcpy(query->session, session, sizeof(query->session));
	return query;
}

void
query_release(struct query *query)
{
	agent_report_free(&query->report);
	query_context_release(query->context);
	free(query->new_key);
}

void
query_free(struct parallel_job *job)
{
	if (job != NULL)
		query_release((struct query *)job);
	free(job);
}
