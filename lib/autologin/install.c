/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/answer.h"
#include "autologin/autologin.h"
#include "base/parse.h"

#define FILE_USUAL	"%h/.x2go/authorized_keys"	/* without a store */

#define RETRY_SECONDS	60	/* longer than most requests take */
/* Few, so that a login does not wait for them when many have expired; more than
 * one, so that their number shrinks. */
#define TAKE_MAX	5

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
	while (result == 0 && i < all.rows.n && taken->n < TAKE_MAX) {
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
	struct query query;		/* first */
	char *line, *file;		/* owned, as the query may outlive us */
	bool to_store;			/* of our agent, if it is one */
	struct staterows expired;	/* to be removed */
	/* the answer */
	bool stays;			/* the line may have been added to the
					 * file, for us to remove */
	struct staterows removed;
};

/* A line that is removed here, and stays on the list of the broker, is removed
 * again later, which does no harm. */
static void
remove_expired(struct install *install, struct connection *link)
{
	const char *args[3] = { NULL };
	const struct staterow *key;
	size_t i;

	for (i = 0; i < install->expired.n; i++) {
		key = &install->expired.list[i];
		args[0] = key->fields[STALE_LINE];
		args[1] = key->fields[STALE_FILE];
		if (query_do(link, key->fields[STALE_USER], AGENT_DELAUTHKEY,
		    args, NULL) == 0)
			staterows_add(&install->removed, key, NULL);
	}
}

/* Before 9.1, OpenSSH reads the end of a key in local time, which our agent can
 * write; before 7.7, and in other servers, the option does not exist: a key
 * there would have no end. */
static int
find_form(const struct connection *link, bool *local,
    struct x2gobroker_error *err)
{
	int version = link->ssh.openssh;

	*local = link->target->source->uses_ssh &&
	    version < SSH_VERSION_INT(9, 1, 0);
	if (!*local || version >= SSH_VERSION_INT(7, 7, 0))
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "its SSH server "
	    "is not OpenSSH 7.7 or later, and would not end a key in time");
}

static void
explain_old_server(int version, struct x2gobroker_error *err)
{
	char why[X2GOBROKER_TEXT_SIZE];

	strlcpy(why, err->text, sizeof(why));
	error_set(err, err->code, NULL, 0, "%.300s (it has OpenSSH %d.%d, which "
	    "reads the end of a key in local time: x2gobroker-agent can "
	    "write that, Debian's agent cannot; OpenSSH 9.1 needs neither)", why,
	    version >> 16, version >> 8 & 0xff);
}

static int
add_to_file(struct install *install, struct connection *link, bool local,
    struct x2gobroker_error *err)
{
	const char *args[] = { install->line, install->file, NULL };

	install->stays = true;
	if (query_do(link, install->query.context->user, local ?
	    AGENT_ADDAUTHKEY_LOCAL : AGENT_ADDAUTHKEY, args, err) == 0)
		return 0;
	/* the connection may have broken before or after */
	install->stays = err->code == X2GOBROKER_ERR_SYSTEM;
	if (!install->stays && local)
		explain_old_server(link->ssh.openssh, err);
	return -1;
}

/* Other agents have no store: they refuse the task, or print nothing. */
static int
add_to_store(struct install *install, struct connection *link, bool local,
    struct x2gobroker_error *err)
{
	const char *user = install->query.context->user;
	const char *args[] = { install->line, NULL };

	if (query_do(link, user, local ? AGENT_STOREKEY_LOCAL :
	    AGENT_STOREKEY, args, err) == 0)
		return 0;
	if ((err->code != X2GOBROKER_ERR_NOTFOUND &&
	    err->code != X2GOBROKER_ERR_DENIED) ||
	    query_is_our_agent(link, user))
		return -1;
	return add_to_file(install, link, local, err);
}

static int
add_key(struct query *query, struct connection *link,
    struct x2gobroker_error *err)
{
	struct install *install = (struct install *)query;
	bool local;

	if (find_form(link, &local, err) == -1 || (install->to_store ?
	    add_to_store(install, link, local, err) :
	    add_to_file(install, link, local, err)) == -1)
		return -1;
	remove_expired(install, link);
	return 0;
}

static const struct question install_key = { REACH_AGENT, add_key };

static void
free_install(struct parallel_job *job)
{
	struct install *install = (struct install *)job;

	if (install == NULL)
		return;
	query_release(&install->query);
	staterows_free(&install->expired);
	staterows_free(&install->removed);
	free(install->line);
	free(install->file);
	free(install);
}

static struct install *
make_install(struct x2gobroker_farm *farm, const struct installation *place,
    struct x2gobroker_error *err)
{
	struct install *install = calloc(1, sizeof(*install));
	struct x2gobroker_error ignored;
	char text[TARGET_TEXT_SIZE];

	if (install == NULL)
		return error_null(error_nomem(err));
	if (query_init(&install->query, farm->context, &place->target,
	    &install_key, err) == -1) {
		free(install);
		return NULL;
	}
	install->query.job.free = free_install;
	install->to_store = place->file == NULL;
	if ((install->line = strdup(place->line)) == NULL || (install->file =
	    strdup(place->file != NULL ? place->file : FILE_USUAL)) == NULL) {
		free_install(&install->query.job);
		return error_null(error_nomem(err));
	}
	stalekeys_take(farm->config->state_dir,
	    connection_target_name(&place->target, text), time(NULL),
	    &install->expired, &ignored);
	return install;
}

/* Did it succeed?  install is NULL if it hangs. */
static int
check_result(const struct installation *place, const struct install *install,
    struct x2gobroker_error *err)
{
	char text[TARGET_TEXT_SIZE];

	if (install != NULL && !install->query.job.failed)
		return 0;
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s: %s",
	    connection_target_name(&place->target, text),
	    install != NULL ? install->query.job.error.text : "timed out");
}

/* Put a line that the agent will not remove on the list of the broker, and
 * remove the removed ones from it. */
static int
update_list(struct x2gobroker_farm *farm, const struct installation *place,
    const struct install *install, struct x2gobroker_error *err)
{
	char server[TARGET_TEXT_SIZE];
	const struct staterow key = { .seconds = place->expires, .fields = {
	    connection_target_name(&place->target, server),
	    farm->context->user, install->file, install->line } };

	return stalekeys_update(farm->config->state_dir, &install->removed,
	    install->stays ? &key : NULL, err);
}

int
install_keys(struct x2gobroker_farm *farm, const struct installation *places,
    size_t n, struct reporter *rep, struct x2gobroker_error *err)
{
	struct parallel_job *jobs[INSTALL_PLACES_MAX] = { NULL };
	struct x2gobroker_error why;
	struct install *install;
	size_t i, made;
	int result = 0;

	for (made = 0; made < n && result == 0; made++) {
		install = make_install(farm, &places[made], err);
		jobs[made] = (struct parallel_job *)install;
		result = install != NULL ? 0 : -1;
	}
	if (result == 0)
		result = parallel_run(jobs, n, poll_deadline(farm,
		    farm->config->agent_timeout), NULL, NULL, err);
	for (i = 0; i < made; i++) {
		install = (struct install *)jobs[i];
		if (result == 0)
			result = check_result(&places[i], install, err);
		if (install != NULL &&
		    update_list(farm, &places[i], install, &why) == -1)
			report(rep, X2GOBROKER_WARNING, why.file, why.line,
			    "an expired key for one login will not be "
			    "removed from its server: %s", why.text);
		free_install(jobs[i]);
	}
	return result;
}
