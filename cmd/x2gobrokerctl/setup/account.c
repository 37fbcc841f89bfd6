/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts and groups.  systemd-sysusers(8) creates them, from the line in the
 * file that is installed with this program, or from a line of our own.
 */
#include <grp.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "step.h"

#define SHIPPED		X2GOBROKER_LIB "/sysusers.d/x2gobroker.conf"
#define NO_PASSWORD	"*"	/* for sshd, "!" is a locked account */

/* For systemd-sysusers. */
static void
add_line(struct step *step, const char *line)
{
	if (files_contain(SHIPPED, line))
		step_add_args(step, PROGRAM_SYSUSERS, SHIPPED, (char *)NULL);
	else
		step_add_args(step, PROGRAM_SYSUSERS, "--inline", line,
		    (char *)NULL);
}

static enum back
run_back(const char *const *argv)
{
	return step_run(argv) == 0 ? BACK_DONE : BACK_FAILED;
}

/*
 * Groups
 */

static bool
group_state(const char *name, char state[static STATE_SIZE])
{
	*state = '\0';
	return getgrnam(name) != NULL;
}

static enum back
group_back(const struct record *record)
{
	const char *const argv[] = { "/usr/sbin/groupdel", record->name, NULL };
	const struct group *group = getgrnam(record->name);

	if ((group != NULL && group->gr_mem[0] != NULL) ||
	    getpwnam(record->name) != NULL)
		return BACK_LEFT;
	return run_back(argv);
}

const struct kind kind_group = {
	"group", "group ", NULL, NULL, group_state, group_back,
	"remove the group", "it has members, or the account of this name "
	"needs it",
};

/*
 * The broker account
 */

static bool
account_state(const char *name, char state[static STATE_SIZE])
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return false;
	snprintf(state, STATE_SIZE, "%s:%s", pw->pw_gecos, pw->pw_dir);
	return true;
}

static enum look
account_look(const struct setup *setup __attribute__((unused)),
    const struct step *step, char why[static WHY_SIZE])
{
	const struct passwd *pw = getpwnam(step->name);
	const char *base;

	if (pw == NULL)
		return LOOK_TO_DO;
	base = strrchr(pw->pw_shell, '/');
	if (base == NULL || (strcmp(base, "/nologin") != 0 &&
	    strcmp(base, "/false") != 0))
		return LOOK_DONE;
	snprintf(why, WHY_SIZE, "sshd starts the broker with the shell of the "
	    "account, and %s runs nothing; usermod --shell /bin/sh %s",
	    pw->pw_shell, step->name);
	return LOOK_BLOCKED;
}

/* It comes with a group of its name, unless there is one. */
static int
account_apply(struct setup *setup, const struct step *step)
{
	if (getgrnam(step->name) == NULL && manifest_add(setup->manifest,
	    kind_group.name, step->name, "", "", "") == -1)
		return -1;
	return step_record(setup, step, ACCOUNT_COMMENT ":" ACCOUNT_HOME);
}

/* While the account has files, it stays: otherwise the next account with its
 * number would own them. */
static enum back
account_back(const struct record *record)
{
	const char *const argv[] = { "/usr/sbin/userdel", record->name, NULL };
	const struct passwd *pw = getpwnam(record->name);

	if (pw != NULL && access(pw->pw_dir, F_OK) == 0)
		return BACK_LEFT;
	return run_back(argv);
}

const struct kind kind_account = {
	"account", "account ", account_look, account_apply, account_state,
	account_back, "remove the account",
	"it still has files in its home directory",
};

/*
 * Its password: systemd-sysusers gives a new account "!*"
 */

static bool
password_state(const char *name, char state[static STATE_SIZE])
{
	const struct spwd *spwd = getspnam(name);

	if (spwd == NULL)
		return false;
	strlcpy(state, spwd->sp_pwdp, STATE_SIZE);
	return true;
}

static enum look
password_look(const struct setup *setup __attribute__((unused)),
    const struct step *step, char why[static WHY_SIZE])
{
	char password[STATE_SIZE];

	if (!password_state(step->name, password))
		return getpwnam(step->name) == NULL ? LOOK_TO_DO : LOOK_DONE;
	if (password[0] != '!')
		return LOOK_DONE;
	if (password[strspn(password, "!*")] == '\0')
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "an administrator locked it, so sshd may "
	    "refuse its keys; to unlock it: usermod --unlock %s", step->name);
	return LOOK_BLOCKED;
}

static enum back
password_back(const struct record *record)
{
	const char *const argv[] = { PROGRAM_USERMOD, "--password",
	    record->before, record->name, NULL };

	return run_back(argv);
}

const struct kind kind_password = {
	"password", "password of ", password_look, NULL, password_state,
	password_back, "", "",
};

void
account_add_group(struct setup *setup, const char *name)
{
	struct step *step = step_add(setup, &kind_group, name, "create it");

	step->after = "";
	add_line(step, step_text(setup, "g %s -", name));
}

void
account_add_steps(struct setup *setup)
{
	struct step *step;

	step = step_add(setup, &kind_account, setup->account, "create it");
	add_line(step, step_text(setup, "u %s - \"" ACCOUNT_COMMENT "\" "
	    ACCOUNT_HOME " /bin/sh", setup->account));
	if (!setup->shared)
		return;
	step = step_add(setup, &kind_password, setup->account, "none, instead "
	    "of \"locked\", because sshd may refuse the keys of a locked "
	    "account");
	step->after = NO_PASSWORD;
	step_add_args(step, PROGRAM_USERMOD, "--password", NO_PASSWORD,
	    setup->account, (char *)NULL);
}
