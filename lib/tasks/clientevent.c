/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task clientevent: the client tells what happens to its session, and
 * reads an order in the answer.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/acl.h"
#include "agent/answer.h"
#include "client/markers.h"
#include "farm/farm.h"
#include "tasks/task.h"

#define EVENT_MAX	20	/* "TERMINATING" is the longest one */

struct event_state {
	enum x2gobroker_order order;
};

static bool
begins_with(const char *id, const char *login)
{
	size_t len = strlen(login);

	return strncmp(id, login, len) == 0 && id[len] == '-';
}

/* X2Go puts the login name before the id of a session.  Usually this is the
 * name of the user; else it has to be in a profile of theirs. */
static bool
is_own_session(struct x2gobroker_answer *answer, const char *id,
    struct x2gobroker_error *err)
{
	const char *login, *name = answer->user->name;
	struct visible visible = { 0 };
	bool own = begins_with(id, name);
	size_t i;

	if (own || visible_find(&visible, answer->profiles, answer->user, NULL,
	    NULL, &answer->reporter, err) == -1)
		return own;
	for (i = 0; i < visible.n && !own; i++) {
		login = x2gobroker_profile_value_for(visible.list[i], "user",
		    name);
		own = login != NULL && begins_with(id, login);
	}
	free(visible.list);
	return own;
}

/* The client shows an error box each time that it is not granted, so a fault is
 * only reported. */
static void
note_event(struct x2gobroker_answer *answer, const char *event,
    enum x2gobroker_order *order)
{
	char *const *values = answer->request->values;
	time_t now = time(NULL);
	const struct x2gobroker_client client = {
		.user = answer->user->name,
		.session = values[OPT_SID],
		.server = values[OPT_SERVER],
		.address = x2gobroker_user_address(answer->user),
		.system = values[OPT_OS],
		.version = values[OPT_VERSION],
		.event = event,
		.since = now,
		.seen = now,
	};
	struct x2gobroker_error err = { 0 };

	if (values[OPT_SID] == NULL || !session_is_id(values[OPT_SID]) ||
	    !is_own_session(answer, values[OPT_SID], &err))
		report(&answer->reporter, X2GOBROKER_WARNING, NULL, 0,
		    "an event of %.*s, which is no session of %s: ignored%s%s",
		    SESSION_ID_MAX, values[OPT_SID] != NULL ?
		    values[OPT_SID] : "no session", answer->user->name,
		    err.text[0] != '\0' ? ": " : "", err.text);
	else if (connected_note(profiles_config(answer->profiles), &client,
	    order, &err) == -1)
		report(&answer->reporter, X2GOBROKER_WARNING, err.file,
		    err.line, "%s", err.text);
}

static int
clientevent_decide(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err __attribute__((unused)))
{
	const char *event = answer->request->values[OPT_EVENT];
	struct event_state *decided = state;

	/* it goes into the log as it is, so it must look like an event */
	if (event == NULL || strlen(event) > EVENT_MAX ||
	    strspn(event, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(event))
		event = "unknown";
	buf_printf(&answer->summary, "event=%s", event);
	if (answer_wants_events(answer))
		note_event(answer, event, &decided->order);
	if (decided->order != X2GOBROKER_ORDER_NONE)
		buf_printf(&answer->summary, " order=%s",
		    connected_order_word(decided->order));
	return 0;
}

static int
clientevent_write(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err __attribute__((unused)))
{
	const struct event_state *decided = state;

	buf_puts(&answer->body, MARKER_GRANTED);
	if (decided->order != X2GOBROKER_ORDER_NONE)
		buf_printf(&answer->body, "%s %s\n",
		    connected_order_word(decided->order),
		    answer->request->values[OPT_SID]);
	return 0;
}

const struct task task_clientevent = {
	.name = "clientevent",
	.help = "",
	.state_size = sizeof(struct event_state),
	.decide = clientevent_decide,
	.write = clientevent_write,
	.is_event = true,
};
