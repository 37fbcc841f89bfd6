/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to one agent.  Linked with --wrap for what it is made of: the
 * network, and SSH; and for usleep, as nobody waits.
 */
#include "base/clock.h"
#include "support.h"
#include "x2gobroker-poll/connection.h"

int	__wrap_tcp_connect(const char *name, int port, int64_t deadline,
	    struct x2gobroker_error *err);
enum tcp_greeting __wrap_tcp_await_greeting(int fd, int64_t deadline);
int	__wrap_ssh_link_open(struct ssh_link *link,
	    const struct ssh_setup *setup, int fd, int64_t deadline,
	    const struct host *host, int port, enum hostkey_policy policy,
	    struct x2gobroker_error *err);
int	__wrap_ssh_link_login(struct ssh_link *link,
	    struct x2gobroker_error *err);
int	__wrap_ssh_link_run(struct ssh_link *link, const char *command,
	    size_t max, struct buf *out, struct x2gobroker_error *err);
int	__wrap_usleep(useconds_t microseconds);

/* What the server is like, and what was done. */
static struct {
	bool unreachable, unknown_key, locked_out, fails;
	enum tcp_greeting greetings[4];	/* one for each attempt */
	int attempts;
	char way[300];		/* NAME:PORT */
	const char *tasks;	/* of its agent */
	char said[300];		/* the command line, or the words */
	int slept_ms;
} wire;

int
__wrap_tcp_connect(const char *name, int port, int64_t deadline unused,
    struct x2gobroker_error *err)
{
	snprintf(wire.way, sizeof(wire.way), "%s:%d", name, port);
	if (wire.unreachable)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "cannot connect");
	return dup(STDERR_FILENO);
}

enum tcp_greeting
__wrap_tcp_await_greeting(int fd, int64_t deadline unused)
{
	assert_true(fd > STDERR_FILENO);
	return wire.greetings[wire.attempts++ % 4];
}

int
__wrap_ssh_link_open(struct ssh_link *link unused,
    const struct ssh_setup *setup unused, int fd, int64_t deadline unused,
    const struct host *host unused, int port unused,
    enum hostkey_policy policy unused, struct x2gobroker_error *err)
{
	close(fd);
	return wire.unknown_key ? error_set(err, X2GOBROKER_ERR_DENIED, NULL,
	    0, "not known") : 0;
}

int
__wrap_ssh_link_login(struct ssh_link *link unused,
    struct x2gobroker_error *err)
{
	return wire.locked_out ? error_set(err, X2GOBROKER_ERR_DENIED, NULL,
	    0, "not let in") : 0;
}

int
__wrap_ssh_link_run(struct ssh_link *link unused, const char *command,
    size_t max, struct buf *out, struct x2gobroker_error *err)
{
	assert_int_equal(max, AGENT_ANSWER_MAX);
	snprintf(wire.said, sizeof(wire.said), "%s", command);
	buf_puts(out, strstr(command, "availabletasks") != NULL ? wire.tasks :
	    "there");
	return wire.fails ? error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
	    "no") : 0;
}

int
__wrap_usleep(useconds_t microseconds)
{
	wire.slept_ms += (int)microseconds / 1000;
	return 0;
}

static int
setup(void **state unused)
{
	memset(&wire, 0, sizeof(wire));
	wire.greetings[0] = TCP_SSH;
	return 0;
}

/* What is tried, in so much time, and its result. */
enum attempt { OPEN, OPEN_FOR_KEY, KNOCK, ASK };

struct trial {
	struct connection_target target;
	enum attempt attempt;
	const char *task;
	const char *const *args;
	const char *user;	/* NULL: alice */
	struct buf answer;
	bool failed;
	struct x2gobroker_error error;
};

static int
run(struct trial *trial, int ms, struct x2gobroker_error *err)
{
	const struct order order = { .agent = "/the/agent",
	    .deadline = clock_ms() + ms };
	const struct ssh_setup none = { 0 };
	struct poll_connection connection;
	int result;

	if (trial->attempt == KNOCK)
		return poll_knock(&trial->target, order.deadline, err);
	result = poll_connect(&connection, &trial->target, &order,
	    trial->attempt != OPEN_FOR_KEY, &none, err);
	if (trial->attempt == ASK && result == 0)
		result = connection_ask(&connection.link, trial->user != NULL ?
		    trial->user : "alice", trial->task, trial->args,
		    &trial->answer, err);
	ssh_link_close(&connection.ssh);
	return result;
}

static void
do_try(struct trial *trial, int ms)
{
	wire.attempts = 0;
	trial->error = (struct x2gobroker_error){ 0 };
	trial->failed = run(trial, ms, &trial->error) == -1;
}

static int
lowest_free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* Each row: what the server does, and why it cannot be asked. */
static void
a_server_may_be_out_of_reach(void **state unused)
{
	static const struct {
		bool unreachable, unknown_key, locked_out;
		enum tcp_greeting greetings[4];
		enum attempt attempt;
		int attempts;
		const char *why;	/* or "" */
	} rows[] = {
		{ 0, 0, 0, { TCP_SSH }, OPEN, 1, "" },
		{ 0, 0, 1, { TCP_SSH }, OPEN_FOR_KEY, 1, "" },
		{ 0, 0, 0, { TCP_SILENT }, KNOCK, 0, "" },
		{ 0, 0, 0, { TCP_BUSY, TCP_BUSY, TCP_SSH }, OPEN, 3, "" },
		{ 1, 0, 0, { TCP_SSH }, OPEN, 0, "cannot connect" },
		{ 1, 0, 0, { TCP_SSH }, OPEN_FOR_KEY, 0, "cannot connect" },
		{ 1, 0, 0, { TCP_SSH }, KNOCK, 0, "cannot connect" },
		{ 0, 1, 0, { TCP_SSH }, OPEN, 1, "not known" },
		{ 0, 1, 0, { TCP_SSH }, OPEN_FOR_KEY, 1, "not known" },
		{ 0, 0, 1, { TCP_SSH }, OPEN, 1, "not let in" },
		{ 0, 0, 0, { TCP_SILENT }, OPEN, 1, "connected to port "
		    "2022, but received no SSH banner" },
		{ 0, 0, 0, { TCP_FOREIGN }, OPEN, 1, "the service on port "
		    "2022 is not an SSH server" },
		{ 0, 0, 0, { TCP_REFUSED, TCP_BUSY, TCP_SSH }, OPEN, 3, "" },
		{ 0, 0, 0, { TCP_BUSY, TCP_FOREIGN }, OPEN, 2, "the "
		    "service on port 2022 is not an SSH server" },
	};
	struct trial trial;
	size_t i;
	int fd = lowest_free_fd();

	for (i = 0; i < LENGTH(rows); i++) {
		wire.unreachable = rows[i].unreachable;
		wire.unknown_key = rows[i].unknown_key;
		wire.locked_out = rows[i].locked_out;
		memcpy(wire.greetings, rows[i].greetings,
		    sizeof(wire.greetings));
		trial = (struct trial){ .attempt = rows[i].attempt,
		    .target = { .source = &source_ssh, .port = 2022,
		    .host = { .name = "ts01" } } };
		do_try(&trial, 20000);
		check_text("why", trial.error.text, rows[i].why);
		check(rows[i].why, trial.failed == (rows[i].why[0] !=
		    '\0'));
		check(rows[i].why, wire.attempts == rows[i].attempts);
		check_text("way", wire.way, "ts01:2022");
		check(rows[i].why, lowest_free_fd() == fd);
	}
}

/* After pauses of some length, so that not all come at the same time. */
static void
a_busy_server_is_tried_until_the_deadline(void **state unused)
{
	struct trial trial = { .attempt = OPEN, .target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 } };
	size_t i;

	for (i = 0; i < LENGTH(wire.greetings); i++)
		wire.greetings[i] = TCP_BUSY;
	do_try(&trial, 50);
	assert_true(trial.failed);
	assert_non_null(strstr(trial.error.text, "too busy to accept connections"));
	assert_true(wire.attempts > 1);
	assert_true(wire.slept_ms > 0);
}

/* sshd does not tell whether it is busy or bans this host, and a ban lasts
 * longer than any request. */
static void
a_server_that_refuses_is_not_tried_for_long(void **state unused)
{
	struct trial trial = { .attempt = OPEN, .target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 } };
	int64_t start = clock_ms();
	size_t i;

	for (i = 0; i < LENGTH(wire.greetings); i++)
		wire.greetings[i] = TCP_REFUSED;
	do_try(&trial, 60000);
	assert_true(trial.failed);
	assert_non_null(strstr(trial.error.text,
	    "PerSourcePenaltyExemptList"));
	assert_true(wire.attempts > 1);
	assert_true(clock_ms() - start < 30000);
}

static void
the_client_and_we_go_to_the_same_address(void **state unused)
{
	struct trial trial = { .attempt = OPEN, .target = { .source = &source_ssh,
	    .host = { .name = "ts01", .address = "192.0.2.1" }, .port = 22 } };

	do_try(&trial, 20000);
	assert_string_equal(wire.way, "192.0.2.1:22");
}

static void
an_agent_is_asked(void **state unused)
{
	static const char *const words[] = { "a b", "c", NULL };
	static const struct {
		const char *task;
		const char *const *args;
		bool fails;
		const char *said;
		const char *answer;	/* or NULL: refused */
	} rows[] = {
		{ "status", NULL, false,
		    "/the/agent alice status", "there" },
		{ "addauthkey", words, false,
		    "/the/agent alice addauthkey 'a b' 'c'", "there" },
		{ "status", NULL, true,
		    "/the/agent alice status", NULL },
		/* what cannot be said in words is not said */
		{ "a;b", NULL, false, "", NULL },
	};
	struct trial trial;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		wire.fails = rows[i].fails;
		wire.said[0] = '\0';
		trial = (struct trial){ .attempt = ASK, .task = rows[i].task,
		    .args = rows[i].args, .target = { .source = &source_ssh,
		    .host = { .name = "ts01" }, .port = 22 } };
		do_try(&trial, 20000);
		check(rows[i].said, trial.failed == (rows[i].answer ==
		    NULL));
		check_text("said", wire.said, rows[i].said);
		if (rows[i].answer != NULL)
			check_text(rows[i].said, trial.answer.data,
			    rows[i].answer);
		buf_free(&trial.answer);
	}
}

/* Only our own agent, which gives it to no shell. */
static void
a_name_that_needs_quotes_is_for_our_agent(void **state unused)
{
	static const struct {
		const char *user, *tasks, *said, *why;
	} rows[] = {
		{ "EXAMPLE\\alice", "OK\nstatus\n",
		    "/the/agent 'EXAMPLE\\alice' listsessions", "" },
		{ "EXAMPLE\\alice", "OK\nlistsessions\n",
		    "/the/agent - availabletasks", "the agent there cannot be "
		    "given the user name \"EXAMPLE\\alice\"" },
		{ "a'b", "OK\nstatus\n",
		    "/the/agent - availabletasks", "the user \"a'b\" is not "
		    "allowed in the command line of an agent" },
	};
	struct trial trial;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		wire.tasks = rows[i].tasks;
		trial = (struct trial){ .attempt = ASK, .user = rows[i].user,
		    .task = "listsessions", .target = { .source =
		    &source_ssh, .host = { .name = "ts01" }, .port = 22 } };
		do_try(&trial, 20000);
		check_text(rows[i].user, wire.said, rows[i].said);
		check_text(rows[i].user, trial.error.text, rows[i].why);
		check(rows[i].user, trial.failed == (*rows[i].why != '\0'));
		buf_free(&trial.answer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_server_may_be_out_of_reach, setup),
		cmocka_unit_test_setup(
		    a_busy_server_is_tried_until_the_deadline, setup),
		cmocka_unit_test_setup(
		    a_server_that_refuses_is_not_tried_for_long, setup),
		cmocka_unit_test_setup(
		    the_client_and_we_go_to_the_same_address, setup),
		cmocka_unit_test_setup(an_agent_is_asked,
		    setup),
		cmocka_unit_test_setup(
		    a_name_that_needs_quotes_is_for_our_agent, setup),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
