/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libx2gobroker for administrators' tools: user keys, X2Go servers and their
 * host keys, drained servers, and checks of the configuration.  x2gobrokerctl
 * is built on these functions.  The rules at the top of x2gobroker.h apply.
 */
#ifndef X2GOBROKER_ADMIN_H
#define X2GOBROKER_ADMIN_H

#include <stdint.h>

#include <x2gobroker.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * The configuration and the profiles, looked at from outside
 */

/* The value in force for a key of x2gobroker.conf(5), built-in defaults
 * included.  _text: a boolean is "true" or "false"; NULL if the key does not
 * exist or is a number.  _number: -1 if it is not a number. */
const char *x2gobroker_config_text(const struct x2gobroker_config *config,
    const char *section, const char *key);
int x2gobroker_config_number(const struct x2gobroker_config *config,
    const char *section, const char *key);

/* Check that the broker, run by this process's account, would use that file or
 * directory: it is readable, and only root and the account can have written it.
 * -1: it would not; X2GOBROKER_ERR_NOTFOUND if it does not exist. */
int x2gobroker_path_check(const char *path, struct x2gobroker_error *err);

/* Report settings of the profiles that are valid but probably not intended: a
 * rule that denies everybody, or one that the Python broker reads
 * differently. */
void x2gobroker_profiles_lint(const struct x2gobroker_profiles *profiles,
    x2gobroker_report *report, void *arg);

/* The number of profiles that are withheld because of an error. */
size_t x2gobroker_profiles_count_withheld(
    const struct x2gobroker_profiles *profiles);

/* Whether a profile with that id is withheld, and its *file and *line. */
bool x2gobroker_profiles_withheld(const struct x2gobroker_profiles *profiles,
    const char *id, const char **file, unsigned int *line);

/* Whether name, a host name or an address, is one of the servers of profile, as
 * X2Go servers and the drain list name them. */
bool x2gobroker_profile_has_server(const struct x2gobroker_profile *profile,
    const char *name);

/*
 * Keys of users: in keys-dir of x2gobroker.conf(5), a file NAME.pub for each
 * user, with one public key on a line, as ssh-keygen(1) writes it
 */

/* Find the account that a public key belongs to.  type and base64 are the first
 * two words of its line, as sshd passes them to its AuthorizedKeysCommand.  The
 * caller frees *name; NULL: no file has the key.  -1: the key belongs to two
 * users, its account does not exist, it is malformed or of a refused type, or
 * the directory cannot be used.  report (may be NULL) is called with arg for
 * each file that is ignored, and for each ignored line with this key. */
int x2gobroker_keys_find(const struct x2gobroker_config *config,
    const char *type, const char *base64, x2gobroker_report *report,
    void *arg, char **name, struct x2gobroker_error *err);

/* Whether there is an account of exactly that name, which can also stand in a
 * line for sshd; else -1. */
int x2gobroker_keys_check_owner(const char *name, struct x2gobroker_error *err);

/* Add the public keys in text to those of the account name; file is where text
 * came from, for messages.  Either all are added or none: -1 if the account
 * does not exist, or if a key is not valid or belongs to another user.  report
 * (may be NULL) is called for each problem and, after success, for each key
 * with code X2GOBROKER_OK: it was added, or was there before.  *added is the
 * number of new keys.  The directory is created if it is missing, and locked
 * during the call. */
int x2gobroker_keys_add(const struct x2gobroker_config *config,
    const char *name, const char *text, const char *file,
    x2gobroker_report *report, void *arg, size_t *added,
    struct x2gobroker_error *err);

/* Remove the public keys in text from those of name, or all of them if text is
 * NULL.  The account need not exist.  report (may be NULL) is called for each
 * problem and for each key: X2GOBROKER_OK, it was removed; X2GOBROKER_WARNING,
 * it was not there.  *removed is the number of removed keys; 0 is not an
 * error. */
int x2gobroker_keys_remove(const struct x2gobroker_config *config,
    const char *name, const char *text, const char *file,
    x2gobroker_report *report, void *arg, size_t *removed,
    struct x2gobroker_error *err);

/* Report every problem in the key files. */
void x2gobroker_keys_check(const struct x2gobroker_config *config,
    x2gobroker_report *report, void *arg);

/*
 * The farm: a set of X2Go servers.  All of them are asked at the same time,
 * each through its x2gobroker-agent.
 */

struct x2gobroker_farm;

/* A server.  Later versions may add members at the end. */
struct x2gobroker_server {
	const char *name;	/* in its profile; "": this host */
	const char *address;	/* where it is reached instead, or "" */
	int port;
	bool asked;		/* false: the members below are 0 */
	bool answered;
	const char *error;	/* why it did not answer, or "" */
	const char *warning;	/* a problem with its answer, or "" */
	int milliseconds;
	unsigned long long load;	/* load factor; higher is better,
					 * 0: unknown */
	long sessions;		/* of all its users; -1: unknown */
	bool drained;		/* gets no new sessions */
	/* after x2gobroker_farm_choose() */
	long pending;		/* sessions sent there, not listed yet */
	bool usable;		/* for a new session */
	double score;		/* lower is better */
	/* after x2gobroker_farm_ask(), about its agent */
	const char *agent;	/* name and version; "": not given */
	bool clock_known;
	long clock_ahead;	/* of this host, in seconds; may be negative */
	/* after x2gobroker_farm_choose() */
	const char *unusable;	/* why it is, or "" */
	/* after x2gobroker_farm_recall() */
	bool has_hung;		/* it did not answer in time, a minute ago */
	bool has_refused;	/* it did not let the broker log in, within the
				 * last ten minutes */
};

enum x2gobroker_session_state {
	X2GOBROKER_SESSION_RUNNING = 1,
	X2GOBROKER_SESSION_SUSPENDED,
	X2GOBROKER_SESSION_FINISHED,
};

/* A session of the user, as x2golistsessions(8) prints it.  Later versions may
 * add members at the end. */
struct x2gobroker_session {
	const char *id;
	const char *host;		/* the server's own name for itself */
	const char *created, *last;	/* in the server's local time */
	const char *client;		/* the address of the user's computer */
	enum x2gobroker_session_state state;
	size_t server;			/* index of the server that listed it */
#define X2GOBROKER_NO_SERVER	((size_t)-1)
	const char *user;
};

/* Make a farm without servers.  Sessions of user are listed; if user is NULL,
 * only loads and numbers of sessions. */
int x2gobroker_farm_new(const struct x2gobroker_config *config,
    const char *user, struct x2gobroker_farm **out,
    struct x2gobroker_error *err);
void x2gobroker_farm_free(struct x2gobroker_farm *farm);

/* Add the servers of profile that its agent-query-mode asks, which may be none.
 * A server that several profiles share is asked once. */
int x2gobroker_farm_add(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct x2gobroker_error *err);

/* Called for each server when it has answered or failed; server is valid only
 * during the call. */
typedef void x2gobroker_farm_progress(void *arg, size_t done, size_t total,
    const struct x2gobroker_server *server);

/* Ask all servers, within agent-timeout of x2gobroker.conf(5).  A server that
 * cannot be asked is not an error; its member "error" says why.  progress may
 * be NULL. */
int x2gobroker_farm_ask(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err);

/* Fill in what requests have found out about the servers, and which sessions
 * they have sent there (pending), without asking anybody. */
int x2gobroker_farm_recall(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err);

/* Fill in the number of sessions on each server from the session database.  -1:
 * there is none (X2GOBROKER_ERR_NOTFOUND), or it has not answered. */
int x2gobroker_farm_count(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err);

/* List the sessions of the farm's user, or of all users if it has none, which
 * are running or suspended: from the session database (session-database in
 * x2gobroker.conf(5)), which asks no server, or else from all servers, if their
 * agents allow it.  A session on a host that is none of the farm's servers has
 * X2GOBROKER_NO_SERVER. */
int x2gobroker_farm_list(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err);

/* Whether the session database was asked and has answered, and its error and
 * warning. */
const struct x2gobroker_server *x2gobroker_farm_database(
    struct x2gobroker_farm *farm);

/* Let x2gobroker_farm_add() add servers that are blocked, or where maintenance
 * lets nobody resume a session, too. */
void x2gobroker_farm_include_closed(struct x2gobroker_farm *farm);

/* Before servers are asked, remove all but the one of that name or address.
 * Returns how many are left. */
size_t x2gobroker_farm_keep(struct x2gobroker_farm *farm, const char *host);

/* Servers and sessions, from 0; NULL past the end.  Suspended sessions come
 * first, and the last used ones first among those.  The farm owns what is
 * returned; it is valid until the next call that may change the farm, which is
 * any whose farm is not const. */
const struct x2gobroker_server *x2gobroker_farm_server(
    const struct x2gobroker_farm *farm, size_t i);
const struct x2gobroker_session *x2gobroker_farm_session(
    const struct x2gobroker_farm *farm, size_t i);

/* Choose the server that a new session of profile would get now; *server is its
 * index.  Fills in the scores.  -1: there is none; *err says why. */
int x2gobroker_farm_choose(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, size_t *server,
    struct x2gobroker_error *err);

/* Suspend or terminate the user's session with that id, and wait until its
 * server reports that it is suspended or gone. */
int x2gobroker_farm_suspend(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err);
int x2gobroker_farm_terminate(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err);

/* Called for each session when its server reports that it is suspended or gone,
 * or with the reason why not.  session is a number of
 * x2gobroker_farm_session(). */
typedef void x2gobroker_farm_result(void *arg, size_t session,
    const struct x2gobroker_error *why);

/* Suspend or terminate n listed sessions, whose numbers are in which, on all
 * servers at the same time, and several on each. */
int x2gobroker_farm_suspend_all(struct x2gobroker_farm *farm,
    const size_t *which, size_t n, x2gobroker_farm_result *result, void *arg,
    struct x2gobroker_error *err);
int x2gobroker_farm_terminate_all(struct x2gobroker_farm *farm,
    const size_t *which, size_t n, x2gobroker_farm_result *result, void *arg,
    struct x2gobroker_error *err);

/*
 * X2Go's session database (session-database)
 */

/* The database, and what the role of the broker can do there.  Later versions
 * may add members at the end. */
struct x2gobroker_database {
	bool connected;		/* false: the members below are 0 */
	int milliseconds;
	bool can_write;		/* sessions */
	bool can_read_cookies;	/* with which one can connect to sessions */
	bool has_own_time_zone;	/* so the ages of sessions are wrong */
	long limit;		/* of connections; -1: none */
	long max_connections;	/* of all roles; -1: unknown */
	/* if it can read */
	long in_future;		/* sessions that have not begun yet */
	long sessions;
	size_t nhosts;		/* that have sessions */
};

/* Ask the database, within session-database-timeout.  *out belongs to the farm.
 * -1: it cannot be used, and *err says why. */
int x2gobroker_farm_examine_database(struct x2gobroker_farm *farm,
    const struct x2gobroker_database **out, struct x2gobroker_error *err);

/* Its hosts, from 0, and the number of sessions there; NULL past the end. */
const char *x2gobroker_farm_database_host(const struct x2gobroker_farm *farm,
    size_t i, long *sessions);

/*
 * Service keys and host keys
 */

/* The path of the i-th service key in agent-identity-files of
 * x2gobroker.conf(5), from 0, or false past the end; and that of
 * agent-known-hosts.  home: for a leading "~". */
bool x2gobroker_service_key_path(const struct x2gobroker_config *config,
    size_t i, const char *home, char path[X2GOBROKER_FILE_SIZE]);
void x2gobroker_known_hosts_path(const struct x2gobroker_config *config,
    const char *home, char path[X2GOBROKER_FILE_SIZE]);

/* The service keys in agent-identity-files of x2gobroker.conf(5), from 0; false
 * past the end.  fingerprint is that of its public half; "": the key cannot be
 * used, and *err says why (X2GOBROKER_ERR_NOTFOUND: there is no such file).
 * Call it as the broker account, which can read the keys. */
bool x2gobroker_service_key(const struct x2gobroker_config *config, size_t i,
    char path[X2GOBROKER_FILE_SIZE],
    char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
    struct x2gobroker_error *err);

/* The host key of a server.  Later versions may add members at the end. */
struct x2gobroker_host_key {
	const char *name;
	int port;
	const char *fingerprint;	/* "SHA256:...", or "" */
	const char *line;		/* for known_hosts; "": it is there */
	const char *error;		/* no key received, or not the one in
					 * known_hosts; or "" */
};

/* Add a host by name or address, as in the key "host" of a profile. */
int x2gobroker_farm_add_host(struct x2gobroker_farm *farm, const char *host,
    struct x2gobroker_error *err);

/* Ask all servers for their host keys; this needs no service key. */
int x2gobroker_farm_get_host_keys(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err);

/* Whether keys for one login go to the store of the agents on the servers of
 * that profile. */
bool x2gobroker_profile_uses_store(const struct x2gobroker_profile *profile);

/* Ask all servers whether the SSH server there would take such a key, for the
 * farm's user or for anybody: then they have answered. */
int x2gobroker_farm_check_stores(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err);

/* As x2gobroker_farm_server(). */
const struct x2gobroker_host_key *x2gobroker_farm_host_key(
    const struct x2gobroker_farm *farm, size_t i);

/* Add the host key of server i to known_hosts.  *path (may be NULL) receives
 * the name of that file, for a message. */
int x2gobroker_farm_trust(struct x2gobroker_farm *farm, size_t i,
    const char **path, struct x2gobroker_error *err);

/*
 * Clients that are connected to a session now, as their events say
 * (client-events).
 */

enum x2gobroker_order {
	X2GOBROKER_ORDER_NONE = 0,
	X2GOBROKER_ORDER_SUSPEND,
	X2GOBROKER_ORDER_TERMINATE,
};

/* A client.  Its texts but user and address are what it said; characters that a
 * terminal would act on are escaped.  Later versions may add members at the
 * end. */
struct x2gobroker_client {
	const char *user;		/* of the broker */
	const char *session;		/* the id */
	const char *server;
	const char *address;		/* of the client; "": unknown */
	const char *system, *version;	/* of the client; "": not said */
	const char *event;		/* the last one, such as "ALIVE" */
	int64_t since, seen;		/* time(3) of the first and last one */
	enum x2gobroker_order order;	/* that waits for it */
};

struct x2gobroker_connected;

/* Read the list, sorted by user and session.  A client that has missed three
 * events is not in it. */
int x2gobroker_connected_load(const struct x2gobroker_config *config,
    struct x2gobroker_connected **out, struct x2gobroker_error *err);
void x2gobroker_connected_free(struct x2gobroker_connected *all);

/* From 0; NULL past the end. */
const struct x2gobroker_client *x2gobroker_connected_get(
    const struct x2gobroker_connected *all, size_t i);

/* The client of that session of user, or NULL. */
const struct x2gobroker_client *x2gobroker_connected_find(
    const struct x2gobroker_connected *all, const char *user,
    const char *session);

/* Tell the client with the answer to its next event what to do. */
int x2gobroker_connected_order(const struct x2gobroker_config *config,
    const struct x2gobroker_client *client, enum x2gobroker_order order,
    struct x2gobroker_error *err);

/* Whether clients are asked for events, and the seconds between two. */
bool x2gobroker_config_client_events(const struct x2gobroker_config *config);
int x2gobroker_config_liveevent(const struct x2gobroker_config *config);

/*
 * Drained servers: they get no new sessions; existing ones can be resumed
 */

struct x2gobroker_drained;

/* Read the list into *out.  If there is no file, the list is empty. */
int x2gobroker_drained_load(const struct x2gobroker_config *config,
    struct x2gobroker_drained **out, struct x2gobroker_error *err);
void x2gobroker_drained_free(struct x2gobroker_drained *drained);

/* Names, from 0, in the order of the file; NULL past the end. */
const char *x2gobroker_drained_get(const struct x2gobroker_drained *drained,
    size_t i);

/* Whether that server is blocked: it is not asked, not chosen, and nothing is
 * resumed there. */
bool x2gobroker_drained_is_blocked(const struct x2gobroker_drained *drained,
    size_t i);

/* Add host (a name or an address) to the list, or remove it.  *changed: whether
 * the list is different now. */
int x2gobroker_drain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err);
int x2gobroker_undrain(const struct x2gobroker_config *config,
    const char *host, bool *changed, struct x2gobroker_error *err);
int x2gobroker_block(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err);
int x2gobroker_unblock(const struct x2gobroker_config *config,
    const char *host, bool *changed, struct x2gobroker_error *err);

/*
 * Maintenance: users who want a new session are told why they get none
 */

/* Later versions may add members at the end. */
struct x2gobroker_notice {
	const char *text;	/* for users: one line */
	const char *profile;	/* only there, if not NULL */
	const char *server;	/* only there, if not NULL */
	int64_t until;		/* time(3); 0: until it is ended */
	bool resume;		/* sessions can be resumed meanwhile */
};

struct x2gobroker_maintenance;

/* Read the notices that are not over. */
int x2gobroker_maintenance_load(const struct x2gobroker_config *config,
    struct x2gobroker_maintenance **out, struct x2gobroker_error *err);
void x2gobroker_maintenance_free(struct x2gobroker_maintenance *all);

/* From 0; NULL past the end. */
const struct x2gobroker_notice *x2gobroker_maintenance_get(
    const struct x2gobroker_maintenance *all, size_t i);

/* What users are told who want a session by that profile (NULL: by any), or
 * NULL.  all may be NULL. */
const struct x2gobroker_notice *x2gobroker_maintenance_find(
    const struct x2gobroker_maintenance *all, const char *profile);

/* Add notice, in place of another one with the same profile or server. */
int x2gobroker_maintenance_begin(const struct x2gobroker_config *config,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err);

/* Remove the notice with the profile or server of scope (NULL: all notices).
 * *changed: whether there was one. */
int x2gobroker_maintenance_end(const struct x2gobroker_config *config,
    const struct x2gobroker_notice *scope, bool *changed,
    struct x2gobroker_error *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* X2GOBROKER_ADMIN_H */
