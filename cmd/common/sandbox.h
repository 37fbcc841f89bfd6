/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

/* Give up for good everything except the network, memory, threads, and reading
 * what the resolver needs and these files, whose list ends with NULL.  Returns
 * the name of what this kernel does not have for that, or "". */
const char *sandbox_enter(const char *const *files);

#endif
