/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is asking?  The whole rule:
 *
 *	real uid of the process         operator's --user    identity
 *	-----------------------------   ------------------   ----------------
 *	the broker account, or root     NAME, which exists   NAME
 *	the broker account, or root     not given            refused
 *	any other account               ignored              that account
 *
 * identity_resolve() decides it.  Neither what the client sends nor the
 * environment has any influence.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "identity.h"

char *
identity_account(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL ? strdup(pw->pw_name) : NULL;
}

/* Compare names first: if the broker account could not be looked up for a
 * moment, its processes would otherwise act for the broker account itself.
 * Compare uids too, because an account can have several names. */
static bool
is_broker_account(uid_t uid, const char *name, const char *broker_account)
{
	const struct passwd *pw;

	if (strcmp(name, broker_account) == 0)
		return true;
	pw = getpwnam(broker_account);
	return pw != NULL && pw->pw_uid == uid;
}

/* Check the operator's --user. */
static int
check_pinned(const char *pinned, struct x2gobroker_error *err)
{
	const struct passwd *pw;

	if (pinned == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "no --user for this key; write command=\"... --user "
		    "NAME\" before it in authorized_keys");
	errno = 0;
	if (*pinned == '\0' || (pw = getpwnam(pinned)) == NULL)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "--user %.100s: %s", pinned, errno != 0 ?
		    strerror(errno) : "there is no such account");
	/* some directories ignore case; rules that deny do not */
	if (strcmp(pw->pw_name, pinned) != 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "--user %.100s: the account is called %.100s; write it "
		    "so", pinned, pw->pw_name);
	return 0;
}

int
identity_resolve(const struct process *process, const char *broker_account,
    const char *pinned, bool *by_operator, char **name,
    struct x2gobroker_error *err)
{
	*name = identity_account(process->uid);
	if (*name == NULL && process->uid != 0)
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "uid %u has no account here", (unsigned int)process->uid);

	/* This decides who is asking. */
	*by_operator = process->uid == 0 ||
	    is_broker_account(process->uid, *name, broker_account);
	if (!*by_operator)
		return 0;
	free(*name);
	*name = NULL;
	if (check_pinned(pinned, err) == -1)
		return -1;
	return (*name = strdup(pinned)) != NULL ? 0 : error_nomem(err);
}
