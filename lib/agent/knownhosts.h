/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef AGENT_KNOWNHOSTS_H
#define AGENT_KNOWNHOSTS_H

#include "base/error.h"

/* Append line, and a newline, to the file of known hosts.  Creates the file and
 * its directory.  Several processes may do so at the same time. */
int	knownhosts_add(const char *path, const char *line,
	    struct x2gobroker_error *err);

#endif
