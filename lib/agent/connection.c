/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "agent/connection.h"

#define ARGS_MAX	4

const struct source source_ssh = {
	.per_server = true, .uses_ssh = true, .adds_keys = true,
};
const struct source source_local = {
	.name = "localhost", .adds_keys = true,
};
const struct source source_database = {
	.name = "session database",
};

const struct source *
source_find(enum query_mode mode)
{
	static const struct source *const sources[] = {
		[QUERY_NONE] = NULL,
		[QUERY_LOCAL] = &source_local,
		[QUERY_SSH] = &source_ssh,
	};

	return sources[mode];
}

char *
connection_target_name(const struct connection_target *target,
    char text[static TARGET_TEXT_SIZE])
{
	if (target->source->name != NULL)
		strlcpy(text, target->source->name, TARGET_TEXT_SIZE);
	else
		snprintf(text, TARGET_TEXT_SIZE, "%s:%d", target->host.name,
		    target->port);
	return text;
}

static int
local_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	const char *argv[3 + ARGS_MAX + 1] = { link->agent, user, task };
	size_t i;

	for (i = 0; args != NULL && args[i] != NULL && i < ARGS_MAX; i++)
		argv[3 + i] = args[i];
	return local_run(argv, link->deadline, AGENT_ANSWER_MAX, link->beside,
	    answer, err);
}

void
connection_local(struct connection *link,
    const struct connection_target *target, const char *agent,
    int64_t deadline, struct spawn *beside)
{
	*link = (struct connection){
		.target = target, .agent = agent, .deadline = deadline,
		.beside = beside, .ask = local_ask,
	};
}

int
connection_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	return link->ask(link, user, task, args, answer, err);
}
