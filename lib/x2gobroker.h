/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libx2gobroker: what an X2Go session broker needs to know and to say.
 *
 * A program reads the administrator's files once (x2gobroker_config_load,
 * x2gobroker_profiles_load), says who is asking (x2gobroker_user_new),
 * recognises what the X2Go client sent (x2gobroker_request_parse), and has
 * the answer written (x2gobroker_answer_*).  x2gobrokerctl is made of the
 * same calls.
 *
 * Rules that hold for every function here:
 *   - Nothing is printed or logged, no environment variable is read, no
 *     signal, locale or id is changed, and nothing is kept in globals.
 *   - int functions return 0, or -1 with *err filled in; err may be NULL.
 *   - What a _new, _load or _parse function gave is yours; release it with
 *     the _free function of the same name, which accepts NULL.
 *   - const char * that is returned is borrowed and lives as long as the
 *     object it was asked of; char * is yours to free(3).
 *   - Text is UTF-8 as in the files, unless a comment says otherwise.
 *   - An object is used by one thread at a time.
 *   - Functions that ask servers start threads, with all signals blocked, and
 *     load libssh.  A thread that waits for a name server may outlive the call;
 *     it uses nothing of the caller's then.
 *
 * contrib/example/whosees.c is a whole program; pkg-config knows "x2gobroker".
 */
#ifndef X2GOBROKER_H
#define X2GOBROKER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* The version of the library, such as "0.1.0". */
const char *x2gobroker_version(void);

/*
 * Errors
 */

enum x2gobroker_code {
	X2GOBROKER_OK = 0,
	X2GOBROKER_ERR_SYSTEM,		/* a system call failed */
	X2GOBROKER_ERR_NOMEM,		/* memory is out */
	X2GOBROKER_ERR_UNSAFE,		/* others could have written the file */
	X2GOBROKER_ERR_SYNTAX,		/* a file or a command has no such form */
	X2GOBROKER_ERR_VALUE,		/* a key or a value that cannot be */
	X2GOBROKER_ERR_DENIED,		/* understood, and not allowed */
	X2GOBROKER_ERR_NOTFOUND,	/* no such profile, account or file */
	X2GOBROKER_WARNING,		/* only in reports: used all the same */
};

#define X2GOBROKER_FILE_SIZE	1024	/* longer paths are refused on open */
#define X2GOBROKER_TEXT_SIZE	1024	/* longer texts are cut */

struct x2gobroker_error {
	enum x2gobroker_code code;
	unsigned int line;			/* from 1; 0: no line is to blame */
	char file[X2GOBROKER_FILE_SIZE];	/* "": no file is to blame */
	char text[X2GOBROKER_TEXT_SIZE];	/* what, why and the remedy */
};

/* Write err into buf (size bytes, always ended) as people expect to read it:
 * "FILE:LINE: TEXT", "FILE: TEXT" or "TEXT".  Control characters that came
 * from a file or a client are shown escaped.  Returns buf. */
const char *x2gobroker_error_format(const struct x2gobroker_error *err,
    char *buf, size_t size);

/* Told of each thing that is wrong in a file; may not keep problem. */
typedef void x2gobroker_report(void *arg,
    const struct x2gobroker_error *problem);

/*
 * Configuration: x2gobroker.conf(5)
 */

struct x2gobroker_config;

/* Read x2gobroker.conf, and the Python broker's defaults.conf beside it where
 * there is one, into *out.  path NULL means the default file, which may be
 * missing (then built-in defaults hold); a path that is named must exist.
 * report (may be NULL) is called with arg for every problem found.  Returns 0,
 * or -1 with *out NULL when there was an error: half of it is none. */
int x2gobroker_config_load(const char *path, x2gobroker_report *report,
    void *arg, struct x2gobroker_config **out, struct x2gobroker_error *err);
void x2gobroker_config_free(struct x2gobroker_config *config);

/* The account whose processes may pin an identity with --user. */
const char *x2gobroker_config_broker_account(
    const struct x2gobroker_config *config);

/* The file that the log is appended to, or "" for syslog. */
const char *x2gobroker_config_log_file(const struct x2gobroker_config *config);

/* Whether the process is to give up files, network and programs before it
 * writes an answer. */
bool x2gobroker_config_sandbox(const struct x2gobroker_config *config);

/* The seconds after which a request has to be answered, one way or another. */
int x2gobroker_config_request_timeout(const struct x2gobroker_config *config);

/* Whether PAM has to be asked if the account may be used; pinned says that the
 * identity is not the account that sshd has let in (see account-check). */
bool x2gobroker_config_check_account(const struct x2gobroker_config *config,
    bool pinned);

/* Whether users may set a new password through the broker, and the program
 * that asks PAM to do this and the check, x2gobroker-pam(8). */
bool x2gobroker_config_allow_password_change(
    const struct x2gobroker_config *config);
const char *x2gobroker_config_pam_helper(
    const struct x2gobroker_config *config);

/* Whether the client's address may be taken from SSH_CONNECTION and
 * SSH_CLIENT; setuid says that the process has gained privilege over its
 * caller, who then chose the environment (see trust-ssh-environment). */
bool x2gobroker_config_trust_environment(
    const struct x2gobroker_config *config, bool setuid);

/* What is in force for a key of x2gobroker.conf(5), whoever has set it: its
 * text, where a boolean is "true" or "false", or NULL where there is no such key
 * or it is a number; its number, or -1 where it is none. */
const char *x2gobroker_config_text(const struct x2gobroker_config *config,
    const char *section, const char *key);
int x2gobroker_config_number(const struct x2gobroker_config *config,
    const char *section, const char *key);

/* Whether the broker, run by this process's account, would use that file or
 * directory: nobody but root and the account could have written it, and it can
 * be read.  -1: why not, with ERR_NOTFOUND where there is none. */
int x2gobroker_path_check(const char *path, struct x2gobroker_error *err);

/* Serve this backend ("inifile" or "zeroconf") instead of the configured
 * one.  -1: no such backend. */
int x2gobroker_config_set_backend(struct x2gobroker_config *config,
    const char *name, struct x2gobroker_error *err);

/*
 * Session profiles: x2gobroker-sessionprofiles(5)
 */

struct x2gobroker_profiles;
struct x2gobroker_profile;

/* Read the profiles of the configured backend into *out, which borrows config.
 * A profile with an error is withheld and a file that cannot be parsed gives
 * none; report (may be NULL) is called with arg for each problem.  No file at
 * all gives an empty list and a report.  Returns 0, or -1 with *out NULL when
 * the backend is not enabled, or memory is out. */
int x2gobroker_profiles_load(const struct x2gobroker_config *config,
    x2gobroker_report *report, void *arg, struct x2gobroker_profiles **out,
    struct x2gobroker_error *err);
void x2gobroker_profiles_free(struct x2gobroker_profiles *profiles);

/* The profiles that are not withheld, in the order of their ids, from 0 to
 * x2gobroker_profiles_count() - 1; NULL past the end. */
size_t x2gobroker_profiles_count(const struct x2gobroker_profiles *profiles);
const struct x2gobroker_profile *x2gobroker_profiles_get(
    const struct x2gobroker_profiles *profiles, size_t i);

/* How many are withheld because something is wrong with them. */
size_t x2gobroker_profiles_count_withheld(
    const struct x2gobroker_profiles *profiles);

/* Report what is allowed in the profiles that are served, and hardly meant: a
 * rule that lets nobody through, one that the Python broker reads
 * differently. */
void x2gobroker_profiles_lint(const struct x2gobroker_profiles *profiles,
    x2gobroker_report *report, void *arg);

/* The profile of that id, or NULL where there is none or it is withheld. */
const struct x2gobroker_profile *x2gobroker_profiles_find(
    const struct x2gobroker_profiles *profiles, const char *id);

/* Where a withheld profile of that id stands (*file, *line), or false. */
bool x2gobroker_profiles_withheld(const struct x2gobroker_profiles *profiles,
    const char *id, const char **file, unsigned int *line);

const char *x2gobroker_profile_id(const struct x2gobroker_profile *profile);
const char *x2gobroker_profile_file(const struct x2gobroker_profile *profile);
unsigned int x2gobroker_profile_line(const struct x2gobroker_profile *profile);

/* The value of key as the administrator wrote it, from the profile itself, its
 * file's [DEFAULT] or the built-in defaults; NULL where none has it, or it is
 * not-set. */
const char *x2gobroker_profile_value(const struct x2gobroker_profile *profile,
    const char *key);

/* Whether name, a host's name or address, means one of the servers of profile,
 * as X2Go servers and the list of drained ones call them. */
bool x2gobroker_profile_has_server(const struct x2gobroker_profile *profile,
    const char *name);

/* The fingerprint of a public key, whose middle word (base64) of a line of
 * authorized_keys is given: "SHA256:..." into dst.  -1: that is no key. */
#define X2GOBROKER_FINGERPRINT_SIZE	51
int x2gobroker_key_fingerprint(const char *base64,
    char dst[X2GOBROKER_FINGERPRINT_SIZE]);

/*
 * The user who asks
 */

struct x2gobroker_user;

/* name is an identity that the caller has established, never a client's
 * claim.  address is the client's (IPv4 or IPv6 as text), or NULL where it is
 * not known: then profiles with acl-clients-* are not for this user.  Groups
 * are looked up, once, when the first profile asks for them. */
int x2gobroker_user_new(const char *name, const char *address,
    struct x2gobroker_user **out, struct x2gobroker_error *err);
void x2gobroker_user_free(struct x2gobroker_user *user);

/* Use these n groups instead of a lookup: "what would somebody see who ..." */
int x2gobroker_user_set_groups(struct x2gobroker_user *user,
    const char *const *groups, size_t n, struct x2gobroker_error *err);

const char *x2gobroker_user_name(const struct x2gobroker_user *user);
const char *x2gobroker_user_address(const struct x2gobroker_user *user);

/*
 * Keys of users: a file NAME.pub for each, in the directory keys-dir of
 * x2gobroker.conf(5), with a public key a line as ssh-keygen(1) writes it
 */

/* Find the account whose public key this is: type and base64 are two words of
 * a .pub file, as sshd hands them to its AuthorizedKeysCommand.  *name is
 * yours, or NULL where the key is in no file.  -1, and nobody's: a key that is
 * in the files of two users, whose account does not exist, or that is no good
 * key; or the directory cannot be used.  report (may be NULL) is called with
 * arg for each file that is left out, and each line with this key that is. */
int x2gobroker_keys_find(const struct x2gobroker_config *config,
    const char *type, const char *base64, x2gobroker_report *report,
    void *arg, char **name, struct x2gobroker_error *err);

/* Add the public keys of text, the content of file (for messages alone), to
 * those of the account name.  All of them are added, or none: -1 where the
 * account does not exist, a key is not in order, or another user's.  report
 * (may be NULL) is called for each problem, and, when all is done, for each
 * key, with code X2GOBROKER_OK: it was added, or is there already.  *added says
 * how many were.  The directory is made if it is missing, and locked for as
 * long. */
int x2gobroker_keys_add(const struct x2gobroker_config *config,
    const char *name, const char *text, const char *file,
    x2gobroker_report *report, void *arg, size_t *added,
    struct x2gobroker_error *err);

/* Remove the public keys of text from those of name, or all of them where text
 * is NULL.  The account need not exist any more.  report (may be NULL) is
 * called for each problem, and for each key: X2GOBROKER_OK, it was removed;
 * X2GOBROKER_WARNING, it was not there.  *removed says how many were; that none
 * was is no error. */
int x2gobroker_keys_remove(const struct x2gobroker_config *config,
    const char *name, const char *text, const char *file,
    x2gobroker_report *report, void *arg, size_t *removed,
    struct x2gobroker_error *err);

/* Report what is wrong in all key files. */
void x2gobroker_keys_check(const struct x2gobroker_config *config,
    x2gobroker_report *report, void *arg);

/*
 * The farm: what X2Go servers say of themselves.  All that are asked are asked
 * at the same time, each by its x2gobroker-agent.
 */

struct x2gobroker_farm;

/* One of the servers.  Later versions may add to the end of this. */
struct x2gobroker_server {
	const char *name;	/* as its profile calls it; "" is this host */
	const char *address;	/* where it is, or "" */
	int port;
	bool asked;		/* by now; all that follows is 0 before */
	bool answered;
	const char *error;	/* why it has not, or "" */
	const char *warning;	/* what was odd with the answer, or "" */
	int milliseconds;
	unsigned long long load;	/* its load factor: more is better; 0:
					 * not known */
	long sessions;		/* of all users there, or -1: not known */
	bool drained;		/* gets no new sessions */
	/* after x2gobroker_farm_choose() */
	long pending;		/* chosen a moment ago, not there yet */
	bool usable;
	double score;		/* less is better */
	/* of its agent: by x2gobroker_farm_ask() */
	const char *agent;	/* name and version, or "": it does not say */
	bool clock_known;
	long clock_ahead;	/* seconds, of ours; behind where negative */
};

enum x2gobroker_session_state {
	X2GOBROKER_SESSION_RUNNING = 1,
	X2GOBROKER_SESSION_SUSPENDED,
	X2GOBROKER_SESSION_FINISHED,
};

/* A session of the user, as x2golistsessions(8) has it. */
struct x2gobroker_session {
	const char *id;
	const char *host;		/* what the server calls itself */
	const char *created, *last;	/* local time of the server */
	const char *client;		/* where the user sits, an address */
	enum x2gobroker_session_state state;
	size_t server;			/* the number of the one that knows it */
};

/* No server yet.  user is whose sessions are asked for, or NULL: only load and
 * counts are. */
int x2gobroker_farm_new(const struct x2gobroker_config *config,
    const char *user, struct x2gobroker_farm **out,
    struct x2gobroker_error *err);
void x2gobroker_farm_free(struct x2gobroker_farm *farm);

/* All servers of profile that its query mode wants to be asked: those that are
 * there already are asked once.  That may be none. */
int x2gobroker_farm_add(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct x2gobroker_error *err);

/* Told of each server that has answered or failed. */
typedef void x2gobroker_farm_progress(void *arg, size_t done, size_t total,
    const struct x2gobroker_server *server);

/* Ask them all, for agent-timeout of x2gobroker.conf(5) at most.  That some
 * cannot be asked is no error; it stands in their row.  progress may be NULL. */
int x2gobroker_farm_ask(struct x2gobroker_farm *farm,
    x2gobroker_farm_progress *progress, void *arg,
    struct x2gobroker_error *err);

/* Servers and sessions from 0 on, false past the end.  Sessions are sorted:
 * suspended ones first, and those used last. */
bool x2gobroker_farm_server(const struct x2gobroker_farm *farm, size_t i,
    struct x2gobroker_server *server);
bool x2gobroker_farm_session(const struct x2gobroker_farm *farm, size_t i,
    struct x2gobroker_session *session);

/* Which server a new session of profile would get now; *server is its number.
 * Scores are filled in.  -1: none is left, and err says why. */
int x2gobroker_farm_choose(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, size_t *server,
    struct x2gobroker_error *err);

/* Suspend the user's session of that id, and wait until its server says that it
 * is; or terminate it, and wait until it is gone. */
int x2gobroker_farm_suspend(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err);
int x2gobroker_farm_terminate(struct x2gobroker_farm *farm, const char *id,
    struct x2gobroker_error *err);

/* The service keys that x2gobroker.conf(5) names: number i, from 0 on, false past
 * the end.  To be asked as the account that uses them. */
struct x2gobroker_service_key {
	char path[X2GOBROKER_FILE_SIZE];
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];	/* of its public half;
							 * "": no use */
	struct x2gobroker_error error;	/* why; ERR_NOTFOUND: not there */
};
bool x2gobroker_service_key(const struct x2gobroker_config *config, size_t i,
    struct x2gobroker_service_key *key);

/* The host key of each server, whether it is known or not: asked of them all,
 * without a service key. */
struct x2gobroker_host_key {
	const char *name;
	int port;
	const char *fingerprint;	/* "SHA256:...", or "" */
	const char *line;		/* for known_hosts, or "": it is there */
	const char *error;		/* why there is no key, or a known one is
					 * another; or "" */
};
int x2gobroker_farm_add_host(struct x2gobroker_farm *farm, const char *host,
    struct x2gobroker_error *err);
int x2gobroker_farm_get_host_keys(struct x2gobroker_farm *farm,
    struct x2gobroker_error *err);
bool x2gobroker_farm_host_key(const struct x2gobroker_farm *farm, size_t i,
    struct x2gobroker_host_key *key);

/* Add the line of server number i to known_hosts.  *path (may be NULL) is the
 * file, for a message. */
int x2gobroker_farm_trust(struct x2gobroker_farm *farm, size_t i,
    const char **path, struct x2gobroker_error *err);

/*
 * Servers that get no new sessions, while old ones there are resumed
 */

struct x2gobroker_drained;

/* Read the list into *out; no file is an empty list. */
int x2gobroker_drained_load(const struct x2gobroker_config *config,
    struct x2gobroker_drained **out, struct x2gobroker_error *err);
void x2gobroker_drained_free(struct x2gobroker_drained *drained);

/* Their names from 0 on, in the order of the file; NULL past the end. */
const char *x2gobroker_drained_get(const struct x2gobroker_drained *drained,
    size_t i);

/* Put host (a name or an address) on the list, or take it off.  *changed says
 * whether that made a difference. */
int x2gobroker_drain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err);
int x2gobroker_undrain(const struct x2gobroker_config *config,
    const char *host, bool *changed, struct x2gobroker_error *err);

/*
 * Who may see which profile
 */

enum x2gobroker_verdict {
	X2GOBROKER_DENY = 0,
	X2GOBROKER_ALLOW,
};

/* Decide whether user may see and select profile.  why (may be NULL) is
 * filled in with the rule that decided: its file and line (0: no rule), and
 * a sentence.  Does not fail: what cannot be looked up denies. */
enum x2gobroker_verdict x2gobroker_acl_check(
    const struct x2gobroker_profile *profile, struct x2gobroker_user *user,
    struct x2gobroker_error *why);

/*
 * What the X2Go client sent
 */

struct x2gobroker_request;

enum x2gobroker_request_kind {
	X2GOBROKER_REQUEST_NONE = 0,
	X2GOBROKER_REQUEST_LOGIN_CHECK,	/* echo "LOGIN OK" */
	X2GOBROKER_REQUEST_WHOAMI,	/* whoami, of the Kerberos login */
	X2GOBROKER_REQUEST_TASK,	/* ... --task NAME ... */
};

/* Recognise command, which is SSH_ORIGINAL_COMMAND as sshd hands it over, as
 * one of the forms that X2Go clients send (shell text is compared, never
 * interpreted or run; x2gobroker(8) lists the forms).  -1: it is none of them,
 * or names an unknown task, or says one thing twice.  *out is filled even then
 * where the markers were recognised, so that the refusal can carry them. */
int x2gobroker_request_parse(const char *command,
    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* The same for the words of a command line, argv[0] to argv[argc - 1] being
 * client options and their values. */
int x2gobroker_request_from_argv(int argc, char *const *argv,
    struct x2gobroker_request **out, struct x2gobroker_error *err);
void x2gobroker_request_free(struct x2gobroker_request *request);

/* Each of these may be asked of NULL.  What was not sent is "". */
enum x2gobroker_request_kind x2gobroker_request_kind(
    const struct x2gobroker_request *request);
const char *x2gobroker_request_task(const struct x2gobroker_request *request);
const char *x2gobroker_request_user(const struct x2gobroker_request *request);
const char *x2gobroker_request_login(const struct x2gobroker_request *request);
const char *x2gobroker_request_profile_id(
    const struct x2gobroker_request *request);

/* Words for --help and completion: task number i, or NULL past the last. */
const char *x2gobroker_task_name(size_t i);

/*
 * The answer
 */

struct x2gobroker_answer;

/* An answer to request (may be NULL: not recognised), which it borrows.
 * Until something grants, it is a refusal. */
int x2gobroker_answer_new(const struct x2gobroker_request *request,
    struct x2gobroker_answer **out, struct x2gobroker_error *err);
void x2gobroker_answer_free(struct x2gobroker_answer *answer);

/* Answer a login check: message NULL grants it, else the client shows message
 * to its user (plain text, lines ended by \n). */
int x2gobroker_answer_login_check(struct x2gobroker_answer *answer,
    const char *message, struct x2gobroker_error *err);

/* Answer whoami with the name of the account that runs this process. */
int x2gobroker_answer_whoami(struct x2gobroker_answer *answer,
    const char *account, struct x2gobroker_error *err);

/* Changes the password of user, whose name is an established identity, to
 * password, which it may not keep.  -1 with err filled in where it cannot. */
typedef int x2gobroker_set_password(void *arg,
    const struct x2gobroker_user *user, const char *password,
    struct x2gobroker_error *err);

/* Without this call, the task setpass is refused. */
void x2gobroker_answer_allow_setpass(struct x2gobroker_answer *answer,
    x2gobroker_set_password *fn, void *arg);

/* report is called with arg for what goes wrong while a task is decided and does
 * not keep it from being granted, such as a server that does not answer. */
void x2gobroker_answer_set_report(struct x2gobroker_answer *answer,
    x2gobroker_report *report, void *arg);

/* The task of the request, in two steps.  _decide checks the token where tokens
 * are on, looks up all that is needed for user, and decides; _write then writes
 * the answer from memory alone, so that in between a process can give up what
 * it does not need any more.  profiles and user are borrowed until then.
 * -1: the task was refused; the answer then is the plain refusal that the
 * client understands, and err says why, for the log alone. */
int x2gobroker_answer_decide(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err);
int x2gobroker_answer_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err);

/* Both steps. */
int x2gobroker_answer_task(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err);

/* What the log says of a granted task: "profiles=3", "server=b:22".  ""
 * before. */
const char *x2gobroker_answer_summary(const struct x2gobroker_answer *answer);

/* Finish the answer and return its whole text, markers included, to be written
 * to the client in one go.  To be called once, last. */
int x2gobroker_answer_text(struct x2gobroker_answer *answer,
    const char **text, size_t *len, struct x2gobroker_error *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* X2GOBROKER_H */
