/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>

#include "base/address.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "farm/farm.h"
#include "base/parse.h"

int
x2gobroker_farm_new(const struct x2gobroker_config *config, const char *user,
    struct x2gobroker_farm **out, struct x2gobroker_error *err)
{
	struct x2gobroker_farm *farm;

	*out = NULL;
	if ((farm = calloc(1, sizeof(*farm))) == NULL)
		return error_nomem(err);
	farm->config = config;
	farm->place = -1;
	database_init(farm);
	farm->deadline = clock_ms() + (int64_t)config->request_timeout * 1000;
	if (user != NULL && (farm->user = strdup(user)) == NULL) {
		x2gobroker_farm_free(farm);
		return error_nomem(err);
	}
	/* if the drain file is unreadable, ignore it: an extra session on a
	 * drained server is better than no logins at all */
	if (*config->drain_file != '\0')
		x2gobroker_drained_load(config, &farm->drained,
		    &farm->drained_error);
	x2gobroker_maintenance_load(config, &farm->maintenance,
	    &farm->maintenance_error);
	*out = farm;
	return 0;
}

void
x2gobroker_farm_free(struct x2gobroker_farm *farm)
{
	size_t i;

	if (farm == NULL)
		return;
	for (i = 0; i < farm->nservers; i++) {
		agent_report_free(&farm->servers[i].report);
		free(farm->servers[i].error);
		free(farm->servers[i].warning);
		free(farm->servers[i].new_key);
	}
	agent_report_free(&farm->database.report);
	free(farm->database.error);
	free(farm->database.warning);
	free(farm->servers);
	free(farm->places);
	free(farm->sessions);
	x2gobroker_drained_free(farm->drained);
	x2gobroker_maintenance_free(farm->maintenance);
	free(farm->user);
	free(farm->known_hosts);
	cleanup_closep(&farm->place);
	conversation_end(farm->conversation);
	free(farm);
}

/* For the client, "localhost" would be its own host; so replace it by the name
 * of this host, if that can be resolved. */
static void
name_this_host(struct host *host)
{
	bool named = strcmp(host->name, "localhost") == 0;
	bool there = strcmp(host->address, "localhost") == 0;
	char own[HOST_TEXT_MAX + 1] = "";

	if ((!named && !there) || gethostname(own, HOST_TEXT_MAX) == -1)
		return;
	if (named && host->address[0] == '\0' && !address_resolves(own))
		memcpy(host->address, "localhost", sizeof("localhost"));
	if (there && address_resolves(own))
		memcpy(host->address, own, sizeof(own));
	if (named)
		memcpy(host->name, own, sizeof(own));
}

/* Whether nothing is asked, started or resumed there. */
static bool
is_closed(const struct x2gobroker_farm *farm, const struct host *host)
{
	const struct x2gobroker_notice *notice =
	    maintenance_of_server(farm->maintenance, host);

	return drain_blocks(farm->drained, host) ||
	    (notice != NULL && !notice->resume);
}

/* Whether requests may be sent there. */
static bool
is_in_use(const struct x2gobroker_farm *farm, const struct host *host)
{
	return farm == NULL || farm->has_closed || !is_closed(farm, host);
}

int
farm_hosts(const struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct host **hosts, size_t *n,
    struct x2gobroker_error *err)
{
	const char *value = x2gobroker_profile_value(profile, "host");
	size_t i, all;

	if (hostlist_parse(value != NULL ? value : "", hosts, &all, err) == -1)
		return -1;
	for (i = 0, *n = 0; i < all; i++) {
		name_this_host(&(*hosts)[i]);
		if (is_in_use(farm, &(*hosts)[i]))
			(*hosts)[(*n)++] = (*hosts)[i];
	}
	return 0;
}

bool
x2gobroker_profile_has_server(const struct x2gobroker_profile *profile,
    const char *name)
{
	const char *text = x2gobroker_profile_value(profile, "host");
	struct host host;

	while (hostlist_next(&text, &host, NULL) == 1) {
		name_this_host(&host);
		if (hostlist_match(&host, 1, name) != NULL)
			return true;
	}
	return false;
}

int
farm_port(const struct x2gobroker_profile *profile, const struct host *host)
{
	const char *sshport = x2gobroker_profile_value(profile, "sshport");

	return host_port(host, sshport);
}

static bool
is_same_target(const struct connection_target *a,
    const struct connection_target *b)
{
	if (a->source != b->source)
		return false;
	return !a->source->per_server || (a->port == b->port &&
	    strcasecmp(a->host.name, b->host.name) == 0 &&
	    strcasecmp(a->host.address, b->host.address) == 0);
}

/* FNV-1a. */
static uint32_t
hash_text(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)parse_upper(*text)) * 16777619U;
	return hash;
}

/* The place in the table of the server with that target, or of none. */
static size_t *
find_place(const struct x2gobroker_farm *farm,
    const struct connection_target *target)
{
	size_t i = hash_text(hash_text(2166136261U, target->host.name),
	    target->host.address) + (size_t)target->port;

	for (;; i++) {
		i &= farm->nplaces - 1;
		if (farm->places[i] == 0 || is_same_target(&farm->servers[
		    farm->places[i] - 1].target, target))
			return &farm->places[i];
	}
}

static struct farm_server *
find_target(const struct x2gobroker_farm *farm,
    const struct connection_target *target)
{
	size_t place = farm->nservers > 0 ? *find_place(farm, target) : 0;

	return place > 0 ? &farm->servers[place - 1] : NULL;
}

static void
fill_places(struct x2gobroker_farm *farm)
{
	size_t i;

	for (i = 0; i < farm->nplaces; i++)
		farm->places[i] = 0;
	for (i = 0; i < farm->nservers; i++)
		*find_place(farm, &farm->servers[i].target) = i + 1;
}

/* Make room for one more server; at most half of the places are taken. */
static bool
grow_places(struct x2gobroker_farm *farm)
{
	size_t n = farm->nplaces > 0 ? 2 * farm->nplaces : 16, *places;

	if (2 * (farm->nservers + 1) <= farm->nplaces)
		return true;
	if ((places = calloc(n, sizeof(*places))) == NULL)
		return false;
	free(farm->places);
	farm->places = places;
	farm->nplaces = n;
	fill_places(farm);
	return true;
}

struct conversation **
farm_conversation(struct x2gobroker_farm *farm)
{
	return farm->acts ? &farm->conversation : NULL;
}

void
farm_init_query(const struct x2gobroker_farm *farm, struct query *query,
    const struct question *question, const struct connection_target *target)
{
	const struct farm_server *server = find_target(farm, target);

	query_init(query, question, target, farm->user);
	if (server != NULL)
		query->lacks = server->lacks;
}

void
farm_note_query(struct x2gobroker_farm *farm, const struct query *query)
{
	struct farm_server *server = find_target(farm, &query->target);

	if (server == NULL || server->lacks == query->lacks)
		return;
	server->lacks = query->lacks;
	recent_note(farm);
}

/* If two profiles share a server, the stricter policy applies. */
static int
add_target(struct x2gobroker_farm *farm, const struct connection_target *target,
    struct x2gobroker_error *err)
{
	struct farm_server *more = find_target(farm, target);

	if (more != NULL) {
		if (target->policy == HOSTKEY_REJECT)
			more->target.policy = HOSTKEY_REJECT;
		return 0;
	}
	more = array_grow(farm->servers, farm->nservers, sizeof(*more));
	if (more == NULL)
		return error_nomem(err);
	farm->servers = more;
	if (!grow_places(farm))
		return error_nomem(err);
	more += farm->nservers++;
	memset(more, 0, sizeof(*more));
	more->target = *target;
	agent_report_init(&more->report);
	*find_place(farm, target) = farm->nservers;
	return 0;
}

/* A shared desktop has no sessions to resume, and is on the first server. */
const struct source *
farm_source(const struct x2gobroker_profile *profile)
{
	return profile_is_shadow(profile) ? NULL :
	    source_find(profile_query_mode(profile));
}

struct connection_target
farm_target(const struct x2gobroker_profile *profile)
{
	static const struct host any = { .port = 0 };
	const struct source *source = farm_source(profile);

	return (struct connection_target){
		.source = source,
		.policy = profile_hostkey_policy(profile),
		.port = source != NULL && source->per_server ?
		    farm_port(profile, &any) : 0,
	};
}

static struct connection_target
make_target(const struct connection_target *how, const struct host *host)
{
	struct connection_target target = *how;

	if (how->source->per_server) {
		target.host = *host;
		if (host->port != 0)
			target.port = host->port;
	}
	return target;
}

struct farm_server *
farm_find(const struct x2gobroker_farm *farm,
    const struct connection_target *how, const struct host *host)
{
	struct connection_target target;

	if (how->source == NULL)
		return NULL;
	target = make_target(how, host);
	return find_target(farm, &target);
}

int
x2gobroker_farm_add(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct x2gobroker_error *err)
{
	const struct connection_target how = farm_target(profile);
	const char *text = x2gobroker_profile_value(profile, "host");
	struct connection_target target;
	struct host host;
	int more;

	if (how.source == NULL || (how.source->per_server && farm->listed))
		return 0;
	while ((more = hostlist_next(&text, &host, err)) == 1) {
		name_this_host(&host);
		target = make_target(&how, &host);
		if (is_in_use(farm, &host) &&
		    add_target(farm, &target, err) == -1)
			return -1;
	}
	return more;
}

int
x2gobroker_farm_add_host(struct x2gobroker_farm *farm, const char *text,
    struct x2gobroker_error *err)
{
	struct connection_target target = { .source = &source_ssh,
	    .policy = HOSTKEY_REJECT };

	if (hostlist_first(text, &target.host, err) == -1)
		return -1;
	target.port = host_port(&target.host, NULL);
	return add_target(farm, &target, err);
}

void
x2gobroker_farm_include_closed(struct x2gobroker_farm *farm)
{
	farm->has_closed = true;
}

size_t
x2gobroker_farm_keep(struct x2gobroker_farm *farm, const char *host)
{
	const struct farm_server *server;
	size_t i, n = 0;

	for (i = 0; i < farm->nservers; i++) {
		server = &farm->servers[i];
		if (!server->target.source->per_server ||
		    hostlist_match(&server->target.host, 1, host) != NULL)
			farm->servers[n++] = *server;
	}
	farm->nservers = n;
	fill_places(farm);
	return n;
}

static bool
is_named(const struct farm_server *server, const char *name)
{
	return server->target.source->per_server &&
	    hostlist_match(&server->target.host, 1, name) != NULL;
}

bool
farm_speaks_for(const struct x2gobroker_farm *farm,
    const struct farm_server *server, const char *host)
{
	struct host own = { .port = 0 };
	size_t i;

	if (is_named(server, host))
		return true;
	strlcpy(own.name, server->report.host, sizeof(own.name));
	if (!server->target.source->per_server || own.name[0] == '\0' ||
	    hostlist_match(&own, 1, host) == NULL)
		return false;
	for (i = 0; i < farm->nservers; i++)
		if (is_named(&farm->servers[i], host))
			return false;
	return true;
}

const struct farm_server *
farm_find_speaker(const struct x2gobroker_farm *farm, const char *host)
{
	size_t i;

	for (i = 0; i < farm->nservers; i++)
		if (farm_speaks_for(farm, &farm->servers[i], host))
			return &farm->servers[i];
	return NULL;
}

struct x2gobroker_error *
farm_error(struct farm_server *server)
{
	if (server->error == NULL)
		server->error = calloc(1, sizeof(*server->error));
	return server->error;
}

const struct x2gobroker_error *
farm_why(const struct farm_server *server)
{
	static const struct x2gobroker_error none;

	return server->error != NULL || server->shown.asked ?
	    error_or_nomem(server->error) : &none;
}

void
farm_set_why(struct farm_server *server, const struct x2gobroker_error *why)
{
	char text[X2GOBROKER_TEXT_SIZE];

	error_set(farm_error(server), why->code, NULL, 0, "%s",
	    why->file[0] == '\0' ? why->text :
	    x2gobroker_error_format(why, text, sizeof(text)));
}

/* By the name in the profile, or by who has reported it. */
static const struct host *
find_host(const struct x2gobroker_farm *farm,
    const struct connection_target *how, const struct host *hosts, size_t n,
    const struct farm_session *session)
{
	const struct farm_server *server = session->server == FARM_DATABASE ?
	    &farm->database : &farm->servers[session->server];
	const char *name = session_host(session->session);
	const struct host *host = hostlist_match(hosts, n, name);
	size_t i;

	if (host != NULL || !farm_speaks_for(farm, server, name))
		return host;
	for (i = 0; i < n; i++)
		if (farm_find(farm, how, &hosts[i]) == server)
			return &hosts[i];
	return NULL;
}

const struct host *
farm_host_of(const struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, const struct host *hosts,
    size_t n, struct farm_session *session)
{
	const struct connection_target how = farm_target(profile);
	bool per_server = session->server != FARM_DATABASE &&
	    how.source != NULL && how.source->per_server;
	bool is_listed = farm->listed && session->server == FARM_DATABASE;
	const struct farm_server *server;
	const struct host *host;

	session->why = NULL;
	if (session->session->state == SESSION_FINISHED)
		return NULL;
	host = find_host(farm, &how, hosts, n, session);
	server = host != NULL ? farm_find(farm, &how, host) : NULL;
	if (session_is_shadow(session->session))
		session->why = "it shows the desktop of another session";
	else if (host == NULL)	/* an unknown host has a warning of its own */
		session->why = how.source == NULL || per_server ? NULL :
		    "no host of the profile has this name";
	else if (host_for_client(host) == NULL)
		session->why = "X2Go clients cannot connect to an IPv6 "
		    "address";
	else if (!is_listed && (server == NULL || !server->shown.answered))
		session->why = "its server has not answered";
	else {
		session->offered = true;
		return host;
	}
	return NULL;
}

void
farm_report_left_out(const struct x2gobroker_farm *farm, struct reporter *rep)
{
	const struct farm_session *session;
	size_t i;

	for (i = 0; i < farm->nsessions; i++) {
		session = &farm->sessions[i];
		if (!session->offered && session->why != NULL)
			report(rep, X2GOBROKER_WARNING, NULL, 0, "session %s "
			    "on %s is not offered: %s",
			    session_id(session->session),
			    session_host(session->session), session->why);
	}
}

static void
report_server(const struct farm_server *server, struct reporter *rep)
{
	const char *name = server->target.source->name;

	if (name == NULL)
		name = server->target.host.name;
	if (server->shown.asked && !server->shown.answered)
		report(rep, X2GOBROKER_WARNING, NULL, 0, "%s: %s", name,
		    farm_why(server)->text);
	if (server->warning != NULL)
		report(rep, X2GOBROKER_WARNING, NULL, 0, "%s: %s", name,
		    server->warning);
	if (server->report.skipped > 0)
		report(rep, X2GOBROKER_WARNING, NULL, 0, "%s: %u invalid "
		    "sessions ignored, the first because: %s", name,
		    server->report.skipped, server->report.skipped_why);
}

void
farm_report(const struct x2gobroker_farm *farm, struct reporter *rep)
{
	size_t i;

	if (farm->drained == NULL && farm->drained_error.text[0] != '\0')
		report(rep, X2GOBROKER_WARNING, farm->drained_error.file,
		    farm->drained_error.line, "the drained servers are "
		    "not known: %s", farm->drained_error.text);
	if (farm->maintenance == NULL)
		maintenance_report_unknown(&farm->maintenance_error, rep);
	report_server(&farm->database, rep);
	for (i = 0; i < farm->nservers; i++)
		report_server(&farm->servers[i], rep);
}

static const struct x2gobroker_server *
show_server(const struct x2gobroker_farm *farm, struct farm_server *server)
{
	struct x2gobroker_server *shown = &server->shown;

	shown->name = server->target.host.name;
	shown->address = server->target.host.address;
	shown->port = server->target.port;
	shown->error = shown->asked && !shown->answered ?
	    farm_why(server)->text : "";
	shown->warning = server->warning != NULL ? server->warning : "";
	shown->load = server->report.load_known ?
	    server->report.load_factor : 0;
	shown->sessions = server->report.count;
	shown->drained = drain_has(farm->drained, &server->target.host);
	shown->agent = server->report.agent;
	if (shown->unusable == NULL)
		shown->unusable = "";
	shown->clock_known = server->report.time != 0;
	shown->clock_ahead = shown->clock_known ?
	    (long)(server->report.time - server->report.time_here) : 0;
	return shown;
}

const struct x2gobroker_server *
x2gobroker_farm_server(const struct x2gobroker_farm *farm, size_t i)
{
	return i < farm->nservers ? show_server(farm, &farm->servers[i]) :
	    NULL;
}

const struct x2gobroker_server *
x2gobroker_farm_database(struct x2gobroker_farm *farm)
{
	return show_server(farm, &farm->database);
}

const struct x2gobroker_session *
x2gobroker_farm_session(const struct x2gobroker_farm *farm, size_t i)
{
	const struct session *session;

	if (i >= farm->nsessions)
		return NULL;
	session = farm->sessions[i].session;
	farm->sessions[i].shown = (struct x2gobroker_session){
		.id = session_id(session),
		.host = session_host(session),
		.created = session_created(session),
		.last = session_last(session),
		.client = session_client(session),
		.state = session->state == SESSION_RUNNING ?
		    X2GOBROKER_SESSION_RUNNING : session->state ==
		    SESSION_SUSPENDED ? X2GOBROKER_SESSION_SUSPENDED :
		    X2GOBROKER_SESSION_FINISHED,
		.server = farm->sessions[i].at,
		.user = session_user(session),
	};
	return &farm->sessions[i].shown;
}

const struct x2gobroker_host_key *
x2gobroker_farm_host_key(const struct x2gobroker_farm *farm, size_t i)
{
	struct farm_server *server;

	if (i >= farm->nservers)
		return NULL;
	server = &farm->servers[i];
	server->host_key = (struct x2gobroker_host_key){
		.name = server->target.host.name,
		.port = server->target.port,
		.fingerprint = server->fingerprint,
		.line = server->new_key != NULL ? server->new_key : "",
		.error = server->shown.answered || server->new_key != NULL ?
		    "" : farm_why(server)->text,
	};
	return &server->host_key;
}

int
x2gobroker_farm_trust(struct x2gobroker_farm *farm, size_t i,
    const char **path, struct x2gobroker_error *err)
{
	if (farm->known_hosts == NULL && (farm->known_hosts =
	    servicekeys_known_hosts(farm->config, err)) == NULL)
		return -1;
	if (path != NULL)
		*path = farm->known_hosts;
	if (i >= farm->nservers || farm->servers[i].new_key == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no new host key");
	return knownhosts_add(farm->known_hosts, farm->servers[i].new_key,
	    err);
}
