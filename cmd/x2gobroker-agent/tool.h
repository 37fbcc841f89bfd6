/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AGENT_TOOL_H
#define AGENT_TOOL_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

#define TOOL_OUTPUT_MAX	(1024 * 1024)	/* bytes; a session has 300 */

/* Whether X2Go's program of that name is installed. */
bool	tool_exists(const char *name);

/* Run it with these arguments (ended by NULL) in the environment of account,
 * whose the process is by now.  All that it prints is put into out: whole lines
 * of text.  -1 with err filled in: it has not ended, or not well; or it says on
 * stderr that it has failed, which not all of them let their status tell. */
int	tool_run(const char *name, const char *const *args,
	    const struct account *account, struct buf *out,
	    struct x2gobroker_error *err);

#endif
