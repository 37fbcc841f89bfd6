/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suspends and terminates sessions.
 */
#include <string.h>

#include "farm/poll.h"

/* The client has to leave, or x2gocleansessions(8) has to make its round. */
#define CHANGE_SECONDS	10

static const struct farm_session *
find_session(const struct x2gobroker_farm *farm, const char *id)
{
	size_t i;

	for (i = 0; i < farm->nsessions; i++)
		if (strcmp(session_id(farm->sessions[i].session), id) == 0)
			return &farm->sessions[i];
	return NULL;
}

static int
change_session(struct x2gobroker_farm *farm, const char *id,
    const struct question *question, struct x2gobroker_error *err)
{
	const struct farm_session *session = find_session(farm, id);
	int seconds = farm->config->agent_timeout;

	if (session == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no session %.*s", SESSION_ID_MAX, id);
	return poll_target(farm, &farm->servers[session->server].target,
	    question, id, seconds > CHANGE_SECONDS ? seconds : CHANGE_SECONDS,
	    err);
}

int
x2gobroker_farm_suspend(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err)
{
	return change_session(farm, id, &query_suspend, err);
}

int
x2gobroker_farm_terminate(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err)
{
	return change_session(farm, id, &query_terminate, err);
}
