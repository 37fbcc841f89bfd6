/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What servers are asked, and what they answer.
 *
 * x2gobroker-poll, a child process with a deadline, does all that goes over the
 * network and all that needs libssh, and x2gobroker-sessiondb all that needs
 * libpq.  The agent of this host is asked by the library itself.
 * agent/record.h is how these programs speak.
 */
#ifndef AGENT_QUERY_H
#define AGENT_QUERY_H

#include "x2gobroker_admin.h"
#include "agent/connection.h"

struct query;

/* What a query does, and how far it has to get for that. */
struct question {
	const char *name;		/* in an order to x2gobroker-poll */
	enum reach { REACH_NOTHING, REACH_PORT, REACH_HOST_KEY,
		REACH_AGENT } reach;
	int (*ask)(struct query *query, struct connection *link,
	    struct x2gobroker_error *err);	/* REACH_AGENT */
	const char *task;		/* that changes a session */
	enum session_state wanted;	/* to this state */
};

extern const struct question
    query_keypair,	/* a new pair; args: a word of keypair_types */
    query_service_key,	/* the fingerprint of one; args: its path */
    query_knock,	/* does anything listen on the port? */
    query_host_key,	/* which host key does it have, known or not? */
    query_sessions,	/* the sessions of the user */
    query_list,		/* the same; without a user, those of all users */
    query_all,		/* these, the load and the number of all sessions */
    query_suspend,	/* args: the session; done when it is suspended */
    query_hand_over,	/* the same where that takes a moment, else nothing */
    query_terminate,	/* args: the session; done when it has ended */
    query_add_key,	/* args: a line of authorized_keys, and the file */
    query_store_key,	/* the same, but to the store of our agent */
    query_check_store,	/* would that work? */
    query_examine;	/* of a session database: as query_all, and facts about
			 * the role of the broker, also if it cannot read */

/* All of them; ends with NULL. */
extern const struct question *const query_questions[];

#define QUERY_ARGS	2

#define LACKS_STATUS	0x1	/* it is not our agent */
#define LACKS_COUNTS	0x2	/* getservers counts nothing */
#define LACKS_ALL	(LACKS_STATUS | LACKS_COUNTS)

/* Few, so that a login does not wait for them when many have expired; more than
 * one, so that their number shrinks. */
#define QUERY_EXPIRED_MAX	5

struct query {
	/* All pointers are borrowed. */
	const struct question *question;
	struct connection_target target;
	const char *user;		/* whose sessions or key, or NULL */
	const char *args[QUERY_ARGS];
	/* lines that these two remove, if they can */
	struct expired_key {
		const char *user, *line, *file;
		bool removed;
	} expired[QUERY_EXPIRED_MAX];
	size_t nexpired;
	/* What the agent cannot do, as an earlier request has found; and as
	 * this one has found. */
	unsigned int lacks;

	/* The answer; owned. */
	bool done, failed;
	struct x2gobroker_error error;
	int ms;				/* that it took */
	struct agent_report report;
	char *new_key;			/* a line for known_hosts, or NULL */
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	enum sshd_verdict sshd;
	bool unnamed;			/* it cannot be asked about the user */
	bool stays;			/* the line may have been added to the
					 * file, for us to remove */
	char missing[32];		/* of the sandbox it was asked in */
	struct buf private_key;		/* PEM; in memory only */
	char *public_key;		/* "TYPE BASE64" */

	/* In x2gobroker-poll: where the answers of agents are recorded. */
	struct buf *record;
};

/* The words of enum autologin_key_type. */
extern const char *const keypair_types[];

void	query_init(struct query *query, const struct question *question,
	    const struct connection_target *target, const char *user);
void	query_free(struct query *query);	/* only its contents */

/* The most that one of n queries needs to reach. */
enum reach query_reach(struct query *const *queries, size_t n);

/* The answer is err. */
void	query_fail(struct query *query, const struct x2gobroker_error *err);

/* Read the answer to a task into the report.  The broker does so with all that
 * x2gobroker-poll has read before. */
int	query_take(struct query *query, const char *task, const char *answer,
	    size_t len, struct x2gobroker_error *err);

/* Called for each query that is done. */
typedef void query_progress(void *arg, struct query *query);

/* The files of the broker account that x2gobroker-poll reads: known hosts, and
 * service keys; the caller frees them.  "~" is the account's home. */
char	*servicekeys_known_hosts(const struct x2gobroker_config *config,
	    struct x2gobroker_error *err);
int	servicekeys_paths(const struct x2gobroker_config *config,
	    char ***paths, size_t *n, struct x2gobroker_error *err);
void	servicekeys_free(char **paths, size_t n);

/* Ask X2Go's session database.  In query_all and query_examine, args is for how
 * many seconds starts of sessions are of interest.  It is done afterwards. */
void	query_run_database(const struct x2gobroker_config *config,
	    struct query *query, int64_t deadline);

/* A child that has asked some queries and keeps its connections. */
struct conversation;

/* Ask all n at once.  All of them are done afterwards: those without an answer
 * at the deadline have failed.  progress may be NULL.  With kept (else NULL),
 * the conversation *kept goes on, or begins if it is NULL: to ask the same
 * servers again needs no new connections. */
void	query_run(const struct x2gobroker_config *config,
	    struct query *const *queries, size_t n, int64_t deadline,
	    query_progress *progress, void *arg, struct conversation **kept);

/* May be NULL. */
void	conversation_end(struct conversation *conversation);

#endif
