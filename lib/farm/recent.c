/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row for each server and kind of news:
 *
 *	SECONDS ADDRESS:PORT NEWS TEXT
 *
 * SECONDS is time(3).  TEXT is the reason of a failure, else "-".
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/statedir.h"
#include "farm/farm.h"

#define KNOCK_SECONDS	2	/* as the Python broker waits */
#define RECHECK_MS	50

enum field { SERVER, NEWS, TEXT, NFIELDS };

#define KNOCKING	"knocking"
#define IS_UP		"up"
#define IS_DOWN		"down"
#define FAILED		"failed"

static const struct statedir_type type = { RECENT_DIR, " ", NFIELDS };

static bool
is_failure(const struct staterow *row)
{
	return strcmp(row->fields[NEWS], FAILED) == 0;
}

static bool
is_over(const struct staterow *row, const struct staterow *now)
{
	int64_t lifetime = is_failure(row) ? RECENT_FAILURE_SECONDS :
	    RECENT_KNOCK_SECONDS;

	return row->seconds > now->seconds ||
	    row->seconds + lifetime < now->seconds;
}

static int
open_news(const struct x2gobroker_farm *farm, struct statedir *all)
{
	const struct staterow now = { .seconds = time(NULL) };

	if (statedir_open(all, farm->config->state_dir, &type, NULL) == -1)
		return -1;
	statedir_remove_all(all, is_over, &now);
	return 0;
}

/* The news replace older ones of the same kind about the server. */
static bool
is_same(const struct staterow *row, const struct staterow *key)
{
	return strcmp(row->fields[SERVER], key->fields[SERVER]) == 0 &&
	    is_failure(row) == is_failure(key);
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

	if (open_news(farm, &all) == -1)
		return UNKNOWN;
	do
		old = find_news(&all, &news);
	while (old == NULL && statedir_add(&all, &news, NULL) == 1 &&
	    statedir_read_more(&all, NULL) == 0);
	if (old != NULL)
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

	if (open_news(farm, &all) == -1)
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

	if (old != NULL)
		error_set(error, error->code, NULL, 0, "%.600s (%lld seconds "
		    "ago; now sshd answers \"Not allowed at this time\": see "
		    "PerSourcePenaltyExemptList in sshd_config(5))",
		    old->fields[TEXT],
		    (long long)(news->seconds - old->seconds));
}

void
recent_explain_failures(struct x2gobroker_farm *farm)
{
	struct farm_server *server = farm->servers, *end;
	struct staterow news = { .seconds = time(NULL) };
	char name[TARGET_TEXT_SIZE];
	struct statedir all;

	if (server == NULL)
		return;
	end = server + farm->nservers;
	for (; server < end; server++)
		if (server->sshd != SSHD_NEUTRAL)
			break;
	if (server == end || open_news(farm, &all) == -1)
		return;
	for (; server < end; server++) {
		name_server(&server->target, name);
		news.fields[SERVER] = name;
		news.fields[NEWS] = FAILED;
		if (server->sshd == SSHD_PENALISES)
			put_failure(&all, &news, server->error.text);
		else if (server->sshd == SSHD_REFUSES)
			explain_refusal(&all, &news, &server->error);
	}
	statedir_close(&all);
}
