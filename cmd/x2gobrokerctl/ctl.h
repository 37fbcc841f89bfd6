/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_CTL_H
#define X2GOBROKERCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <x2gobroker.h>

#define EXIT_YES	0	/* in order; may be seen */
#define EXIT_NO		1	/* not in order; may not be seen */
#define EXIT_USAGE	2	/* the question was no question */

struct command;

/* The command line.  Text is borrowed from argv. */
struct ctl {
	const struct command *commands;	/* all that there are */
	const char *config_file;	/* NULL: the default one */
	const char *as;			/* the user the question is about */
	const char *from;		/* the client's address */
	const char *groups;		/* "a,b" instead of a look-up */
	const char *user;		/* whose sessions are counted, or whom
					 * doctor looks at */
	const char *sshd_config;	/* for sshd -T; NULL: sshd's own */
	bool all, json, list, yes;
	bool dry_run, shared, undo;	/* of setup, as what follows */
	const char *group;		/* with a forced command */
	const char *host;		/* of the first profile */
	const char *servers;		/* "ts01,ts02:2222" */
	bool help, version;
	char *const *words;		/* what else the command takes */
	int nwords;
};

/* The commands.  Each returns an exit status. */
int	authorize_main(const struct ctl *ctl);
int	authorized_keys_main(const struct ctl *ctl);
int	check_main(const struct ctl *ctl);
int	complete_main(const struct ctl *ctl);
int	doctor_main(const struct ctl *ctl);
int	drain_main(const struct ctl *ctl);
int	explain_main(const struct ctl *ctl);
int	known_hosts_main(const struct ctl *ctl);
int	list_main(const struct ctl *ctl);
int	poll_main(const struct ctl *ctl);
int	revoke_main(const struct ctl *ctl);
int	sessions_main(const struct ctl *ctl);
int	setup_main(const struct ctl *ctl);
int	suspend_main(const struct ctl *ctl);
int	terminate_main(const struct ctl *ctl);
int	undrain_main(const struct ctl *ctl);

/* Load the configuration, or the profiles too.  Problems that withhold
 * something are written to stderr.  -1: there is nothing to go on with, and it
 * was said. */
int	ctl_load_config(const struct ctl *ctl,
	    struct x2gobroker_config **config);
int	ctl_load_profiles(const struct x2gobroker_config *config,
	    struct x2gobroker_profiles **profiles);
int	ctl_load(const struct ctl *ctl, struct x2gobroker_config **config,
	    struct x2gobroker_profiles **profiles);

/* The user that --as, --from and --groups describe, or NULL; it was said. */
struct x2gobroker_user *ctl_user(const struct ctl *ctl);

/* Print one problem: "FILE:LINE: TEXT", warnings marked as such.  An
 * x2gobroker_report whose arg is the FILE to print to. */
void	ctl_print_problem(void *arg, const struct x2gobroker_error *problem);

/* Say what went wrong, on stderr. */
void	ctl_print_error(const struct x2gobroker_error *err);

/* The same in words of our own; what comes from elsewhere is shown escaped. */
void	ctl_complain(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));

#endif
