/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "startup.h"

#define ORDER_MAX	(16 * 1024 * 1024)

void
child_end(const char *why)
{
	fprintf(stderr, "%s\n", why);
	_exit(1);
}

void
child_init(void)
{
	/* report a closed connection as a write error */
	static const int ignored[] = { SIGPIPE, 0 };
	static const struct rlimit none = { 0, 0 };
	const char *why;

	priv_keep_effective(child_end);
	priv_dumpable_off(child_end);
	setrlimit(RLIMIT_CORE, &none);
	startup_sanitise_signals(ignored);
	/* without the broker, nobody reads the replies */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if ((why = startup_sanitise()) != NULL)
		child_end(why);
}

void
child_limit_memory(size_t bytes)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = bytes;
	if (!SANITIZED)
		setrlimit(RLIMIT_DATA, &limit);
}

/* Returns how many bytes were there before the end of stdin. */
static size_t
read_bytes(char *data, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len && (n = read(STDIN_FILENO, data + got, len - got)) !=
	    0) {
		if (n > 0)
			got += (size_t)n;
		else if (errno != EINTR)
			child_end("cannot read the order");
	}
	return got;
}

void
child_read_order(struct buf *text, size_t head)
{
	char chunk[16384];
	size_t n = read_bytes(chunk, head);
	const char *why = NULL;
	long long left;

	if (n == 0)
		child_end("libx2gobroker starts this program, with an order "
		    "on stdin");
	chunk[n - 1] = '\0';
	left = strtonum(chunk, 1, ORDER_MAX, &why);
	if (n < head || why != NULL)
		child_end("cannot read the order");
	for (; left > 0; left -= (long long)n) {
		n = read_bytes(chunk, (size_t)left < sizeof(chunk) ?
		    (size_t)left : sizeof(chunk));
		if (n == 0)
			child_end("the order is incomplete");
		buf_put(text, chunk, n);
	}
	if (text->failed)
		child_end("out of memory");
}

void
child_write(const struct buf *text)
{
	const char *data = text->data;
	size_t len = text->len;
	ssize_t n;

	if (text->failed)
		child_end("out of memory");
	for (; len > 0; data += n, len -= (size_t)n)
		if ((n = write(STDOUT_FILENO, data, len)) == -1) {
			if (errno != EINTR)
				_exit(1);	/* the broker is gone */
			n = 0;
		}
}
