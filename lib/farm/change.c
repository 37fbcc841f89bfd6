/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of many sessions, of any users, in rounds: in each one, all servers
 * are asked at once.
 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "farm/farm.h"

/* Of each server, in a round: sshd turns some away if there are more than ten
 * logins at once (MaxStartups in sshd_config(5)).  The agent of this host does
 * one after the other, and all of them have the time of a round. */
#define AT_ONCE	5
#define AT_ONCE_HERE	1

#define ROUND_MAX	500	/* of all servers */

struct change {
	struct x2gobroker_farm *farm;
	const struct question *question;
	const size_t *which;
	size_t n;
	x2gobroker_farm_result *result;
	void *arg;
	struct query *queries;		/* one for each session */
	size_t *busy;			/* for each server, in this round */
	bool *hangs;			/* it has not answered in time */
	int64_t deadline;		/* of this round */
};

static const struct farm_session *
session_of(const struct change *change, size_t i)
{
	return &change->farm->sessions[change->which[i]];
}

static void
query_done(void *arg, struct query *query)
{
	struct change *change = arg;
	size_t i = (size_t)(query - change->queries);

	change->hangs[session_of(change, i)->at] |= query->failed &&
	    clock_left(change->deadline) == 0;
	change->result(change->arg, change->which[i], query->failed ?
	    &query->error : NULL);
}

/* Fail a session whose server cannot be asked. */
static void
skip(struct change *change, size_t i)
{
	const struct farm_session *session = session_of(change, i);
	struct query *query = &change->queries[i];

	query->done = true;
	if (session->at == X2GOBROKER_NO_SERVER)
		error_set(&query->error, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no server that profiles let be asked is named %s; if it "
		    "has another name there, write host = %s (ADDRESS)",
		    session_host(session->session),
		    session_host(session->session));
	else
		error_set(&query->error, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "not tried, because its server has just not answered in "
		    "time");
	change->result(change->arg, change->which[i], &query->error);
}

static void
begin(struct change *change, size_t i)
{
	const struct farm_session *session = session_of(change, i);
	const struct farm_server *server = &change->farm->servers[session->at];
	struct query *query = &change->queries[i];

	query_init(query, change->question, &server->target,
	    session_user(session->session));
	query->args[0] = session_id(session->session);
	query->lacks = server->lacks;
}

static size_t
most_at_once(const struct change *change, size_t server)
{
	return change->farm->servers[server].target.source->uses_ssh ?
	    AT_ONCE : AT_ONCE_HERE;
}

/* Put the queries of the next round into the list.  Returns how many. */
static size_t
fill_round(struct change *change, struct query **list)
{
	size_t i, at, n = 0;

	memset(change->busy, 0, change->farm->nservers *
	    sizeof(*change->busy));
	for (i = 0; i < change->n && n < ROUND_MAX; i++) {
		at = session_of(change, i)->at;
		if (change->queries[i].done)
			continue;
		if (at == X2GOBROKER_NO_SERVER || change->hangs[at])
			skip(change, i);
		else if (change->busy[at]++ < most_at_once(change, at)) {
			begin(change, i);
			list[n++] = &change->queries[i];
		}
	}
	return n;
}

static int
run(struct change *change, struct x2gobroker_error *err)
{
	size_t i, n, nservers = change->farm->nservers;
	cleanup_free struct query *queries = calloc(change->n + 1,
	    sizeof(*queries));
	cleanup_free struct query **list = calloc(ROUND_MAX, sizeof(*list));
	cleanup_free size_t *busy = calloc(nservers + 1, sizeof(*busy));
	cleanup_free bool *hangs = calloc(nservers + 1, sizeof(*hangs));

	if (queries == NULL || list == NULL || busy == NULL || hangs == NULL)
		return error_nomem(err);
	change->queries = queries;
	change->busy = busy;
	change->hangs = hangs;
	while ((n = fill_round(change, list)) > 0) {
		change->deadline = clock_ms() +
		    (int64_t)poll_change_seconds(change->farm) * 1000;
		query_run(change->farm->config, list, n, change->deadline,
		    query_done, change, NULL);
		for (i = 0; i < n; i++)
			query_free(list[i]);
	}
	return 0;
}

int
x2gobroker_farm_suspend_all(struct x2gobroker_farm *farm, const size_t *which,
    size_t n, x2gobroker_farm_result *result, void *arg,
    struct x2gobroker_error *err)
{
	struct change change = { .farm = farm, .question = &query_suspend,
	    .which = which, .n = n, .result = result, .arg = arg };

	return run(&change, err);
}

int
x2gobroker_farm_terminate_all(struct x2gobroker_farm *farm,
    const size_t *which, size_t n, x2gobroker_farm_result *result, void *arg,
    struct x2gobroker_error *err)
{
	struct change change = { .farm = farm, .question = &query_terminate,
	    .which = which, .n = n, .result = result, .arg = arg };

	return run(&change, err);
}
