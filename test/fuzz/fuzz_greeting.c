/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first bytes that a server sends, before it hangs up.  What is let through
 * to libssh begins as SSH does, and all of it is still there to be read. */
#include <sys/socket.h>

#include <unistd.h>

#include "base/clock.h"
#include "fuzz.h"
#include "x2gobroker-poll/connection.h"

static const char busy[] = "Exceeded MaxStartups", ssh[] = "SSH-";

static const char refused[] = "Not allowed at this time";

static bool
begins(const uint8_t *data, size_t size, const char *text)
{
	size_t len = strlen(text);

	return size > 0 && memcmp(data, text, size < len ? size : len) == 0;
}

static void
check_unread(int fd, const uint8_t *data, size_t size)
{
	uint8_t *again = malloc(size + 1);

	must(again != NULL);
	must(recv(fd, again, size + 1, MSG_DONTWAIT) == (ssize_t)size);
	must(size == 0 || memcmp(again, data, size) == 0);
	free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];

	if (size > 4096)
		return 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	must(write(fds[1], data, size) == (ssize_t)size);
	close(fds[1]);
	switch (tcp_await_greeting(fds[0], clock_ms() + 1000)) {
	case TCP_SSH:
		must(begins(data, size, ssh));
		break;
	case TCP_BUSY:
		must(size == 0 || (size >= strlen(busy) &&
		    begins(data, size, busy)));
		break;
	case TCP_REFUSED:
		must(size >= strlen(refused) && begins(data, size, refused));
		break;
	case TCP_FOREIGN:
		must(size > 0 && !begins(data, size, ssh));
		break;
	case TCP_SILENT:
		must(!"the bytes were there");
	}
	check_unread(fds[0], data, size);
	close(fds[0]);
	return 0;
}
