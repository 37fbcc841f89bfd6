/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "farm/assignments.h"
#include "farm/balance.h"
#include "base/cleanup.h"
#include "config/hostweights.h"
#include "farm/poll.h"

#define KNOCK_SECONDS	2	/* as the Python broker waits */
#define LOCK_MS		2000
#define SERVER_TEXT	(HOST_TEXT_MAX + 16)	/* NAME:PORT */
#define USUAL_WEIGHT	100

/* The choice of a host for a session of one profile. */
struct choice {
	struct x2gobroker_farm *farm;
	const struct x2gobroker_profile *profile;
	const struct host *hosts;
	size_t n;
	struct candidate *candidates;	/* one for each host */
	const char **why;		/* why it is not usable, or NULL */
};

static void
set_weight(void *arg, const char *name, int weight)
{
	struct choice *choice = arg;
	const struct host *host = hostlist_match(choice->hosts, choice->n,
	    name);

	if (host != NULL)
		choice->candidates[host - choice->hosts].weight = weight;
}

/* By the report of the server itself, or by that of a server with a database of
 * all servers. */
static long
count_sessions(const struct x2gobroker_farm *farm, const struct host *host,
    const struct farm_server *own)
{
	const struct agent_report *report;
	size_t i, j;

	if (own->target.source->per_server && own->report.count >= 0)
		return own->report.count;
	for (i = 0; i < farm->nservers; i++) {
		report = &farm->servers[i].report;
		for (j = 0; j < report->ncounts; j++)
			if (hostlist_match(host, 1, report->counts[j].name) !=
			    NULL)
				return report->counts[j].number;
	}
	return -1;
}

static void
set_candidate(struct choice *choice, size_t i)
{
	struct candidate *candidate = &choice->candidates[i];
	const struct host *host = &choice->hosts[i];
	const struct farm_server *server = farm_find(choice->farm,
	    choice->profile, host);

	candidate->weight = USUAL_WEIGHT;
	candidate->sessions = -1;
	if (host_for_client(host) == NULL)
		choice->why[i] = "X2Go clients cannot connect to an IPv6 "
		    "address";
	else if (farm_is_drained(choice->farm, host))
		choice->why[i] = "drained";
	else if (server != NULL && !server->answered)
		choice->why[i] = server->error.text;
	candidate->usable = choice->why[i] == NULL;
	if (server == NULL || !candidate->usable)
		return;
	/* the load of this host is not that of other servers */
	if (server->target.source->per_server) {
		candidate->load_known = server->report.load_known;
		candidate->load_factor = server->report.load_factor;
	}
	candidate->sessions = count_sessions(choice->farm, host, server);
}

static void
name_server(const struct choice *choice, size_t i,
    char text[static SERVER_TEXT])
{
	snprintf(text, SERVER_TEXT, "%s:%d", choice->hosts[i].name,
	    farm_port(choice->profile, &choice->hosts[i]));
}

/* Add the sessions that were assigned a moment ago and have not started yet. */
static void
count_pending(struct choice *choice, struct assignments *assigned)
{
	const struct farm_server *server;
	char name[SERVER_TEXT];
	size_t i, j;

	for (i = 0; i < choice->n; i++) {
		server = farm_find(choice->farm, choice->profile,
		    &choice->hosts[i]);
		name_server(choice, i, name);
		for (j = 0; server != NULL && j < server->report.nstarts; j++)
			assignments_started(assigned, name,
			    server->report.starts[j].name,
			    server->report.starts[j].number);
		choice->candidates[i].pending = assignments_pending(assigned,
		    name);
	}
}

static int
choose_best(struct choice *choice)
{
	score_of(choice->candidates, choice->n, (enum load_balancing)
	    choice->farm->config->load_balancing);
	return score_choose(choice->candidates, choice->n);
}

/* A server that has answered is up, and a single one is left to the client.
 * Try to connect to any other. */
static bool
is_up(const struct choice *choice, size_t i)
{
	const struct source *source = farm_source(choice->profile);
	const struct connection_target target = {
		.host = choice->hosts[i],
		.port = farm_port(choice->profile, &choice->hosts[i]),
	};

	if (choice->n == 1 || (source != NULL && source->per_server) ||
	    !profile_bool(choice->profile,
	    "broker-portscan-x2goservers",
	    choice->farm->config->default_portscan_x2goservers))
		return true;
	return poll_target(choice->farm, &target, &query_knock, NULL,
	    KNOCK_SECONDS, NULL) == 0;
}

/* Choose the best one, with the assignments of other users locked. */
static int
choose_and_remember(struct choice *choice, const char *user, bool remember,
    struct reporter *rep)
{
	struct x2gobroker_error err;
	struct assignments *assigned;
	char name[SERVER_TEXT];
	int best;

	if (assignments_open(choice->farm->config->state_dir, time(NULL),
	    LOCK_MS, &assigned, &err) == -1) {
		report(rep, X2GOBROKER_WARNING, err.file, err.line,
		    "the latest assignments are not known: %s", err.text);
		return choose_best(choice);
	}
	count_pending(choice, assigned);
	best = choose_best(choice);
	if (best != -1 && remember) {
		name_server(choice, (size_t)best, name);
		if (assignments_add(assigned, name, user, choice->profile->id,
		    &err) == -1 || assignments_save(assigned, &err) == -1)
			report(rep, X2GOBROKER_WARNING, err.file, err.line,
			    "this assignment is not remembered: %s",
			    err.text);
	}
	assignments_close(assigned);
	return best;
}

/* The best one that is up, or -1.  Without a source the choice is random. */
static int
choose_reachable(struct choice *choice, const char *user, bool remember,
    struct reporter *rep)
{
	bool alone = choice->n == 1 || farm_source(choice->profile) == NULL;
	int best;

	for (;;) {
		best = alone ? choose_best(choice) : choose_and_remember(choice,
		    user, remember, rep);
		if (best == -1 || is_up(choice, (size_t)best))
			return best;
		choice->candidates[best].usable = false;
		choice->why[best] = "nothing listens on its port";
	}
}

/* Kept for x2gobroker_farm_server(). */
static void
keep_scores(struct choice *choice)
{
	struct farm_server *server;
	size_t i;

	for (i = 0; i < choice->n; i++) {
		server = farm_find(choice->farm, choice->profile,
		    &choice->hosts[i]);
		if (server == NULL)
			continue;
		server->pending = choice->candidates[i].pending;
		server->usable = choice->candidates[i].usable;
		server->score = choice->candidates[i].score;
	}
}

/* Does one before i have the same reason? */
static bool
is_repeated(const struct choice *choice, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strcmp(choice->why[j], choice->why[i]) == 0)
			return true;
	return false;
}

/* "NAME, NAME: REASON" for i and all that have the same reason, to keep the
 * line short. */
static void
put_reason(const struct choice *choice, size_t i, struct buf *buf)
{
	size_t j;

	buf_printf(buf, "%s%s", buf->len > 0 ? "; " : "",
	    choice->hosts[i].name);
	for (j = i + 1; j < choice->n; j++)
		if (strcmp(choice->why[j], choice->why[i]) == 0)
			buf_printf(buf, ", %s", choice->hosts[j].name);
	buf_printf(buf, ": %s", choice->why[i]);
}

static int
refuse_all(const struct choice *choice, struct x2gobroker_error *err)
{
	struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < choice->n; i++)
		if (choice->why[i] == NULL)
			choice->why[i] = "its load is not known";
	for (i = 0; i < choice->n; i++)
		if (!is_repeated(choice, i))
			put_reason(choice, i, &buf);
	if (buf.failed)
		error_nomem(err);
	else
		error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no server is left for a new session: %s", buf.data);
	buf_free(&buf);
	return -1;
}

int
balance_choose_host(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, const struct host *hosts,
    size_t n, const char *user, bool remember, struct reporter *rep,
    size_t *chosen, struct x2gobroker_error *err)
{
	const char *weights = x2gobroker_profile_value(profile,
	    "broker-host-weights");
	cleanup_free struct candidate *candidates = calloc(n,
	    sizeof(*candidates));
	cleanup_free const char **why = calloc(n, sizeof(*why));
	struct choice choice = { farm, profile, hosts, n, candidates, why };
	size_t i;
	int best;

	if (candidates == NULL || why == NULL)
		return error_nomem(err);
	for (i = 0; i < n; i++)
		set_candidate(&choice, i);
	if (weights != NULL)
		hostweights_parse(weights, set_weight, &choice, NULL);
	best = choose_reachable(&choice, user, remember, rep);
	keep_scores(&choice);
	if (best == -1)
		return refuse_all(&choice, err);
	*chosen = (size_t)best;
	return 0;
}

int
x2gobroker_farm_choose(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, size_t *server,
    struct x2gobroker_error *err)
{
	cleanup_free struct host *hosts = NULL;
	struct reporter nobody = { 0 };
	const struct farm_server *found;
	size_t chosen = 0, n;

	if (farm_hosts(profile, &hosts, &n, err) == -1 ||
	    balance_choose_host(farm, profile, hosts, n, NULL, false, &nobody,
	    &chosen, err) == -1)
		return -1;
	if ((found = farm_find(farm, profile, &hosts[chosen])) == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "its servers are not asked (agent query mode NONE)");
	*server = (size_t)(found - farm->servers);
	return 0;
}
