/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/wait.h>

#include <errno.h>
#include <string.h>

#include "agent/connection.h"
#include "base/spawn.h"

#define MESSAGE_MAX	400	/* bytes of stderr */
#define AGENT		"the agent on this host"

/* Put it on one line. */
static void
flatten_message(struct buf *message)
{
	size_t i, len = message->len;

	for (i = 0; i < len; i++)
		if (message->data[i] == '\n' || message->data[i] == '\0')
			message->data[i] = ' ';
	while (len > 0 && message->data[len - 1] == ' ')
		len--;
	buf_truncate(message, len);
}

/* Some agents exit with 0 when they fail: a message without an answer is a
 * failure.  If this process ignores SIGCHLD, there is no status to look at. */
static int
check_end(const struct spawn *child, struct x2gobroker_error *err)
{
	bool ended = child->end == SPAWN_EXITED || child->end == SPAWN_LOST;
	bool failed = !ended || spawn_exit_status(child) > 0 ||
	    WIFSIGNALED(child->status);
	char text[SPAWN_TEXT_SIZE];

	if (!failed && (child->message.len == 0 || child->output.len > 0))
		return 0;
	if (ended && child->message.len > 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    AGENT " says: %s", child->message.data);
	if (child->end == SPAWN_BROKEN && child->error == ENOMEM)
		return error_nomem(err);
	if (child->end == SPAWN_TOO_MUCH)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0, AGENT
		    " answered with more than %zu bytes",
		    child->options.output_max);
	return error_set(err, ended ? X2GOBROKER_ERR_DENIED :
	    X2GOBROKER_ERR_SYSTEM, NULL, 0, AGENT " %s",
	    spawn_describe(child, text));
}

int
local_run(const char *const *argv, int64_t deadline, size_t max,
    struct spawn *beside, struct buf *out, struct x2gobroker_error *err)
{
	static const char *const env[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin", NULL
	};
	const struct spawn_options options = {
		.argv = argv, .env = env, .output_max = max,
		.message_max = MESSAGE_MAX, .deadline = deadline,
	};
	cleanup_spawn struct spawn child = { 0 };
	struct spawn *const children[] = { &child, beside };

	if (spawn_start(&child, &options) == -1)
		return error_errno(err, argv[0], "cannot start " AGENT);
	while (child.end == SPAWN_RUNNING)
		spawn_step(children, beside != NULL ? 2 : 1);
	if (child.output.len > 0)
		buf_put(out, child.output.data, child.output.len);
	flatten_message(&child.message);
	if (check_end(&child, err) == -1)
		return -1;
	return out->failed ? error_nomem(err) : 0;
}
