/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-poll: asks X2Go servers, all at once, for one request of a broker.
 * libx2gobroker starts it, writes an order to its stdin and reads the replies
 * from its stdout (agent/record.h).  It decides nothing.
 *
 * Nothing is released: the process ends by _exit(2), perhaps while threads wait
 * for a name server.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "connection.h"
#include "parallel.h"
#include "process.h"
#include "sandbox.h"

#define ORDER_MAX	(16 * 1024 * 1024)

struct poll {
	struct order order;
	struct ssh_setup setup;
	const char *missing;	/* of the sandbox, or "" */
};

static void end(const char *) __attribute__((noreturn));

static void
end(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_exit(1);
}

static int
connect_and_ask(const struct poll *poll, struct query *query,
    struct x2gobroker_error *err)
{
	const struct question *question = query->question;
	struct poll_connection connection;
	int result;

	result = poll_connect(&connection, &query->target, &poll->order,
	    question->reach == REACH_AGENT, &poll->setup, err);
	query->sshd = connection.sshd;
	if (result == 0 && question->ask != NULL)
		result = question->ask(query, &connection.link, err);
	/* the host key is kept even if the rest has failed */
	query->new_key = connection.ssh.new_key;
	connection.ssh.new_key = NULL;
	strlcpy(query->fingerprint, connection.ssh.fingerprint,
	    sizeof(query->fingerprint));
	ssh_link_close(&connection.ssh);
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
answer(const struct poll *poll, struct query *query,
    struct x2gobroker_error *err)
{
	if (query->question == &query_keypair)
		return make_keypair(query, err);
	if (query->question->reach == REACH_PORT)
		return poll_knock(&query->target, poll->order.deadline, err);
	return connect_and_ask(poll, query, err);
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
		query->failed = answer(poll, query, &query->error) == -1;
	query->ms = (int)(clock_ms() - started);
	query->done = true;
}

static void
write_all(const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n)
		if ((n = write(STDOUT_FILENO, data, len)) == -1) {
			if (errno != EINTR)
				_exit(1);	/* the broker is gone */
			n = 0;
		}
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
	if (text.failed)
		end("out of memory");
	write_all(text.data, text.len);
	buf_free(&text);
}

static void
read_order(struct order *order)
{
	struct x2gobroker_error err;
	struct buf text = { 0 };
	char chunk[16384];
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || text.len > ORDER_MAX)
			end("cannot read the order");
		buf_put(&text, chunk, (size_t)n);
	}
	if (text.failed)
		end("out of memory");
	if (text.len == 0)
		end("libx2gobroker starts this program, with an order on "
		    "stdin");
	if (order_read(text.data, text.len, order, &err) == -1)
		end(err.text);
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

int
main(void)
{
	static struct poll poll;
	struct parallel jobs = {
		.run = run_query, .done = reply, .arg = &poll,
	};

	process_init(end);
	read_order(&poll.order);
	prepare(&poll);
	process_limit_memory(poll.order.n);
	poll.missing = poll.order.confine ?
	    sandbox_enter(poll.order.known_hosts) : "";
	jobs.n = poll.order.n;
	jobs.deadline = poll.order.deadline;
	if (parallel_run(&jobs) == -1)
		end("cannot start a thread");
	_exit(0);
}
