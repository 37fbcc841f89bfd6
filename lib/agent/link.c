/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "agent/link.h"
#include "agent/local.h"
#include "agent/net.h"

/* How long to wait before a busy server is tried again: not all at once. */
#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	250

#define ARGS_MAX	4

/* The client will go to the address, where there is one. */
static const char *
way_to(const struct link_target *target)
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
connect_to_ssh(struct round_job *job, const struct link_target *target,
    struct x2gobroker_error *err)
{
	int64_t deadline = round_deadline(job);
	int fd;

	while (clock_left(deadline) > 0) {
		fd = net_connect(way_to(target), target->port, deadline, err);
		if (fd == -1)
			return -1;
		switch (net_await_greeting(fd, deadline)) {
		case NET_SSH:
			return fd;
		case NET_SILENT:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "it lets us connect to port %d, and says nothing",
			    target->port);
		case NET_FOREIGN:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "what listens on port %d is no SSH server",
			    target->port);
		case NET_BUSY:
			break;
		}
		close(fd);
		pause_before_retry(deadline);
	}
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "its sshd is "
	    "too busy to let us in; see MaxStartups in sshd_config(5)");
}

int
link_open_for_key(struct link *link, struct round_job *job,
    const struct link_target *target, const struct ssh_setup *setup,
    struct x2gobroker_error *err)
{
	int fd;

	memset(link, 0, sizeof(*link));
	link->job = job;
	link->target = target;
	if ((fd = connect_to_ssh(job, target, err)) == -1)
		return -1;
	return ssh_link_open(&link->ssh, setup, fd, round_deadline(job),
	    &target->host, target->port, target->policy, err);
}

int
link_open(struct link *link, struct round_job *job,
    const struct link_target *target, const char *agent,
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
	result = link_open_for_key(link, job, target, setup, err);
	if (result == 0)
		result = ssh_link_login(&link->ssh, err);
	link->agent = agent;
	return result;
}

static int
ask_here(struct link *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	const char *argv[3 + ARGS_MAX + 1] = { link->agent, user, task };
	size_t i;

	for (i = 0; args != NULL && args[i] != NULL && i < ARGS_MAX; i++)
		argv[3 + i] = args[i];
	return local_run(argv, round_deadline(link->job), AGENT_ANSWER_MAX,
	    answer, err);
}

static int
ask_there(struct link *link, const char *user, const char *task,
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
link_ask(struct link *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	if (link->target->mode == QUERY_LOCAL)
		return ask_here(link, user, task, args, answer, err);
	return ask_there(link, user, task, args, answer, err);
}

void
link_close(struct link *link)
{
	ssh_link_close(&link->ssh);
}

int
link_knock(struct round_job *job, const struct link_target *target,
    struct x2gobroker_error *err)
{
	int fd = net_connect(way_to(target), target->port, round_deadline(job),
	    err);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}
