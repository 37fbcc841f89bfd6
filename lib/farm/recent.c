/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row for each server and kind of news:
 *
 *	SECONDS ADDRESS:PORT NEWS TEXT
 *
 * SECONDS is time(3).  TEXT is the reason of a failure, or a name, else "-".
 * News of one kind about a server replace each other.
 */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/statedir.h"
#include "farm/farm.h"

#define KNOCK_SECONDS	2	/* as the Python broker waits */
#define RECHECK_MS	50

enum field { SERVER, NEWS, TEXT, NFIELDS };

#define KNOCKING	"knocking"
#define IS_UP		"up"
#define IS_DOWN		"down"
#define FAILED		"failed"	/* to let the broker log in */
#define HUNG		"hung"		/* did not answer in time */
#define TRYING		"trying"	/* to ask one that hung */
#define NO_STATUS	"no-status"	/* has its agent */
#define NO_COUNTS	"no-counts"
#define NAME		"name"		/* a host of its sessions, not known */

/* The first kind has three words. */
static const struct kind {
	const char *news;
	int seconds;
} kinds[] = {
	{ KNOCKING, RECENT_KNOCK_SECONDS },
	{ FAILED, RECENT_FAILURE_SECONDS },
	{ HUNG, RECENT_HUNG_SECONDS },
	{ TRYING, RECENT_TRYING_SECONDS },
	{ NO_STATUS, RECENT_LACKS_SECONDS },
	{ NO_COUNTS, RECENT_LACKS_SECONDS },
	{ NAME, RECENT_NAME_SECONDS },
};

static const struct lack {
	unsigned int bit;
	const char *news;
} lacks[] = {
	{ LACKS_STATUS, NO_STATUS },
	{ LACKS_COUNTS, NO_COUNTS },
};

#define NLACKS	(sizeof(lacks) / sizeof(lacks[0]))

static const struct statedir_type type = { RECENT_DIR, " ", NFIELDS };

static const struct kind *
kind_of(const struct staterow *row)
{
	const struct kind *kind = &kinds[sizeof(kinds) / sizeof(kinds[0]) - 1];

	while (kind > kinds && strcmp(kind->news, row->fields[NEWS]) != 0)
		kind--;
	return kind;
}

static bool
is_over(const struct staterow *row, const struct staterow *now)
{
	return row->seconds > now->seconds ||
	    row->seconds + kind_of(row)->seconds < now->seconds;
}

static int
open_news(const struct x2gobroker_farm *farm, struct statedir *all,
    struct x2gobroker_error *err)
{
	const struct staterow now = { .seconds = time(NULL) };

	if (statedir_open(all, farm->config->state_dir, &type, err) == -1)
		return -1;
	statedir_remove_all(all, is_over, &now);
	return 0;
}

/* The news replace older ones of the same kind about the server. */
static bool
is_same(const struct staterow *row, const struct staterow *key)
{
	return strcmp(row->fields[SERVER], key->fields[SERVER]) == 0 &&
	    kind_of(row) == kind_of(key);
}

static const struct staterow *
find_news(const struct statedir *all, const struct staterow *key)
{
	size_t i;

	for (i = all->rows.n; i-- > 0;)
		if (is_same(&all->rows.list[i], key))
			return &all->rows.list[i];
	return NULL;
}

/* Both names may be given, and the client goes to the address. */
static void
name_server(const struct connection_target *target,
    char text[static TARGET_TEXT_SIZE])
{
	const struct host *host = &target->host;

	snprintf(text, TARGET_TEXT_SIZE, "%s:%d", host->address[0] != '\0' ?
	    host->address : host->name, target->port);
}

/*
 * Knocking
 */

enum verdict { UP, DOWN, BUSY, UNKNOWN };

/* The news like *news, or NULL: then these were added, as this request is the
 * one to find out. */
static const struct staterow *
find_or_add(struct statedir *all, const struct staterow *news)
{
	const struct staterow *old;

	do
		old = find_news(all, news);
	while (old == NULL && statedir_add(all, news, NULL) == 1 &&
	    statedir_read_more(all, NULL) == 0);
	return old;
}

/* What is known of the server.  If nothing is, it is this request that knocks,
 * and others are told so.  Without the directory each one knocks. */
static enum verdict
look_up(const struct x2gobroker_farm *farm, const char *name)
{
	const struct staterow news = { .seconds = time(NULL),
	    .fields = { name, KNOCKING, "-" } };
	const struct staterow *old;
	enum verdict verdict = UNKNOWN;
	struct statedir all;

	if (open_news(farm, &all, NULL) == -1)
		return UNKNOWN;
	if ((old = find_or_add(&all, &news)) != NULL)
		verdict = strcmp(old->fields[NEWS], IS_UP) == 0 ? UP :
		    strcmp(old->fields[NEWS], IS_DOWN) == 0 ? DOWN : BUSY;
	statedir_close(&all);
	return verdict;
}

static void
tell_verdict(const struct x2gobroker_farm *farm, const char *name, bool up)
{
	const struct staterow news = { .seconds = time(NULL),
	    .fields = { name, up ? IS_UP : IS_DOWN, "-" } };
	struct statedir all;

	if (open_news(farm, &all, NULL) == -1)
		return;
	statedir_put(&all, &news, is_same, NULL);
	statedir_close(&all);
}

bool
recent_knock(struct x2gobroker_farm *farm,
    const struct connection_target *target)
{
	int64_t deadline = poll_deadline(farm, KNOCK_SECONDS);
	char name[TARGET_TEXT_SIZE];
	enum verdict verdict;
	bool up;

	name_server(target, name);
	while ((verdict = look_up(farm, name)) == BUSY &&
	    clock_left(deadline) > 0)
		usleep(RECHECK_MS * 1000);
	if (verdict == UP || verdict == DOWN)
		return verdict == UP;
	up = poll_target(farm, target, &query_knock, NULL, KNOCK_SECONDS,
	    NULL) == 0;
	tell_verdict(farm, name, up);
	return up;
}

/*
 * Failures
 */

/* What a server sent may be part of the reason: keep it on one line. */
static void
put_failure(struct statedir *all, struct staterow *news, const char *reason)
{
	char text[X2GOBROKER_TEXT_SIZE], *p;

	strlcpy(text, reason, sizeof(text));
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	news->fields[TEXT] = text;
	statedir_put(all, news, is_same, NULL);
	news->fields[TEXT] = NULL;
}

static void
explain_refusal(const struct statedir *all, const struct staterow *news,
    struct x2gobroker_error *error)
{
	const struct staterow *old = find_news(all, news);

	if (old != NULL && error != NULL)
		error_set(error, error->code, NULL, 0, "%.600s (%lld seconds "
		    "ago; now sshd answers \"Not allowed at this time\": see "
		    "PerSourcePenaltyExemptList in sshd_config(5))",
		    old->fields[TEXT],
		    (long long)(news->seconds - old->seconds));
}

/*
 * What is remembered of the servers
 */

static const struct staterow *
find_news_of(const struct statedir *all, const char *name, const char *news)
{
	const struct staterow key = { .fields = { name, news } };

	return find_news(all, &key);
}

/* The name may be that of a server by now. */
static void
warn_of_name(const struct x2gobroker_farm *farm, struct farm_server *server,
    const char *name)
{
	cleanup_buf struct buf text = { 0 };

	if (farm_find_speaker(farm, name) != NULL)
		return;
	buf_printf(&text, "had sessions on \"%s\", but no server of the "
	    "profile has this name, so they are not offered; ", name);
	poll_put_host_line(&text, server, name);
	poll_add_warning(server, &text);
}

static void
recall(const struct x2gobroker_farm *farm, struct farm_server *server,
    const struct assignments *assigned, const struct statedir *all)
{
	char name[TARGET_TEXT_SIZE];
	const struct staterow *news;
	long own = 0;

	connection_target_name(&server->target, name);
	server->shown.pending = assignments_pending(assigned, name,
	    &server->report, NULL, "", &own);
	name_server(&server->target, name);
	server->shown.has_hung = find_news_of(all, name, HUNG) != NULL;
	server->shown.has_refused = find_news_of(all, name, FAILED) != NULL;
	if ((news = find_news_of(all, name, NAME)) != NULL)
		warn_of_name(farm, server, news->fields[TEXT]);
}

int
x2gobroker_farm_recall(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err)
{
	struct assignments *assigned;
	struct statedir all;
	size_t i;

	if (open_news(farm, &all, err) == -1)
		return -1;
	if (assignments_open(farm->config->state_dir, time(NULL), &assigned,
	    err) == -1) {
		statedir_close(&all);
		return -1;
	}
	for (i = 0; i < farm->nservers; i++)
		recall(farm, &farm->servers[i], assigned, &all);
	assignments_close(assigned);
	statedir_close(&all);
	return 0;
}

/*
 * Servers that hang
 */

/* Has it hung, and has another request just found that out, or is doing so? */
static bool
is_away(struct statedir *all, struct farm_server *server)
{
	struct staterow news = { .seconds = time(NULL) };
	const struct staterow *old;
	char name[TARGET_TEXT_SIZE];

	name_server(&server->target, name);
	news.fields[SERVER] = name;
	news.fields[NEWS] = HUNG;
	news.fields[TEXT] = "-";
	old = find_news(all, &news);
	server->has_hung = old != NULL;
	if (old == NULL)
		return false;
	error_set(farm_error(server), X2GOBROKER_ERR_SYSTEM, NULL, 0, "not "
	    "asked, because %lld seconds ago: %.600s",
	    (long long)(news.seconds - old->seconds), old->fields[TEXT]);
	news.fields[NEWS] = TRYING;
	return news.seconds - old->seconds < RECENT_TRYING_SECONDS ||
	    find_or_add(all, &news) != NULL;
}

size_t
recent_find_hung(struct x2gobroker_farm *farm)
{
	struct farm_server *server = farm->servers;
	const struct farm_server *end = server + farm->nservers;
	struct statedir all;
	size_t n = 0;

	if (farm->nservers < 2 || open_news(farm, &all, NULL) == -1)
		return 0;
	for (; server < end; server++)
		if (server->pending && server->target.source->per_server &&
		    is_away(&all, server)) {
			server->away = true;
			server->pending = false;
			n++;
		}
	statedir_close(&all);
	return n;
}

/*
 * What agents lack
 */

static void
find_lacks(const struct statedir *all, struct farm_server *server)
{
	struct staterow news = { .seconds = 0 };
	char name[TARGET_TEXT_SIZE];
	size_t i;

	name_server(&server->target, name);
	news.fields[SERVER] = name;
	for (i = 0; i < NLACKS; i++) {
		news.fields[NEWS] = lacks[i].news;
		if (find_news(all, &news) != NULL)
			server->lacks |= lacks[i].bit;
	}
	server->lacked = server->lacks;
}

static void
put_lacks(struct statedir *all, struct staterow *news,
    struct farm_server *server)
{
	unsigned int changed = server->lacks ^ server->lacked;
	size_t i;

	news->fields[TEXT] = "-";
	for (i = 0; i < NLACKS; i++) {
		if (!(changed & lacks[i].bit))
			continue;
		news->fields[NEWS] = lacks[i].news;
		if (server->lacks & lacks[i].bit)
			statedir_put(all, news, is_same, NULL);
		else
			statedir_remove_all(all, is_same, news);
	}
	server->lacked = server->lacks;
}

void
recent_find_lacks(struct x2gobroker_farm *farm)
{
	struct statedir all;
	size_t i;

	if (farm->nservers == 0 || open_news(farm, &all, NULL) == -1)
		return;
	for (i = 0; i < farm->nservers; i++)
		if (farm->servers[i].pending)
			find_lacks(&all, &farm->servers[i]);
	statedir_close(&all);
}

bool
recent_is_away(const struct x2gobroker_farm *farm, struct farm_server *server)
{
	struct statedir all;
	bool away;

	if (open_news(farm, &all, NULL) == -1)
		return false;
	away = is_away(&all, server);
	statedir_close(&all);
	return away;
}

/* Rows are written only where something has changed. */
static bool
has_news(const struct farm_server *server)
{
	return server->sshd != SSHD_NEUTRAL || server->hangs ||
	    server->lacks != server->lacked ||
	    (server->has_hung && server->shown.answered);
}

static void
put_news(struct statedir *all, struct farm_server *server)
{
	struct staterow news = { .seconds = time(NULL) };
	char name[TARGET_TEXT_SIZE];

	name_server(&server->target, name);
	news.fields[SERVER] = name;
	news.fields[NEWS] = HUNG;
	if (server->hangs)
		put_failure(all, &news, farm_why(server)->text);
	else if (server->has_hung && server->shown.answered)
		statedir_remove_all(all, is_same, &news);
	news.fields[NEWS] = FAILED;
	if (server->sshd == SSHD_PENALISES)
		put_failure(all, &news, farm_why(server)->text);
	else if (server->sshd == SSHD_REFUSES)
		explain_refusal(all, &news, server->error);
	put_lacks(all, &news, server);
}

void
recent_note(struct x2gobroker_farm *farm)
{
	struct statedir all;
	size_t i = 0;

	while (i < farm->nservers && !has_news(&farm->servers[i]))
		i++;
	if (i == farm->nservers || open_news(farm, &all, NULL) == -1)
		return;
	for (; i < farm->nservers; i++)
		if (!farm->servers[i].away && has_news(&farm->servers[i]))
			put_news(&all, &farm->servers[i]);
	statedir_close(&all);
}

static void
put_name(struct statedir *all, const struct farm_server *server)
{
	struct staterow news = { .seconds = time(NULL), .fields = {
	    [NEWS] = NAME, [TEXT] = session_host(server->unknown_host) } };
	const struct staterow *old;
	char name[TARGET_TEXT_SIZE];

	name_server(&server->target, name);
	news.fields[SERVER] = name;
	old = find_news(all, &news);
	/* not with each request */
	if (old == NULL || strcmp(old->fields[TEXT], news.fields[TEXT]) != 0 ||
	    old->seconds < news.seconds - RECENT_NAME_SECONDS / 2)
		statedir_put(all, &news, is_same, NULL);
}

void
recent_note_names(struct x2gobroker_farm *farm)
{
	struct statedir all;
	size_t i = 0;

	while (i < farm->nservers && farm->servers[i].nunknown_host == 0)
		i++;
	if (i == farm->nservers || open_news(farm, &all, NULL) == -1)
		return;
	for (; i < farm->nservers; i++)
		if (farm->servers[i].nunknown_host > 0)
			put_name(&all, &farm->servers[i]);
	statedir_close(&all);
}

void
recent_note_database(struct x2gobroker_farm *farm)
{
	struct statedir all;

	if (!has_news(&farm->database) || open_news(farm, &all, NULL) == -1)
		return;
	put_news(&all, &farm->database);
	statedir_close(&all);
}
