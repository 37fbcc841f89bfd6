/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_X2GOTOOL_H
#define X2GOBROKER_AGENT_X2GOTOOL_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

#define X2GOTOOL_OUTPUT_MAX	(1024 * 1024)	/* bytes; a session has 300 */

/* Whether X2Go's program of that name is installed. */
bool	x2gotool_exists(const char *name);

/* Run it with these arguments (ended by NULL) in the environment of account,
 * whose the process is by now.  All that it prints is put into out: whole lines
 * of text.  -1 with err filled in: it has not ended, or not well; or it says on
 * stderr that it has failed, which not all of them let their status tell. */
int	x2gotool_run(const char *name, const char *const *args,
	    const struct account *account, struct buf *out,
	    struct x2gobroker_error *err);

#endif
