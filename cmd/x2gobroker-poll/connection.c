/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "connection.h"

/* The pause before a retry is random, so that not all retry at once. */
#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	250

/* A ban lasts longer than any request; so retry only as long as a server may
 * be busy. */
#define REFUSED_MS	3000

/* Connect to where the client will be sent: the address, if there is one. */
static int
connect_to(const struct connection_target *target, int64_t deadline,
    struct x2gobroker_error *err)
{
	const struct host *host = &target->host;

	return tcp_connect(host->address[0] != '\0' ? host->address :
	    host->name, target->port, deadline, err);
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
connect_to_ssh(struct poll_connection *connection, struct x2gobroker_error *err)
{
	const struct connection_target *target = connection->link.target;
	int64_t deadline = connection->link.deadline;
	int64_t until = clock_ms() + REFUSED_MS;
	int fd;

	while (clock_left(deadline) > 0 &&
	    (connection->sshd != SSHD_REFUSES || clock_left(until) > 0)) {
		if ((fd = connect_to(target, deadline, err)) == -1)
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
			connection->sshd = SSHD_REFUSES;
			break;
		case TCP_BUSY:
			break;
		}
		close(fd);
		pause_before_retry(deadline);
	}
	return set_busy(connection->sshd, err);
}

static int
send_command(struct poll_connection *connection, const char *user,
    const char *task, const char *const *args, struct buf *answer,
    struct x2gobroker_error *err)
{
	cleanup_buf struct buf command = { 0 };

	if (agent_command(&command, connection->link.agent, user, task, args,
	    err) == -1)
		return -1;
	return ssh_link_run(&connection->ssh, command.data, AGENT_ANSWER_MAX,
	    answer, err);
}

/* Debian's agent gives the name to a shell; ours does not. */
static bool
takes_quotes(struct poll_connection *connection)
{
	cleanup_buf struct buf answer = { 0 };

	if (connection->quotes == QUOTES_UNKNOWN) {
		connection->quotes = QUOTES_REFUSED;
		if (send_command(connection, "-", AGENT_AVAILABLETASKS, NULL,
		    &answer, NULL) == 0 && agent_is_ours(&answer))
			connection->quotes = QUOTES_TAKEN;
	}
	return connection->quotes == QUOTES_TAKEN;
}

static int
ssh_ask(struct connection *link, const char *user, const char *task,
    const char *const *args, struct buf *answer, struct x2gobroker_error *err)
{
	struct poll_connection *connection = (struct poll_connection *)link;

	if (!agent_name_is_plain(user) && !takes_quotes(connection))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "agent there cannot be given the user name \"%.200s\"",
		    user);
	return send_command(connection, user, task, args, answer, err);
}

int
poll_connect(struct poll_connection *connection,
    const struct connection_target *target, const struct order *order,
    bool login, const struct ssh_setup *setup, struct x2gobroker_error *err)
{
	struct connection *link = &connection->link;
	struct ssh_link *ssh = &connection->ssh;
	int fd;

	*connection = (struct poll_connection){ .link = {
		.target = target, .agent = order->agent,
		.deadline = order->deadline, .ask = ssh_ask,
	} };
	if ((fd = connect_to_ssh(connection, err)) == -1)
		return -1;
	connection->sshd = SSHD_PENALISES;	/* until the login */
	if (ssh_link_open(ssh, setup, fd, link->deadline, &target->host,
	    target->port, target->policy, err) == -1 ||
	    (login && ssh_link_login(ssh, err) == -1))
		return -1;
	connection->sshd = SSHD_NEUTRAL;
	link->openssh = ssh->openssh;
	return 0;
}

void
poll_reuse(struct poll_connection *connection,
    const struct connection_target *target, const struct order *order)
{
	connection->link.target = target;
	connection->link.deadline = order->deadline;
	connection->ssh.deadline = order->deadline;
}

int
poll_knock(const struct connection_target *target, int64_t deadline,
    struct x2gobroker_error *err)
{
	int fd = connect_to(target, deadline, err);

	if (fd != -1)
		close(fd);
	return fd != -1 ? 0 : -1;
}
