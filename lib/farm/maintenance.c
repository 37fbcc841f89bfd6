/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator tells users who cannot get a session now.  A row for
 * each notice, in a directory as those of state-dir are (base/statedir.h), but
 * where it outlasts a restart of the host:
 *
 *	UNTIL<tab>MODE<tab>SCOPE<tab>NAME<tab>TEXT
 *
 * UNTIL is time(3), or 0.  NAME is empty unless SCOPE needs one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/statedir.h"
#include "base/utf8.h"
#include "client/markers.h"
#include "farm/farm.h"

#define MAINTENANCE_DIR	"maintenance"	/* in maintenance-dir */
#define TEXT_MAX	200	/* bytes; the client shows one line of it */
#define NAME_MAX_LEN	512	/* longer than any host or profile */

enum field { MODE, SCOPE, NAME, TEXT, NFIELDS };

#define RESUME		"resume"
#define NO_RESUME	"no-resume"
#define ALL		"all"
#define PROFILE		"profile"
#define SERVER		"server"

static const struct statedir_type type = { MAINTENANCE_DIR, "\t", NFIELDS };

struct x2gobroker_maintenance {
	struct statedir dir;
	struct x2gobroker_notice *list;
	size_t n;
};

/* A text that a terminal, the log and the client show as it is. */
static int
check_text(const char *what, const char *text, size_t max,
    struct x2gobroker_error *err)
{
	char shown[4 * NAME_MAX_LEN + 1];

	if (*text == '\0')
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "%s is empty", what);
	if (strlen(text) > max)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "%s is too long: %zu bytes, and %zu at most", what,
		    strlen(text), max);
	utf8_escape(shown, sizeof(shown), text);
	if (strcmp(shown, text) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "%s has a line break or another control character, or is "
		    "not UTF-8: %s", what, shown);
	return 0;
}

static int
check_notice(const struct x2gobroker_notice *notice,
    struct x2gobroker_error *err)
{
	const char *server = notice->server;

	if (check_text("the text", notice->text, TEXT_MAX, err) == -1)
		return -1;
	/* the client would take it for a grant */
	if (strstr(notice->text, MARKER_LOGIN_OK) != NULL)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the text must not contain \"" MARKER_LOGIN_OK "\"");
	if (notice->profile != NULL && check_text("the id of the profile",
	    notice->profile, NAME_MAX_LEN, err) == -1)
		return -1;
	if (server != NULL && !address_is_host(server, strlen(server)))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "\"%.200s\" is neither a host name nor an address",
		    server);
	return 0;
}

static void
put_row(const struct x2gobroker_notice *notice, struct staterow *row)
{
	*row = (struct staterow){
		.seconds = notice->until,
		.fields = {
			[MODE] = notice->resume ? RESUME : NO_RESUME,
			[SCOPE] = notice->profile != NULL ? PROFILE :
			    notice->server != NULL ? SERVER : ALL,
			[NAME] = notice->profile != NULL ? notice->profile :
			    notice->server != NULL ? notice->server : "",
			[TEXT] = notice->text,
		},
	};
}

static bool
parse_row(const struct staterow *row, struct x2gobroker_notice *notice)
{
	const char *scope = row->fields[SCOPE], *name = row->fields[NAME];

	*notice = (struct x2gobroker_notice){
		.text = row->fields[TEXT],
		.profile = strcmp(scope, PROFILE) == 0 ? name : NULL,
		.server = strcmp(scope, SERVER) == 0 ? name : NULL,
		.until = row->seconds,
		.resume = strcmp(row->fields[MODE], NO_RESUME) != 0,
	};
	return (notice->profile != NULL || notice->server != NULL ||
	    strcmp(scope, ALL) == 0) && check_notice(notice, NULL) == 0;
}

static bool
is_over(const struct staterow *row, const struct staterow *now)
{
	return row->seconds != 0 && row->seconds <= now->seconds;
}

static bool
has_same_scope(const struct staterow *row, const struct staterow *key)
{
	return strcmp(row->fields[SCOPE], key->fields[SCOPE]) == 0 &&
	    strcmp(row->fields[NAME], key->fields[NAME]) == 0;
}

/* While a notice replaces another one, both are there. */
static bool
is_replaced(const struct staterows *rows, size_t i, const struct staterow *now)
{
	struct x2gobroker_notice other;
	size_t j = i + 1;

	while (j < rows->n && (!has_same_scope(&rows->list[i],
	    &rows->list[j]) || is_over(&rows->list[j], now) ||
	    !parse_row(&rows->list[j], &other)))
		j++;
	return j < rows->n;
}

static int
add_notices(struct x2gobroker_maintenance *all, struct x2gobroker_error *err)
{
	const struct staterow now = { .seconds = time(NULL) };
	const struct staterows *rows = &all->dir.rows;
	struct x2gobroker_notice *more;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		if (is_over(&rows->list[i], &now) ||
		    is_replaced(rows, i, &now))
			continue;
		more = array_grow(all->list, all->n, sizeof(*more));
		if (more == NULL)
			return error_nomem(err);
		all->list = more;
		all->n += parse_row(&rows->list[i], &more[all->n]);
	}
	return 0;
}

/* Requests look for it all the time, and must not make directories for it. */
static bool
is_there(const struct x2gobroker_config *config)
{
	char path[X2GOBROKER_FILE_SIZE];

	snprintf(path, sizeof(path), "%s/" MAINTENANCE_DIR,
	    config->maintenance_dir);
	return eaccess(path, F_OK) == 0 || (errno != ENOENT &&
	    errno != ENOTDIR);
}

int
x2gobroker_maintenance_load(const struct x2gobroker_config *config,
    struct x2gobroker_maintenance **out, struct x2gobroker_error *err)
{
	struct x2gobroker_maintenance *all = calloc(1, sizeof(*all));

	*out = NULL;
	if (all == NULL)
		return error_nomem(err);
	all->dir.fd = -1;
	if (is_there(config) && (statedir_open(&all->dir,
	    config->maintenance_dir, &type, err) == -1 ||
	    add_notices(all, err) == -1)) {
		x2gobroker_maintenance_free(all);
		return -1;
	}
	*out = all;
	return 0;
}

void
maintenance_report_unknown(const struct x2gobroker_error *why,
    struct reporter *rep)
{
	report(rep, X2GOBROKER_WARNING, why->file, why->line, "whether there "
	    "is maintenance is not known: %s", why->text);
}

void
x2gobroker_maintenance_free(struct x2gobroker_maintenance *all)
{
	if (all == NULL)
		return;
	statedir_close(&all->dir);
	free(all->list);
	free(all);
}

const struct x2gobroker_notice *
x2gobroker_maintenance_get(const struct x2gobroker_maintenance *all, size_t i)
{
	return i < all->n ? &all->list[i] : NULL;
}

int
x2gobroker_maintenance_begin(const struct x2gobroker_config *config,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	const struct staterow now = { .seconds = time(NULL) };
	struct statedir dir;
	struct staterow row;
	int result;

	put_row(notice, &row);
	if (check_notice(notice, err) == -1)
		return -1;
	if (is_over(&row, &now))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the maintenance would be over already");
	if (statedir_open(&dir, config->maintenance_dir, &type, err) == -1)
		return -1;
	statedir_remove_all(&dir, is_over, &now);
	result = statedir_put(&dir, &row, has_same_scope, err);
	statedir_close(&dir);
	return result;
}

static bool
is_any(const struct staterow *row __attribute__((unused)),
    const struct staterow *key __attribute__((unused)))
{
	return true;
}

int
x2gobroker_maintenance_end(const struct x2gobroker_config *config,
    const struct x2gobroker_notice *scope, bool *changed,
    struct x2gobroker_error *err)
{
	const struct staterow now = { .seconds = time(NULL) };
	struct staterow key = { 0 };
	struct statedir dir;
	size_t before;

	*changed = false;
	if (!is_there(config))
		return 0;
	if (statedir_open(&dir, config->maintenance_dir, &type, err) == -1)
		return -1;
	statedir_remove_all(&dir, is_over, &now);
	before = dir.rows.n;
	if (scope != NULL)
		put_row(scope, &key);
	statedir_remove_all(&dir, scope != NULL ? has_same_scope : is_any,
	    &key);
	*changed = dir.rows.n < before;
	statedir_close(&dir);
	return 0;
}

/* Of two, the one that lets nobody back into their session counts. */
static const struct x2gobroker_notice *
stricter(const struct x2gobroker_notice *a, const struct x2gobroker_notice *b)
{
	return a == NULL || (a->resume && !b->resume) ? b : a;
}

const struct x2gobroker_notice *
x2gobroker_maintenance_find(const struct x2gobroker_maintenance *all,
    const char *id)
{
	const struct x2gobroker_notice *found = NULL, *notice;
	size_t i;

	for (i = 0; all != NULL && i < all->n; i++) {
		notice = &all->list[i];
		if (notice->server == NULL && (notice->profile == NULL ||
		    (id != NULL && strcmp(notice->profile, id) == 0)))
			found = stricter(found, notice);
	}
	return found;
}

const struct x2gobroker_notice *
maintenance_of_server(const struct x2gobroker_maintenance *all,
    const struct host *host)
{
	const struct x2gobroker_notice *found = NULL, *notice;
	size_t i;

	for (i = 0; all != NULL && i < all->n; i++) {
		notice = &all->list[i];
		if (notice->server != NULL &&
		    hostlist_match(host, 1, notice->server) != NULL)
			found = stricter(found, notice);
	}
	return found;
}
