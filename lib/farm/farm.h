/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The X2Go servers that a request is about, and their reports.
 */
#ifndef FARM_FARM_H
#define FARM_FARM_H

#include "x2gobroker_admin.h"
#include "farm/query.h"
#include "farm/score.h"
#include "farm/drain.h"
#include "config/profile.h"

struct farm_server {
	struct connection_target target;
	bool asked, answered;
	struct x2gobroker_error error;	/* why it has not answered */
	char *warning;			/* owned, or NULL */
	int milliseconds;
	struct agent_report report;
	char *new_key;			/* owned, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	long pending;
	bool usable;
	double score;
	/* what the public header shows of all this, filled in when asked for */
	struct x2gobroker_server shown;
	struct x2gobroker_host_key host_key;
};

struct farm_session {
	const struct session *session;	/* borrowed from its server's report */
	size_t server;
	struct x2gobroker_session shown;	/* filled in when asked for */
};

struct x2gobroker_farm {
	const struct x2gobroker_config *config;	/* borrowed */
	struct query_context *context;
	int64_t deadline;		/* of all queries, clock_ms() */
	struct farm_server *servers;
	size_t nservers;
	struct farm_session *sessions;	/* sorted, each id once */
	size_t nsessions;
	struct x2gobroker_drained *drained;	/* or NULL */
	struct x2gobroker_error drained_error;	/* why it is NULL */
};

/* The n hosts of a profile; the caller frees them.  "localhost" is replaced by
 * the name of this host, which its X2Go server uses for itself. */
int	farm_hosts(const struct x2gobroker_profile *profile,
	    struct host **hosts, size_t *n, struct x2gobroker_error *err);
int	farm_port(const struct x2gobroker_profile *profile,
	    const struct host *host);

/* Who is asked about the servers of a profile, or NULL: nobody is. */
const struct source *farm_source(const struct x2gobroker_profile *profile);

/* The server of the farm that answers for that host of the profile, or NULL. */
struct farm_server *farm_find(const struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *host);

/* The one of n hosts of a profile that the session is on, if that server has
 * answered, so that the session can be resumed; or NULL. */
const struct host *farm_host_of(const struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, const struct farm_session *session);

/* Is the host drained, so that it gets no new sessions? */
bool	farm_is_drained(const struct x2gobroker_farm *farm,
	    const struct host *host);

/* Report each server that has failed, and each warning about the others. */
void	farm_report(const struct x2gobroker_farm *farm, struct reporter *rep);

#endif
