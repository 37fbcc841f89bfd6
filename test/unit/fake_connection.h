/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers that a test plays: what their agents answer is a table, and there is
 * no network.  A test that includes this is linked with --wrap for each of the
 * functions below.
 */
#ifndef TEST_LINK_H
#define TEST_LINK_H

#include <pthread.h>

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
	pthread_mutex_t lock;
	const struct said *rows;
	bool used[SAID_MAX];
	char calls[4000];	/* "SERVER TASK ARG ...", a line for each */
	size_t len;
	int opened, closed;
	const char *new_key;	/* the host key is not known */
	long slept_ms;
	bool no_setup;		/* no libssh or keys */
	int openssh;		/* of the servers; as libssh has it */
} link_played = { .lock = PTHREAD_MUTEX_INITIALIZER };

int	__wrap_connection_open(struct connection *link, struct parallel_job *job,
	    const struct connection_target *target, const char *agent,
	    const struct ssh_setup *setup, struct x2gobroker_error *err);
int	__wrap_connection_ask(struct connection *link, const char *user, const char *task,
	    const char *const *args, struct buf *answer,
	    struct x2gobroker_error *err);
int	__wrap_connection_knock(struct parallel_job *job,
	    const struct connection_target *target, struct x2gobroker_error *err);
void	__wrap_connection_close(struct connection *link);
int	__wrap_ssh_setup_load(const struct x2gobroker_config *config,
	    bool with_keys, struct ssh_setup *setup,
	    struct x2gobroker_error *err);
int	__wrap_usleep(useconds_t microseconds);

static unused void
play_servers(const struct said *rows)
{
	link_played.rows = rows;
	memset(link_played.used, 0, sizeof(link_played.used));
	link_played.len = 0;
	link_played.calls[0] = '\0';
	link_played.opened = link_played.closed = 0;
	link_played.new_key = NULL;
	link_played.slept_ms = 0;
	link_played.no_setup = false;
	link_played.openssh = SSH_VERSION_INT(9, 2, 0);
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

	pthread_mutex_lock(&link_played.lock);
	if (answer != NULL)
		note_call(server, task, args);
	said = find_said(server, task);
	if (said != NULL && said->code != X2GOBROKER_OK)
		result = error_set(err, said->code, NULL, 0, "%s",
		    said->text);
	else if (said != NULL && answer != NULL)
		buf_puts(answer, said->text);
	pthread_mutex_unlock(&link_played.lock);
	return result;
}

int
__wrap_connection_open(struct connection *link, struct parallel_job *job,
    const struct connection_target *target, const char *agent,
    const struct ssh_setup *setup unused, struct x2gobroker_error *err)
{
	memset(link, 0, sizeof(*link));
	link->agent = agent;
	link->job = job;
	link->target = target;
	pthread_mutex_lock(&link_played.lock);
	link_played.opened++;
	link->ssh.openssh = link_played.openssh;
	if (link_played.new_key != NULL) {
		link->ssh.new_key = strdup(link_played.new_key);
		strcpy(link->ssh.fingerprint, "SHA256:finger");
	}
	pthread_mutex_unlock(&link_played.lock);
	return say(target, "open", NULL, NULL, err);
}

int
__wrap_connection_ask(struct connection *link, const char *user unused, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	return say(link->target, task, args, answer, err);
}

int
__wrap_connection_knock(struct parallel_job *job unused,
    const struct connection_target *target, struct x2gobroker_error *err)
{
	return say(target, "knock", NULL, NULL, err);
}

void
__wrap_connection_close(struct connection *link)
{
	pthread_mutex_lock(&link_played.lock);
	link_played.closed++;
	pthread_mutex_unlock(&link_played.lock);
	free(link->ssh.new_key);
}

int
__wrap_ssh_setup_load(const struct x2gobroker_config *config,
    bool with_keys unused, struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	memset(setup, 0, sizeof(*setup));
	if (link_played.no_setup)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, "/the/key", 0,
		    "no service key");
	setup->user = strdup("x2gobroker");
	setup->known_hosts = strdup(config->agent_known_hosts);
	if (setup->user != NULL && setup->known_hosts != NULL)
		return 0;
	free(setup->user);
	free(setup->known_hosts);
	memset(setup, 0, sizeof(*setup));
	return error_nomem(err);
}

/* Nobody waits here. */
int
__wrap_usleep(useconds_t microseconds)
{
	link_played.slept_ms += (long)microseconds / 1000;
	return 0;
}

#endif
