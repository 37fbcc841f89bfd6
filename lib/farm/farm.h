/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The X2Go servers that a request is about, and their reports. */
#ifndef FARM_FARM_H
#define FARM_FARM_H

#include "x2gobroker_admin.h"
#include "farm/query.h"
#include "config/profile.h"

/* The names in drain-file, one in a line; '#' begins a comment line. */
struct x2gobroker_drained {
	char **names;
	size_t n;
};

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

/* Report each server that has failed, and each warning about the others. */
void	farm_report(const struct x2gobroker_farm *farm, struct reporter *rep);

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

/* Whether the host gets no new sessions, by its full or short name
 * (hostlist_match()).  drained may be NULL. */
bool	drain_has(const struct x2gobroker_drained *drained,
	    const struct host *host);

struct candidate {
	const char *why;	/* it cannot be used, or NULL */
	struct farm_server *server;	/* that answers for it, or NULL */
	bool load_known;
	uint64_t load_factor;	/* more is better */
	long sessions;		/* -1: unknown, counted as 0 */
	long pending;		/* assigned a moment ago, not started yet */
	int weight;		/* 100 by default */
	double score;		/* result, if usable: less is better */
};

/* Fill in the score of each candidate:
 *	load:		(sessions + pending + 1) / load factor
 *	sessions:	(sessions + pending + 1) / weight
 * With load, a server with unknown load becomes unusable, unless the load of
 * all servers is unknown: then the scores are by sessions. */
void	balance_score(struct candidate *list, size_t n,
	    enum load_balancing balancing);

/* The index of the best usable one, a random one among equals, or -1. */
int	balance_best(const struct candidate *list, size_t n);

/* Choose one of n hosts of profile by the reports of its farm, and set *chosen
 * to its index.  remember: user (not NULL) will be sent there.  Reports problems
 * that make the choice worse.  Returns -1 if no host can be used; err says why
 * for each. */
int	balance_choose_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, const char *user, bool remember, struct reporter *rep,
	    size_t *chosen, struct x2gobroker_error *err);

#endif
