/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of x2gobrokerctl setup.  plan.c makes the list of them.  Every step
 * has a kind: how to look at such a thing, make it, and undo that.  Each change
 * is recorded before it is made (manifest.c), so that an interrupted setup can
 * be continued or undone.
 */
#ifndef X2GOBROKERCTL_SETUP_STEP_H
#define X2GOBROKERCTL_SETUP_STEP_H

#include <pwd.h>
#include <stdbool.h>

#include "base/arena.h"
#include "../ctl.h"

#define WHY_SIZE	1024
#define STATE_SIZE	1024
#define ARGS_MAX	12
#define STEPS_MAX	24
#define FILE_PLAN	"make the file, root:root, mode 0644"

#define ACCOUNT_COMMENT		"X2Go session broker"
#define ACCOUNT_HOME		X2GOBROKER_VAR "/lib/x2gobroker"

#define PROGRAM_SYSUSERS	"/usr/bin/systemd-sysusers"
#define PROGRAM_TMPFILES	"/usr/bin/systemd-tmpfiles"
#define PROGRAM_USERMOD		"/usr/sbin/usermod"
#define PROGRAM_SSH_KEYGEN	"/usr/bin/ssh-keygen"

/*
 * manifest.c: what setup changed on this host, one record for each change, in
 * order.  Only root can write to its directory: anybody else could make root
 * remove files.
 */

/* Text without tabs and line ends. */
struct record {
	char *line;		/* owned; the others are parts of it */
	char *kind;
	char *name;		/* a path, an account, a group */
	char *before, *after;	/* states; before is "" if it is new */
	char *account;		/* that owns the directory; "": root */
};

struct manifest {
	int dir, lock;
	struct record *records;
	size_t n;
};

/* Read and lock it.  If there is none: an empty one, or, unless make, *out is
 * NULL.  -1: failed, with a message printed. */
int	manifest_open(bool make, struct manifest **out);

/* Close it, which may be NULL; remove it if it is empty. */
void	manifest_close(struct manifest *manifest);

bool	manifest_has(const struct manifest *manifest, const char *name);

/* Both return when the change is on disk.  -1: failed, with a message
 * printed. */
int	manifest_add(struct manifest *manifest, const char *kind,
	    const char *name, const char *before, const char *after,
	    const char *account);
int	manifest_drop(struct manifest *manifest, size_t i);

/*
 * Steps
 */

struct step {
	const struct kind *kind;
	const char *name;		/* a path, an account, a group */
	const char *plan;		/* what would be done */
	const char *after;		/* its state then, if it is known */
	const char *content;		/* of a file; NULL: it cannot be read */
	bool brief;			/* show it without its comments */
	const char *argv[ARGS_MAX];	/* the program that does it, or none */
};

/* Text is in the arena, unless it is constant. */
struct setup {
	const struct ctl *ctl;
	struct x2gobroker_config *config;
	struct manifest *manifest;	/* NULL until steps are done */
	struct arena arena;
	struct step steps[STEPS_MAX];
	size_t nsteps;
	bool shared;			/* one account for all */
	const char *group;		/* with a forced command, or NULL */
	bool http;			/* behind a web server */
	const char *host;		/* of the first profile */
	const char *account, *account_group, *home;	/* the broker's */
	const char *keys_command;	/* what sshd calls for shared */
	const char *key;		/* the broker's, for servers */
	char **servers;			/* to be polled; the array is owned */
	size_t nservers;
	bool has_profiles;
	bool reload;			/* sshd has a new configuration */
};

enum look {
	LOOK_DONE,
	LOOK_TO_DO,
	LOOK_BLOCKED,			/* the administrator must act first */
	NLOOKS
};

enum back {
	BACK_DONE,			/* or can be done */
	BACK_GONE,			/* it no longer exists */
	BACK_LEFT,			/* it was changed, or is in use */
	BACK_FAILED,
	NBACKS
};

struct kind {
	const char *name;		/* in the manifest */
	const char *noun;		/* before a step's name, for people */

	/* Is it done?  If it cannot be, why says why not.  NULL: it is if it
	 * exists. */
	enum look (*look)(const struct setup *setup, const struct step *step,
	    char why[static WHY_SIZE]);

	/* Record it, then do it.  -1: failed, with a message printed.  NULL:
	 * the program does it. */
	int (*apply)(struct setup *setup, const struct step *step);

	/* Its state, which is undone only if it is as recorded.  False: it does
	 * not exist. */
	bool (*state)(const char *name, char state[static STATE_SIZE]);

	/* Undo it, in a process of the account that has to.  BACK_FAILED: a
	 * message was printed. */
	enum back (*back)(const struct record *record);
	const char *undo;		/* if there was none: what that is */
	const char *left;		/* why BACK_LEFT */
};

extern const struct kind kind_account, kind_dir, kind_file, kind_group,
    kind_key, kind_known_hosts, kind_mode, kind_passing, kind_password,
    kind_sshd, kind_unit;

/* Format a text in the arena.  Without memory, the program ends. */
char	*step_text(struct setup *setup, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* "ts01, ts02" */
const char *step_list_servers(struct setup *setup);

/* Add a step, unless its name is "", for the caller to fill in. */
struct step *step_add(struct setup *setup, const struct kind *kind,
	    const char *name, const char *plan);

/* Append arguments, which NULL ends, to the program of the step. */
void	step_add_args(struct step *step, ...) __attribute__((sentinel));

/* Call fn in a process of that account or, if it is NULL, of root.  Returns
 * what fn returns, 0 to 255, or -1. */
int	step_call_as(const struct passwd *account, int (*fn)(const void *arg),
	    const void *arg);

/* Run the program argv.  Returns 0, or 1 if it failed; its output is printed
 * then, unless quietly. */
int	step_run(const void *argv);
int	step_run_quietly(const void *argv);

/* Record the step, with the state that it will have, and the present one if
 * there is one.  Then run its program, if it has one. */
int	step_record(struct setup *setup, const struct step *step,
	    const char *after);

/* Ask for confirmation.  False: it was not given, and a message was printed. */
bool	step_confirm(const struct ctl *ctl);

/* dirs.c: check the directories that exist.  *lines is what tmpfiles.d(5) says
 * of all, missing has an option of systemd-tmpfiles(8) for each that does not
 * exist, ended by NULL.  -1: one of them belongs to somebody else, with a
 * message printed. */
#define DIRS_MAX	5
int	dirs_check(struct setup *setup, const char **lines,
	    const char *missing[static DIRS_MAX + 1]);

/* dirs.c: make the directory that the file is to be in, as the account to which
 * the directory above belongs.  -1: failed, with a message printed. */
int	dirs_make_parent(struct setup *setup, const char *file);

/* account.c: add the steps for the broker account, or for a group. */
void	account_add_steps(struct setup *setup);
void	account_add_group(struct setup *setup, const char *name);

/* files.c: the text of a small file, which the caller frees, or NULL with
 * errno.  Symbolic links are not followed. */
char	*files_read(const char *path);

/* files.c: does the file contain text? */
bool	files_contain(const char *path, const char *text);

/* files.c: create the file or, if it may, replace it, with owner and mode as
 * they were.  -1: nothing changed, with a message printed. */
int	files_write(const char *path, const char *text, bool may_replace);

/* files.c: of kinds whose things are files.  The state is a checksum. */
void	files_checksum(const char *text, char state[static STATE_SIZE]);
bool	files_state(const char *path, char state[static STATE_SIZE]);
enum back	files_back(const struct record *record);

/* sshd.c: the shell command that makes sshd reload its configuration. */
const char *sshd_reload_command(void);

/* sshd.c: add the step that adds these lines. */
void	sshd_add_step(struct setup *setup, const char *lines);

/* http.c: add the steps for a web server, and print what is left to do. */
void	http_add_steps(struct setup *setup);
void	http_print_next(void);

/* servers.c: add the steps for the service key and known_hosts. */
void	servers_add_steps(struct setup *setup, const char *key,
	    const char *known_hosts);

/* plan.c: may name be an account's, in a line of sshd_config?  May text, which
 * can be NULL, name an X2Go server? */
bool	plan_is_name(const char *name);
bool	plan_is_host(const char *text);

/* plan.c: find out which profiles and servers there are, and add all steps.
 * -1: failed, with a message printed. */
int	plan_find_site(struct setup *setup);
int	plan_add_steps(struct setup *setup);

/* undo.c */
int	undo_main(const struct ctl *ctl);

#endif
