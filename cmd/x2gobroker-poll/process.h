/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef POLL_PROCESS_H
#define POLL_PROCESS_H

#include <stddef.h>

#include "common/priv.h"

/* A build with sanitizers has no sandbox and no limit of memory: it needs much,
 * and when it has found something it opens files and starts a symbolizer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	true
#elif defined(__has_feature)
#define SANITIZED	(__has_feature(address_sanitizer) || \
			__has_feature(memory_sanitizer) || \
			__has_feature(thread_sanitizer) || \
			__has_feature(undefined_behavior_sanitizer))
#else
#define SANITIZED	false
#endif

/* Reset what was inherited, and keep the caller of a setuid broker away: all
 * ids become the effective ones. */
void	process_init(priv_die *die);

/* Limit the memory to what n servers may need. */
void	process_limit_memory(size_t n);

#endif
