/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl doctor: what goes wrong in practice.  A check looks at one
 * thing and says what it has found: one finding, or one for each of several
 * subjects.
 */
#ifndef X2GOBROKERCTL_DOCTOR_DOCTOR_H
#define X2GOBROKERCTL_DOCTOR_DOCTOR_H

#include <sys/types.h>

#include "../sshd_query.h"
#include "../servers.h"

enum finding {
	FINDING_OK = 0,
	FINDING_SKIPPED,	/* could not be looked at */
	FINDING_WARNING,
	FINDING_FAILED,
};

/* The broker account, as it is in passwd(5). */
struct doctor_account {
	char *name, *home, *shell;	/* owned; NULL where there is none */
	uid_t uid;
	gid_t gid;
};

struct doctor {
	const struct ctl *ctl;
	struct x2gobroker_config *config;	/* NULL: not in order */
	struct x2gobroker_profiles *profiles;	/* NULL: not loaded */
	struct doctor_account account;
	struct sshd sshd;		/* for the broker account */
	struct x2gobroker_farm *farm;	/* has been asked, or NULL */
	/* which keys lead to the broker through its account */
	bool asks_us;			/* sshd asks authorized-keys */
	bool forced;			/* --user: ForceCommand is the broker */
	unsigned int key_lines;		/* in authorized_keys */
	unsigned int key_files;		/* in keys-dir */
	unsigned int user_lines;	/* --user: of the former, that user's */
	bool user_file;			/* --user: has a file in keys-dir */
	struct doctor_output *out;
};

/* What a check has found about subject, which may be "".  Text begins with a
 * small letter and is a whole statement. */
void	doctor_ok(struct doctor *d, const char *subject, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
void	doctor_warn(struct doctor *d, const char *subject, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));
void	doctor_fail(struct doctor *d, const char *subject, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));

/* What to do about the last finding. */
void	doctor_remedy(struct doctor *d, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A failure in the words of the library, which come with the remedy. */
void	doctor_fail_error(struct doctor *d, const char *subject,
	    const struct x2gobroker_error *err);

/* How many findings of the running check are no "ok" so far. */
unsigned int doctor_count_bad(const struct doctor *d);

/* A key of [global] as text, "" where it is none. */
const char *doctor_text(const struct doctor *d, const char *key);

/* How many users have files in keys-dir. */
void	doctor_count_key_files(struct doctor *d);

/* Whether a server is asked; over SSH, if that is what counts. */
bool	doctor_has_servers(struct doctor *d, bool over_ssh);

/* The farm of all profiles, asked when the first check wants to know; or NULL,
 * and the running check has said why. */
struct x2gobroker_farm *doctor_farm(struct doctor *d);

/* The checks.  doctor.c has the table of them. */
void	check_configuration(struct doctor *d);
void	check_profiles(struct doctor *d);
void	check_nobodys(struct doctor *d);
void	check_user_keys(struct doctor *d);
void	check_owners(struct doctor *d);

void	check_sshd(struct doctor *d);
void	check_sshd_login(struct doctor *d);
void	check_sshd_command(struct doctor *d);
void	check_sshd_pty(struct doctor *d);
void	check_sshd_keys(struct doctor *d);
void	check_sshd_access(struct doctor *d);
void	check_sshd_sessions(struct doctor *d);
void	check_sshd_environment(struct doctor *d);
void	check_sshd_startups(struct doctor *d);
void	check_user_command(struct doctor *d);

void	check_account(struct doctor *d);
void	check_account_locked(struct doctor *d);
void	check_home(struct doctor *d);
void	check_program(struct doctor *d);
void	check_pam(struct doctor *d);
void	check_user_files(struct doctor *d);
void	check_user_pam(struct doctor *d);
void	check_user_profiles(struct doctor *d);

void	check_authorized_keys(struct doctor *d);
void	check_key_types(struct doctor *d);
void	check_ways_in(struct doctor *d);

void	check_readable(struct doctor *d);
void	check_state_dir(struct doctor *d);
void	check_tokens(struct doctor *d);
void	check_drain_file(struct doctor *d);
void	check_log_file(struct doctor *d);

void	check_service_keys(struct doctor *d);
void	check_known_hosts(struct doctor *d);
void	check_servers(struct doctor *d);
void	check_agents(struct doctor *d);
void	check_clocks(struct doctor *d);
void	check_user_sessions(struct doctor *d);
void	check_host_names(struct doctor *d);

#endif
