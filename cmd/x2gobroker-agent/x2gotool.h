/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKER_AGENT_X2GOTOOL_H
#define X2GOBROKER_AGENT_X2GOTOOL_H

#include "account.h"
#include "base/buf.h"
#include "base/error.h"

#define X2GOTOOL_OUTPUT_MAX	(1024 * 1024)	/* bytes; a session has 300 */

/* It works for root only. */
#define X2GOTOOL_OF_ROOT	"x2golistsessions_root"

/* Whether X2Go's program of that name is installed. */
bool	x2gotool_exists(const char *name);

/* Run it with these arguments (ended by NULL) in the environment of account,
 * which this process must have become already.  What it prints is appended to
 * out as whole lines of text.  Returns 0, or -1 with err filled in: it did not
 * end, or it failed.  Some of these programs exit with 0 when they fail, and
 * say so on stderr. */
int	x2gotool_run(const char *name, const char *const *args,
	    const struct account *account, struct buf *out,
	    struct x2gobroker_error *err);

#endif
