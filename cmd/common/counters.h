/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many requests the brokers of this host have granted and refused, for
 * x2gobrokerctl metrics.  The numbers are a small file of state-dir that each
 * broker maps into its memory: to count is to add to a number there, which
 * takes no lock and cannot fail.  A broker that cannot use the file does not
 * count.
 */
#ifndef COMMON_COUNTERS_H
#define COMMON_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include <x2gobroker.h>

#define COUNTERS_OTHER	"other"	/* not a command that a client sends */

/* Map the file, and make it if state-dir exists.  Before privileges are given
 * up. */
void	counters_open(const struct x2gobroker_config *config);

/* Count a request.  task: as in the log, or NULL.  Signal handlers may call
 * it. */
void	counters_add(const char *task, bool granted);

/* The i-th number, from 0: that of requests for *task which were granted or
 * not; false past the end.  Without the file they are 0. */
bool	counters_get(const struct x2gobroker_config *config, size_t i,
	    const char **task, bool *granted, uint64_t *number);

#endif
