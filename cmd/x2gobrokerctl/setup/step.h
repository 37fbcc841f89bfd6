/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of x2gobrokerctl setup.  steps.c lists them, one row each.  Every
 * step has a kind: how to look at such a thing, show it, do it and undo it.
 * Each change is recorded before it is made (manifest.h), so that an
 * interrupted setup can be continued or undone.
 */
#ifndef X2GOBROKERCTL_SETUP_STEP_H
#define X2GOBROKERCTL_SETUP_STEP_H

#include <pwd.h>
#include <stdbool.h>

#include "../ctl.h"
#include "manifest.h"

#define WHY_SIZE	1024

/* What to set up: bits. */
enum way {
	WAY_SHARED = 1,		/* one account for all, keys in keys.d */
	WAY_GROUP = 2,		/* a forced command for a group */
	WAY_SERVERS = 4,	/* X2Go servers are polled */
};

#define WAY_ALL	(WAY_SHARED | WAY_GROUP | WAY_SERVERS)

/* What steps are about: names, paths, and the text of files. */
enum text {
	TEXT_NONE = 0,		/* NULL */
	TEXT_ACCOUNT,		/* the broker account */
	TEXT_ACCOUNT_LINE,	/* for systemd-sysusers */
	TEXT_ACCOUNT_GROUP,	/* its primary group */
	TEXT_HOME,
	TEXT_GROUP,		/* the group with a forced command */
	TEXT_GROUP_LINE,
	TEXT_PROFILES_DIR,
	TEXT_KEYS_DIR,
	TEXT_STATE_DIR,
	TEXT_COOKIES_DIR,
	TEXT_DIRS,		/* "directories" */
	TEXT_DIR_LINES,		/* for systemd-tmpfiles */
	TEXT_DIR_FILE,		/* which file has them */
	TEXT_OWN_DIR_FILE,	/* the same if setup writes it, else "" */
	TEXT_HELPER,
	TEXT_PAM,
	TEXT_PAM_LINES,
	TEXT_SSHD,
	TEXT_SSHD_SHARED,
	TEXT_SSHD_GROUP,
	TEXT_PROFILE,
	TEXT_PROFILE_LINES,
	TEXT_KEY,
	TEXT_KNOWN_HOSTS,
	NTEXTS
};

struct setup {
	const struct ctl *ctl;
	struct x2gobroker_config *config;
	struct manifest *manifest;	/* NULL until steps are done */
	unsigned int ways;
	bool has_profiles;
	bool reload;			/* sshd has a new configuration */
	const char *host;		/* of the first profile */
	const char *group;		/* of WAY_GROUP */
	char *text[NTEXTS];		/* owned; "": skip its step */
	char **servers;			/* to be polled; owned */
	size_t nservers;
};

struct step {
	unsigned int ways;		/* that need it */
	const struct kind *kind;
	enum text name;
	enum text content;		/* of a file, or a line for a program */
	bool (*wanted)(const struct setup *setup);	/* NULL: always */
};

enum look {
	LOOK_DONE,
	LOOK_TO_DO,
	LOOK_BLOCKED,			/* the administrator must act first */
};

enum back {
	BACK_DONE,			/* or can be done */
	BACK_GONE,			/* it no longer exists */
	BACK_LEFT,			/* it was changed, or is in use */
	BACK_FAILED,
};

struct kind {
	const char *name;		/* in the manifest */
	const char *noun;		/* before a step's name, for people */

	/* Is it done?  If it cannot be, why says why not. */
	enum look (*look)(const struct setup *setup, const struct step *step,
	    char why[static WHY_SIZE]);

	/* Print what would be done: the rest of a line, and lines below. */
	void (*show)(const struct setup *setup, const struct step *step);

	/* Record it, then do it.  -1: failed, with a message printed. */
	int (*apply)(struct setup *setup, const struct step *step);

	/* Undo it; unless now, only look.  what: "remove the file", or why the
	 * thing stays as it is. */
	enum back (*back)(const struct record *record, bool now,
	    char what[static WHY_SIZE]);
};

extern const struct kind kind_account, kind_dir, kind_file, kind_group,
    kind_key, kind_known_hosts, kind_mode, kind_password, kind_sshd;

/* dirs.c: write the lines for systemd-tmpfiles, choose the file that has them,
 * and check the directories that exist.  -1: one of them belongs to somebody
 * else, with a message printed. */
int	dirs_prepare(struct setup *setup);

/* dirs.c: make the directory that the file is to be in, as the account to which
 * the directory above belongs.  -1: failed, with a message printed. */
int	dirs_make_parent(struct setup *setup, const char *file);

/* files.c: undo a change of a file. */
enum back	file_back(const struct record *record, bool now,
		    char what[static WHY_SIZE]);

/* child.c: the account that has to undo it, or NULL for root.  -1: that
 * account no longer exists. */
int	record_account(const struct record *record, const struct passwd **pw,
	    char what[static WHY_SIZE]);

/* sshd.c: the shell command that makes sshd reload its configuration. */
const char *sshd_reload_command(void);

#endif
