/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/answer.h"
#include "autologin/autologin.h"
#include "base/parse.h"

#define FILE_USUAL	"%h/.x2go/authorized_keys"	/* without a store */

#define RETRY_SECONDS	60	/* longer than most requests take */

/* SECONDS SERVER USER FILE LINE, with a tab between two fields. */
static const struct statedir_type type = {
	STALEKEYS_DIR, "\t", STALE_FIELDS
};

/* Put the i-th row off and take it, unless another broker has just done so. */
static int
take_row(struct statedir *all, size_t i, int64_t now, struct staterows *taken,
    struct x2gobroker_error *err)
{
	const struct staterow old = all->rows.list[i];
	struct staterow later = old;

	later.seconds = now + RETRY_SECONDS;
	if (statedir_put(all, &later, NULL, err) == -1)
		return -1;
	if (statedir_remove(all, i))
		return staterows_add(taken, &old, err);
	statedir_remove(all, all->rows.n - 1);
	return 0;
}

int
stalekeys_take(const char *dir, const char *server, int64_t now,
    struct staterows *taken, struct x2gobroker_error *err)
{
	const struct staterow *row;
	struct statedir all;
	size_t i = 0;
	int result = statedir_open(&all, dir, &type, err);

	*taken = (struct staterows){ 0 };
	while (result == 0 && i < all.rows.n && taken->n < QUERY_EXPIRED_MAX) {
		row = &all.rows.list[i];
		if (row->seconds < now &&
		    parse_same_word(row->fields[STALE_SERVER], server))
			result = take_row(&all, i, now, taken, err);
		else
			i++;
	}
	if (result == -1)
		staterows_free(taken);
	statedir_close(&all);
	return result;
}

/* Whether it is the same line, whenever it expires. */
static bool
is_same(const struct staterow *a, const struct staterow *b)
{
	int i;

	for (i = STALE_USER; i < STALE_FIELDS; i++)
		if (strcmp(a->fields[i], b->fields[i]) != 0)
			return false;
	return parse_same_word(a->fields[STALE_SERVER],
	    b->fields[STALE_SERVER]);
}

int
stalekeys_update(const char *dir, const struct staterows *removed,
    const struct staterow *new, struct x2gobroker_error *err)
{
	struct statedir all;
	size_t i;
	int result = 0;

	if (removed->n == 0 && new == NULL)
		return 0;
	if (statedir_open(&all, dir, &type, err) == -1)
		return -1;
	for (i = 0; i < removed->n; i++)
		statedir_remove_all(&all, is_same, &removed->list[i]);
	if (new != NULL)
		result = statedir_put(&all, new, NULL, err);
	statedir_close(&all);
	return result;
}

/* A query that adds one line, and removes some that have expired. */
struct install {
	struct query query;
	struct staterows expired;
};

static void
init_install(struct install *install, struct x2gobroker_farm *farm,
    const struct installation *place)
{
	struct query *query = &install->query;
	const struct staterow *row;
	char text[TARGET_TEXT_SIZE];
	size_t i;

	farm_init_query(farm, query, place->file == NULL ? &query_store_key :
	    &query_add_key, &place->target);
	query->args[0] = place->line;
	query->args[1] = place->file != NULL ? place->file : FILE_USUAL;
	stalekeys_take(farm->config->state_dir,
	    connection_target_name(&place->target, text), time(NULL),
	    &install->expired, NULL);
	for (i = 0; i < install->expired.n; i++) {
		row = &install->expired.list[i];
		query->expired[query->nexpired++] = (struct expired_key){
			.user = row->fields[STALE_USER],
			.line = row->fields[STALE_LINE],
			.file = row->fields[STALE_FILE],
		};
	}
}

/* Put a line that the agent will not remove on the list of the broker, and
 * remove the removed ones from it. */
static int
update_list(struct x2gobroker_farm *farm, const struct installation *place,
    struct install *install, struct x2gobroker_error *err)
{
	char server[TARGET_TEXT_SIZE];
	const struct staterow key = { .seconds = place->expires, .fields = {
	    connection_target_name(&place->target, server), farm->user,
	    install->query.args[1], place->line } };
	struct staterows *rows = &install->expired, removed = { 0 };
	int result = 0;
	size_t i;

	for (i = 0; i < rows->n && result == 0; i++)
		if (install->query.expired[i].removed)
			result = staterows_add(&removed, &rows->list[i], err);
	if (result == 0)
		result = stalekeys_update(farm->config->state_dir, &removed,
		    install->query.stays ? &key : NULL, err);
	staterows_free(&removed);
	return result;
}

int
install_keys(struct x2gobroker_farm *farm, const struct installation *places,
    size_t n, struct reporter *rep, struct x2gobroker_error *err)
{
	struct install installs[INSTALL_PLACES_MAX] = { 0 }, *install;
	struct query *queries[INSTALL_PLACES_MAX] = { NULL };
	char text[TARGET_TEXT_SIZE];
	struct x2gobroker_error why;
	size_t i;
	int result = 0;

	for (i = 0; i < n; i++) {
		init_install(&installs[i], farm, &places[i]);
		queries[i] = &installs[i].query;
	}
	query_run(farm->config, queries, n, poll_deadline(farm,
	    farm->config->agent_timeout), NULL, NULL,
	    farm_conversation(farm));
	for (i = 0; i < n; i++) {
		install = &installs[i];
		farm_note_query(farm, &install->query);
		if (install->query.failed && result == 0)
			result = error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "%s: %s", connection_target_name(
			    &places[i].target, text),
			    install->query.error.text);
		if (update_list(farm, &places[i], install, &why) == -1)
			report(rep, X2GOBROKER_WARNING, why.file, why.line,
			    "an expired key for one login will not be "
			    "removed from its server: %s", why.text);
		query_free(&install->query);
		staterows_free(&install->expired);
	}
	return result;
}
