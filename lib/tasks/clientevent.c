/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task clientevent: the client tells what happens to its session, for the
 * log.
 */
#include <string.h>

#include "client/markers.h"
#include "tasks/task.h"

#define EVENT_MAX	20	/* "TERMINATING" is the longest one */

static int
clientevent_decide(struct x2gobroker_answer *answer,
    void *state __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	const char *event = answer->request->values[OPT_EVENT];

	/* it goes into the log as it is, so it must look like an event */
	if (event == NULL || strlen(event) > EVENT_MAX ||
	    strspn(event, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(event))
		event = "unknown";
	buf_printf(&answer->summary, "event=%s", event);
	return 0;
}

/* The client shows an error box each time it is not granted. */
static int
clientevent_write(struct x2gobroker_answer *answer,
    void *state __attribute__((unused)),
    struct x2gobroker_error *err __attribute__((unused)))
{
	buf_puts(&answer->body, MARKER_GRANTED);
	return 0;
}

const struct task task_clientevent = {
	.name = "clientevent",
	.help = "",
	.decide = clientevent_decide,
	.write = clientevent_write,
};
