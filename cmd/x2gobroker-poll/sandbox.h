/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef POLL_SANDBOX_H
#define POLL_SANDBOX_H

/* Give up for good everything except the network, memory, threads, and reading
 * the known hosts and what the resolver needs.  Returns the name of what this
 * kernel does not have for that, or "". */
const char *sandbox_enter(const char *known_hosts);

#endif
