/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-poll and x2gobroker-sessiondb as the library runs them: for all
 * queries that need the network, one child.  Whatever it does, those that it
 * has not answered by the deadline have failed, and nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/record.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define MESSAGE_MAX	400	/* bytes of its stderr */

/* It ends by itself soon after the deadline of the queries, even if this
 * machine is busy. */
#define GRACE_MS	1000

struct conversation {
	const struct helper *helper;
	char path[X2GOBROKER_FILE_SIZE];
	struct spawn child;
	size_t most;		/* queries that the child has the memory for */
	/* the order that it carries out */
	const struct x2gobroker_config *config;
	struct query **asked;
	size_t n;
	int64_t deadline;
	bool stay;		/* another one may follow */
	struct buf order;
	struct reply_reader reader;
	struct x2gobroker_error error;	/* why it was not started */
};

static bool
needs_helper(const struct query *query)
{
	return query->question->reach <= REACH_PORT ||
	    query->target.source->uses_ssh;
}

struct helper {
	const char *name;	/* of the program */
	const char *asks;	/* what it asks */
	int (*order)(struct conversation *run, struct x2gobroker_error *err);
};

static int
put_order(struct conversation *run, const struct order *order,
    struct x2gobroker_error *err)
{
	order_put(&run->order, order);
	return run->order.failed ? error_nomem(err) : 0;
}

static int
order_database(struct conversation *run, struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = run->config;
	const struct order order = {
		.deadline = run->deadline, .confine = config->sandbox,
		.service = config->session_database,
		.service_file = config->session_database_file,
		.queries = run->asked, .n = run->n,
	};

	return put_order(run, &order, err);
}

static int
order_poll(struct conversation *run, struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = run->config;
	struct order order = {
		.deadline = run->deadline, .confine = config->sandbox,
		.stay = run->stay,
		.account = config->agent_user, .agent = config->agent_command,
		.queries = run->asked, .n = run->n,
	};
	enum reach reach = query_reach(run->asked, run->n);
	cleanup_free char *hosts = NULL;
	char **keys = NULL;
	int result;

	if (reach >= REACH_HOST_KEY &&
	    (hosts = servicekeys_known_hosts(config, err)) == NULL)
		return -1;
	order.known_hosts = hosts != NULL ? hosts : "";
	if (reach == REACH_AGENT &&
	    servicekeys_paths(config, &keys, &order.nidentities, err) == -1)
		return -1;
	order.identities = keys;
	result = put_order(run, &order, err);
	servicekeys_free(keys, order.nidentities);
	return result;
}

static const struct helper
    poll_helper = { "x2gobroker-poll", "server", order_poll },
    database_helper = { "x2gobroker-sessiondb", "session database",
	order_database };

static int
read_data(void *arg, const char *data, size_t len)
{
	struct conversation *run = arg;

	return reply_read(&run->reader, data, len);
}

static int
explain_start(const struct conversation *run, struct x2gobroker_error *err)
{
	if (errno == ENOENT)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, run->path, 0,
		    "not found, so no %s can be asked; install it, or see "
		    "helper-dir in x2gobroker.conf(5)", run->helper->asks);
	return error_errno(err, run->path, "cannot start it");
}

static int
start(struct conversation *run, struct x2gobroker_error *err)
{
	static const char *const env[] = { NULL };
	const char *const argv[] = { run->path, NULL };
	struct spawn_options options = {
		.argv = argv, .env = env, .message_max = MESSAGE_MAX,
		.deadline = run->deadline + GRACE_MS,
		.keep_input = run->stay, .data = read_data, .arg = run,
	};
	int len = snprintf(run->path, sizeof(run->path), "%s/%s",
	    run->config->helper_dir, run->helper->name);

	if (len < 0 || (size_t)len >= sizeof(run->path))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "helper-dir is too long");
	options.input = run->order.data;
	options.input_len = run->order.len;
	if (spawn_start(&run->child, &options) == -1)
		return explain_start(run, err);
	return 0;
}

/* Why there was no reply to a query. */
static void
explain_end(const struct conversation *run, struct x2gobroker_error *err)
{
	const struct spawn *child = &run->child;
	const char *message = child->message.len > 0 ? child->message.data :
	    "";
	int len = (int)strcspn(message, "\n");
	char text[SPAWN_TEXT_SIZE];

	if (run->error.code != X2GOBROKER_OK)
		*err = run->error;
	else if (child->end == SPAWN_BROKEN && child->error == ECANCELED)
		error_set(err, X2GOBROKER_ERR_SYNTAX, run->path, 0,
		    "its output is not a reply");
	else if (spawn_exit_status(child) != 0 && child->end != SPAWN_LOST)
		error_set(err, X2GOBROKER_ERR_SYSTEM, run->path, 0, "it %s%s"
		    "%.*s", spawn_describe(child, text), len > 0 ? ": " : "",
		    len, message);
	else if (clock_left(run->deadline) == 0)
		error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "timed out "
		    "(host name lookup, or an endless answer)");
	else
		error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%s ended "
		    "without a reply", run->helper->name);
}

/* A part of a reply may be there. */
static void
end_query(struct query *query, const struct x2gobroker_error *err,
    query_progress *progress, void *arg)
{
	query_free(query);
	query_fail(query, err);
	if (progress != NULL)
		progress(arg, query);
}

static bool
is_done(const struct conversation *run)
{
	size_t i;

	for (i = 0; i < run->n; i++)
		if (!run->asked[i]->done)
			return false;
	return true;
}

/* Have the child that is there, or a new one, carry out the order. */
static int
begin(struct conversation *run, struct x2gobroker_error *err)
{
	struct spawn *child = &run->child;
	const bool goes_on = run->n <= run->most && child->pid > 0 &&
	    child->end == SPAWN_RUNNING;

	buf_truncate(&run->order, 0);
	if (run->helper->order(run, err) == -1)
		return -1;
	if (goes_on) {
		spawn_send(child, run->order.data, run->order.len,
		    run->deadline + GRACE_MS);
		return 0;
	}
	spawn_finish(child);
	run->most = run->n;
	return start(run, err);
}

static void
begin_run(struct conversation *run)
{
	if (run->n == 0 || begin(run, &run->error) == 0)
		return;
	spawn_finish(&run->child);
	run->child.end = SPAWN_BROKEN;
}

/* The child may not have read all of its order. */
static void
finish(struct conversation *run)
{
	spawn_finish(&run->child);
	buf_free(&run->order);
}

/* Wait for the child, and fail all that are not done. */
static void
end_run(struct conversation *run)
{
	struct spawn *const child = &run->child;
	const struct reply_reader *reader = &run->reader;
	struct x2gobroker_error err;
	size_t i;

	while (run->n > 0 && child->end == SPAWN_RUNNING && !is_done(run))
		spawn_step(&child, 1);
	for (i = 0; i < run->n; i++)
		if (!run->asked[i]->done) {
			explain_end(run, &err);
			end_query(run->asked[i], &err, reader->progress,
			    reader->arg);
		}
	buf_free(&run->reader.text);
	run->reader = (struct reply_reader){ 0 };	/* no reply is due */
	if (!run->stay || child->end != SPAWN_RUNNING)
		finish(run);
}

/* The agent of this host. */
static void
ask_here(struct conversation *run, struct query *query)
{
	int64_t started = clock_ms();
	struct connection link;

	connection_local(&link, &query->target, run->config->agent_command,
	    run->deadline, run->n > 0 ? &run->child : NULL);
	query->failed = query->question->ask != NULL &&
	    query->question->ask(query, &link, &query->error) == -1;
	query->ms = (int)(clock_ms() - started);
	query->done = true;
	if (run->reader.progress != NULL)
		run->reader.progress(run->reader.arg, query);
}

/* If there is no memory for a conversation, this is a single order.  What the
 * child has said since the last one is no reply, and ends it. */
static struct conversation *
find_conversation(struct conversation **kept, struct conversation *single)
{
	if (kept != NULL && *kept == NULL)
		*kept = calloc(1, sizeof(**kept));
	if (kept == NULL || *kept == NULL)
		return single;
	(*kept)->stay = true;
	spawn_is_running(&(*kept)->child);
	buf_free(&(*kept)->reader.text);
	return *kept;
}

void
query_run(const struct x2gobroker_config *config,
    struct query *const *queries, size_t n, int64_t deadline,
    query_progress *progress, void *arg, struct conversation **kept)
{
	struct conversation single = { 0 };
	struct conversation *run = find_conversation(kept, &single);
	size_t i;

	run->config = config;
	run->helper = &poll_helper;
	run->deadline = deadline;
	run->error = (struct x2gobroker_error){ 0 };
	run->n = 0;
	if ((run->asked = calloc(n + 1, sizeof(struct query *))) == NULL) {
		error_nomem(&run->error);
		for (i = 0; i < n; i++)
			end_query(queries[i], &run->error, progress, arg);
		return;
	}
	for (i = 0; i < n; i++)
		if (needs_helper(queries[i]))
			run->asked[run->n++] = queries[i];
	run->reader = (struct reply_reader){ .queries = run->asked,
	    .n = run->n, .progress = progress, .arg = arg };
	begin_run(run);
	for (i = 0; i < n; i++)
		if (!needs_helper(queries[i]))
			ask_here(run, queries[i]);
	end_run(run);
	free(run->asked);
}

void
query_run_database(const struct x2gobroker_config *config,
    struct query *query, int64_t deadline)
{
	struct query *queries[] = { query };
	struct conversation run = { .config = config,
	    .helper = &database_helper, .deadline = deadline, .asked = queries,
	    .n = 1, .reader = { .queries = queries, .n = 1 } };

	begin_run(&run);
	end_run(&run);
}

void
conversation_end(struct conversation *conversation)
{
	if (conversation != NULL)
		finish(conversation);
	free(conversation);
}
