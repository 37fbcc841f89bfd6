/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/hostlist.h"
#include "farm/farm.h"

#define RACE_MS		2000	/* to choose before another broker does */
#define PAUSE_MS	10	/* the longest one before another attempt */

/* The choice of a host for a session of one profile. */
struct choice {
	struct x2gobroker_farm *farm;
	const struct x2gobroker_profile *profile;
	const struct host *hosts;
	size_t n;
	const char *user;		/* or NULL */
	struct candidate *candidates;	/* one for each host */
	struct connection_target how;	/* farm_target() */
	bool limited;			/* a candidate has a limit */
};

static bool
any_load_known(const struct candidate *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].why == NULL && list[i].load_known)
			return true;
	return false;
}

void
balance_limit(struct candidate *list, size_t n)
{
	struct candidate *c;

	for (c = list; c < list + n; c++)
		if (c->why == NULL && c->limit > 0 && (c->sessions > 0 ?
		    c->sessions : 0) + c->pending - c->own >= c->limit)
			c->why = "it has as many sessions as "
			    "broker-host-limits allows";
}

void
balance_score(struct candidate *list, size_t n, enum load_balancing balancing)
{
	bool by_load = balancing == BALANCE_LOAD && any_load_known(list, n);
	struct candidate *c;
	double divisor;

	for (c = list; c < list + n; c++) {
		if (by_load && !c->load_known && c->why == NULL)
			c->why = "its load is not known";
		divisor = by_load ? (double)c->load_factor : c->weight;
		/* the sessions include the new one */
		c->score = ((double)(c->sessions > 0 ? c->sessions : 0) +
		    (double)(c->pending > 0 ? c->pending : 0) + 1) /
		    (divisor > 1 ? divisor : 1);
	}
}

/* The n-th of equal candidates replaces the one chosen before with probability
 * 1/n, which gives all of them the same chance. */
int
balance_best(const struct candidate *list, size_t n)
{
	unsigned int equals = 0;
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (list[i].why != NULL ||
		    (best != -1 && list[i].score > list[best].score))
			continue;
		if (best == -1 || list[i].score < list[best].score)
			equals = 0;
		if (arc4random_uniform(++equals) == 0)
			best = (int)i;
	}
	return best;
}

/* The candidate of that name, or NULL. */
static struct candidate *
find_candidate(const struct choice *choice, const char *name)
{
	const struct host *host = hostlist_match(choice->hosts, choice->n,
	    name);

	return host != NULL ? &choice->candidates[host - choice->hosts] : NULL;
}

static void
set_weight(void *arg, const char *name, int weight)
{
	struct candidate *candidate = find_candidate(arg, name);

	if (candidate != NULL)
		candidate->weight = weight;
}

static void
set_limit(void *arg, const char *name, int limit)
{
	struct candidate *candidate = find_candidate(arg, name);
	struct choice *choice = arg;

	if (candidate == NULL)
		return;
	candidate->limit = limit;
	choice->limited = true;
}

/* Call set for each number of that key of the profile. */
static void
set_numbers(struct choice *choice, const char *key, hostnumbers_item *set)
{
	const char *text = x2gobroker_profile_value(choice->profile, key);

	if (text != NULL)
		hostnumbers_parse(key, text, set, choice, NULL);
}

/* By the report of the server itself, which may have a database of all servers,
 * or of the agent here. */
static long
count_sessions(const struct host *host, const struct farm_server *own)
{
	const struct agent_report *report = &own->report;
	const struct agent_tally *count;

	if (own->target.source->per_server && report->count >= 0)
		return report->count;
	count = agent_find_count(report, host);
	return count != NULL ? count->number : -1;
}

static void
set_candidate(struct choice *choice, size_t i)
{
	struct candidate *candidate = &choice->candidates[i];
	const struct host *host = &choice->hosts[i];
	struct farm_server *server = farm_find(choice->farm, &choice->how,
	    host);
	const struct x2gobroker_notice *notice =
	    maintenance_of_server(choice->farm->maintenance, host);

	candidate->server = server;
	candidate->weight = BALANCE_USUAL_WEIGHT;
	candidate->sessions = -1;
	if (host_for_client(host) == NULL)
		candidate->why = "X2Go clients cannot connect to an IPv6 "
		    "address";
	else if (!choice->farm->is_chosen &&
	    drain_has(choice->farm->drained, host))
		candidate->why = "drained";
	else if (notice != NULL)
		candidate->why = notice->text;
	else if (server != NULL && !server->shown.asked)
		candidate->why = "not asked";
	else if (server != NULL && !server->shown.answered)
		candidate->why = farm_why(server)->text;
	if (server == NULL || candidate->why != NULL)
		return;
	/* the load of this host is not that of other servers */
	if (server->target.source->per_server) {
		candidate->load_known = server->report.load_known;
		candidate->load_factor = server->report.load_factor;
	}
	candidate->sessions = count_sessions(host, server);
}

static void
name_server(const struct choice *choice, size_t i,
    char text[static TARGET_TEXT_SIZE])
{
	snprintf(text, TARGET_TEXT_SIZE, "%s:%d", choice->hosts[i].name,
	    farm_port(choice->profile, &choice->hosts[i]));
}

/* Add the sessions that were assigned in the last minutes and are not there. */
static void
count_pending(struct choice *choice, struct assignments *assigned)
{
	struct candidate *candidate;
	char name[TARGET_TEXT_SIZE];
	size_t i;

	for (i = 0; i < choice->n; i++) {
		candidate = &choice->candidates[i];
		/* of many servers, only a few may be asked */
		if (candidate->server != NULL &&
		    !candidate->server->shown.asked)
			continue;
		name_server(choice, i, name);
		candidate->own = 0;
		candidate->pending = assignments_pending(assigned, name,
		    candidate->server != NULL ? &candidate->server->report :
		    NULL, choice->user, choice->profile->id,
		    &candidate->own);
	}
}

static int
choose_best(struct choice *choice)
{
	size_t i;

	balance_limit(choice->candidates, choice->n);
	balance_score(choice->candidates, choice->n, (enum load_balancing)
	    choice->farm->config->load_balancing);
	for (i = 0; choice->farm->in_order && i < choice->n; i++)
		choice->candidates[i].score = (double)i;
	return balance_best(choice->candidates, choice->n);
}

/* A server that has answered is up, and a single one is left to the client.
 * Try to connect to any other. */
static bool
is_up(const struct choice *choice, size_t i)
{
	const struct source *source = choice->how.source;
	const struct connection_target target = {
		.host = choice->hosts[i],
		.port = farm_port(choice->profile, &choice->hosts[i]),
	};

	if (choice->n == 1 || (source != NULL && source->per_server) ||
	    !profile_bool(choice->profile,
	    "broker-portscan-x2goservers",
	    choice->farm->config->default_portscan_x2goservers))
		return true;
	return recent_knock(choice->farm, &target);
}

static int
remember_choice(const struct choice *choice, struct assignments *assigned,
    int best, struct x2gobroker_error *err)
{
	char name[TARGET_TEXT_SIZE];

	name_server(choice, (size_t)best, name);
	return assignments_add(assigned, name, choice->user,
	    choice->profile->id, err);
}

/* Choose the best one, and choose again if another broker has done so
 * meanwhile.  The pauses are random, so that two do not meet again. */
static int
choose_and_remember(struct choice *choice, bool remember,
    struct reporter *rep)
{
	int64_t deadline = clock_ms() + RACE_MS;
	struct assignments *assigned;
	struct x2gobroker_error err;
	int best, result;

	result = assignments_open(choice->farm->config->state_dir, time(NULL),
	    &assigned, &err);
	if (result == -1) {
		report(rep, X2GOBROKER_WARNING, err.file, err.line,
		    "the latest assignments are not known: %s", err.text);
		return choose_best(choice);
	}
	for (;;) {
		count_pending(choice, assigned);
		best = choose_best(choice);
		result = best != -1 && remember ? remember_choice(choice,
		    assigned, best, &err) : 0;
		if (result != 1)
			break;
		error_set(&err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "other "
		    "brokers were faster for %d seconds", RACE_MS / 1000);
		if (clock_left(deadline) == 0)
			break;
		usleep(1000 * (1 + arc4random_uniform(PAUSE_MS)));
		if (assignments_read_more(assigned, &err) == -1)
			break;
	}
	if (result != 0)
		report(rep, X2GOBROKER_WARNING, err.file, err.line,
		    "this assignment is not remembered: %s", err.text);
	assignments_close(assigned);
	return best;
}

/* The best one that is up, or -1.  Without a source the choice is random. */
static int
choose_reachable(struct choice *choice, bool remember, struct reporter *rep)
{
	bool alone = (choice->n == 1 && !choice->limited) ||
	    choice->how.source == NULL;
	int best;

	for (;;) {
		best = alone ? choose_best(choice) : choose_and_remember(choice,
		    remember, rep);
		if (best == -1 || is_up(choice, (size_t)best))
			return best;
		choice->candidates[best].why = "nothing listens on its port";
	}
}

/* Kept for x2gobroker_farm_server(). */
static void
keep_scores(struct choice *choice)
{
	const struct candidate *c = choice->candidates;
	const struct candidate *end = c + choice->n;

	for (; c < end; c++)
		if (c->server != NULL) {
			c->server->shown.pending = c->pending;
			c->server->shown.usable = c->why == NULL;
			c->server->shown.unusable = c->why != NULL ? c->why :
			    "";
			c->server->shown.score = c->score;
		}
}

static bool
has_reason(const struct candidate *candidate, const char *why)
{
	return candidate->why != NULL && strcmp(candidate->why, why) == 0;
}

/* "NAME, NAME: REASON" for i and all that have the same reason, to keep the
 * line short.  Nothing if one before i has it. */
static void
put_reason(const struct choice *choice, size_t i, struct buf *buf)
{
	const struct candidate *list = choice->candidates;
	const char *why = list[i].why;
	size_t j;

	if (why == NULL)
		return;
	for (j = 0; j < i; j++)
		if (has_reason(&list[j], why))
			return;
	buf_puts(buf, buf->len > 0 ? "; " : "");
	for (; j < choice->n; j++)
		if (has_reason(&list[j], why))
			buf_printf(buf, "%s%s", j > i ? ", " : "",
			    choice->hosts[j].name);
	buf_printf(buf, ": %s", why);
}

static int
refuse_all(const struct choice *choice, struct x2gobroker_error *err)
{
	cleanup_buf struct buf buf = { 0 };
	size_t i;

	for (i = 0; i < choice->n; i++)
		put_reason(choice, i, &buf);
	if (buf.failed)
		return error_nomem(err);
	return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
	    "no server is left for a new session: %s", buf.data);
}

int
balance_choose_host(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, const struct host *hosts,
    size_t n, const char *user, bool remember, struct reporter *rep,
    size_t *chosen, struct x2gobroker_error *err)
{
	cleanup_free struct candidate *candidates = calloc(n + 1,
	    sizeof(*candidates));
	struct choice choice = { farm, profile, hosts, n, user, candidates,
	    farm_target(profile) };
	size_t i;
	int best;

	if (candidates == NULL)
		return error_nomem(err);
	if (n == 0)
		return error_set(err, X2GOBROKER_ERR_DENIED,
		    profile->file->path, profile_key_line(profile, "host"),
		    "host: all servers are blocked (x2gobrokerctl unblock "
		    "admits them again) or in maintenance");
	for (i = 0; i < n; i++)
		set_candidate(&choice, i);
	set_numbers(&choice, "broker-host-weights", set_weight);
	set_numbers(&choice, "broker-host-limits", set_limit);
	best = choose_reachable(&choice, remember, rep);
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
	const struct connection_target how = farm_target(profile);
	struct reporter nobody = { 0 };
	const struct farm_server *found;
	size_t chosen = 0, n;

	if (farm_hosts(farm, profile, &hosts, &n, err) == -1 ||
	    balance_choose_host(farm, profile, hosts, n, NULL, false, &nobody,
	    &chosen, err) == -1)
		return -1;
	if ((found = farm_find(farm, &how, &hosts[chosen])) == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "its servers are not asked (agent query mode NONE)");
	*server = (size_t)(found - farm->servers);
	return 0;
}
