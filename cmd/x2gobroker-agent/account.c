/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks are carried out only for accounts of people, who could log in and do
 * the same themselves.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"

#define NAME_MAX_LEN	255	/* LOGIN_NAME_MAX of Linux, without the NUL */
#define NOBODY		65534	/* the only system account in that range */

bool
account_is_name(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (*text == '\0' || *text == '-' || strlen(text) > NAME_MAX_LEN ||
	    strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (; *p != '\0'; p++)
		if (*p <= 0x20 || *p == 0x7f || *p == ':' || *p == '/')
			return false;
	return true;
}

bool
account_is_person(uid_t uid)
{
	return uid >= PEOPLE_FROM && uid != NOBODY && uid != (uid_t)-1;
}

/* Accounts that must not log in have /usr/sbin/nologin or similar. */
static bool
is_login_shell(const char *shell)
{
	const char *known;
	bool found = false;

	setusershell();
	while (!found && (known = getusershell()) != NULL)
		found = strcmp(known, shell) == 0;
	endusershell();
	return found;
}

static int
check_entry(const struct passwd *pw, const char *name, const char *shell,
    struct x2gobroker_error *err)
{
	/* a directory service may accept other spellings of a name */
	if (strcmp(pw->pw_name, name) != 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "%.64s: the account name is %.64s", name, pw->pw_name);
	if (!account_is_person(pw->pw_uid))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "%.64s: uid %u is a system account", name,
		    (unsigned int)pw->pw_uid);
	if (!is_login_shell(shell))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "%.64s: may not log in: shell %.64s is not in /etc/shells",
		    name, shell);
	if (pw->pw_dir[0] != '/')
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "%.64s: has no home directory", name);
	return 0;
}

int
account_find(const char *name, struct account *account,
    struct x2gobroker_error *err)
{
	const struct passwd *pw;
	const char *shell;
	int n = ACCOUNT_GROUPS_MAX;

	if (!account_is_name(name))
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "not a valid account name: %.64s", name);
	errno = 0;
	if ((pw = getpwnam(name)) == NULL) {
		if (errno != 0 && errno != ENOENT)
			return error_errno(err, NULL, "%.64s", name);
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "%.64s: no such account", name);
	}
	shell = pw->pw_shell[0] != '\0' ? pw->pw_shell : "/bin/sh";
	if (check_entry(pw, name, shell, err) == -1)
		return -1;
	account->uid = pw->pw_uid;
	account->gid = pw->pw_gid;
	account->name = strdup(pw->pw_name);
	account->home = strdup(pw->pw_dir);
	account->shell = strdup(shell);
	if (account->name == NULL || account->home == NULL ||
	    account->shell == NULL)
		return error_nomem(err);
	if (getgrouplist(account->name, account->gid, account->groups,
	    &n) == -1)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "%.64s: is in too many groups", account->name);
	account->ngroups = (size_t)n;
	return 0;
}
