/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/socket.h>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "connection.h"

/* sshd before 9.8 sends this and closes if too many clients are logging in. */
#define BUSY_TEXT	"Exceeded MaxStartups"

/* Later ones send this, also to an address that has failed too often. */
#define REFUSED_TEXT	"Not allowed at this time"

/* A banner begins with this. */
#define SSH_TEXT	"SSH-"

static int
resolve(const char *name, int port, struct addrinfo **out,
    struct x2gobroker_error *err)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	char service[12];
	int result;

	snprintf(service, sizeof(service), "%d", port);
	result = getaddrinfo(name, service, &hints, out);
	if (result == 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
	    "%.200s cannot be resolved: %s", name, result == EAI_SYSTEM ?
	    strerror(errno) : gai_strerror(result));
}

/* Wait until connected.  Sets errno on failure. */
static bool
is_connected(int fd, int64_t deadline)
{
	int failed, n = clock_poll(fd, POLLOUT, deadline);
	socklen_t len = sizeof(failed);

	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) == -1)
		return false;
	errno = failed;
	return failed == 0;
}

static int
connect_to(const struct addrinfo *address, int64_t deadline)
{
	cleanup_fd int fd = -1;
	int result, on = 1;

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* SSH sends short messages that wait for each other's answers */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen) == -1 &&
	    (errno != EINPROGRESS || !is_connected(fd, deadline)))
		return -1;
	result = fd;
	fd = -1;
	return result;
}

int
tcp_connect(const char *name, int port, int64_t deadline,
    struct x2gobroker_error *err)
{
	struct addrinfo *list, *address;
	int64_t now;
	int fd = -1, left = 0, save = 0;

	if (resolve(name, port, &list, err) == -1)
		return -1;
	for (address = list; address != NULL; address = address->ai_next)
		left++;
	/* each address gets an equal share of the time, because the first may
	 * be of a family that has no route from here */
	for (address = list; address != NULL && fd == -1; left--,
	    address = address->ai_next) {
		now = clock_ms();
		fd = connect_to(address, now + (deadline - now) / left);
		save = errno;
	}
	freeaddrinfo(list);
	if (fd != -1)
		return fd;
	errno = save;
	return error_errno(err, NULL, "cannot connect to port %d", port);
}

static bool
begins(const char *text, ssize_t len, const char *with)
{
	return (size_t)len >= strlen(with) &&
	    memcmp(text, with, strlen(with)) == 0;
}

enum tcp_greeting
tcp_await_greeting(int fd, int64_t deadline)
{
	char text[sizeof(REFUSED_TEXT) - 1];
	ssize_t len;

	if (clock_poll(fd, POLLIN, deadline) <= 0)
		return TCP_SILENT;
	len = recv(fd, text, sizeof(text), MSG_PEEK);
	if (len <= 0 || begins(text, len, BUSY_TEXT))
		return TCP_BUSY;
	if (begins(text, len, REFUSED_TEXT))
		return TCP_REFUSED;
	/* RFC 4253 allows other lines before the banner, but no server sends
	 * any, and libssh would read them without limit */
	return memcmp(text, SSH_TEXT, (size_t)len < sizeof(SSH_TEXT) - 1 ?
	    (size_t)len : sizeof(SSH_TEXT) - 1) == 0 ? TCP_SSH : TCP_FOREIGN;
}
