/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "autologin/install.h"
#include "farm/poll.h"

#define PLACES_MAX	2			/* a server and its proxy */
#define SERVER_TEXT	(HOST_TEXT_MAX + 16)	/* NAME:PORT */

static void
name_server(const struct connection_target *target, char text[static SERVER_TEXT])
{
	if (target->mode == QUERY_LOCAL)
		snprintf(text, SERVER_TEXT, "localhost");
	else
		snprintf(text, SERVER_TEXT, "%s:%d", target->host.name,
		    target->port);
}

/* With what has expired there, to be taken out on the way. */
static struct query *
make_job(struct x2gobroker_farm *farm, const struct installation *place,
    struct x2gobroker_error *err)
{
	struct x2gobroker_error ignored;
	char server[SERVER_TEXT];
	struct query *ask;

	ask = poll_make_query(farm, &place->target, QUERY_ADD_KEY, place->line,
	    place->file, err);
	if (ask == NULL)
		return NULL;
	name_server(&place->target, server);
	stalekeys_take(farm->config->state_dir, server, time(NULL), &ask->stale,
	    &ignored);
	return ask;
}

/* What became of it; NULL: it is still hanging. */
static int
check_job(const struct installation *place, const struct query *ask,
    struct x2gobroker_error *err)
{
	char server[SERVER_TEXT];

	if (ask != NULL && !ask->job.failed)
		return 0;
	name_server(&place->target, server);
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s: %s", server,
	    ask != NULL ? ask->job.error.text : "it did not answer in time");
}

/* Remember what is not taken out by the agent itself, and forget what has been
 * taken out. */
static int
remember(struct x2gobroker_farm *farm, const struct installation *place,
    const struct query *ask, struct x2gobroker_error *err)
{
	char server[SERVER_TEXT];
	const struct stalekey lease = { .expires = place->expires,
	    .server = server, .user = farm->user, .file = ask->args[1],
	    .line = ask->args[0] };

	name_server(&place->target, server);
	return stalekeys_settle(farm->config->state_dir, &ask->done,
	    ask->stays ? &lease : NULL, err);
}

int
install_keys(struct x2gobroker_farm *farm, const struct installation *places, size_t n,
    struct reporter *rep, struct x2gobroker_error *err)
{
	struct parallel_job *jobs[PLACES_MAX] = { NULL };
	struct x2gobroker_error why;
	struct query *ask;
	size_t i, made;
	int result = 0;

	for (made = 0; made < n && result == 0; made++) {
		ask = make_job(farm, &places[made], err);
		jobs[made] = ask != NULL ? &ask->job : NULL;
		result = ask != NULL ? 0 : -1;
	}
	if (result == 0)
		result = parallel_run(jobs, n, poll_deadline(farm,
		    farm->config->agent_timeout), NULL, NULL, err);
	for (i = 0; i < made; i++) {
		ask = (struct query *)jobs[i];
		if (result == 0)
			result = check_job(&places[i], ask, err);
		if (ask != NULL && remember(farm, &places[i], ask, &why) == -1)
			report(rep, X2GOBROKER_WARNING, why.file, why.line,
			    "a key for one login stays where it was put, "
			    "expired: %s", why.text);
		query_free(ask);
	}
	return result;
}
