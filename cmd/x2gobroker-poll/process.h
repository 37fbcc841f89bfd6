/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef POLL_PROCESS_H
#define POLL_PROCESS_H

#include <stddef.h>

#include "common/priv.h"

/* Reset what was inherited, and keep the caller of a setuid broker away: all
 * ids become the effective ones. */
void	process_init(priv_die *die);

/* Limit the memory to what n servers may need. */
void	process_limit_memory(size_t n);

#endif
