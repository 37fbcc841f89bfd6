/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking all servers of a farm at the same time, and what that brings:
 * x2gobroker_farm_ask().
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "agent/knownhosts.h"
#include "farm/poll.h"

struct query *
poll_make_query(struct x2gobroker_farm *farm, const struct connection_target *target,
    enum query_what what, const char *arg, const char *more,
    struct x2gobroker_error *err)
{
	bool with_keys = what != QUERY_HOST_KEY;

	if (what != QUERY_KNOCK && target->mode == QUERY_SSH &&
	    farm->context->setup.user == NULL &&
	    ssh_setup_load(farm->config, with_keys, &farm->context->setup,
	    err) == -1)
		return NULL;
	return query_new(farm->context, target, what, arg, more, err);
}

/* Its text alone is told, so the file that is to blame goes into it. */
static void
set_error(struct farm_server *server, const struct x2gobroker_error *why)
{
	char text[X2GOBROKER_TEXT_SIZE];

	if (why->file[0] == '\0')
		server->error = *why;
	else
		error_set(&server->error, why->code, NULL, 0, "%s",
		    x2gobroker_error_format(why, text, sizeof(text)));
}

/* Take over what the job has brought; NULL: it is still hanging. */
static void
take_answer(struct x2gobroker_farm *farm, struct farm_server *server,
    struct query *ask)
{
	struct agent_report empty;

	server->asked = true;
	if (ask == NULL) {
		error_set(&server->error, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "it did not answer in time: a name server is still looking "
		    "for it, or it never stops talking");
		return;
	}
	server->answered = !ask->job.failed;
	set_error(server, &ask->job.error);
	if (ask->job.ended != 0)
		server->milliseconds = (int)(ask->job.ended -
		    ask->job.started);
	agent_report_init(&empty);
	agent_report_free(&server->report);
	server->report = ask->report;
	ask->report = empty;
	free(server->new_key);
	server->new_key = steal(&ask->new_key);
	memcpy(server->fingerprint, ask->fingerprint,
	    sizeof(server->fingerprint));
	if (server->new_key != NULL && server->answered)
		knownhosts_follow_policy(farm, server);
}

struct progress {
	struct x2gobroker_farm *farm;
	x2gobroker_farm_progress *fn;
	void *arg;
	struct parallel_job **jobs;
	size_t *servers;	/* which server each job is for */
	size_t n, done;
};

static void
tell(void *arg, const struct parallel_job *job)
{
	struct progress *progress = arg;
	struct x2gobroker_server server;
	size_t i;

	for (i = 0; i < progress->n; i++) {
		if (progress->jobs[i] != job)
			continue;
		progress->done++;
		take_answer(progress->farm, &progress->farm->servers[
		    progress->servers[i]], (struct query *)progress->jobs[i]);
		if (progress->fn == NULL)
			return;
		x2gobroker_farm_server(progress->farm, progress->servers[i],
		    &server);
		progress->fn(progress->arg, progress->done, progress->n,
		    &server);
	}
}

/* A job per server; a server that there can be no job for has failed. */
static int
make_jobs(struct progress *progress, enum query_what what,
    struct x2gobroker_error *err)
{
	struct x2gobroker_farm *farm = progress->farm;
	struct query *ask;
	size_t i;

	for (i = 0; i < farm->nservers; i++) {
		ask = poll_make_query(farm, &farm->servers[i].target, what,
		    NULL, NULL, err);
		if (ask == NULL && err->code == X2GOBROKER_ERR_NOMEM)
			return -1;
		if (ask == NULL) {
			farm->servers[i].asked = true;
			set_error(&farm->servers[i], err);
			continue;
		}
		progress->servers[progress->n] = i;
		progress->jobs[progress->n++] = &ask->job;
	}
	return 0;
}

static int
ask_servers(struct progress *progress, enum query_what what, int64_t deadline,
    struct parallel_job **companion, struct x2gobroker_error *err)
{
	size_t i, n;
	int result;

	if (make_jobs(progress, what, err) == -1)
		return -1;
	n = progress->n;
	if (companion != NULL)
		progress->jobs[n++] = *companion;
	result = n == 0 ? 0 : parallel_run(progress->jobs, n, deadline, tell,
	    progress, err);
	if (companion != NULL)
		*companion = progress->jobs[n - 1];
	for (i = 0; i < progress->n && result == 0; i++)
		if (!progress->farm->servers[progress->servers[i]].asked)
			take_answer(progress->farm, &progress->farm->servers[
			    progress->servers[i]],
			    (struct query *)progress->jobs[i]);
	return result;
}

int64_t
poll_deadline(const struct x2gobroker_farm *farm, int seconds)
{
	int64_t deadline = clock_ms() + (int64_t)seconds * 1000;

	return deadline < farm->deadline ? deadline : farm->deadline;
}

static int
compare_sessions(const void *a, const void *b)
{
	const struct farm_session *one = a, *other = b;

	return session_compare(one->session, other->session);
}

static bool
has_session(const struct x2gobroker_farm *farm, const char *id)
{
	size_t i;

	for (i = 0; i < farm->nsessions; i++)
		if (strcmp(session_id(farm->sessions[i].session), id) == 0)
			return true;
	return false;
}

/* The sessions of all reports.  With one database for all servers each of them
 * tells of each session, so the one that it runs on comes first. */
static int
collect_sessions(struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	const struct farm_server *server;
	size_t i, j, n = 0;
	int own;

	for (i = 0; i < farm->nservers; i++)
		n += farm->servers[i].report.nsessions;
	free(farm->sessions);
	farm->nsessions = 0;
	farm->sessions = calloc(n + 1, sizeof(*farm->sessions));
	if (farm->sessions == NULL)
		return error_nomem(err);
	for (own = 1; own >= 0; own--)
		for (i = 0; i < farm->nservers; i++) {
			server = &farm->servers[i];
			for (j = 0; j < server->report.nsessions; j++) {
				const struct session *session =
				    &server->report.sessions[j];

				if ((own && hostlist_match(
				    &server->target.host, 1,
				    session_host(session)) == NULL) ||
				    has_session(farm, session_id(session)))
					continue;
				farm->sessions[farm->nsessions++] =
				    (struct farm_session){ session, i };
			}
		}
	qsort(farm->sessions, farm->nsessions, sizeof(*farm->sessions),
	    compare_sessions);
	return 0;
}

int
poll_servers(struct x2gobroker_farm *farm, enum query_what what, int seconds,
    x2gobroker_farm_progress *progress, void *arg,
    struct parallel_job **companion, struct x2gobroker_error *err)
{
	struct progress state = { .farm = farm, .fn = progress, .arg = arg };
	struct x2gobroker_error ignored;
	size_t i;
	int result = -1;

	if (err == NULL)
		err = &ignored;
	state.jobs = calloc(farm->nservers + 2, sizeof(*state.jobs));
	state.servers = calloc(farm->nservers + 1, sizeof(*state.servers));
	if (state.jobs == NULL || state.servers == NULL)
		error_nomem(err);
	else
		result = ask_servers(&state, what, poll_deadline(farm, seconds),
		    companion, err);
	for (i = 0; i < state.n; i++)
		if (state.jobs[i] != NULL)
			query_free((struct query *)state.jobs[i]);
	free(state.jobs);
	free(state.servers);
	return result == 0 ? collect_sessions(farm, err) : -1;
}

int
x2gobroker_farm_ask(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err)
{
	return poll_servers(farm, QUERY_ALL, farm->config->agent_timeout, progress,
	    arg, NULL, err);
}

int
x2gobroker_farm_get_host_keys(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err)
{
	return poll_servers(farm, QUERY_HOST_KEY, farm->config->agent_timeout, NULL,
	    NULL, NULL, err);
}
