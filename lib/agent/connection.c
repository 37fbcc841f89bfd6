/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "agent/connection.h"
#include "agent/local.h"
#include "agent/tcp.h"

/* How long to wait before a busy server is tried again: not all at once. */
#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	250

#define ARGS_MAX	4

/* The client will go to the address, where there is one. */
static const char *
way_to(const struct connection_target *target)
{
	return target->host.address[0] != '\0' ? target->host.address :
	    target->host.name;
}

static void
pause_before_retry(int64_t deadline)
{
	int ms = RETRY_MIN_MS + (int)arc4random_uniform(RETRY_MAX_MS -
	    RETRY_MIN_MS);
	int left = clock_left(deadline);

	usleep((useconds_t)(ms < left ? ms : left) * 1000);
}

/* A socket that an SSH server has begun to speak on, or -1. */
static int
connect_to_ssh(struct parallel_job *job, const struct connection_target *target,
    struct x2gobroker_error *err)
{
	int64_t deadline = parallel_deadline(job);
	int fd;

	while (clock_left(deadline) > 0) {
		fd = tcp_connect(way_to(target), target->port, deadline, err);
		if (fd == -1)
			return -1;
		switch (tcp_await_greeting(fd, deadline)) {
		case TCP_SSH:
			return fd;
		case TCP_SILENT:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "it lets us connect to port %d, and says nothing",
			    target->port);
		case TCP_FOREIGN:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "what listens on port %d is no SSH server",
			    target->port);
		case TCP_BUSY:
			break;
		}
		close(fd);
		pause_before_retry(deadline);
	}
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "its sshd is "
	    "too busy to let us in; see MaxStartups in sshd_config(5)");
}

int
connection_open_for_key(struct connection *link, struct parallel_job *job,
    const struct connection_target *target, const struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	int fd;

	memset(link, 0, sizeof(*link));
	link->job = job;
	link->target = target;
	if ((fd = connect_to_ssh(job, target, err)) == -1)
		return -1;
	return ssh_link_open(&link->ssh, setup, fd, parallel_deadline(job),
	    &target->host, target->port, target->policy, err);
}

int
connection_open(struct connection *link, struct parallel_job *job,
    const struct connection_target *target, const char *agent,
    const struct ssh_setup *setup, struct x2gobroker_error *err)
{
	int result;

	if (target->mode == QUERY_LOCAL) {
		memset(link, 0, sizeof(*link));
		link->job = job;
		link->target = target;
		link->agent = agent;
		return 0;
	}
	result = connection_open_for_key(link, job, target, setup, err);
	if (result == 0)
		result = ssh_link_login(&link->ssh, err);
	link->agent = agent;
	return result;
}

static int
ask_here(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	const char *argv[3 + ARGS_MAX + 1] = { link->agent, user, task };
	size_t i;

	for (i = 0; args != NULL && args[i] != NULL && i < ARGS_MAX; i++)
		argv[3 + i] = args[i];
	return local_run(argv, parallel_deadline(link->job), AGENT_ANSWER_MAX,
	    answer, err);
}

static int
ask_there(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	struct buf command = { 0 };
	int result;

	result = agent_command(&command, link->agent, user, task, args, err);
	if (result == 0)
		result = ssh_link_run(&link->ssh, command.data,
		    AGENT_ANSWER_MAX, answer, err);
	buf_free(&command);
	return result;
}

int
connection_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	if (link->target->mode == QUERY_LOCAL)
		return ask_here(link, user, task, args, answer, err);
	return ask_there(link, user, task, args, answer, err);
}

void
connection_close(struct connection *link)
{
	ssh_link_close(&link->ssh);
}

int
connection_knock(struct parallel_job *job, const struct connection_target *target,
    struct x2gobroker_error *err)
{
	int fd = tcp_connect(way_to(target), target->port, parallel_deadline(job),
	    err);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}
