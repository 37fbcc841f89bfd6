/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/safefile.h"
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

void
child_read_order(struct buf *text, size_t head)
{
	char chunk[16384];
	ssize_t n = safefile_read(STDIN_FILENO, chunk, head);
	const char *why;
	long long left;

	if (n == 0)
		child_end("libx2gobroker starts this program, with an order "
		    "on stdin");
	if (n != (ssize_t)head)
		child_end("cannot read the order");
	chunk[n - 1] = '\0';
	left = strtonum(chunk, 1, ORDER_MAX, &why);
	if (why != NULL)
		child_end("cannot read the order");
	for (; left > 0; left -= n) {
		n = safefile_read(STDIN_FILENO, chunk, (size_t)left <
		    sizeof(chunk) ? (size_t)left : sizeof(chunk));
		if (n <= 0)
			child_end(n == 0 ? "the order is incomplete" :
			    "cannot read the order");
		buf_put(text, chunk, (size_t)n);
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
