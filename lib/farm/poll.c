/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "farm/farm.h"

/* Servers that share a database: how many a listing asks; how many times as
 * many are asked when all of a sample have failed; and the least time that
 * those have. */
#define LISTING_SAMPLE	3
#define MORE_SERVERS	10
#define ROUND_MS	1000

/* How many servers are asked for a new session if the session database knows
 * how many sessions each has: the best of so many times as many. */
#define CANDIDATES	2
#define DRAWN_FOR_EACH	4

/* The client has to leave, or x2gocleansessions(8) has to make its round. */
#define CHANGE_SECONDS	10

/* The server was asked although its host key is not known, as its policy
 * allows: add the key for AutoAddPolicy, and warn. */
static void
handle_new_key(struct x2gobroker_farm *farm, struct farm_server *server)
{
	char text[X2GOBROKER_TEXT_SIZE];
	struct x2gobroker_error err;
	const char *path = NULL;
	int n;

	if (server->target.policy == HOSTKEY_WARN)
		n = asprintf(&server->warning, "unknown host key %s, accepted "
		    "because of WarningPolicy", server->fingerprint);
	else if (x2gobroker_farm_trust(farm, (size_t)(server - farm->servers),
	    &path, &err) == 0)
		n = asprintf(&server->warning, "unknown host key %s, added to "
		    "%s because of AutoAddPolicy", server->fingerprint, path);
	else
		n = asprintf(&server->warning, "unknown host key %s, which "
		    "cannot be added: %s", server->fingerprint,
		    x2gobroker_error_format(&err, text, sizeof(text)));
	if (n == -1)
		server->warning = NULL;
}

void
poll_add_warning(struct farm_server *server, struct buf *text)
{
	if (text->failed || text->len == 0)
		return;
	if (server->warning != NULL)
		buf_printf(text, "; %s", server->warning);
	if (text->failed)
		return;
	free(server->warning);
	server->warning = steal(&text->data);
	text->len = text->size = 0;
}

void
poll_warn_of_sandbox(struct x2gobroker_farm *farm, struct farm_server *server,
    const struct query *query)
{
	cleanup_buf struct buf text = { 0 };

	if (query->missing[0] == '\0' || farm->warned_of_sandbox)
		return;
	farm->warned_of_sandbox = true;
	buf_printf(&text, "%s has no full sandbox: this kernel does not offer "
	    "%s", server == &farm->database ? "x2gobroker-sessiondb" :
	    "x2gobroker-poll", query->missing);
	poll_add_warning(server, &text);
}

static void
take_answer(struct x2gobroker_farm *farm, struct farm_server *server,
    struct query *query)
{
	cleanup_buf struct buf text = { 0 };

	server->shown.asked = true;
	server->shown.answered = !query->failed;
	server->sshd = query->sshd;
	server->lacks = query->lacks;
	free(server->warning);
	server->warning = NULL;
	if (query->failed)
		farm_set_why(server, &query->error);
	server->shown.milliseconds = query->ms;
	agent_report_free(&server->report);
	server->report = query->report;
	agent_report_init(&query->report);
	free(server->new_key);
	server->new_key = steal(&query->new_key);
	strlcpy(server->fingerprint, query->fingerprint,
	    sizeof(server->fingerprint));
	if (server->new_key != NULL && server->shown.answered)
		handle_new_key(farm, server);
	if (query->unnamed) {
		buf_printf(&text, "its agent cannot be given the user name "
		    "\"%.200s\", so no session is found there", farm->user);
		poll_add_warning(server, &text);
	}
	poll_warn_of_sandbox(farm, server, query);
}

struct poll {
	struct x2gobroker_farm *farm;
	x2gobroker_farm_progress *progress;	/* or NULL */
	void *arg;
	struct query *queries;		/* one for each server */
	const struct query *companion;	/* or NULL */
	size_t n, done;			/* queries */
	int64_t deadline;
};

static void
query_done(void *arg, struct query *query)
{
	struct poll *poll = arg;
	struct x2gobroker_farm *farm = poll->farm;
	size_t i;

	if (query == poll->companion)
		return;
	i = (size_t)(query - poll->queries);
	poll->done++;
	take_answer(farm, &farm->servers[i], query);
	farm->servers[i].hangs = query->failed &&
	    clock_left(poll->deadline) == 0;
	if (poll->progress != NULL)
		poll->progress(poll->arg, poll->done, poll->n,
		    x2gobroker_farm_server(farm, i));
}

/* Ask the servers that are pending.  The companion comes first, so that it is
 * begun even if all servers hang. */
static int
run_queries(struct poll *poll, const struct question *question,
    struct query *companion, struct x2gobroker_error *err)
{
	struct x2gobroker_farm *farm = poll->farm;
	struct query **list;
	size_t i, n = 0;

	poll->companion = companion;
	poll->queries = calloc(farm->nservers + 1, sizeof(*poll->queries));
	list = calloc(farm->nservers + 1, sizeof(struct query *));
	if (poll->queries == NULL || list == NULL) {
		free(poll->queries);
		free(list);
		return error_nomem(err);
	}
	if (companion != NULL)
		list[n++] = companion;
	if (!farm->patient)
		recent_find_lacks(farm);
	for (i = 0; i < farm->nservers; i++) {
		if (!farm->servers[i].pending)
			continue;
		query_init(&poll->queries[i], question,
		    &farm->servers[i].target, farm->user);
		poll->queries[i].lacks = farm->servers[i].lacks;
		list[n++] = &poll->queries[i];
		farm->servers[i].pending = false;
	}
	poll->n = n - (companion != NULL);
	query_run(farm->config, list, n, poll->deadline, query_done, poll,
	    farm_conversation(farm));
	for (i = companion != NULL; i < n; i++)
		query_free(list[i]);
	free(poll->queries);
	free(list);
	recent_note(farm);
	return 0;
}

int64_t
poll_deadline(const struct x2gobroker_farm *farm, int seconds)
{
	int64_t deadline = clock_ms() + (int64_t)seconds * 1000;

	return deadline < farm->deadline ? deadline : farm->deadline;
}

static int
compare_sessions(const void *a, const void *b, void *latest)
{
	const struct farm_session *one = a, *other = b;

	return session_compare(one->session, other->session, latest);
}

static const struct farm_session *
find_session(const struct x2gobroker_farm *farm, const char *id)
{
	size_t i;

	for (i = 0; i < farm->nsessions; i++)
		if (strcmp(session_id(farm->sessions[i].session), id) == 0)
			return &farm->sessions[i];
	return NULL;
}

/* May the server report this session on another host?  That host itself, if it
 * was asked and has answered, has not.  In a list of all users, each server
 * speaks for itself. */
static bool
is_credible(const struct x2gobroker_farm *farm, struct farm_server *server,
    const struct session *session)
{
	const struct farm_server *host;

	if (farm->everyone && !server->target.source->per_server)
		return true;
	host = farm_find_speaker(farm, session_host(session));
	if (host != NULL && host->shown.answered) {
		if (server->ndenied++ == 0)
			server->denied = session;
		return false;
	}
	if (host == NULL && server->target.source->per_server &&
	    session->state != SESSION_FINISHED && server->nunknown_host++ == 0)
		server->unknown_host = session;
	return !farm->everyone;
}

/* Each session is listed once.  Of all users, only what can be ended is: the id
 * does not count there, as a server may repeat one that another has. */
static bool
is_left_out(const struct x2gobroker_farm *farm, const struct session *session)
{
	if (farm->everyone)
		return session->state == SESSION_FINISHED ||
		    session_is_shadow(session);
	return find_session(farm, session_id(session)) != NULL;
}

/* Add the sessions of server i that are not in the list yet: those that run on
 * it, or those that it knows of elsewhere. */
static void
add_sessions(struct x2gobroker_farm *farm, size_t i, bool own)
{
	struct farm_server *server = i == FARM_DATABASE ? &farm->database :
	    &farm->servers[i];
	const struct session *session;
	size_t j;

	for (j = 0; j < server->report.nsessions; j++) {
		session = &server->report.sessions[j];
		if (own == farm_speaks_for(farm, server,
		    session_host(session)) && !is_left_out(farm, session) &&
		    (own || is_credible(farm, server, session)))
			farm->sessions[farm->nsessions++] =
			    (struct farm_session){ session, i, .at = i };
	}
}

void
poll_put_host_line(struct buf *buf, const struct farm_server *server,
    const char *name)
{
	const struct host *host = &server->target.host;

	buf_printf(buf, "if it is this server, write: host = %s (%s", name,
	    host->address[0] != '\0' ? host->address : host->name);
	if (host->port != 0)
		buf_printf(buf, ":%d", host->port);
	buf_puts(buf, ")");
}

static void
warn_of_sessions(struct farm_server *server)
{
	cleanup_buf struct buf text = { 0 };

	if (server->nunknown_host > 0) {
		buf_printf(&text, "has session %s on \"%s\" (%zu such "
		    "sessions), but no server that was asked has this name; ",
		    session_id(server->unknown_host),
		    session_host(server->unknown_host), server->nunknown_host);
		poll_put_host_line(&text, server,
		    session_host(server->unknown_host));
	}
	if (server->ndenied > 0)
		buf_printf(&text, "%sreports session %s on %s, which does not "
		    "have it (%zu such sessions): ignored",
		    text.len > 0 ? "; " : "", session_id(server->denied),
		    session_host(server->denied), server->ndenied);
	poll_add_warning(server, &text);
}

/* Servers that share a database each report all sessions, so the report of the
 * server that a session runs on comes first. */
static int
collect_sessions(struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	struct farm_session *sessions;
	char latest[SESSION_TIME_SIZE];
	size_t i, n = farm->database.report.nsessions;

	for (i = 0; i < farm->nservers; i++)
		n += farm->servers[i].report.nsessions;
	farm->nsessions = 0;
	if ((sessions = calloc(n + 1, sizeof(*sessions))) == NULL)
		return error_nomem(err);
	free(farm->sessions);
	farm->sessions = sessions;
	for (i = 0; i < farm->nservers; i++)
		add_sessions(farm, i, true);
	for (i = 0; i < farm->nservers; i++) {
		farm->servers[i].nunknown_host = farm->servers[i].ndenied = 0;
		add_sessions(farm, i, false);
	}
	farm->database.ndenied = 0;
	add_sessions(farm, FARM_DATABASE, false);
	session_latest(time(NULL), latest);
	qsort_r(farm->sessions, farm->nsessions, sizeof(*farm->sessions),
	    compare_sessions, latest);
	return 0;
}

/* How many servers answer for all of them. */
static size_t
sample_size(const struct x2gobroker_farm *farm)
{
	const struct x2gobroker_config *config = farm->config;

	if (farm->patient)
		return farm->nservers;
	if (farm->database.shown.answered)
		return CANDIDATES;
	if (config->servers_to_ask > 0)
		return (size_t)config->servers_to_ask;
	return config->servers_share_database &&
	    farm->question == &query_sessions ? LISTING_SAMPLE :
	    farm->nservers;
}

static void
begin_poll(struct x2gobroker_farm *farm, const struct question *question,
    int seconds)
{
	struct farm_server *server = farm->servers;
	const struct farm_server *end = server + farm->nservers;

	farm->question = question;
	farm->answer_by = poll_deadline(farm, seconds);
	farm->sample = sample_size(farm);
	for (; server < end; server++) {
		server->away = server->shown.answered = false;
		/* a sample is one of servers; the agent here is always asked */
		server->pending = server->shown.asked =
		    !server->target.source->per_server;
	}
}

static bool
can_be_drawn(const struct x2gobroker_farm *farm,
    const struct farm_server *server, bool drained)
{
	return !server->shown.asked &&
	    drain_has(farm->drained, &server->target.host) == drained;
}

static void
take(struct farm_server *server)
{
	server->pending = true;
	server->shown.asked = true;
	server->drawable = false;
}

/* Draw up to n servers at random; each has the same chance. */
static size_t
draw(struct x2gobroker_farm *farm, size_t n, bool drained)
{
	struct farm_server *server, *end = farm->servers + farm->nservers;
	size_t left = 0, drawn, at;

	for (server = farm->servers; server < end; server++) {
		server->drawable = can_be_drawn(farm, server, drained);
		left += server->drawable;
	}
	if (n >= left) {
		for (server = farm->servers; server < end; server++)
			if (server->drawable)
				take(server);
		return left;
	}
	/* a random number takes a system call, so not one for each server */
	for (drawn = 0; drawn < n; drawn++) {
		at = arc4random_uniform((uint32_t)(left - drawn));
		server = farm->servers;
		while (!server->drawable || at-- > 0)
			server++;
		take(server);
	}
	return n;
}

/* Draw the next sample: drained servers last, as they get no new session, and
 * those that hung a moment ago only if there are no others. */
static size_t
draw_sample(struct x2gobroker_farm *farm)
{
	bool rated = farm->database.shown.answered && !farm->listed;
	size_t i, n, drawn = 0, wanted = farm->sample * (rated ?
	    DRAWN_FOR_EACH : 1);
	int drained;

	for (drained = 0; drained <= 1 && drawn < farm->sample; drained++)
		while (drawn < wanted && (n = draw(farm, wanted - drawn,
		    drained)) > 0)
			drawn += farm->patient ? n :
			    n - recent_find_hung(farm);
	if (rated && drawn > farm->sample)
		drawn = database_keep_best(farm, farm->sample);
	for (i = 0, n = drawn; i < farm->nservers && n == 0; i++)
		if (farm->servers[i].away) {
			farm->servers[i].away = false;
			farm->servers[i].pending = true;
			drawn++;
		}
	farm->sample *= MORE_SERVERS;
	return drawn;
}

/* Is a session on a server that was left out, as another one reports? */
static bool
find_needed(struct x2gobroker_farm *farm)
{
	struct farm_server *server;
	bool found = false;
	size_t i, j;

	for (i = 0; i < farm->nservers; i++) {
		server = &farm->servers[i];
		for (j = 0; j < farm->nsessions && (server->away ||
		    !server->shown.asked); j++)
			if (farm->sessions[j].session->state !=
			    SESSION_FINISHED && farm_speaks_for(farm, server,
			    session_host(farm->sessions[j].session))) {
				server->away = false;
				server->shown.asked = true;
				found = server->pending = true;
			}
	}
	return found;
}

static bool
any_unasked(const struct x2gobroker_farm *farm)
{
	size_t i;

	for (i = 0; i < farm->nservers; i++)
		if (!farm->servers[i].shown.asked)
			return true;
	return false;
}

static bool
any_answered(const struct x2gobroker_farm *farm)
{
	size_t i;

	for (i = 0; i < farm->nservers; i++)
		if (farm->servers[i].shown.answered)
			return true;
	return false;
}

/* While there are others, a sample has half of the time that is left. */
static int64_t
round_deadline(const struct x2gobroker_farm *farm)
{
	int ms = clock_left(farm->answer_by) / (any_unasked(farm) ? 2 : 1);
	int64_t deadline = clock_ms() + (ms > ROUND_MS ? ms : ROUND_MS);

	return deadline < farm->deadline ? deadline : farm->deadline;
}

static int
ask_and_collect(struct poll *poll, int64_t deadline, struct query *companion,
    struct x2gobroker_error *err)
{
	poll->deadline = deadline;
	if (run_queries(poll, poll->farm->question, companion, err) == -1)
		return -1;
	return collect_sessions(poll->farm, err);
}

/* The servers of the sessions that the database has are asked first. */
static int
find_by_database(struct x2gobroker_farm *farm, bool *needed,
    struct x2gobroker_error *err)
{
	if (collect_sessions(farm, err) == -1)
		return -1;
	*needed = find_needed(farm);
	*needed |= database_find_hosts(farm);
	return 0;
}

int
poll_servers(struct x2gobroker_farm *farm, const struct question *question,
    int seconds, x2gobroker_farm_progress *progress, void *arg,
    struct query *companion, struct x2gobroker_error *err)
{
	struct poll poll = { .farm = farm, .progress = progress, .arg = arg };
	bool needed = false;
	size_t i;
	int result;

	if (farm->nservers > 0 && userlimit_take(farm->config, farm->user,
	    &farm->place, err) == -1)
		return -1;
	if (question == &query_all)
		database_ask(farm, question);
	begin_poll(farm, question, seconds);
	if (farm->database.shown.answered && find_by_database(farm, &needed,
	    err) == -1)
		return -1;
	do {
		if (!needed)
			draw_sample(farm);
		result = ask_and_collect(&poll, needed ? farm->answer_by :
		    round_deadline(farm), companion, err);
		needed = false;
		companion = NULL;
	} while (result == 0 && !any_answered(farm) && any_unasked(farm));
	if (result == 0 && find_needed(farm))
		result = ask_and_collect(&poll, poll_deadline(farm, seconds),
		    NULL, err);
	if (result == -1)
		return -1;
	for (i = 0; i < farm->nservers; i++)
		warn_of_sessions(&farm->servers[i]);
	warn_of_sessions(&farm->database);
	recent_note_names(farm);
	return 0;
}

int
poll_database(struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	if (*farm->config->session_database == '\0')
		return 0;
	if (userlimit_take(farm->config, farm->user, &farm->place, err) == -1)
		return -1;
	farm->listed = database_ask(farm, &query_sessions);
	return farm->listed ? collect_sessions(farm, err) : 0;
}

int
poll_more(struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	struct poll poll = { .farm = farm };

	if (clock_left(farm->deadline) == 0 || draw_sample(farm) == 0)
		return 0;
	return ask_and_collect(&poll, round_deadline(farm), NULL, err) == -1 ?
	    -1 : 1;
}

int
poll_target(struct x2gobroker_farm *farm,
    const struct connection_target *target, const struct question *question,
    const char *session, int seconds, struct x2gobroker_error *err)
{
	struct query query, *queries[] = { &query };

	farm_init_query(farm, &query, question, target);
	query.args[0] = session;
	query_run(farm->config, queries, 1, poll_deadline(farm, seconds), NULL,
	    NULL, farm_conversation(farm));
	farm_note_query(farm, &query);
	if (query.failed && err != NULL)
		*err = query.error;
	query_free(&query);
	return query.failed ? -1 : 0;
}

int
x2gobroker_farm_ask(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err)
{
	farm->patient = true;
	return poll_servers(farm, &query_all, farm->config->agent_timeout,
	    progress, arg, NULL, err);
}

/* Find the servers of the sessions that the database has. */
static void
place_sessions(struct x2gobroker_farm *farm)
{
	struct farm_session *session = farm->sessions;
	const struct farm_session *end = session + farm->nsessions;
	const struct farm_server *server;

	for (; session < end; session++) {
		server = farm_find_speaker(farm,
		    session_host(session->session));
		session->at = server != NULL ?
		    (size_t)(server - farm->servers) : X2GOBROKER_NO_SERVER;
	}
}

static void
warn_of_skipped(struct farm_server *server)
{
	cleanup_buf struct buf text = { 0 };

	if (server->report.skipped == 0)
		return;
	buf_printf(&text, "%u invalid sessions ignored, the first because: %s",
	    server->report.skipped, server->report.skipped_why);
	poll_add_warning(server, &text);
}

int
x2gobroker_farm_list(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err)
{
	size_t i;

	farm->everyone = farm->user == NULL;
	if (database_ask(farm, &query_list)) {
		if (collect_sessions(farm, err) == -1)
			return -1;
		place_sessions(farm);
	} else {
		farm->patient = true;
		if (poll_servers(farm, &query_list,
		    farm->config->agent_timeout, progress, arg, NULL, err) ==
		    -1)
			return -1;
	}
	for (i = 0; i < farm->nservers && farm->everyone; i++)
		warn_of_skipped(&farm->servers[i]);
	warn_of_skipped(&farm->database);
	return 0;
}

int
x2gobroker_farm_get_host_keys(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err)
{
	farm->patient = true;
	return poll_servers(farm, &query_host_key, farm->config->agent_timeout,
	    NULL, NULL, NULL, err);
}

int
x2gobroker_farm_check_stores(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err)
{
	return poll_servers(farm, &query_check_store,
	    farm->config->agent_timeout, NULL, NULL, NULL, err);
}

int
poll_change_seconds(const struct x2gobroker_farm *farm)
{
	int seconds = farm->config->agent_timeout;

	return seconds > CHANGE_SECONDS ? seconds : CHANGE_SECONDS;
}

static int
change_session(struct x2gobroker_farm *farm, const char *id,
    const struct question *question, struct x2gobroker_error *err)
{
	const struct farm_session *session = find_session(farm, id);

	if (session == NULL || session->server == FARM_DATABASE)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no session %.*s", SESSION_ID_MAX, id);
	return poll_target(farm, &farm->servers[session->server].target,
	    question, id, poll_change_seconds(farm), err);
}

int
x2gobroker_farm_suspend(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err)
{
	return change_session(farm, id, &query_suspend, err);
}

int
poll_hand_over(struct x2gobroker_farm *farm, const char *session,
    struct x2gobroker_error *err)
{
	return change_session(farm, session, &query_hand_over, err);
}

int
x2gobroker_farm_terminate(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err)
{
	return change_session(farm, id, &query_terminate, err);
}
