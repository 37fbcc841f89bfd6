/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl doctor: find what goes wrong in practice.  A check is about one
 * thing.  It has one finding, or one for each subject, such as each server.
 */
#ifndef X2GOBROKERCTL_DOCTOR_FINDINGS_H
#define X2GOBROKERCTL_DOCTOR_FINDINGS_H

#include <sys/types.h>

#include "base/json.h"
#include "common/sshd_query.h"
#include "../servers.h"

enum finding {
	FINDING_OK = 0,
	FINDING_SKIPPED,	/* could not be checked */
	FINDING_WARNING,
	FINDING_FAILED,
};

#define TEXT_SIZE	(2 * X2GOBROKER_TEXT_SIZE)	/* of a finding */

/* The last finding waits for its remedy. */
struct doctor_output {
	const char *check;		/* name of the running check */
	struct json json;		/* only with --json */
	bool waiting;
	enum finding finding;
	char subject[X2GOBROKER_FILE_SIZE], text[TEXT_SIZE], remedy[TEXT_SIZE];
	unsigned int found, bad;	/* of the running check; bad: not ok */
	unsigned int counts[FINDING_FAILED + 1];
};

/* The broker account, as it is in passwd(5). */
struct doctor_account {
	char *name, *home, *shell;	/* owned; NULL: no such account */
	uid_t uid;
	gid_t gid;
};

struct doctor {
	const struct ctl *ctl;
	struct x2gobroker_config *config;	/* NULL: has errors */
	struct x2gobroker_profiles *profiles;	/* NULL: not loaded */
	struct doctor_account account;
	struct sshd sshd;		/* for the broker account */
	struct x2gobroker_farm *farm;	/* polled, or NULL */
	struct x2gobroker_farm *database_farm;
	const struct x2gobroker_database *database;	/* NULL: not asked */
	struct x2gobroker_error database_error;
	/* which keys lead to the broker account */
	bool reads_key_files;		/* sshd runs authorized-keys */
	bool forced;			/* --user: ForceCommand is the broker */
	unsigned int key_lines;		/* in authorized_keys */
	unsigned int key_files;		/* in keys-dir */
	unsigned int user_lines;	/* --user: those of the user */
	bool user_file;			/* --user: has a file in keys-dir */
	struct doctor_output out;
};

/* Add a finding about subject, which may be "".  The text is a whole statement
 * and begins with a small letter. */
void	findings_add(struct doctor *d, enum finding finding,
	    const char *subject, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

#define doctor_ok(d, subject, ...)					\
	findings_add(d, FINDING_OK, subject, __VA_ARGS__)
#define doctor_warn(d, subject, ...)					\
	findings_add(d, FINDING_WARNING, subject, __VA_ARGS__)
#define doctor_fail(d, subject, ...)					\
	findings_add(d, FINDING_FAILED, subject, __VA_ARGS__)

/* Say how to fix the last finding. */
void	doctor_remedy(struct doctor *d, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A failure, with the text of the library. */
void	doctor_fail_error(struct doctor *d, const char *subject,
	    const struct x2gobroker_error *err);

/* For doctor.c: around each check, and around all of them.  otherwise: the
 * finding of a check that found nothing.  findings_print_sum() returns the exit
 * status. */
void	findings_begin(struct doctor *d, const char *check);
void	findings_end(struct doctor *d, const char *otherwise);
void	findings_print_word(enum finding finding);
int	findings_print_sum(struct doctor *d);

/* A key of [global] as text, or "". */
const char *doctor_text(const struct doctor *d, const char *key);

/* Count the users who have files in keys-dir. */
void	doctor_count_key_files(struct doctor *d);

/* Is any server polled?  over_ssh: over SSH? */
bool	doctor_has_servers(struct doctor *d, bool over_ssh);

/* The checks.  doctor.c has the table of them. */
typedef void doctor_check(struct doctor *d);

doctor_check check_configuration, check_profiles, check_visible,
	    check_user_keys, check_owners;
doctor_check check_sshd, check_sshd_login, check_sshd_command, check_sshd_pty,
	    check_sshd_keys, check_sshd_access, check_sshd_sessions,
	    check_sshd_environment, check_sshd_startups, check_user_command;
doctor_check check_account, check_account_locked, check_home, check_program,
	    check_pam, check_user_files, check_user_pam, check_user_profiles;
doctor_check check_http, check_http_socket, check_http_answer, check_https;
doctor_check check_authorized_keys, check_key_types, check_ways_in;
doctor_check check_readable, check_state_dir, check_tokens, check_drain_file,
	    check_maintenance, check_hooks, check_log_file;
doctor_check check_database, check_database_read, check_database_write,
	    check_database_zone, check_database_limit, check_database_hosts;
doctor_check check_service_keys, check_host_keys, check_servers, check_agents,
	    check_clocks, check_stores, check_user_sessions, check_host_names;

#endif
