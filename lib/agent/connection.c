/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "agent/connection.h"
#include "base/cleanup.h"
#include "base/clock.h"

/* The pause before a retry is random, so that not all retry at once. */
#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	250

/* A ban lasts longer than any request; so retry only as long as a server may
 * be busy. */
#define REFUSED_MS	3000

#define ARGS_MAX	4

/* Connect to where the client will be sent: the address, if there is one. */
static int
connect_to(struct parallel_job *job, const struct connection_target *target,
    struct x2gobroker_error *err)
{
	const struct host *host = &target->host;

	return tcp_connect(host->address[0] != '\0' ? host->address :
	    host->name, target->port, parallel_deadline(job), err);
}

static void
pause_before_retry(int64_t deadline)
{
	int ms = RETRY_MIN_MS + (int)arc4random_uniform(RETRY_MAX_MS -
	    RETRY_MIN_MS);
	int left = clock_left(deadline);

	usleep((useconds_t)(ms < left ? ms : left) * 1000);
}

static int
set_busy(enum sshd_verdict sshd, struct x2gobroker_error *err)
{
	if (sshd == SSHD_REFUSES)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "sshd "
		    "is too busy, or bans this host (\"Not allowed at this "
		    "time\"); see MaxStartups and PerSourcePenaltyExemptList "
		    "in sshd_config(5)");
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "sshd is too "
	    "busy to accept connections; see MaxStartups in sshd_config(5)");
}

/* A socket on which an SSH server has sent its banner, or -1. */
static int
connect_to_ssh(struct connection *link, struct x2gobroker_error *err)
{
	const struct connection_target *target = link->target;
	int64_t deadline = parallel_deadline(link->job);
	int64_t until = clock_ms() + REFUSED_MS;
	int fd;

	while (clock_left(deadline) > 0 &&
	    (link->sshd != SSHD_REFUSES || clock_left(until) > 0)) {
		if ((fd = connect_to(link->job, target, err)) == -1)
			return -1;
		switch (tcp_await_greeting(fd, deadline)) {
		case TCP_SSH:
			return fd;
		case TCP_SILENT:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "connected to port %d, but received no SSH banner",
			    target->port);
		case TCP_FOREIGN:
			close(fd);
			return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "the service on port %d is not an SSH server",
			    target->port);
		case TCP_REFUSED:
			link->sshd = SSHD_REFUSES;
			break;
		case TCP_BUSY:
			break;
		}
		close(fd);
		pause_before_retry(deadline);
	}
	return set_busy(link->sshd, err);
}

static int
send_command(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	cleanup_buf struct buf command = { 0 };

	if (agent_command(&command, link->agent, user, task, args, err) == -1)
		return -1;
	return ssh_link_run(&link->ssh, command.data, AGENT_ANSWER_MAX, answer,
	    err);
}

/* Debian's agent gives the name to a shell.  Ours does not, and is known by a
 * task of its own. */
static bool
takes_quotes(struct connection *link)
{
	cleanup_buf struct buf answer = { 0 };

	if (link->quotes == QUOTES_UNKNOWN)
		link->quotes = send_command(link, "-", AGENT_AVAILABLETASKS,
		    NULL, &answer, NULL) == 0 && answer.data != NULL &&
		    strstr(answer.data, "\n" AGENT_STATUS "\n") != NULL ?
		    QUOTES_TAKEN : QUOTES_REFUSED;
	return link->quotes == QUOTES_TAKEN;
}

static int
ssh_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	if (!agent_name_is_plain(user) && !takes_quotes(link))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "agent there cannot be given the user name \"%.200s\"",
		    user);
	return send_command(link, user, task, args, answer, err);
}

const struct source source_ssh = {
	.per_server = true, .uses_ssh = true, .adds_keys = true,
	.ask = ssh_ask,
};

static int
local_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	const char *argv[3 + ARGS_MAX + 1] = { link->agent, user, task };
	size_t i;

	for (i = 0; args != NULL && args[i] != NULL && i < ARGS_MAX; i++)
		argv[3 + i] = args[i];
	return local_run(argv, parallel_deadline(link->job), AGENT_ANSWER_MAX,
	    answer, err);
}

const struct source source_local = {
	.name = "localhost", .adds_keys = true, .ask = local_ask,
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

int
connection_open(struct connection *link, struct parallel_job *job,
    const struct connection_target *target, const char *agent,
    const struct ssh_setup *setup, struct x2gobroker_error *err)
{
	int fd;

	*link = (struct connection){ job, target, agent };
	if (!target->source->uses_ssh)
		return 0;
	if ((fd = connect_to_ssh(link, err)) == -1)
		return -1;
	link->sshd = SSHD_PENALISES;	/* until the login */
	if (ssh_link_open(&link->ssh, setup, fd, parallel_deadline(job),
	    &target->host, target->port, target->policy, err) == -1 ||
	    (agent != NULL && ssh_link_login(&link->ssh, err) == -1))
		return -1;
	link->sshd = SSHD_NEUTRAL;
	return 0;
}

int
connection_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	return link->target->source->ask(link, user, task, args, answer, err);
}

void
connection_close(struct connection *link)
{
	ssh_link_close(&link->ssh);
}

int
connection_knock(struct parallel_job *job,
    const struct connection_target *target, struct x2gobroker_error *err)
{
	int fd = connect_to(job, target, err);

	if (fd != -1)
		close(fd);
	return fd != -1 ? 0 : -1;
}
