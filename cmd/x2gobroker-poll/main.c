/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-poll: asks X2Go servers, all at once, for one request of a broker.
 * libx2gobroker starts it, writes an order to its stdin and reads the replies
 * from its stdout (agent/record.h).  It decides nothing.  Where another order
 * may follow, such as to add a key, it keeps its connections for that one.  It
 * may end while threads wait for a name server.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "common/child.h"
#include "common/sandbox.h"
#include "connection.h"
#include "parallel.h"

/* What may be written to, although most of it never is (128 servers need
 * 18 MiB): libcrypto and libc, and for each server a stack and what it
 * sends. */
#define MEMORY_BASE	(64UL * 1024 * 1024)
#define MEMORY_EACH	(PARALLEL_STACK_SIZE + 1024UL * 1024)

#define STAY_MS		10000	/* for another order; later, a new one starts */

struct poll {
	struct order order;
	struct ssh_setup setup;
	const char *missing;	/* of the sandbox, or "" */
	struct poll_connection **connections;	/* of each query, or NULL */
	/* of earlier orders; NULL: in use again, or closed */
	struct poll_connection **kept;
	size_t nkept;
};

static int
ask(struct poll_connection *connection, struct query *query,
    struct x2gobroker_error *err)
{
	const struct question *question = query->question;

	return question->ask == NULL ? 0 :
	    question->ask(query, &connection->link, err);
}

/* On the connection that is there, or a new one. */
static int
connect_and_ask(const struct poll *poll, size_t i, struct x2gobroker_error *err)
{
	struct query *query = poll->order.queries[i];
	struct poll_connection *connection = poll->connections[i];
	int result = 0;

	if (connection != NULL)
		poll_reuse(connection, &query->target, &poll->order);
	else if ((connection = malloc(sizeof(*connection))) == NULL)
		return error_nomem(err);
	else
		result = poll_connect(connection, &query->target, &poll->order,
		    query->question->reach == REACH_AGENT, &poll->setup, err);
	query->sshd = connection->sshd;
	if (result == 0)
		result = ask(connection, query, err);
	/* the host key is kept even if the rest has failed */
	query->new_key = connection->ssh.new_key;
	connection->ssh.new_key = NULL;
	strlcpy(query->fingerprint, connection->ssh.fingerprint,
	    sizeof(query->fingerprint));
	if (result == -1 || !poll->order.stay) {
		ssh_link_close(&connection->ssh);
		free(connection);
		connection = NULL;
	}
	poll->connections[i] = connection;
	return result;
}

static int
make_keypair(struct query *query, struct x2gobroker_error *err)
{
	int type = query->args[0] == NULL ? -1 :
	    config_find_word(keypair_types, query->args[0]);

	if (type == -1)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no such type of key");
	return keypair_make((enum autologin_key_type)type,
	    &query->private_key, &query->public_key, err);
}

static int
answer(const struct poll *poll, size_t i, struct x2gobroker_error *err)
{
	struct query *query = poll->order.queries[i];

	if (query->question == &query_keypair)
		return make_keypair(query, err);
	if (query->question->reach == REACH_PORT)
		return poll_knock(&query->target, poll->order.deadline, err);
	return connect_and_ask(poll, i, err);
}

static void
run_query(void *arg, size_t i)
{
	const struct poll *poll = arg;
	struct query *query = poll->order.queries[i];
	int64_t started = clock_ms();

	query->record = calloc(1, sizeof(*query->record));
	if (query->done)	/* by prepare() */
		return;
	if (query->record == NULL) {
		error_nomem(&query->error);
		query->failed = true;
	} else
		query->failed = answer(poll, i, &query->error) == -1;
	query->ms = (int)(clock_ms() - started);
	query->done = true;
}

static void
reply(void *arg, size_t i, int started)
{
	const struct poll *poll = arg;
	struct query *query = poll->order.queries[i];
	struct buf text = { 0 };

	if (!started) {
		error_set(&query->error, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "there was no time left to ask it");
		query->failed = true;
	}
	strlcpy(query->missing, poll->missing, sizeof(query->missing));
	reply_put(&text, i, query);
	if (query->record != NULL)
		buf_free(query->record);
	query_free(query);
	child_write(&text);
	buf_free(&text);
}

static void
read_order(struct order *order)
{
	struct x2gobroker_error err;
	struct buf text = { 0 };

	child_read_order(&text, ORDER_HEAD);
	if (order_read(text.data, text.len, order, &err) == -1)
		child_end(err.text);
}

/* Its file cannot be read later. */
static void
read_service_key(struct query *query)
{
	const char *path = query->args[0] != NULL ? query->args[0] : "";

	query->failed = identity_fingerprint(path, query->fingerprint,
	    &query->error) == -1;
	query->done = true;
}

/* Read what the sandbox takes away.  Queries that need what cannot be loaded
 * have failed. */
static void
prepare(struct poll *poll)
{
	const struct order *order = &poll->order;
	enum reach reach = query_reach(order->queries, order->n);
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < order->n; i++)
		if (order->queries[i]->question == &query_service_key)
			read_service_key(order->queries[i]);
	if (reach < REACH_HOST_KEY || ssh_setup_load(order,
	    reach == REACH_AGENT, &poll->setup, &err) == 0)
		return;
	for (i = 0; i < order->n; i++)
		if (order->queries[i]->question->reach >= REACH_HOST_KEY)
			query_fail(order->queries[i], &err);
}

static bool
is_same(const struct connection_target *a, const struct connection_target *b)
{
	return strcmp(a->host.name, b->host.name) == 0 &&
	    strcmp(a->host.address, b->host.address) == 0 &&
	    a->port == b->port && a->policy == b->policy;
}

static struct poll_connection *
take_kept(struct poll *poll, const struct connection_target *target)
{
	struct poll_connection *connection;
	size_t i;

	for (i = 0; i < poll->nkept; i++) {
		connection = poll->kept[i];
		if (connection != NULL &&
		    is_same(connection->link.target, target)) {
			poll->kept[i] = NULL;
			return connection;
		}
	}
	return NULL;
}

static void
keep(struct poll *poll, struct poll_connection *connection)
{
	struct poll_connection **more = array_grow(poll->kept, poll->nkept,
	    sizeof(*more));

	if (more == NULL)
		child_end("out of memory");
	poll->kept = more;
	more[poll->nkept++] = connection;
}

/* Carry out the order.  Another one can follow if nothing hangs. */
static bool
carry_out(struct poll *poll)
{
	const struct order *order = &poll->order;
	const struct parallel jobs = { .n = order->n,
	    .deadline = order->deadline, .run = run_query, .done = reply,
	    .arg = poll };
	int result;
	size_t i;

	poll->connections = calloc(order->n, sizeof(*poll->connections));
	if (poll->connections == NULL)
		child_end("out of memory");
	for (i = 0; i < order->n; i++)
		poll->connections[i] = take_kept(poll,
		    &order->queries[i]->target);
	if ((result = parallel_run(&jobs)) == -1)
		child_end("cannot start a thread");
	for (i = 0; i < order->n && result == 0; i++)
		if (poll->connections[i] != NULL)
			keep(poll, poll->connections[i]);
	return result == 0;
}

/* The caller of a setuid broker may have stopped it for ever. */
static bool
another_comes(void)
{
	return clock_poll(STDIN_FILENO, POLLIN, clock_ms() + STAY_MS) == 1;
}

int
main(void)
{
	static struct poll poll;
	const char *files[] = { KNOWN_HOSTS_OF_ALL, NULL, NULL };

	child_init();
	read_order(&poll.order);
	prepare(&poll);
	child_limit_memory(MEMORY_BASE + poll.order.n * MEMORY_EACH);
	files[1] = poll.order.known_hosts;
	poll.missing = poll.order.confine ? sandbox_enter(files) : "";
	while (carry_out(&poll) && poll.order.stay &&
	    another_comes()) {
		poll.order = (struct order){ 0 };
		read_order(&poll.order);
	}
	_exit(0);
}
