/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libx2gobroker: the parts of an X2Go session broker.
 *
 * A broker loads the administrator's files (x2gobroker_config_load,
 * x2gobroker_profiles_load), names the user (x2gobroker_user_new), parses what
 * the X2Go client sent (x2gobroker_request_parse), and builds the answer
 * (x2gobroker_answer_*).  x2gobroker_admin.h declares what an administrator's
 * tool needs beyond that: keys, servers, checks.
 *
 * Rules for every function of both headers:
 *   - It prints and logs nothing, reads no environment variable, changes no
 *     signal handler, locale or user id, and keeps nothing in globals.
 *   - int functions return 0, or -1 with *err filled in; err may be NULL.
 *   - The caller owns what a _new, _load or _parse function returns, and
 *     releases it with the _free function of the same name, which accepts NULL.
 *   - A pointer to const that is returned is borrowed: it is valid as long as
 *     the object that it was asked of, unless a comment says otherwise.  The
 *     caller frees a returned char * with free(3).
 *   - Text is UTF-8, as in the files, unless a comment says otherwise.
 *   - One thread at a time may use an object.
 *   - It starts no threads and loads nothing.  Functions that ask servers start
 *     x2gobroker-poll(8) as a child, and end it before they return.  If the
 *     program ignores SIGCHLD, the exit status of that child is not known.
 *
 * The binary interface: a program allocates only one struct of the library,
 * struct x2gobroker_error, which never changes.  Other structs are returned as
 * pointers to const, so a later version can add members at their end.
 *
 * contrib/example/whosees.c is a complete program; pkg-config finds the library
 * as "x2gobroker".
 */
#ifndef X2GOBROKER_H
#define X2GOBROKER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* The version of the library, such as "1.0.0". */
const char *x2gobroker_version(void);

/*
 * Errors
 */

enum x2gobroker_code {
	X2GOBROKER_OK = 0,
	X2GOBROKER_ERR_SYSTEM,		/* a system call failed */
	X2GOBROKER_ERR_NOMEM,		/* out of memory */
	X2GOBROKER_ERR_UNSAFE,		/* others can write the file */
	X2GOBROKER_ERR_SYNTAX,		/* a malformed file or command */
	X2GOBROKER_ERR_VALUE,		/* an unknown key or an invalid value */
	X2GOBROKER_ERR_DENIED,		/* valid, but not allowed */
	X2GOBROKER_ERR_NOTFOUND,	/* no such profile, account or file */
	X2GOBROKER_WARNING,		/* in reports only: not an error */
};

#define X2GOBROKER_FILE_SIZE	1024	/* longer paths are refused */
#define X2GOBROKER_TEXT_SIZE	1024	/* longer texts are truncated */

struct x2gobroker_error {
	enum x2gobroker_code code;
	unsigned int line;			/* from 1; 0: of no line */
	char file[X2GOBROKER_FILE_SIZE];	/* "": of no file */
	char text[X2GOBROKER_TEXT_SIZE];	/* what, why and a remedy */
};

/* Format err as "FILE:LINE: TEXT", "FILE: TEXT" or "TEXT" into buf, which has
 * size bytes.  Control characters that came from a file or a client are
 * escaped.  Returns buf. */
const char *x2gobroker_error_format(const struct x2gobroker_error *err,
    char *buf, size_t size);

/* Called for each problem; problem is valid only during the call. */
typedef void x2gobroker_report(void *arg,
    const struct x2gobroker_error *problem);

/*
 * Configuration: x2gobroker.conf(5)
 */

struct x2gobroker_config;

/* Read x2gobroker.conf, and the Python broker's defaults.conf beside it if that
 * exists, into *out.  If path is NULL, the default file is read; if that is
 * missing, the built-in defaults apply.  A given path must exist.  report (may
 * be NULL) is called with arg for every problem.  Returns -1 with *out NULL if
 * there was any error: a configuration is never used in part. */
int x2gobroker_config_load(const char *path, x2gobroker_report *report,
    void *arg, struct x2gobroker_config **out, struct x2gobroker_error *err);
void x2gobroker_config_free(struct x2gobroker_config *config);

/* The account whose processes may set the user with --user. */
const char *x2gobroker_config_broker_account(
    const struct x2gobroker_config *config);

/* The log file, or "" for syslog. */
const char *x2gobroker_config_log_file(const struct x2gobroker_config *config);

/* The time limit for a request, in seconds. */
int x2gobroker_config_request_timeout(const struct x2gobroker_config *config);

/* How long its hooks may take besides, in seconds; 0: there are none. */
int x2gobroker_config_hook_seconds(const struct x2gobroker_config *config);

/* Whether PAM must be asked if the account is valid (account-check).  pinned:
 * the user was set with --user, so sshd has not asked PAM about them. */
bool x2gobroker_config_check_account(const struct x2gobroker_config *config,
    bool pinned);

/* Whether users may change their password through the broker, and the helper
 * that calls PAM for this and for the account check: x2gobroker-pam(8). */
bool x2gobroker_config_allow_password_change(
    const struct x2gobroker_config *config);
const char *x2gobroker_config_pam_helper(
    const struct x2gobroker_config *config);

/* Whether the client's address may be taken from SSH_CONNECTION and
 * SSH_CLIENT (trust-ssh-environment).  setuid: the process gained privileges
 * when it was started, so its caller controls the environment. */
bool x2gobroker_config_trust_environment(
    const struct x2gobroker_config *config, bool setuid);

/* Whether users have to log in over HTTP (http-auth), and whether requests are
 * served that did not come over TLS. */
bool x2gobroker_config_http_authenticates(
    const struct x2gobroker_config *config);
bool x2gobroker_config_http_allow_plain(
    const struct x2gobroker_config *config);

/* -1: keys that only HTTP uses do not allow to serve anybody, in the X2Go
 * client's format or in JSON. */
int x2gobroker_config_check_http(const struct x2gobroker_config *config,
    bool json, struct x2gobroker_error *err);

/* Use this backend ("inifile" or "zeroconf") instead of the configured one.
 * -1: unknown backend. */
int x2gobroker_config_set_backend(struct x2gobroker_config *config,
    const char *name, struct x2gobroker_error *err);

/*
 * Session profiles: x2gobroker-sessionprofiles(5)
 */

struct x2gobroker_profiles;
struct x2gobroker_profile;

/* Read the profiles of the configured backend into *out, which borrows config.
 * A profile with an error is withheld, as are all profiles of a file that
 * cannot be parsed; report (may be NULL) is called with arg for each problem.
 * If there is no file at all, the list is empty, and that is reported.  Returns
 * -1 with *out NULL if the backend is not enabled, or memory runs out. */
int x2gobroker_profiles_load(const struct x2gobroker_config *config,
    x2gobroker_report *report, void *arg, struct x2gobroker_profiles **out,
    struct x2gobroker_error *err);
void x2gobroker_profiles_free(struct x2gobroker_profiles *profiles);

/* The profiles that are not withheld, sorted by id, from 0 to
 * x2gobroker_profiles_count() - 1; NULL past the end. */
size_t x2gobroker_profiles_count(const struct x2gobroker_profiles *profiles);
const struct x2gobroker_profile *x2gobroker_profiles_get(
    const struct x2gobroker_profiles *profiles, size_t i);

/* The profile with that id, or NULL if it does not exist or is withheld. */
const struct x2gobroker_profile *x2gobroker_profiles_find(
    const struct x2gobroker_profiles *profiles, const char *id);

const char *x2gobroker_profile_id(const struct x2gobroker_profile *profile);
const char *x2gobroker_profile_file(const struct x2gobroker_profile *profile);
unsigned int x2gobroker_profile_line(const struct x2gobroker_profile *profile);

/* The value of key as the administrator wrote it: from the profile, else from
 * [DEFAULT] of its file, else the built-in default.  NULL if all three lack it,
 * or it is "not-set". */
const char *x2gobroker_profile_value(const struct x2gobroker_profile *profile,
    const char *key);

/* The same as the user of that name gets it: where "user" is BROKER_USER or
 * empty, it is this name. */
const char *x2gobroker_profile_value_for(
    const struct x2gobroker_profile *profile, const char *key,
    const char *user);

/*
 * The user
 */

struct x2gobroker_user;

/* name must be authenticated by the caller; never pass what the client claims.
 * address is the client's IPv4 or IPv6 address as text, or NULL if unknown:
 * then profiles with acl-clients-* are denied.  Groups are looked up once, when
 * the first rule needs them. */
int x2gobroker_user_new(const char *name, const char *address,
    struct x2gobroker_user **out, struct x2gobroker_error *err);
void x2gobroker_user_free(struct x2gobroker_user *user);

/* Use these n groups instead of looking them up. */
int x2gobroker_user_set_groups(struct x2gobroker_user *user,
    const char *const *groups, size_t n, struct x2gobroker_error *err);

/* The public key with which the user has logged in at the broker.  Profiles
 * with "broker-autologin-key = own" admit it at the server. */
int x2gobroker_user_set_key(struct x2gobroker_user *user, const char *type,
    const char *base64, struct x2gobroker_error *err);

const char *x2gobroker_user_name(const struct x2gobroker_user *user);
const char *x2gobroker_user_address(const struct x2gobroker_user *user);

/* Write the fingerprint "SHA256:..." of a public key into dst.  base64 is the
 * second word of a line that ssh-keygen(1) writes.  -1: not a public key. */
#define X2GOBROKER_FINGERPRINT_SIZE	51
int x2gobroker_key_fingerprint(const char *base64,
    char dst[X2GOBROKER_FINGERPRINT_SIZE]);

/*
 * Who may see which profile
 */

enum x2gobroker_verdict {
	X2GOBROKER_DENY = 0,
	X2GOBROKER_ALLOW,
};

/* Decide whether user may see and select profile.  *why (may be NULL) receives
 * the file and line of the rule that decided (line 0: no rule did), and a
 * sentence.  Never fails: if a lookup fails, access is denied. */
enum x2gobroker_verdict x2gobroker_acl_check(
    const struct x2gobroker_profile *profile, struct x2gobroker_user *user,
    struct x2gobroker_error *why);

/*
 * The request: what the X2Go client sent
 */

struct x2gobroker_request;

enum x2gobroker_request_kind {
	X2GOBROKER_REQUEST_NONE = 0,
	X2GOBROKER_REQUEST_LOGIN_CHECK,	/* echo "LOGIN OK" */
	X2GOBROKER_REQUEST_WHOAMI,	/* whoami, of the Kerberos login */
	X2GOBROKER_REQUEST_TASK,	/* ... --task NAME ... */
};

/* Parse command, the value of SSH_ORIGINAL_COMMAND.  It must have one of the
 * forms that X2Go clients send (x2gobroker(8) lists them); the shell text in it
 * is compared, never interpreted or run.  -1: another form, an unknown task, or
 * an option given twice.  Even then *out is set if the markers were recognised,
 * so that the refusal can be put between them. */
int x2gobroker_request_parse(const char *command,
    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* The same for the words of a command line: argv[0] to argv[argc - 1] are the
 * client's options and their values. */
int x2gobroker_request_from_argv(int argc, char *const *argv,
    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* The same for the len bytes of the body of an HTTP POST, a form of fields
 * "name=value&...".  Its longest size is X2GOBROKER_FORM_MAX. */
#define X2GOBROKER_FORM_MAX	16384
int x2gobroker_request_from_form(const char *body, size_t len,
    struct x2gobroker_request **out, struct x2gobroker_error *err);

/* The same for a form of python-x2go, which wants its answer in JSON. */
int x2gobroker_request_from_json_client(const char *body, size_t len,
    struct x2gobroker_request **out, struct x2gobroker_error *err);
void x2gobroker_request_free(struct x2gobroker_request *request);

/* request may be NULL.  A value that was not sent is "". */
enum x2gobroker_request_kind x2gobroker_request_kind(
    const struct x2gobroker_request *request);
const char *x2gobroker_request_task(const struct x2gobroker_request *request);
const char *x2gobroker_request_user(const struct x2gobroker_request *request);
const char *x2gobroker_request_login(const struct x2gobroker_request *request);
const char *x2gobroker_request_profile_id(
    const struct x2gobroker_request *request);

/* Whether the task checks the user's account itself, so that an account whose
 * password has expired can be given a new one. */
bool x2gobroker_request_checks_account(
    const struct x2gobroker_request *request);

/* Task names, and their options for --help, from 0; NULL past the end. */
const char *x2gobroker_task_name(size_t i);
const char *x2gobroker_task_help(size_t i);

/*
 * The answer
 */

struct x2gobroker_answer;

/* An answer to request, which it borrows; NULL if that was not recognised.  The
 * answer is a refusal until one of the functions below grants the request. */
int x2gobroker_answer_new(const struct x2gobroker_request *request,
    struct x2gobroker_answer **out, struct x2gobroker_error *err);
void x2gobroker_answer_free(struct x2gobroker_answer *answer);

/* Answer a login check.  message NULL grants it; otherwise the client shows
 * message, plain text with \n after each line, to its user. */
int x2gobroker_answer_login_check(struct x2gobroker_answer *answer,
    const char *message, struct x2gobroker_error *err);

/* Check whether user may log in now: login-hook may refuse, or there is
 * maintenance, and no session to go back to.  Call it before a login check is
 * granted.  -1: no; *err gives the reason for the log. */
int x2gobroker_answer_admit(struct x2gobroker_answer *answer,
    const struct x2gobroker_config *config, struct x2gobroker_user *user,
    struct x2gobroker_error *err);

/* What the administrator wants the person to read who is refused: one line; or
 * NULL. */
const char *x2gobroker_answer_notice(const struct x2gobroker_answer *answer);

/* Answer whoami with the account that this process runs as. */
int x2gobroker_answer_whoami(struct x2gobroker_answer *answer,
    const char *account, struct x2gobroker_error *err);

/* Change the password of user, who is authenticated.  password is valid only
 * during the call. */
typedef int x2gobroker_set_password(void *arg,
    const struct x2gobroker_user *user, const char *password,
    struct x2gobroker_error *err);

/* Allow the task setpass, which is refused otherwise, and have fn do it. */
void x2gobroker_answer_allow_setpass(struct x2gobroker_answer *answer,
    x2gobroker_set_password *fn, void *arg);

/* Check the password of user, and the account; NULL: the password has been
 * checked before.  ERR_DENIED: wrong. */
typedef int x2gobroker_authenticate(void *arg,
    const struct x2gobroker_user *user, const char *password,
    struct x2gobroker_error *err);

/* The user is only who the client claims to be, as with HTTP: have fn check the
 * password of the request, unless it has a valid token.  Each user gets a
 * token.  Wrong passwords are counted, and too many are refused without asking
 * fn. */
void x2gobroker_answer_authenticate(struct x2gobroker_answer *answer,
    x2gobroker_authenticate *fn, void *arg);

/* The user is only who the client claims to be, and nothing is checked: give
 * out no sessions and keys (unless http-noauth-session-data). */
void x2gobroker_answer_trust_nobody(struct x2gobroker_answer *answer);

/* Grant testcon, which needs no user.  Over SSH the X2Go client crashes if it
 * is granted. */
int x2gobroker_answer_testcon(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err);

/* Have report called with arg for each problem that does not prevent the
 * answer, such as a server that does not reply. */
void x2gobroker_answer_set_report(struct x2gobroker_answer *answer,
    x2gobroker_report *report, void *arg);

/* Carry out the task of the request, in two steps.  _decide checks the token if
 * tokens are enabled, looks up everything it needs for user, and decides.
 * _write then builds the answer from memory alone, so a process can give up
 * privileges between the two.  profiles and user are borrowed until _write
 * returns.  -1: the task was refused.  The answer then is the refusal that the
 * client understands; *err gives the reason, which is for the log only. */
int x2gobroker_answer_decide(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err);
int x2gobroker_answer_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err);

/* Both steps. */
int x2gobroker_answer_task(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err);

/* The result of a granted task for the log, such as "profiles=3" or
 * "server=b:22"; "" before. */
const char *x2gobroker_answer_summary(const struct x2gobroker_answer *answer);

/* Finish the answer and return all of its text, markers included, for one write
 * to the client.  Call it once, last. */
int x2gobroker_answer_text(struct x2gobroker_answer *answer,
    const char **text, size_t *len, struct x2gobroker_error *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* X2GOBROKER_H */
