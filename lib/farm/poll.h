/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking all servers of a farm at the same time.
 */
#ifndef FARM_POLL_H
#define FARM_POLL_H

#include "farm/farm.h"

/* Ask all servers for what, within so many seconds.  companion (may be NULL) is
 * a job of another kind that is done meanwhile; *companion is NULL afterwards
 * where it hangs. */
int	poll_servers(struct x2gobroker_farm *farm, enum query_what what,
	    int seconds, x2gobroker_farm_progress *progress, void *arg,
	    struct parallel_job **companion, struct x2gobroker_error *err);

/* A job for one server; libssh and the service keys are loaded when the first
 * one needs them. */
struct query *poll_make_query(struct x2gobroker_farm *farm,
	    const struct connection_target *target, enum query_what what,
	    const char *arg, const char *more, struct x2gobroker_error *err);

/* The deadline of what begins now and may take so many seconds. */
int64_t	poll_deadline(const struct x2gobroker_farm *farm, int seconds);

#endif
