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

#include "child.h"
#include "step.h"
#include "wholefile.h"

#define SHIPPED		X2GOBROKER_LIB "/sysusers.d/x2gobroker.conf"
#define COMMENT		"X2Go session broker"	/* as in TEXT_ACCOUNT_LINE */
#define NO_PASSWORD	"*"	/* for sshd, "!" is a locked account */

/*
 * Made by systemd-sysusers
 */

static void
sysusers_args(const struct setup *setup, const struct step *step,
    const char *argv[static 4])
{
	const char *line = setup->text[step->content];

	*argv++ = PROGRAM_SYSUSERS;
	if (wholefile_contains(SHIPPED, line))
		*argv++ = SHIPPED;
	else {
		*argv++ = "--inline";
		*argv++ = line;
	}
	*argv = NULL;
}

static void
sysusers_show(const struct setup *setup, const struct step *step)
{
	const char *argv[4];

	printf("create it\n");
	sysusers_args(setup, step, argv);
	child_show(argv);
}

static int
sysusers_run(const struct setup *setup, const struct step *step)
{
	const char *argv[4];

	sysusers_args(setup, step, argv);
	return child_run(argv, NULL, false);
}

static enum look
group_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	if (getgrnam(setup->text[step->name]) != NULL)
		return LOOK_DONE;
	return child_find(PROGRAM_SYSUSERS, why) ? LOOK_TO_DO : LOOK_BLOCKED;
}

static int
group_apply(struct setup *setup, const struct step *step)
{
	if (manifest_add(setup->manifest, "group", setup->text[step->name],
	    "", "", "") == -1)
		return -1;
	return sysusers_run(setup, step);
}


static enum back
run_back(const char *const *argv, char what[static WHY_SIZE])
{
	if (child_run(argv, NULL, false) == 0)
		return BACK_DONE;
	snprintf(what, WHY_SIZE, "%s failed", argv[0]);
	return BACK_FAILED;
}

static enum back
group_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	const char *const argv[] = { PROGRAM_GROUPDEL, record->name, NULL };
	const struct group *group = getgrnam(record->name);

	snprintf(what, WHY_SIZE, "remove the group");
	if (group == NULL)
		return BACK_GONE;
	if (group->gr_mem[0] != NULL) {
		snprintf(what, WHY_SIZE, "it has members");
		return BACK_LEFT;
	}
	if (now && getpwnam(record->name) != NULL) {
		snprintf(what, WHY_SIZE, "the account of this name needs it");
		return BACK_LEFT;
	}
	return now ? run_back(argv, what) : BACK_DONE;
}

const struct kind kind_group = {
	"group", "group ", group_look, sysusers_show, group_apply, group_back,
};

static enum look
account_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *name = setup->text[step->name], *base;
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return child_find(PROGRAM_SYSUSERS, why) ? LOOK_TO_DO :
		    LOOK_BLOCKED;
	base = strrchr(pw->pw_shell, '/');
	if (base == NULL || (strcmp(base, "/nologin") != 0 &&
	    strcmp(base, "/false") != 0))
		return LOOK_DONE;
	snprintf(why, WHY_SIZE, "sshd starts the broker with the shell of the "
	    "account, and %s runs nothing; usermod --shell /bin/sh %s",
	    pw->pw_shell, name);
	return LOOK_BLOCKED;
}

/* It comes with a group of its name, unless there is one. */
static int
account_apply(struct setup *setup, const struct step *step)
{
	const char *name = setup->text[step->name];

	if (getgrnam(name) == NULL && manifest_add(setup->manifest, "group",
	    name, "", "", "") == -1)
		return -1;
	if (manifest_add(setup->manifest, "account", name, "",
	    setup->text[TEXT_HOME], "") == -1)
		return -1;
	return sysusers_run(setup, step);
}

/* While the account has files, it stays: otherwise the next account with its
 * number would own them. */
static enum back
account_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	const char *const argv[] = { PROGRAM_USERDEL, record->name, NULL };
	const struct passwd *pw = getpwnam(record->name);

	snprintf(what, WHY_SIZE, "remove the account");
	if (pw == NULL)
		return BACK_GONE;
	if (strcmp(pw->pw_gecos, COMMENT) != 0 ||
	    strcmp(pw->pw_dir, record->after) != 0) {
		snprintf(what, WHY_SIZE, "it was changed since");
		return BACK_LEFT;
	}
	if (now && access(pw->pw_dir, F_OK) == 0) {
		snprintf(what, WHY_SIZE, "it still has files in %s",
		    pw->pw_dir);
		return BACK_LEFT;
	}
	return now ? run_back(argv, what) : BACK_DONE;
}

const struct kind kind_account = {
	"account", "account ", account_look, sysusers_show, account_apply,
	account_back,
};

/*
 * Its password: systemd-sysusers gives a new account "!*"
 */

/* NULL: no such account. */
static const char *
get_password(const char *name)
{
	const struct spwd *spwd = getspnam(name);

	return spwd != NULL ? spwd->sp_pwdp : NULL;
}

static enum look
password_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *name = setup->text[step->name];
	const char *password = get_password(name);

	if (password == NULL)
		return getpwnam(name) == NULL ? LOOK_TO_DO : LOOK_DONE;
	if (password[0] != '!')
		return LOOK_DONE;
	if (password[strspn(password, "!*")] == '\0')
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "an administrator locked it, so sshd may "
	    "refuse its keys; to unlock it: usermod --unlock %s", name);
	return LOOK_BLOCKED;
}

static void
password_args(const char *account, const char *password,
    const char *argv[static 5])
{
	const char *const args[] = { PROGRAM_USERMOD, "--password", password,
	    account, NULL };

	memcpy(argv, args, sizeof(args));
}

static void
password_show(const struct setup *setup, const struct step *step)
{
	const char *argv[5];

	printf("none, instead of \"locked\", because sshd may refuse the keys "
	    "of a locked account\n");
	password_args(setup->text[step->name], NO_PASSWORD, argv);
	child_show(argv);
}

static int
password_apply(struct setup *setup, const struct step *step)
{
	const char *name = setup->text[step->name], *argv[5];
	const char *before = get_password(name);

	password_args(name, NO_PASSWORD, argv);
	if (before == NULL || manifest_add(setup->manifest, "password", name,
	    before, NO_PASSWORD, "") == -1)
		return -1;
	return child_run(argv, NULL, false);
}

static enum back
password_back(const struct record *record, bool now,
    char what[static WHY_SIZE])
{
	const char *password = get_password(record->name), *argv[5];

	snprintf(what, WHY_SIZE, "change it back to %s", record->before);
	if (password == NULL)
		return BACK_GONE;
	if (strcmp(password, record->after) != 0) {
		snprintf(what, WHY_SIZE, "it was changed since");
		return BACK_LEFT;
	}
	password_args(record->name, record->before, argv);
	return now ? run_back(argv, what) : BACK_DONE;
}

const struct kind kind_password = {
	"password", "password of ", password_look, password_show,
	password_apply, password_back,
};
