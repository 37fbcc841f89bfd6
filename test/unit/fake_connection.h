/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers that a test plays: what their agents answer is a table, and there is
 * no network.  A test that includes this is linked with --wrap for each of the
 * functions below.
 */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include "base/clock.h"
#include "farm/farm.h"
#include "support.h"

/* What is said to a task, one after the other; the last one is said again and
 * again.  A table ends with a row without a task. */
struct said {
	const char *server;		/* NULL: any */
	const char *task;		/* "open": on the way to the agent */
	enum x2gobroker_code code;	/* it fails, with the text of it */
	const char *text;
};

#define SAID_MAX	16

static struct {
	const struct said *rows;
	bool used[SAID_MAX];
	char calls[4000];	/* "SERVER TASK ARG ...", a line for each */
	size_t len;
	const char *new_key;	/* the host key is not known */
	long slept_ms;
	int left_ms;		/* of the last queries */
	size_t max_at_once;	/* queries */
	void (*hang)(int64_t deadline);	/* until then; they fail */
	bool no_setup;		/* no service key */
	bool no_keypair;	/* none can be made */
	const char *keypair;	/* the private one */
	int openssh;		/* of the servers */
} link_played;

int	__wrap_connection_ask(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);
void	__wrap_query_run(const struct x2gobroker_config *config,
	    struct query *const *queries, size_t n, int64_t deadline,
	    query_progress *progress, void *arg, struct conversation **kept);
int	__wrap_usleep(useconds_t microseconds);

static unused void
play_servers(const struct said *rows)
{
	link_played.rows = rows;
	memset(link_played.used, 0, sizeof(link_played.used));
	link_played.len = 0;
	link_played.calls[0] = '\0';
	link_played.new_key = NULL;
	link_played.slept_ms = 0;
	link_played.no_setup = link_played.no_keypair = false;
	link_played.keypair = "-----BEGIN RSA PRIVATE KEY-----\n";
	link_played.openssh = OPENSSH_VERSION(9, 2);
}

static const struct said *
find_said(const char *server, const char *task)
{
	const struct said *rows = link_played.rows, *found = NULL;
	size_t i;

	for (i = 0; rows != NULL && rows[i].task != NULL; i++) {
		if (strcmp(rows[i].task, task) != 0 || (rows[i].server !=
		    NULL && strcmp(rows[i].server, server) != 0))
			continue;
		found = &rows[i];
		if (!link_played.used[i])
			break;
	}
	if (found != NULL)
		link_played.used[found - rows] = true;
	return found;
}

static void
note_call(const char *server, const char *task, const char *const *args)
{
	size_t *len = &link_played.len, size = sizeof(link_played.calls);

	*len += (size_t)snprintf(link_played.calls + *len, size - *len,
	    "%s %s", server, task);
	for (; args != NULL && *args != NULL; args++)
		*len += (size_t)snprintf(link_played.calls + *len, size - *len,
		    " %s", *args);
	*len += (size_t)snprintf(link_played.calls + *len, size - *len, "\n");
	assert_true(*len < size);
}

/* The answer to a task, or what it fails with. */
static int
say(const struct connection_target *target, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	const char *server = target->source == &source_local ? "here" :
	    target->host.name;
	const struct said *said;
	int result = 0;

	if (answer != NULL)
		note_call(server, task, args);
	said = find_said(server, task);
	if (said != NULL && said->code != X2GOBROKER_OK)
		result = error_set(err, said->code, NULL, 0, "%s",
		    said->text);
	else if (said != NULL && answer != NULL)
		buf_puts(answer, said->text);
	return result;
}

int
__wrap_connection_ask(struct connection *link, const char *user unused, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	return say(link->target, task, args, answer, err);
}

/* As x2gobroker-poll answers it. */
static int
answer_query(struct query *query, int64_t deadline)
{
	const struct question *question = query->question;
	struct connection link = { .target = &query->target,
	    .deadline = deadline, .openssh = link_played.openssh };
	struct x2gobroker_error *err = &query->error;
	int result;

	if (question == &query_keypair) {
		if (link_played.no_keypair)
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "there is no libssh");
		buf_puts(&query->private_key, link_played.keypair);
		query->public_key = strdup("ssh-rsa AAAA");
		return 0;
	}
	if (question == &query_service_key) {
		if (link_played.no_setup)
			return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL,
			    0, "no service key");
		strcpy(query->fingerprint, "SHA256:finger");
		return 0;
	}
	if (question->reach == REACH_PORT)
		return say(&query->target, "knock", NULL, NULL, err);
	if (link_played.no_setup && query->target.source->uses_ssh)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, "/the/key", 0,
		    "no service key");
	if (link_played.new_key != NULL) {
		query->new_key = strdup(link_played.new_key);
		strcpy(query->fingerprint, "SHA256:finger");
	}
	result = say(&query->target, "open", NULL, NULL, err);
	if (result == 0 && question->ask != NULL)
		result = question->ask(query, &link, err);
	return result;
}

void
__wrap_query_run(const struct x2gobroker_config *config unused,
    struct query *const *queries, size_t n, int64_t deadline,
    query_progress *progress, void *arg, struct conversation **kept unused)
{
	size_t i;

	link_played.left_ms = clock_left(deadline);
	if (n > link_played.max_at_once)
		link_played.max_at_once = n;
	for (i = 0; i < n; i++) {
		if (link_played.hang != NULL) {
			link_played.hang(deadline);
			query_fail(queries[i], &(struct x2gobroker_error){
			    X2GOBROKER_ERR_SYSTEM, .text = "timed out" });
			progress(arg, queries[i]);
			continue;
		}
		queries[i]->failed = answer_query(queries[i], deadline) == -1;
		queries[i]->done = true;
		if (progress != NULL)
			progress(arg, queries[i]);
	}
}

/* Nobody waits here. */
int
__wrap_usleep(useconds_t microseconds)
{
	link_played.slept_ms += (long)microseconds / 1000;
	return 0;
}

/* A farm with n servers: ts01, ts02, ... */
static unused struct x2gobroker_farm *
farm_of(int n)
{
	struct x2gobroker_farm *farm;
	char name[16];
	int i;

	assert_int_equal(x2gobroker_farm_new(&test_config, "alice", &farm,
	    NULL), 0);
	for (i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "ts%02d", i);
		assert_int_equal(x2gobroker_farm_add_host(farm, name, NULL),
		    0);
	}
	return farm;
}

#endif
