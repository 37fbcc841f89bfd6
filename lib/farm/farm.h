/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The X2Go servers that a request is about, and their reports. */
#ifndef FARM_FARM_H
#define FARM_FARM_H

#include <time.h>

#include "agent/query.h"
#include "config/profile.h"

/* The lines "NAME" and "NAME blocked" of drain-file; '#' begins a comment. */
struct x2gobroker_drained {
	struct drained_host {
		char *name;
		bool blocked;
	} *list;
	size_t n;
};

struct farm_server {
	struct connection_target target;
	struct x2gobroker_error *error;	/* owned: farm_error() */
	enum sshd_verdict sshd;
	bool hangs;			/* it did not answer in time */
	bool has_hung;			/* before: recent_find_hung() */
	unsigned int lacks, lacked;	/* LACKS_..., now and before */
	bool away;			/* so it is not asked */
	bool pending;			/* it is to be asked; shown.asked */
	bool drawable;			/* can be in the sample just drawn */
	char *warning;			/* owned, or NULL */
	/* of its sessions that are left out, the first one and how many */
	const struct session *unknown_host, *denied;
	size_t nunknown_host, ndenied;
	struct agent_report report;
	char *new_key;			/* owned, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	/* what the public header shows of it; what is also known elsewhere is
	 * filled in when asked for */
	struct x2gobroker_server shown;
	struct x2gobroker_host_key host_key;
};

struct farm_session {
	const struct session *session;	/* borrowed from its server's report */
	size_t server;			/* index, or FARM_DATABASE */
#define FARM_DATABASE	SIZE_MAX
	size_t at;			/* index of the server it is on, or
					 * X2GOBROKER_NO_SERVER */
	bool offered;
	const char *why;		/* it is not, if that is to be logged */
	struct x2gobroker_session shown;	/* filled in when asked for */
};

struct x2gobroker_farm {
	const struct x2gobroker_config *config;	/* borrowed */
	char *user;			/* whose sessions, or NULL */
	char *known_hosts;		/* path, once it was needed */
	int64_t deadline;		/* of all queries, clock_ms() */
	int place;			/* of userlimit_take() */
	bool warned_of_sandbox;
	bool patient;			/* somebody wants to see how they are */
	bool acts;			/* what was asked may be followed by a
					 * change on one of the servers */
	struct conversation *conversation;	/* for that, once it began */
	bool everyone;			/* sessions of all users are listed */
	bool has_closed;		/* also servers that are closed */
	struct farm_server database;	/* X2Go's session database */
	struct x2gobroker_database examined;	/* what was found there */
	bool listed;			/* sessions are the database's alone */
	const char *weights;		/* of the profile's hosts, or NULL */
	/* of the last poll_servers() */
	const struct question *question;
	int64_t answer_by;		/* clock_ms() */
	size_t sample;			/* how many servers are asked next */
	struct farm_server *servers;
	size_t nservers;
	size_t *places;			/* hash table of targets: the index of
					 * the server + 1, or 0 */
	size_t nplaces;			/* a power of two */
	struct farm_session *sessions;	/* sorted, each id once */
	size_t nsessions;
	struct x2gobroker_drained *drained;	/* or NULL */
	struct x2gobroker_error drained_error;	/* why it is NULL */
	struct x2gobroker_maintenance *maintenance;	/* or NULL */
	bool is_chosen;			/* the hosts for a new session are, by
					 * a hook, even drained ones */
	bool in_order;			/* their first usable one is taken */
	struct x2gobroker_error maintenance_error;	/* why it is NULL */
};

/* The n hosts of a profile; if farm is not NULL, without those that are blocked
 * or where maintenance lets nobody resume; the caller frees them.  "localhost"
 * is replaced by the name of this host, which its X2Go server uses for
 * itself. */
int	farm_hosts(const struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, struct host **hosts,
	    size_t *n, struct x2gobroker_error *err);
int	farm_port(const struct x2gobroker_profile *profile,
	    const struct host *host);

/* Who is asked about the servers of a profile, or NULL: nobody is. */
const struct source *farm_source(const struct x2gobroker_profile *profile);

/* How the servers of a profile are asked: all but the host; its source is NULL
 * if nobody is. */
struct connection_target farm_target(const struct x2gobroker_profile *profile);

/* The server of the farm that answers for that host of such a profile, or
 * NULL. */
struct farm_server *farm_find(const struct x2gobroker_farm *farm,
	    const struct connection_target *how, const struct host *host);

/* The server of that host, or NULL. */
const struct farm_server *farm_find_speaker(const struct x2gobroker_farm *farm,
	    const char *host);

/* Is host, of a session, that server: by its name in the profile, or else by
 * the name that its agent says, unless that is the name of another one?
 * Servers are not trusted to speak for others. */
bool	farm_speaks_for(const struct x2gobroker_farm *farm,
	    const struct farm_server *server, const char *host);

/* Where to write why the server has not answered; NULL without memory.  It is
 * large, and few servers need it. */
struct x2gobroker_error *farm_error(struct farm_server *server);

/* Why a server that was asked has not answered; X2GOBROKER_OK if it was not.
 * The text includes the file that the error is about. */
const struct x2gobroker_error *farm_why(const struct farm_server *server);
void	farm_set_why(struct farm_server *server,
	    const struct x2gobroker_error *why);

/* The one of n hosts of a profile that the session is on, if that server has
 * answered, so that the session can be resumed; or NULL.  Notes in the session
 * whether it is offered. */
const struct host *farm_host_of(const struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, struct farm_session *session);

/* Report each session for which farm_host_of() has found no host. */
void	farm_report_left_out(const struct x2gobroker_farm *farm,
	    struct reporter *rep);

/* Report each server that has failed, and each warning about the others. */
void	farm_report(const struct x2gobroker_farm *farm, struct reporter *rep);

/*
 * Ask the servers, which have so many seconds to answer, and run companion (may
 * be NULL) meanwhile.  Unless the farm is patient, some are left out where no
 * session is known to be there: those that hung a moment ago, and those that
 * are not in the random sample, if one is enough (servers-to-ask,
 * servers-share-database).  While nobody answers, more are asked.
 */
int	poll_servers(struct x2gobroker_farm *farm,
	    const struct question *question, int seconds,
	    x2gobroker_farm_progress *progress, void *arg,
	    struct query *companion, struct x2gobroker_error *err);

/* Ask servers that were left out, as nobody else can take a new session.
 * Returns 1, or 0 if there are none or the time of the request is up. */
int	poll_more(struct x2gobroker_farm *farm, struct x2gobroker_error *err);

/* For a listing: ask the session database alone.  If it has answered, servers
 * are not added to the farm (farm->listed). */
int	poll_database(struct x2gobroker_farm *farm,
	    struct x2gobroker_error *err);

/* Take a place for a request of user (NULL: needs none), and set *place, unless
 * it is set, to a file descriptor that holds it; -1 if state-dir cannot be
 * used.  Waits for a moment.  Returns -1 with err filled in if
 * requests-per-user others keep their places. */
#define USERLIMIT_DIR	"requests"	/* in state-dir */
int	userlimit_take(const struct x2gobroker_config *config,
	    const char *user, int *place, struct x2gobroker_error *err);

/* Ask one target, which has so many seconds to answer.  session may be NULL
 * where the question needs none. */
int	poll_target(struct x2gobroker_farm *farm,
	    const struct connection_target *target,
	    const struct question *question, const char *session, int seconds,
	    struct x2gobroker_error *err);

/* How long it may take to change the state of a session. */
int	poll_change_seconds(const struct x2gobroker_farm *farm);

/* Suspend a running session of the farm's list, so that the user can resume it
 * here; but leave that to the server where it would take long. */
int	poll_hand_over(struct x2gobroker_farm *farm, const char *session,
	    struct x2gobroker_error *err);

/* What query_run() keeps for the next query, or NULL. */
struct conversation **farm_conversation(struct x2gobroker_farm *farm);

/* query_init(), for a target that may be one of the farm's servers. */
void	farm_init_query(const struct x2gobroker_farm *farm,
	    struct query *query, const struct question *question,
	    const struct connection_target *target);

/* The child that asked this server, or the session database, may have no
 * sandbox: warn of that, once for all of them. */
void	poll_warn_of_sandbox(struct x2gobroker_farm *farm,
	    struct farm_server *server, const struct query *query);

/* Keep what a query has found about the agent of its target. */
void	farm_note_query(struct x2gobroker_farm *farm,
	    const struct query *query);

/* Put a warning before those that the server has; text is empty afterwards. */
void	poll_add_warning(struct farm_server *server, struct buf *text);

/* Put the host line that makes sessions on the host name known as its own. */
void	poll_put_host_line(struct buf *buf, const struct farm_server *server,
	    const char *name);

/* The deadline of queries that begin now and may take so many seconds, within
 * the request's own. */
int64_t	poll_deadline(const struct x2gobroker_farm *farm, int seconds);

/*
 * What requests have found out about servers a moment ago, in a directory of
 * state-dir that all brokers of this host share.  sshd 9.8 and later bans an
 * address that often connects without logging in (PerSourcePenalties in
 * sshd_config(5)), and does not say why.
 */
#define RECENT_DIR		"servers"	/* in state-dir */
#define RECENT_KNOCK_SECONDS	5
#define RECENT_FAILURE_SECONDS	600	/* no ban lasts longer, by default */
#define RECENT_HUNG_SECONDS	60
#define RECENT_LACKS_SECONDS	300
#define RECENT_TRYING_SECONDS	10
#define RECENT_NAME_SECONDS	86400

/* Does anything listen there?  Connects, or waits for another request that does
 * so at this moment, or believes one of the last RECENT_KNOCK_SECONDS. */
bool	recent_knock(struct x2gobroker_farm *farm,
	    const struct connection_target *target);

/* Of the servers that are pending, put those away that hung within the last
 * RECENT_HUNG_SECONDS; every RECENT_TRYING_SECONDS one request asks such a
 * server all the same.  Returns how many are away. */
size_t	recent_find_hung(struct x2gobroker_farm *farm);

/* The same for the session database. */
bool	recent_is_away(const struct x2gobroker_farm *farm,
	    struct farm_server *server);
void	recent_note_database(struct x2gobroker_farm *farm);

/* Find what the agents of servers that are pending lack, as far as it was found
 * a moment ago. */
void	recent_find_lacks(struct x2gobroker_farm *farm);

/* Store what agents lack, which servers have hung, and why servers did not let
 * the broker log in; give that reason for servers that refuse to say one. */
void	recent_note(struct x2gobroker_farm *farm);

/* Store the hosts of sessions that no server is known by, for
 * x2gobroker_farm_recall(). */
void	recent_note_names(struct x2gobroker_farm *farm);

/*
 * The session database (session-database in x2gobroker.conf(5))
 */
void	database_init(struct x2gobroker_farm *farm);

/* Ask it once, if there is one: for the sessions of the user, and for
 * query_all, for the number of sessions on each server.  Returns whether it has
 * answered. */
bool	database_ask(struct x2gobroker_farm *farm,
	    const struct question *question);

/* A session of the user is on a host that no server of the farm is known by: of
 * those that were not asked, let the ones be asked whose names the database
 * does not have.  Returns whether there are any. */
bool	database_find_hosts(struct x2gobroker_farm *farm);

/* Of the servers that are pending, keep at most max that have the fewest
 * sessions for their weights.  Returns how many. */
size_t	database_keep_best(struct x2gobroker_farm *farm, size_t max);

/* Whether the host gets no new sessions, or is blocked, by its full or short
 * name (hostlist_match()).  drained may be NULL. */
bool	drain_has(const struct x2gobroker_drained *drained,
	    const struct host *host);
bool	drain_blocks(const struct x2gobroker_drained *drained,
	    const struct host *host);

/* x2gobroker_maintenance_load() has failed. */
void	maintenance_report_unknown(const struct x2gobroker_error *why,
	    struct reporter *rep);

/* What users are told who want a session on host, or NULL.  all may be NULL. */
const struct x2gobroker_notice *maintenance_of_server(
	    const struct x2gobroker_maintenance *all, const struct host *host);

#define BALANCE_USUAL_WEIGHT	100

struct candidate {
	const char *why;	/* it cannot be used, or NULL */
	struct farm_server *server;	/* that answers for it, or NULL */
	bool load_known;
	uint64_t load_factor;	/* more is better */
	long sessions;		/* -1: unknown, counted as 0 */
	long pending;		/* assigned a moment ago, not started yet */
	long own;		/* of these, the user's in this profile */
	int weight;		/* BALANCE_USUAL_WEIGHT by default */
	int limit;		/* of sessions; 0: none */
	double score;		/* result, if usable: less is better */
};

/* A candidate with as many sessions as its limit allows becomes unusable.  The
 * user's own pending one would be replaced. */
void	balance_limit(struct candidate *list, size_t n);

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
 * to its index.  remember: user (not NULL) will be sent there.  Reports
 * problems that make the choice worse.  Returns -1 if no host can be used; err
 * says why for each. */
int	balance_choose_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile, const struct host *hosts,
	    size_t n, const char *user, bool remember, struct reporter *rep,
	    size_t *chosen, struct x2gobroker_error *err);

/*
 * Which user was sent to which server in the last ten minutes, in a directory
 * of state-dir that all brokers of this host share (base/statedir.h).  A new
 * session takes some seconds to appear in the count of its server.  Without
 * these assignments, a class that logs in at once would end up on one server,
 * and so would everybody where a server is broken and its sessions end at once.
 *
 * An assignment ends when the user is assigned again in the same profile, or
 * after ASSIGNMENT_SECONDS.  While its server reports that the session has
 * started, it is ignored.
 */
#define ASSIGNMENT_SECONDS	600
#define ASSIGNMENTS_DIR		"assignments"	/* in state-dir */

struct assignments;

/* Read them.  -1: balancing has to work without. */
int	assignments_open(const char *dir, time_t now, struct assignments **out,
	    struct x2gobroker_error *err);

/* Read those that have been added since. */
int	assignments_read_more(struct assignments *all,
	    struct x2gobroker_error *err);

/* The number of assignments to server, which is "NAME:PORT" as in the profile,
 * in any case, without those whose sessions its report (may be NULL) counts.
 * Adds to *own how many of them are the user's (may be NULL) by profile. */
long	assignments_pending(const struct assignments *all, const char *server,
	    const struct agent_report *report, const char *user,
	    const char *profile, long *own);

/* Store that user was sent to server, by the profile with this id.  1: another
 * broker has added an assignment since the last reading; choose again. */
int	assignments_add(struct assignments *all, const char *server,
	    const char *user, const char *profile,
	    struct x2gobroker_error *err);

void	assignments_close(struct assignments *all);	/* may be NULL */

/*
 * Who is connected to a session, as the events of the clients say
 * (x2gobroker_admin.h).
 */

/* Note an event of a client, whose seen is the time of it, and find the order
 * that waits for this client.  The texts may be from the client; NULL is "".
 * An order is found until an event shows that the client has carried it out,
 * because a client may drop an answer.  -1: nothing was noted. */
int	connected_note(const struct x2gobroker_config *config,
	    const struct x2gobroker_client *event,
	    enum x2gobroker_order *order, struct x2gobroker_error *err);

/* As the client reads it, or "". */
const char *connected_order_word(enum x2gobroker_order order);

#endif
