/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/query.h"
#include "agent/record.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* How long to wait before the state of a session is read again.  Debian's agent
 * only marks the session; x2gocleansessions(8) acts when it sees the mark for
 * the second time, after 4 to 5 seconds, and x2golistsessions(8) removes a mark
 * that it finds before.  So with that agent, wait first and read then. */
#define RECHECK_MS		100
#define RECHECK_DEBIAN_MS	6000

const char *const keypair_types[] = { "RSA", "ED25519", NULL };

void
query_init(struct query *query, const struct question *question,
    const struct connection_target *target, const char *user)
{
	*query = (struct query){ .question = question, .user = user };
	if (target != NULL)
		query->target = *target;
	agent_report_init(&query->report);
}

void
query_free(struct query *query)
{
	agent_report_free(&query->report);
	buf_free(&query->private_key);
	free(query->public_key);
	free(query->new_key);
	query->public_key = query->new_key = NULL;
}

enum reach
query_reach(struct query *const *queries, size_t n)
{
	enum reach reach = REACH_NOTHING;
	size_t i;

	for (i = 0; i < n; i++)
		if (queries[i]->question->reach > reach)
			reach = queries[i]->question->reach;
	return reach;
}

void
query_fail(struct query *query, const struct x2gobroker_error *err)
{
	query->done = query->failed = true;
	query->error = *err;
}

/* Whose sessions are asked for, or NULL. */
static const char *
find_user(const struct query *query)
{
	return query->unnamed ? NULL : query->user;
}

/* Is it about the sessions of all users? */
static bool
lists_all(const struct query *query)
{
	return query->question == &query_list && query->user == NULL;
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

/* Only the host of its sessions is of interest: the list is there already. */
static int
take_host(struct query *query, const char *answer, size_t len,
    struct x2gobroker_error *err)
{
	struct agent_report status;
	int result;

	agent_report_init(&status);
	result = agent_parse_status(answer, len, NULL, &status, err);
	if (result == 0)
		strlcpy(query->report.host, status.host,
		    sizeof(query->report.host));
	agent_report_free(&status);
	return result;
}

int
query_take(struct query *query, const char *task, const char *answer,
    size_t len, struct x2gobroker_error *err)
{
	static const struct {
		const char *task;
		agent_parser *parse;
	} parsers[] = {
		{ AGENT_STATUS, agent_parse_status },
		{ AGENT_LISTSESSIONS, agent_parse_sessions },
		{ AGENT_CHECKLOAD, agent_parse_load },
		{ AGENT_GETSERVERS, agent_parse_servers },
		{ AGENT_STARTS, agent_parse_starts },
		{ AGENT_FACTS, agent_parse_facts },
	};
	bool is_status = strcmp(task, AGENT_STATUS) == 0;
	size_t i = 0;

	if (is_status && (query->question == &query_sessions ||
	    query->question == &query_list))
		return take_host(query, answer, len, err);
	if (strcmp(task, AGENT_LISTALLSESSIONS) == 0 && lists_all(query))
		return agent_parse_all_sessions(answer, len, NULL,
		    &query->report, err);
	while (strcmp(parsers[i].task, task) != 0)
		if (++i == sizeof(parsers) / sizeof(parsers[0]))
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "no such task");
	if (parsers[i].parse(answer, len, find_user(query), &query->report,
	    err) == -1)
		return -1;
	if (is_status)
		query->report.time_here = time(NULL);
	return 0;
}

static int
ask_report(struct query *query, struct connection *link, const char *task,
    struct x2gobroker_error *err)
{
	const char *user = find_user(query), *text;
	cleanup_buf struct buf answer = { 0 };

	/* "-", which is not the name of an account, has no sessions */
	if (connection_ask(link, user != NULL ? user : "-", task, NULL,
	    &answer, err) == -1)
		return -1;
	text = answer.data != NULL ? answer.data : "";
	if (query_take(query, task, text, answer.len, err) == -1)
		return -1;
	if (query->record != NULL)
		record_put(query->record, task, text, answer.len);
	return 0;
}

static void
note_status(struct query *query, bool has_status)
{
	query->lacks &= ~LACKS_STATUS;
	if (!has_status)
		query->lacks |= LACKS_STATUS;
}

/* The agent itself has failed, or does not know the task. */
static bool
is_refusal(const struct x2gobroker_error *err)
{
	return err->code == X2GOBROKER_ERR_NOTFOUND ||
	    err->code == X2GOBROKER_ERR_DENIED;
}

/* Is it our own agent, which acts at once and has a store of keys? */
static bool
is_our_agent(struct query *query, struct connection *link)
{
	const char *user = query->user != NULL ? query->user : "-";
	cleanup_buf struct buf answer = { 0 };

	if (connection_ask(link, user, AGENT_AVAILABLETASKS, NULL, &answer,
	    NULL) == -1)
		return false;
	note_status(query, agent_is_ours(&answer));
	return !(query->lacks & LACKS_STATUS);
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
	const char *task = lists_all(query) ? AGENT_LISTALLSESSIONS :
	    AGENT_LISTSESSIONS;

	if (ask_report(query, link, task, err) == -1) {
		if (lists_all(query) && is_refusal(err) &&
		    !is_our_agent(query, link))
			error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "its "
			    "agent cannot list the sessions of all users; "
			    "that takes x2gobroker-agent(8) of this version, "
			    "with --all-sessions in its forced command");
		return is_unnamed(query, err) ? 0 : -1;
	}
	if (query->target.source->per_server && !are_here(query) &&
	    !(query->lacks & LACKS_STATUS))
		ask_report(query, link, AGENT_STATUS, NULL);
	return 0;
}

/* Of an agent without "status", which is not ours: it refuses that task, or
 * prints nothing. */
static int
ask_other_agent(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	if (find_user(query) != NULL &&
	    ask_report(query, link, AGENT_LISTSESSIONS, err) == -1)
		return -1;
	return ask_report(query, link, AGENT_CHECKLOAD, err);
}

/* Our agent answers all questions at once.  To ask for "availabletasks" first
 * would make every request to our agent slower, and would save less time with
 * another one. */
static int
ask_load(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	const bool other = query->lacks & LACKS_STATUS;

	if (!other) {
		if (ask_report(query, link, AGENT_STATUS, err) == 0)
			return 0;
		if (!is_refusal(err))
			return -1;
	}
	if (ask_other_agent(query, link, err) == -1)
		return -1;
	note_status(query, query->report.has_status);
	if (other && query->report.has_status) {
		/* it has been replaced by ours */
		agent_report_free(&query->report);
		if (query->record != NULL)
			buf_truncate(query->record, 0);
		return ask_load(query, link, err);
	}
	return 0;
}

/* Counts for all servers exist only where they share a database, so failure is
 * no error.  Where the user has a session, the counts must have it. */
static void
ask_counts(struct query *query, struct connection *link)
{
	const struct agent_report *report = &query->report;

	if (find_user(query) == NULL || query->lacks & LACKS_COUNTS ||
	    ask_report(query, link, AGENT_GETSERVERS, NULL) == -1)
		return;
	if (report->ncounts == 0 && report->nsessions > 0 &&
	    report->sessions[0].state != SESSION_FINISHED)
		query->lacks |= LACKS_COUNTS;
}

static int
ask_all(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	if (ask_load(query, link, err) == -1)
		return is_unnamed(query, err) ? ask_all(query, link, err) : -1;
	if (query->lacks & LACKS_STATUS || !link->target->source->per_server)
		ask_counts(query, link);
	return 0;
}

/* Have the agent do a task whose only answer is OK. */
static int
do_task(struct connection *link, const char *user, const char *task,
    const char *const *args, struct x2gobroker_error *err)
{
	cleanup_buf struct buf answer = { 0 };

	if (connection_ask(link, user, task, args, &answer, err) == -1)
		return -1;
	return agent_parse_ok(answer.data != NULL ? answer.data : "",
	    answer.len, err);
}

/* The present state of the session; SESSION_FINISHED if it is gone. */
static int
get_state(struct query *query, struct connection *link,
    enum session_state *state, struct x2gobroker_error *err)
{
	const struct agent_report *report = &query->report;
	size_t i;

	agent_report_free(&query->report);
	if (ask_report(query, link, AGENT_LISTSESSIONS, err) == -1)
		return -1;
	*state = SESSION_FINISHED;
	for (i = 0; i < report->nsessions; i++)
		if (strcmp(session_id(&report->sessions[i]),
		    query->args[0]) == 0)
			*state = report->sessions[i].state;
	return 0;
}

static int
change_and_watch(struct query *query, struct connection *link, bool at_once,
    struct x2gobroker_error *err)
{
	const char *task = query->question->task;
	const char *user = query->user, *id = query->args[0];
	const char *args[] = { id, NULL };
	int64_t deadline = link->deadline;
	int ms = at_once ? RECHECK_MS : RECHECK_DEBIAN_MS;
	enum session_state state;

	if (do_task(link, user, task, args, err) == -1)
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
		else if (do_task(link, user, task, args, err) == -1)
			return -1;
	}
}

static int
change_state(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	return change_and_watch(query, link, is_our_agent(query, link), err);
}

/* With another agent, it would take seconds until the session is suspended.
 * x2goresume-session(8), which the client runs then, does that, too. */
static int
hand_over(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	return query->lacks & LACKS_STATUS || !is_our_agent(query, link) ? 0 :
	    change_and_watch(query, link, true, err);
}

/*
 * Keys for one login
 */

/* A line that is removed here, and stays on the list of the broker, is removed
 * again later, which does no harm. */
static void
remove_expired(struct query *query, struct connection *link)
{
	const char *args[3] = { NULL };
	struct expired_key *key;
	size_t i;

	for (i = 0; i < query->nexpired; i++) {
		key = &query->expired[i];
		args[0] = key->line;
		args[1] = key->file;
		key->removed = do_task(link, key->user, AGENT_DELAUTHKEY,
		    args, NULL) == 0;
	}
}

/* Before 9.1, OpenSSH reads the end of a key in local time, which our agent can
 * write; before 7.7, and in other servers, the option does not exist: a key
 * there would have no end. */
static int
find_form(const struct connection *link, bool *local,
    struct x2gobroker_error *err)
{
	*local = link->target->source->uses_ssh &&
	    link->openssh < OPENSSH_VERSION(9, 1);
	if (!*local || link->openssh >= OPENSSH_VERSION(7, 7))
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "its SSH server "
	    "is not OpenSSH 7.7 or later, and would not end a key in time");
}

static void
explain_old_server(int version, struct x2gobroker_error *err)
{
	char why[X2GOBROKER_TEXT_SIZE];

	strlcpy(why, err->text, sizeof(why));
	error_set(err, err->code, NULL, 0, "%.300s (it has OpenSSH %d.%d, "
	    "which reads the end of a key in local time: x2gobroker-agent can "
	    "write that, Debian's agent cannot; OpenSSH 9.1 needs neither)",
	    why, version >> 16, version >> 8 & 0xff);
}

static int
add_to_file(struct query *query, struct connection *link, bool local,
    struct x2gobroker_error *err)
{
	const char *args[] = { query->args[0], query->args[1], NULL };

	query->stays = true;
	if (do_task(link, query->user, local ? AGENT_ADDAUTHKEY_LOCAL :
	    AGENT_ADDAUTHKEY, args, err) == 0)
		return 0;
	/* the connection may have broken before or after */
	query->stays = err->code == X2GOBROKER_ERR_SYSTEM;
	if (!query->stays && local)
		explain_old_server(link->openssh, err);
	return -1;
}

/* Other agents have no store: they refuse the task, or print nothing. */
static int
add_to_store(struct query *query, struct connection *link, bool local,
    struct x2gobroker_error *err)
{
	const char *args[] = { query->args[0], NULL };

	if (query->lacks & LACKS_STATUS) {
		if (add_to_file(query, link, local, err) == 0)
			return 0;
		if (!is_refusal(err))
			return -1;
	}
	if (do_task(link, query->user, local ? AGENT_STOREKEY_LOCAL :
	    AGENT_STOREKEY, args, err) == 0)
		return 0;
	if (!is_refusal(err) || is_our_agent(query, link))
		return -1;
	return add_to_file(query, link, local, err);
}

static int
add_key(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	bool local;

	if (find_form(link, &local, err) == -1 ||
	    (query->question == &query_store_key ?
	    add_to_store(query, link, local, err) :
	    add_to_file(query, link, local, err)) == -1)
		return -1;
	remove_expired(query, link);
	return 0;
}

/* An agent without a store adds keys to files of users. */
static int
check_store(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	const char *user = query->user != NULL ? query->user : "-";
	bool local;

	if (find_form(link, &local, err) == -1)
		return -1;
	return do_task(link, user, AGENT_CHECKSTORE, NULL, err) == 0 ||
	    !is_our_agent(query, link) ? 0 : -1;
}

const struct question
    query_keypair = { "keypair", REACH_NOTHING, NULL },
    query_service_key = { "service-key", REACH_NOTHING, NULL },
    query_knock = { "knock", REACH_PORT, NULL },
    query_host_key = { "host-key", REACH_HOST_KEY, NULL },
    query_sessions = { "sessions", REACH_AGENT, ask_sessions },
    query_list = { "list", REACH_AGENT, ask_sessions },
    query_all = { "all", REACH_AGENT, ask_all },
    query_suspend = { "suspend", REACH_AGENT, change_state,
	AGENT_SUSPENDSESSION, SESSION_SUSPENDED },
    query_hand_over = { "hand-over", REACH_AGENT, hand_over,
	AGENT_SUSPENDSESSION, SESSION_SUSPENDED },
    query_terminate = { "terminate", REACH_AGENT, change_state,
	AGENT_TERMINATESESSION, SESSION_FINISHED },
    query_add_key = { "add-key", REACH_AGENT, add_key },
    query_store_key = { "store-key", REACH_AGENT, add_key },
    query_check_store = { "check-store", REACH_AGENT, check_store },
    query_examine = { "examine", REACH_AGENT, NULL };

const struct question *const query_questions[] = {
	&query_keypair, &query_service_key, &query_knock, &query_host_key,
	&query_sessions, &query_list, &query_all, &query_suspend,
	&query_hand_over, &query_terminate, &query_add_key, &query_store_key,
	&query_check_store, &query_examine, NULL
};
