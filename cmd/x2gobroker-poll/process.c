/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <signal.h>
#include <stdlib.h>

#include "common/startup.h"
#include "parallel.h"
#include "process.h"

/* What may be written to, although most of it never is (128 servers need
 * 18 MiB): libcrypto and libc, and for each server a stack and what it
 * sends. */
#define MEMORY_BASE	(64UL * 1024 * 1024)
#define MEMORY_EACH	(PARALLEL_STACK_SIZE + 1024UL * 1024)

void
process_init(priv_die *die)
{
	/* report a closed connection as a write error */
	static const int ignored[] = { SIGPIPE, 0 };
	static const struct rlimit none = { 0, 0 };
	const char *why;

	priv_keep_effective(die);
	priv_dumpable_off(die);
	setrlimit(RLIMIT_CORE, &none);
	startup_sanitise_signals(ignored);
	/* without the broker, nobody reads the replies */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if ((why = startup_sanitise()) != NULL)
		die(why);
}

void
process_limit_memory(size_t n)
{
	struct rlimit limit;

	limit.rlim_cur = limit.rlim_max = MEMORY_BASE + n * MEMORY_EACH;
	if (!SANITIZED)
		setrlimit(RLIMIT_DATA, &limit);
}
