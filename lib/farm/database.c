/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X2Go's session database, which knows the sessions of all servers.  What it
 * says is a hint: where a client is to be sent, the server itself is asked.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "farm/farm.h"

void
database_init(struct x2gobroker_farm *farm)
{
	struct farm_server *database = &farm->database;

	agent_report_init(&database->report);
	database->target.source = &source_database;
	/* for recent.c */
	strlcpy(database->target.host.name, "session-database",
	    sizeof(database->target.host.name));
}

/* Is it worth asking?  A request of an administrator asks the servers. */
static bool
can_be_asked(struct x2gobroker_farm *farm)
{
	struct farm_server *database = &farm->database;

	if (farm->patient || *farm->config->session_database == '\0' ||
	    database->shown.asked)
		return false;
	database->shown.asked = true;
	return !recent_is_away(farm, database);
}

static void
take_answer(struct x2gobroker_farm *farm, struct query *query, int ms)
{
	struct farm_server *database = &farm->database;

	database->shown.answered = !query->failed;
	database->shown.milliseconds = query->ms;
	if (query->failed)
		farm_set_why(database, &query->error);
	/* it tries until its time is nearly up */
	database->hangs = query->failed && query->ms > ms / 2;
	agent_report_free(&database->report);
	database->report = query->report;
	agent_report_init(&query->report);
	poll_warn_of_sandbox(farm, database, query);
}

static void
ask(struct x2gobroker_farm *farm, const struct question *question,
    const char *user)
{
	struct farm_server *database = &farm->database;
	int seconds = farm->config->session_database_timeout;
	int64_t started = clock_ms();
	struct query query;
	char age[16];

	database->shown.asked = true;
	snprintf(age, sizeof(age), "%d", ASSIGNMENT_SECONDS);
	query_init(&query, question, &database->target, user);
	query.args[0] = age;
	query_run_database(farm->config, &query, poll_deadline(farm, seconds));
	query.ms = (int)(clock_ms() - started);
	take_answer(farm, &query, seconds * 1000);
	query_free(&query);
}

bool
database_ask(struct x2gobroker_farm *farm, const struct question *question)
{
	if (can_be_asked(farm)) {
		ask(farm, question, farm->user);
		recent_note_database(farm);
	}
	return farm->database.shown.answered;
}

static int
get_error(const struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	if (err != NULL)
		*err = *farm_why(&farm->database);
	return -1;
}

static long
find_fact(const struct agent_report *report, const char *name)
{
	size_t i;

	for (i = 0; i < report->nfacts; i++)
		if (strcmp(report->facts[i].name, name) == 0)
			return report->facts[i].number;
	return -1;
}

int
x2gobroker_farm_examine_database(struct x2gobroker_farm *farm,
    const struct x2gobroker_database **out, struct x2gobroker_error *err)
{
	const struct agent_report *report = &farm->database.report;
	struct x2gobroker_database *found = &farm->examined;
	size_t i;

	/* "-", which is not the name of an account, has no sessions */
	ask(farm, &query_examine, "-");
	*out = found;
	*found = (struct x2gobroker_database){ .connected = false };
	if (report->nfacts > 0) {
		found->connected = true;
		found->milliseconds = farm->database.shown.milliseconds;
		found->can_write = find_fact(report, "can-write") != 0;
		found->can_read_cookies = find_fact(report,
		    "can-read-cookies") != 0;
		found->has_own_time_zone = find_fact(report,
		    "has-own-time-zone") != 0;
		found->limit = find_fact(report, "limit");
		found->max_connections = find_fact(report, "max-connections");
		found->in_future = find_fact(report, "in-future");
		found->nhosts = report->ncounts;
	}
	for (i = 0; i < report->ncounts; i++)
		found->sessions += report->counts[i].number;
	return farm->database.shown.answered ? 0 : get_error(farm, err);
}

const char *
x2gobroker_farm_database_host(const struct x2gobroker_farm *farm, size_t i,
    long *sessions)
{
	const struct agent_report *report = &farm->database.report;

	if (i >= report->ncounts)
		return NULL;
	*sessions = report->counts[i].number;
	return report->counts[i].name;
}

bool
database_find_hosts(struct x2gobroker_farm *farm)
{
	struct farm_server *server;
	bool unknown = false, found = false;
	size_t i;

	for (i = 0; i < farm->nsessions && !unknown; i++)
		unknown = farm->sessions[i].session->state !=
		    SESSION_FINISHED && farm_find_speaker(farm,
		    session_host(farm->sessions[i].session)) == NULL;
	for (i = 0; i < farm->nservers && unknown; i++) {
		server = &farm->servers[i];
		if (!server->shown.asked &&
		    agent_find_count(&farm->database.report,
		    &server->target.host) == NULL)
			found = server->pending = server->shown.asked = true;
	}
	return found;
}

int
x2gobroker_farm_count(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err)
{
	const struct agent_tally *count;
	size_t i;

	if (*farm->config->session_database == '\0')
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "there is no session-database");
	if (!database_ask(farm, &query_all))
		return get_error(farm, err);
	for (i = 0; i < farm->nservers; i++) {
		count = agent_find_count(&farm->database.report,
		    &farm->servers[i].target.host);
		farm->servers[i].report.count = count != NULL ?
		    count->number : 0;
	}
	return 0;
}

/*
 * The best of a random sample
 */

struct sample {
	const struct x2gobroker_farm *farm;
	struct candidate *candidates;
	size_t n;
};

static void
set_weight(void *arg, const char *name, int weight)
{
	const struct sample *sample = arg;
	struct candidate *candidate = sample->candidates;
	const struct candidate *end = candidate + sample->n;

	for (; candidate < end; candidate++)
		if (hostlist_match(&candidate->server->target.host, 1,
		    name) != NULL)
			candidate->weight = weight;
}

/* Of the starts that the database reports, those on the host; borrowed. */
static void
find_starts(const struct agent_report *all, const struct host *host,
    struct agent_report *found)
{
	size_t i;

	found->nstarts = 0;
	for (i = 0; i < all->nstarts; i++)
		if (all->starts[i].host != NULL &&
		    hostlist_match(host, 1, all->starts[i].host) != NULL)
			found->starts[found->nstarts++] = all->starts[i];
}

/* Add the sessions that were assigned in the last minutes and are not there.
 * If they are not known, the choice is worse, which is reported later. */
static void
count_pending(struct sample *sample)
{
	const struct agent_report *all = &sample->farm->database.report;
	cleanup_free struct agent_tally *starts = calloc(all->nstarts + 1,
	    sizeof(*starts));
	struct agent_report found = { .starts = starts };
	const struct connection_target *target;
	struct assignments *assigned;
	char name[TARGET_TEXT_SIZE];
	size_t i;

	if (starts == NULL || assignments_open(
	    sample->farm->config->state_dir, time(NULL), &assigned, NULL) ==
	    -1)
		return;
	for (i = 0; i < sample->n; i++) {
		target = &sample->candidates[i].server->target;
		connection_target_name(target, name);
		find_starts(all, &target->host, &found);
		sample->candidates[i].pending = assignments_pending(assigned,
		    name, &found, NULL, "", &sample->candidates[i].own);
	}
	assignments_close(assigned);
}

static void
rate(struct sample *sample)
{
	const struct x2gobroker_farm *farm = sample->farm;
	const struct agent_tally *count;
	struct candidate *candidate;
	size_t i;

	for (i = 0; i < sample->n; i++) {
		candidate = &sample->candidates[i];
		candidate->weight = BALANCE_USUAL_WEIGHT;
		count = agent_find_count(&farm->database.report,
		    &candidate->server->target.host);
		candidate->sessions = count != NULL ? count->number : 0;
	}
	if (farm->weights != NULL)
		hostnumbers_parse("broker-host-weights", farm->weights,
		    set_weight, sample, NULL);
	count_pending(sample);
	balance_score(sample->candidates, sample->n, BALANCE_SESSIONS);
}

size_t
database_keep_best(struct x2gobroker_farm *farm, size_t max)
{
	cleanup_free struct candidate *candidates = calloc(farm->nservers + 1,
	    sizeof(*candidates));
	struct sample sample = { farm, candidates, 0 };
	struct farm_server *server = farm->servers;
	const struct farm_server *end = server + farm->nservers;
	size_t kept;
	int best;

	/* without memory, all of them are asked */
	if (candidates == NULL)
		return max;
	for (; server < end; server++)
		if (server->pending)
			candidates[sample.n++].server = server;
	rate(&sample);
	for (kept = 0; kept < max && (best = balance_best(candidates,
	    sample.n)) != -1; kept++)
		candidates[best].why = "kept";
	for (; sample.n > 0; sample.n--) {
		server = candidates[sample.n - 1].server;
		server->pending = server->shown.asked =
		    candidates[sample.n - 1].why != NULL;
	}
	return kept;
}
