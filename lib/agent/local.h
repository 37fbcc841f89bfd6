/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent of this host, started without a shell: query mode LOCAL.
 */
#ifndef AGENT_LOCAL_H
#define AGENT_LOCAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Run argv (ends with NULL; argv[0] is a path) in an environment that has only
 * PATH, and append what it prints to *out.  At the deadline, a point of
 * clock_ms(), the program and all that it has started are killed.  Returns 0,
 * or -1 with err filled in: it failed (ERR_DENIED), printed more than max
 * bytes (ERR_SYNTAX), or did not start or end (ERR_SYSTEM). */
int	local_run(const char *const *argv, int64_t deadline, size_t max,
	    struct buf *out, struct x2gobroker_error *err);

#endif
