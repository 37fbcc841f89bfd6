/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl setup: done for the administrator what README says by hand.
 *
 * steps.c is the list of what there may be to do, a row a step.  Each step is
 * of a kind: how things of its sort are looked at, shown, done and taken back.
 * What a step changes is noted before it is done (manifest.h), so that a setup
 * that was interrupted can be gone on with, or be taken back.
 */
#ifndef X2GOBROKERCTL_SETUP_SETUP_H
#define X2GOBROKERCTL_SETUP_SETUP_H

#include <sys/stat.h>
#include <sys/types.h>

#include <pwd.h>
#include <stdbool.h>

#include "../ctl.h"
#include "manifest.h"

#define WHY_SIZE	1024

/* What is set up: bits. */
enum way {
	WAY_SHARED = 1,		/* one account for all, keys in keys.d */
	WAY_GROUP = 2,		/* a forced command for a group */
	WAY_SERVERS = 4,	/* X2Go servers are asked */
};

#define WAY_ALL	(WAY_SHARED | WAY_GROUP | WAY_SERVERS)

/* What steps are about: names, paths, and the text of files. */
enum text {
	TEXT_NONE = 0,		/* NULL */
	TEXT_ACCOUNT,		/* the broker account */
	TEXT_GROUP,		/* and its group */
	TEXT_HOME,
	TEXT_USERS,		/* the group with a forced command */
	TEXT_X2GO_DIR,
	TEXT_BROKER_DIR,
	TEXT_PROFILES_DIR,
	TEXT_KEYS_DIR,
	TEXT_STATE_DIR,
	TEXT_COOKIES_DIR,
	TEXT_TMPFILES_DIR,
	TEXT_TMPFILES,
	TEXT_TMPFILES_LINE,
	TEXT_HELPER,
	TEXT_PAM,
	TEXT_PAM_LINES,
	TEXT_SSHD_DIR,
	TEXT_SSHD,
	TEXT_SSHD_SHARED,
	TEXT_SSHD_GROUP,
	TEXT_PROFILE,
	TEXT_PROFILE_LINES,
	TEXT_SSH_DIR,
	TEXT_KEY,
	TEXT_KNOWN_HOSTS,
	NTEXTS
};

struct setup {
	const struct ctl *ctl;
	struct x2gobroker_config *config;
	struct manifest *manifest;	/* while steps are done; else NULL */
	unsigned int ways;
	bool has_profiles;
	bool reload;			/* sshd has something new to read */
	const char *host;		/* of the first profile */
	const char *group;		/* of WAY_GROUP */
	char *text[NTEXTS];		/* owned; NULL or "": no such step */
	char **servers;			/* that are asked; owned */
	size_t nservers;
};

struct step {
	unsigned int ways;		/* any of them needs it */
	const struct kind *kind;
	enum text name;
	enum text content;		/* of a file */
	mode_t mode;
	bool broker;			/* the broker's; else root's */
	bool passing;			/* a directory whose files are worth
					 * nothing without the broker */
	bool (*wanted)(const struct setup *setup);	/* NULL: yes */
};

enum look {
	LOOK_DONE,
	LOOK_TO_DO,
	LOOK_BLOCKED,			/* by what somebody has to mend */
};

enum back {
	BACK_DONE,			/* or, if it is only looked at, to do */
	BACK_GONE,			/* it is not there any more */
	BACK_LEFT,			/* somebody has changed or uses it */
	BACK_FAILED,
};

struct kind {
	const char *name;		/* in the manifest */
	const char *noun;		/* before a step's name, for people */

	/* Whether it is done; why not, where it cannot be. */
	enum look (*look)(const struct setup *setup, const struct step *step,
	    char why[static WHY_SIZE]);

	/* Print what would be done: the rest of a line, and lines below. */
	void (*show)(const struct setup *setup, const struct step *step);

	/* Note it, then do it.  -1: why not was said. */
	int (*apply)(struct setup *setup, const struct step *step);

	/* Take it back, or, unless now, only look.  what: "remove the file", or
	 * why it is left or could not be taken back. */
	enum back (*back)(const struct record *record, bool now,
	    char what[static WHY_SIZE]);
};

extern const struct kind kind_account, kind_dir, kind_file, kind_group,
    kind_key, kind_known_hosts, kind_mode, kind_password, kind_shell, kind_sshd;

/* steps.c: the list; which profiles and servers there are; then what the steps
 * are about.  -1: why not was said. */
extern const struct step setup_steps[];
extern const size_t setup_nsteps;
int	setup_look_around(struct setup *setup);
int	setup_prepare(struct setup *setup);
void	setup_free(struct setup *setup);

/* Whether name may stand in a line of sshd_config, and be an account's. */
bool	setup_is_name(const char *name);

/* Whether text, which may be NULL, says where an X2Go server is. */
bool	setup_is_host(const char *text);

/* files.c.  A digest is that of a file's content, in hexadecimal digits. */
#define DIGEST_SIZE	65
void	setup_digest(const char *text, size_t len,
	    char digest[static DIGEST_SIZE]);

/* The text of the file, which the caller frees, or NULL with errno.  No link is
 * followed. */
char	*setup_read(const char *path, size_t *len);

/* Make the file, or replace the one whose stat is old.  -1 with errno, and
 * nothing changed. */
int	setup_write(const char *path, const char *text, size_t len, mode_t mode,
	    const struct stat *old);

/* The account, if a directory above path belongs to it: it could put links
 * there, and has to do itself what is done there.  NULL: root can. */
const struct passwd *setup_account_above(const struct setup *setup,
	    const char *path);

/* Print the lines of text, each behind a "+"; without comments where brief. */
void	setup_show_lines(const char *text, bool brief);

enum back	file_back(const struct record *record, bool now,
		    char what[static WHY_SIZE]);

/* sshd.c: how sshd is told, in words for a terminal. */
const char *setup_reload_command(void);

/* undo.c */
int	setup_undo(const struct ctl *ctl);

#endif
