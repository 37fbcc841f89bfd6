/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol of x2gobroker-agent, ours and Debian's: the command line that we
 * send, and the answers, which are untrusted text.  An answer consists of a
 * line "OK" and the data.
 */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/hostlist.h"

#define SESSION_FIELDS_MIN	14	/* servers before 4.1 */
#define SESSION_FIELDS_MAX	16
#define SESSION_LINE_MAX	2048	/* real ones have 150 to 300 bytes */
#define SESSION_ID_MAX		253	/* "C-ID" is the name of a file */

enum session_state {
	SESSION_NONE = 0,
	SESSION_RUNNING = 'R',
	SESSION_SUSPENDED = 'S',
	SESSION_FINISHED = 'F',
};

/* A session as x2golistsessions(8) prints it: 14 to 16 fields, separated by
 * '|'.  It comes from a server and goes to the client, so every field is
 * checked strictly. */
struct session {
	char *line;	/* owned: all fields, each with a NUL */
	const char *fields[SESSION_FIELDS_MAX];	/* into line, from 0 */
	size_t nfields;
	enum session_state state;
};

/* The fields that we use; numbered from 0, unlike in the manuals. */
#define session_id(s)		((s)->fields[1])
#define session_host(s)		((s)->fields[3])
#define session_created(s)	((s)->fields[5])  /* "2026-11-23T20:49:25" */
#define session_client(s)	((s)->fields[7])
#define session_last(s)		((s)->fields[10])	/* the same form */
#define session_user(s)		((s)->fields[11])

/* Read line (len bytes, without its newline) into *session.  Returns -1, with
 * nothing to free, if it is not a session of user; NULL: of any user. */
int	session_parse(const char *line, size_t len, const char *user,
	    struct session *session, struct x2gobroker_error *err);

/* Write the line for the client, without a newline, with this host (as SERVER:
 * has it) and state. */
void	session_put(struct buf *buf, const struct session *session,
	    const char *host, enum session_state state);

/* Is id one that X2Go generates, and so safe in a command line?  It has
 * letters, digits, ".", "_", "-" and "@", and does not begin with "-". */
bool	session_is_id(const char *id);

/* Does it show the desktop of another session?  Such a session cannot be
 * resumed. */
bool	session_is_shadow(const struct session *session);

#define SESSION_TIME_SIZE	sizeof("2026-11-23T20:49:25")

/* The latest time that a server can have, wherever it is, as a field. */
void	session_latest(time_t now, char latest[static SESSION_TIME_SIZE]);

/* For qsort_r(3), with that time: suspended, then running, then finished
 * sessions, each group with the last used session first, and equal ones by id.
 * A time in the future counts as a very old one. */
int	session_compare(const void *a, const void *b, void *latest);

/* Free the contents of *session, not *session itself. */
void	session_free(struct session *session);

#define AGENT_ANSWER_MAX	(1024 * 1024)	/* bytes; more than the sessions
						 * of one user on any server */
#define AGENT_SESSIONS_MAX	1000	/* of one user */
#define AGENT_ALL_SESSIONS_MAX	20000	/* an X2Go database has ports for
					 * 11,845 */
#define AGENT_NAME_MAX		63

struct agent_tally {
	char *name;
	long number;
	char *host;		/* of a start that is not its own; or NULL */
};

/* What a server has reported.  To be initialised before its first use. */
struct agent_report {
	struct session *sessions;	/* of the query's user, or of all */
	size_t nsessions;
	unsigned int skipped;		/* invalid lines among the sessions */
	char *skipped_why;		/* of the first one; or NULL */
	bool has_status;		/* checkload says so */
	bool load_known;
	uint64_t load_factor;		/* more is better, at least 1 */
	long count;			/* sessions of all users, or -1 */
	struct agent_tally *starts;	/* new sessions: user, age in seconds */
	size_t nstarts;
	struct agent_tally *counts;	/* of getservers: host, sessions; in the
					 * order of hostlist_compare_labels() */
	size_t ncounts;
	struct agent_tally *facts;	/* of a session database; numbers */
	size_t nfacts;
	char agent[AGENT_NAME_MAX + 1];	/* its name and version, or "" */
	char host[HOST_TEXT_MAX + 1];	/* which its sessions have, or "" */
	int64_t time;			/* time(3) there, or 0: not known */
	int64_t time_here;		/* ours then; set by the caller */
};

void	agent_report_init(struct agent_report *report);
void	agent_report_free(struct agent_report *report);

/* The number of sessions on the host, by the names in counts, or NULL. */
const struct agent_tally *agent_find_count(const struct agent_report *report,
	    const struct host *host);

/* Can any agent be given this name?  Only our own takes others, in quotes. */
bool	agent_name_is_plain(const char *user);

/* Write the command line "AGENT USER TASK ['ARG' ...]", for a login shell or
 * for an agent as a forced command.  user may be "-" for none; args ends with
 * NULL, or is NULL.  Returns -1 if either could misread a word (a quote, ';', a
 * leading '-', a control character). */
int	agent_command(struct buf *buf, const char *agent, const char *user,
	    const char *task, const char *const *args,
	    struct x2gobroker_error *err);

/* Add the answer to a task (len bytes, without a NUL) to *report.  Ignores
 * invalid lines.  Returns -1, with nothing of it in *report, if the answer is
 * invalid or incomplete; ERR_NOTFOUND means that it is empty, which is what
 * Debian's agent sends for an unknown task.  user is NULL for tasks that need
 * none. */
int	agent_parse_ok(const char *text, size_t len,
	    struct x2gobroker_error *err);
typedef int agent_parser(const char *text, size_t len, const char *user,
	    struct agent_report *report, struct x2gobroker_error *err);
agent_parser agent_parse_sessions, agent_parse_load, agent_parse_servers,
	    agent_parse_starts, agent_parse_facts;

/* The sessions of all users, for administrators. */
agent_parser agent_parse_all_sessions;

/* In the answer of our own agent to checkload: it has AGENT_STATUS, too.  The
 * Python broker wants a number. */
#define AGENT_HAS_STATUS	"status:1"

/* The answer of our own agent, with the sessions of user (may be NULL), the
 * load and the number of sessions. */
agent_parser agent_parse_status;

/* Whether the answer to AGENT_AVAILABLETASKS is that of our own agent, which
 * has a task that Debian's has not. */
bool	agent_is_ours(const struct buf *answer);

/* The tasks that our broker asks for.  Debian's agent has those of these names,
 * except "status", "listallsessions", the ones of the store, and those with the
 * end of a key in local time. */
#define AGENT_AVAILABLETASKS	"availabletasks"
#define AGENT_STATUS		"status"
#define AGENT_LISTSESSIONS	"listsessions"
#define AGENT_LISTALLSESSIONS	"listallsessions"
#define AGENT_CHECKLOAD		"checkload"
#define AGENT_GETSERVERS	"getservers"
#define AGENT_STARTS		"starts"	/* of x2gobroker-sessiondb */
#define AGENT_FACTS		"facts"		/* the same */
#define AGENT_SUSPENDSESSION	"suspendsession"
#define AGENT_TERMINATESESSION	"terminatesession"
#define AGENT_ADDAUTHKEY	"addauthkey"
#define AGENT_ADDAUTHKEY_LOCAL	"addauthkey_local"
#define AGENT_DELAUTHKEY	"delauthkey"
#define AGENT_STOREKEY		"storekey"
#define AGENT_STOREKEY_LOCAL	"storekey_local"
#define AGENT_CHECKSTORE	"checkstore"

#endif
