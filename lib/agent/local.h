/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent of this host, started without a shell: query mode LOCAL.
 */
#ifndef AGENT_LOCAL_H
#define AGENT_LOCAL_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Run argv (ended by NULL; argv[0] is the program's path) with an environment
 * that is nobody's, and put what it prints into *out, at most max bytes.  At the
 * deadline it is killed, with all that it has started.  -1 with the text of err
 * where it fails (ERR_DENIED), prints more, or is late. */
int	local_run(const char *const *argv, int64_t deadline, size_t max,
	    struct buf *out, struct x2gobroker_error *err);

#endif
