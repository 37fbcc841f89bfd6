/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_CTL_H
#define X2GOBROKERCTL_CTL_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <x2gobroker_admin.h>

#define EXIT_YES	0	/* no errors; visible; done */
#define EXIT_NO		1	/* errors; not visible; not done */
#define EXIT_USAGE	2	/* error in the command line */

/* What setup makes and doctor looks at. */
#define PAM_FILE		"/etc/pam.d/x2gobroker"
#define SYSTEMD_DIR		"/etc/systemd/system/"
#define HTTP_SOCKET_UNIT	"x2gobroker-http.socket"
#define HTTP_SOCKET_ENABLED	SYSTEMD_DIR "sockets.target.wants/" \
				HTTP_SOCKET_UNIT

#define CTL_BAD_CONFIG	"the configuration has errors, so the broker refuses " \
			"every request"

struct command;

/* The command line.  Text is borrowed from argv. */
struct ctl {
	const struct command *commands;	/* all that there are */
	const char *config_file;	/* NULL: the default */
	const char *as;			/* the user the question is about */
	const char *from;		/* the client's address */
	const char *groups;		/* "a,b"; NULL: look them up */
	const char *user;		/* count this user's sessions, or check
					 * this user */
	const char *sshd_config;	/* for sshd -T; NULL: the default */
	const char *url;		/* of the web server, for doctor */
	const char *until;		/* when maintenance ends */
	char *profile;			/* what it is about; NULL: all */
	const char *server;		/* the same */
	const char *state, *older_than;	/* which sessions; NULL: any */
	const char *output;		/* the file for metrics; NULL: stdout */
	bool all, grants, json, list, no_resume, off, poll, yes;
	bool help, version;

	bool dry_run;

	/* of setup */
	bool http, shared, undo;
	const char *group;		/* with a forced command */
	const char *host;		/* of the first profile */
	const char *servers;		/* "ts01,ts02:2222" */

	char *const *words;		/* the other arguments */
	int nwords;
};

struct site {
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_user *user;	/* or NULL */
};

/* The commands.  Each returns an exit status. */
typedef int ctl_command(const struct ctl *ctl);

ctl_command authorize_main, authorized_keys_main, authorized_principals_main,
	    block_main, check_main, complete_main, database_main, doctor_main,
	    drain_main, explain_main, known_hosts_main, list_main,
	    maintenance_main, metrics_main, poll_main, revoke_main,
	    sessions_main, setup_main, suspend_main, terminate_main,
	    unblock_main, undrain_main, who_main;

/* Load the configuration or the profiles.  Errors are printed to stderr,
 * warnings are not.  Returns 0, or -1 if nothing was loaded. */
int	ctl_load_config(const struct ctl *ctl,
	    struct x2gobroker_config **config);
int	ctl_load_profiles(const struct x2gobroker_config *config,
	    struct x2gobroker_profiles **profiles);

/* Load both, and the user that --as, --from and --groups describe, if --as was
 * given.  Returns an exit status; unless it is EXIT_YES, an error message was
 * printed and there is nothing to close. */
int	ctl_open(const struct ctl *ctl, struct site *site);
void	ctl_close(struct site *site);

/* Exchange root's rights for those of an account, with no way back.  -1: an
 * error message was printed. */
int	ctl_become(const struct passwd *pw);

/* Become the broker account, which owns the service keys, known_hosts and
 * state-dir.  Nothing happens if we are not root. */
int	ctl_become_broker(const struct x2gobroker_config *config);

/* Some files are read and written by the owner of their directory.  If that is
 * the broker account, root has to become that account after a failure. */
bool	ctl_can_retry_as_broker(const struct x2gobroker_config *config,
	    const struct x2gobroker_error *err);

/* Print one problem: "FILE:LINE: TEXT", warnings marked as such.  An
 * x2gobroker_report whose arg is the FILE to print to. */
void	ctl_print_problem(void *arg, const struct x2gobroker_error *problem);

/* Print an error to stderr. */
void	ctl_print_error(const struct x2gobroker_error *err);

/* The same for a text; control characters in it are escaped. */
void	ctl_complain(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

/* Why there is no profile of that id: it is withheld, or it does not exist. */
void	ctl_explain_missing(const struct x2gobroker_profiles *profiles,
	    const char *id, struct x2gobroker_error *why);

#endif
