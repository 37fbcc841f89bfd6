/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks all servers of a farm at the same time.
 */
#ifndef FARM_POLL_H
#define FARM_POLL_H

#include "farm/farm.h"

/* Ask all servers, which have so many seconds to answer.  companion (may be
 * NULL) is another job to do meanwhile; if it hangs, *companion is NULL
 * afterwards. */
int	poll_servers(struct x2gobroker_farm *farm,
	    const struct question *question, int seconds,
	    x2gobroker_farm_progress *progress, void *arg,
	    struct parallel_job **companion, struct x2gobroker_error *err);

/* Ask one target, which has so many seconds to answer. */
int	poll_target(struct x2gobroker_farm *farm,
	    const struct connection_target *target,
	    const struct question *question, const char *session, int seconds,
	    struct x2gobroker_error *err);

/* The deadline of a job that begins now and may take so many seconds, within
 * the request's own. */
int64_t	poll_deadline(const struct x2gobroker_farm *farm, int seconds);

#endif
