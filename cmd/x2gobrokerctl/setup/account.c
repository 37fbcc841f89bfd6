/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounts and groups, by the programs that the system has for them.
 */
#include <grp.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "setup.h"

#define COMMENT		"X2Go session broker"	/* whom we have made */
#define SHELL		"/bin/sh"
#define NO_PASSWORD	"*"	/* sshd takes "!" for a locked account */
#define ARGS_MAX	20

/*
 * A group: the broker's, or the one of people with a forced command
 */

static enum look
group_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE] __attribute__((unused)))
{
	if (step->broker && getpwnam(setup->text[TEXT_ACCOUNT]) != NULL)
		return LOOK_DONE;	/* it has its group */
	return getgrnam(setup->text[step->name]) != NULL ? LOOK_DONE :
	    LOOK_TO_DO;
}

static void
groupadd_args(const char *name, bool system, const char *argv[static ARGS_MAX])
{
	*argv++ = PROGRAM_GROUPADD;
	if (system)
		*argv++ = "--system";
	*argv++ = name;
	*argv = NULL;
}

static void
group_show(const struct setup *setup, const struct step *step)
{
	const char *argv[ARGS_MAX];

	printf("make it\n");
	groupadd_args(setup->text[step->name], step->broker, argv);
	child_show(argv);
}

static int
group_apply(struct setup *setup, const struct step *step)
{
	const char *argv[ARGS_MAX], *name = setup->text[step->name];

	groupadd_args(name, step->broker, argv);
	if (manifest_add(setup->manifest, "group", name, "", "", "") == -1)
		return -1;
	return child_run(argv, NULL, false);
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
		snprintf(what, WHY_SIZE, "it is that of the account");
		return BACK_LEFT;
	}
	if (!now || child_run(argv, NULL, false) == 0)
		return BACK_DONE;
	snprintf(what, WHY_SIZE, "groupdel has failed");
	return BACK_FAILED;
}

const struct kind kind_group = {
	"group", "group ", group_look, group_show, group_apply, group_back,
};

/*
 * The broker account
 */

static enum look
account_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *name = setup->text[step->name];
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		return LOOK_TO_DO;
	if (pw->pw_uid != 0)
		return LOOK_DONE;
	snprintf(why, WHY_SIZE, "broker-account is root; people would share "
	    "root's account");
	return LOOK_BLOCKED;
}

static void
useradd_args(const struct setup *setup, const char *argv[static ARGS_MAX])
{
	const char *const args[] = { PROGRAM_USERADD, "--system", "--gid",
	    setup->text[TEXT_GROUP], "--no-create-home", "--home-dir",
	    setup->text[TEXT_HOME], "--shell", SHELL, "--password",
	    NO_PASSWORD, "--comment", COMMENT, setup->text[TEXT_ACCOUNT],
	    NULL };

	memcpy(argv, args, sizeof(args));
}

static void
account_show(const struct setup *setup,
    const struct step *step __attribute__((unused)))
{
	const char *argv[ARGS_MAX];

	printf("make it\n");
	useradd_args(setup, argv);
	child_show(argv);
}

static int
account_apply(struct setup *setup, const struct step *step)
{
	const char *argv[ARGS_MAX];

	useradd_args(setup, argv);
	if (manifest_add(setup->manifest, "account", setup->text[step->name],
	    "", setup->text[TEXT_HOME], "") == -1)
		return -1;
	return child_run(argv, NULL, false);
}

/* With files of its own left, an account stays: the next one that gets its
 * number would get the files. */
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
		snprintf(what, WHY_SIZE, "it is not as setup has made it");
		return BACK_LEFT;
	}
	if (!now)
		return BACK_DONE;
	if (access(pw->pw_dir, F_OK) == 0) {
		snprintf(what, WHY_SIZE, "its files in %s are still there",
		    pw->pw_dir);
		return BACK_LEFT;
	}
	if (child_run(argv, NULL, false) == 0)
		return BACK_DONE;
	snprintf(what, WHY_SIZE, "userdel has failed");
	return BACK_FAILED;
}

const struct kind kind_account = {
	"account", "account ", account_look, account_show, account_apply,
	account_back,
};

/*
 * What keeps an account that is there from being used
 */

/* Change one thing of the account, by the option of usermod(8) for it. */
static int
modify(struct setup *setup, const char *kind, const char *option,
    const char *before, const char *after)
{
	const char *name = setup->text[TEXT_ACCOUNT];
	const char *const argv[] = { PROGRAM_USERMOD, option, after, name,
	    NULL };

	if (manifest_add(setup->manifest, kind, name, before, after, "") == -1)
		return -1;
	return child_run(argv, NULL, false);
}

static enum back
modify_back(const struct record *record, bool now, const char *option,
    const char *value, char what[static WHY_SIZE])
{
	const char *const argv[] = { PROGRAM_USERMOD, option, record->before,
	    record->name, NULL };

	snprintf(what, WHY_SIZE, "give it %s again, as it was before",
	    record->before);
	if (value == NULL)
		return BACK_GONE;
	if (strcmp(value, record->after) != 0) {
		snprintf(what, WHY_SIZE, "it was changed since");
		return BACK_LEFT;
	}
	if (!now || child_run(argv, NULL, false) == 0)
		return BACK_DONE;
	snprintf(what, WHY_SIZE, "usermod has failed");
	return BACK_FAILED;
}

/* NULL: no such account. */
static const char *
password_of(const char *name)
{
	const struct spwd *spwd = getspnam(name);

	return spwd != NULL ? spwd->sp_pwdp : NULL;
}

static enum look
password_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE])
{
	const char *name = setup->text[step->name];
	const char *password = password_of(name);

	if (password == NULL || password[0] != '!')
		return LOOK_DONE;
	if (password[strspn(password, "!*")] == '\0')
		return LOOK_TO_DO;
	snprintf(why, WHY_SIZE, "somebody has locked it, so sshd may refuse "
	    "its keys; if it may be used: usermod --unlock %s", name);
	return LOOK_BLOCKED;
}

static void
password_show(const struct setup *setup, const struct step *step)
{
	const char *const argv[] = { PROGRAM_USERMOD, "--password", NO_PASSWORD,
	    setup->text[step->name], NULL };

	printf("none, instead of locked, as sshd may refuse keys then\n");
	child_show(argv);
}

static int
password_apply(struct setup *setup, const struct step *step)
{
	return modify(setup, "password", "--password",
	    password_of(setup->text[step->name]), NO_PASSWORD);
}

static enum back
password_back(const struct record *record, bool now,
    char what[static WHY_SIZE])
{
	return modify_back(record, now, "--password",
	    password_of(record->name), what);
}

const struct kind kind_password = {
	"password", "password of ", password_look, password_show,
	password_apply, password_back,
};

static const char *
shell_of(const char *name)
{
	const struct passwd *pw = getpwnam(name);

	return pw != NULL ? pw->pw_shell : NULL;
}

/* sshd starts a forced command by the shell. */
static enum look
shell_look(const struct setup *setup, const struct step *step,
    char why[static WHY_SIZE] __attribute__((unused)))
{
	const char *shell = shell_of(setup->text[step->name]);
	const char *base;

	if (shell == NULL || (base = strrchr(shell, '/')) == NULL)
		return LOOK_DONE;
	return strcmp(base, "/nologin") == 0 || strcmp(base, "/false") == 0 ?
	    LOOK_TO_DO : LOOK_DONE;
}

static void
shell_show(const struct setup *setup, const struct step *step)
{
	const char *const argv[] = { PROGRAM_USERMOD, "--shell", SHELL,
	    setup->text[step->name], NULL };

	printf("%s instead of %s, as sshd starts the broker by it\n", SHELL,
	    shell_of(setup->text[step->name]));
	child_show(argv);
}

static int
shell_apply(struct setup *setup, const struct step *step)
{
	return modify(setup, "shell", "--shell",
	    shell_of(setup->text[step->name]), SHELL);
}

static enum back
shell_back(const struct record *record, bool now, char what[static WHY_SIZE])
{
	return modify_back(record, now, "--shell", shell_of(record->name),
	    what);
}

const struct kind kind_shell = {
	"shell", "shell of ", shell_look, shell_show, shell_apply, shell_back,
};
