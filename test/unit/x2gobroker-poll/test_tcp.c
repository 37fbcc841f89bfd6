/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/clock.h"
#include "support.h"
#include "x2gobroker-poll/connection.h"

#define PATIENCE_MS	10000

/* A socket that listens on loopback, on a port of the kernel's choice. */
static int
listen_here(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd != -1);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len),
	    0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void
who_listens_is_connected_to(void **state unused)
{
	static const char *const names[] = { "127.0.0.1", "localhost" };
	int port, fd, listener = listen_here(&port);
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		fd = tcp_connect(names[i], port, clock_ms() + PATIENCE_MS,
		    NULL);
		check(names[i], fd != -1);
		close(fd);
	}
	close(listener);
}

static void
who_does_not_is_told_apart(void **state unused)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "127.0.0.1", "Connection refused" },
		{ "no-such-host.invalid", "cannot be resolved" },
		{ "", "cannot be resolved" },
		{ "127.0.0.1 ", "cannot be resolved" },
	};
	struct x2gobroker_error err;
	int port, listener = listen_here(&port);
	size_t i;

	close(listener);
	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].name, tcp_connect(rows[i].name, port,
		    clock_ms() + PATIENCE_MS, &err) == -1);
		if (strstr(err.text, rows[i].text) == NULL)
			fail_msg("[%s] %s", rows[i].name, err.text);
	}
}

static void
greetings_are_told_apart(void **state unused)
{
	static const struct {
		const char *text;
		bool close;
		enum tcp_greeting greeting;
	} rows[] = {
		{ "SSH-2.0-OpenSSH_9.2p1\r\n", false, TCP_SSH },
		{ "SSH-2.0-OpenSSH_9.2p1\r\n", true, TCP_SSH },
		{ "", false, TCP_SILENT },
		{ "", true, TCP_BUSY },
		{ "Exceeded MaxStartups\r\n", true, TCP_BUSY },
		{ "Not allowed at this time\r\n", true, TCP_REFUSED },
		{ "Not allowed", true, TCP_FOREIGN },
		{ "220 mail.example.org ESMTP\r\n", false, TCP_FOREIGN },
	};
	int pair[2];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		assert_int_equal(write(pair[1], rows[i].text,
		    strlen(rows[i].text)), strlen(rows[i].text));
		if (rows[i].close)
			shutdown(pair[1], SHUT_RDWR);
		check(rows[i].text, tcp_await_greeting(pair[0], clock_ms() +
		    (rows[i].greeting == TCP_SSH ? PATIENCE_MS : 200)) ==
		    rows[i].greeting);
		close(pair[0]);
		close(pair[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_listens_is_connected_to),
		cmocka_unit_test(who_does_not_is_told_apart),
		cmocka_unit_test(greetings_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
