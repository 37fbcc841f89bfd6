/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor makes of sshd's configuration, for the broker account and for a
 * user whom ForceCommand sends to the broker.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define WHY_SIZE	512
#define GROUPS_MAX	1024	/* of one account */
#define FEW_STARTUPS	10	/* sshd's default */

void
check_sshd(struct doctor *d)
{
	const char *name = x2gobroker_config_broker_account(d->config);
	char why[WHY_SIZE];

	if (sshd_query_ask(&d->sshd, d->ctl->sshd_config, name, why,
	    sizeof(why)) == 0)
		return;
	doctor_fail(d, "", SSHD_PROGRAM " -T does not tell its settings: %s",
	    why);
	doctor_remedy(d, "install openssh-server, and mend what sshd -t "
	    "complains about");
}

/* One of several words is it. */
static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (; *list != '\0'; list += len + (list[len] != '\0')) {
		len = strcspn(list, " ");
		if (len == n && memcmp(list, word, n) == 0)
			return true;
	}
	return false;
}

void
check_sshd_login(struct doctor *d)
{
	const char *name = x2gobroker_config_broker_account(d->config);
	const char *methods = sshd_query_get(&d->sshd, "authenticationmethods");

	if (sshd_query_is(&d->sshd, "pubkeyauthentication", "no")) {
		doctor_fail(d, "PubkeyAuthentication", "is no, so that no key "
		    "leads to the broker");
		doctor_remedy(d, "Match User %s: PubkeyAuthentication yes",
		    name);
	}
	if (*methods != '\0' && strcmp(methods, "any") != 0 &&
	    !has_word(methods, "publickey")) {
		doctor_fail(d, "AuthenticationMethods", "is \"%s\", and the "
		    "broker account has nothing but keys", methods);
		doctor_remedy(d, "Match User %s: AuthenticationMethods "
		    "publickey", name);
	}
}

/*
 * AllowUsers and its kind
 */

/* Whether a pattern of the list, or what stands before its '@', means name.
 * One with a host may mean it for some clients. */
static bool
list_has_user(const struct sshd *sshd, const char *keyword, const char *name,
    bool with_hosts)
{
	const char *pattern;
	size_t i, len;
	char user[256];

	for (i = 0; (pattern = sshd_query_get_one(sshd, keyword, i)) != NULL; i++) {
		len = strcspn(pattern, "@");
		if (len >= sizeof(user) || (pattern[len] == '@' &&
		    !with_hosts))
			continue;
		memcpy(user, pattern, len);
		user[len] = '\0';
		if (sshd_query_match(name, user))
			return true;
	}
	return false;
}

static bool
list_has_group(const struct sshd *sshd, const char *keyword, const char *name,
    gid_t gid)
{
	gid_t gids[GROUPS_MAX];
	const struct group *group;
	const char *pattern;
	int i, n = GROUPS_MAX;
	size_t j;

	if (getgrouplist(name, gid, gids, &n) == -1)
		n = 0;
	for (i = 0; i < n; i++) {
		if ((group = getgrgid(gids[i])) == NULL)
			continue;
		for (j = 0; (pattern = sshd_query_get_one(sshd, keyword, j)) != NULL;
		    j++)
			if (sshd_query_match(group->gr_name, pattern))
				return true;
	}
	return false;
}

static const char *
find_bar(const struct sshd *sshd, const struct doctor_account *account)
{
	const char *name = account->name;

	if (list_has_user(sshd, "denyusers", name, false))
		return "DenyUsers";
	if (*sshd_query_get(sshd, "allowusers") != '\0' &&
	    !list_has_user(sshd, "allowusers", name, true))
		return "AllowUsers";
	if (list_has_group(sshd, "denygroups", name, account->gid))
		return "DenyGroups";
	if (*sshd_query_get(sshd, "allowgroups") != '\0' &&
	    !list_has_group(sshd, "allowgroups", name, account->gid))
		return "AllowGroups";
	return NULL;
}

void
check_sshd_access(struct doctor *d)
{
	const char *keyword = find_bar(&d->sshd, &d->account);

	if (keyword == NULL)
		return;
	doctor_fail(d, keyword, "keeps %s out", d->account.name);
	doctor_remedy(d, "%s %s %s in sshd_config", *keyword == 'A' ? "add" :
	    "take", *keyword == 'A' ? "it to" : "it off", keyword);
}

/*
 * What runs, and how
 */

static bool
is_none(const char *value)
{
	return *value == '\0' || strcmp(value, "none") == 0;
}

void
check_sshd_command(struct doctor *d)
{
	const char *command = sshd_query_get(&d->sshd, "forcecommand");
	const char *root = sshd_query_get(&d->sshd, "chrootdirectory");
	const char *name = x2gobroker_config_broker_account(d->config);

	if (!is_none(command)) {
		doctor_fail(d, "ForceCommand", "\"%s\" is started for the "
		    "broker account, whatever command=\"...\" its keys have, "
		    "so that no user is told from another", command);
		doctor_remedy(d, "Match User %s: ForceCommand none, before "
		    "the line that sets it", name);
	}
	if (!is_none(root)) {
		doctor_fail(d, "ChrootDirectory", "is %s for the broker "
		    "account, where there is no broker", root);
		doctor_remedy(d, "Match User %s: ChrootDirectory none, before "
		    "the line that sets it", name);
	}
}

void
check_sshd_pty(struct doctor *d)
{
	if (!sshd_query_is(&d->sshd, "permittty", "no"))
		return;
	doctor_fail(d, "PermitTTY", "is no, and without a terminal the X2Go "
	    "client hangs when it logs in");
	doctor_remedy(d, "Match User %s: PermitTTY yes",
	    x2gobroker_config_broker_account(d->config));
}

/* The program, which sshd takes only where it is root's and nobody else could
 * have written it. */
static void
check_keys_program(struct doctor *d, const char *command)
{
	struct x2gobroker_error err;
	char *path = strndup(command, strcspn(command, " "));

	if (path != NULL && x2gobroker_path_check(path, &err) == -1) {
		doctor_fail_error(d, path, &err);
		doctor_remedy(d, "AuthorizedKeysCommand has to be a program "
		    "of root's in directories of root's");
	}
	free(path);
}

static void
check_keys_user(struct doctor *d)
{
	const char *name = x2gobroker_config_broker_account(d->config);
	const char *user = sshd_query_get(&d->sshd, "authorizedkeyscommanduser");

	if (strcmp(user, name) == 0)
		return;
	doctor_fail(d, "AuthorizedKeysCommandUser", "is %s, which may not be "
	    "able to read the keys of users", is_none(user) ? "not set" :
	    user);
	doctor_remedy(d, "Match User %s: AuthorizedKeysCommandUser %s", name,
	    name);
}

void
check_sshd_keys(struct doctor *d)
{
	const char *command = sshd_query_get(&d->sshd, "authorizedkeyscommand");
	const char *name = x2gobroker_config_broker_account(d->config);

	if (is_none(command)) {
		doctor_ok(d, "AuthorizedKeysCommand", "is not set: keys are "
		    "in authorized_keys alone");
		return;
	}
	if (strstr(command, "x2gobrokerctl ") == NULL ||
	    strstr(command, " authorized-keys %u %t %k") == NULL) {
		doctor_fail(d, "AuthorizedKeysCommand", "is \"%s\", which "
		    "does not ask for the keys of users", command);
		doctor_remedy(d, "Match User %s: AuthorizedKeysCommand "
		    X2GOBROKERCTL_PROGRAM " authorized-keys %%u %%t %%k",
		    name);
		return;
	}
	d->asks_us = true;
	check_keys_program(d, command);
	check_keys_user(d);
}

void
check_sshd_sessions(struct doctor *d)
{
	const char *max = sshd_query_get(&d->sshd, "maxsessions");

	if (strcmp(max, "0") == 0)
		doctor_fail(d, "MaxSessions", "is 0, so that no command can "
		    "be started");
	else if (strcmp(max, "1") == 0)
		doctor_warn(d, "MaxSessions", "is 1, and a client that sends "
		    "events needs more at times");
	else
		return;
	doctor_remedy(d, "MaxSessions 10 in sshd_config, which is the "
	    "default");
}

/* Names that change what the login shell does, or what the broker believes. */
static const char *const dangerous[] = {
	"LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "PATH",
	"SSH_ORIGINAL_COMMAND", "SSH_CONNECTION",
};

static void
check_accepted(struct doctor *d, const char *pattern)
{
	size_t i;

	for (i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++)
		if (sshd_query_match(dangerous[i], pattern)) {
			doctor_warn(d, "AcceptEnv", "lets clients set %s, "
			    "which the login shell acts on before any broker "
			    "runs", dangerous[i]);
			doctor_remedy(d, "name the variables that are needed "
			    "in place of \"%s\"", pattern);
			return;
		}
}

void
check_sshd_environment(struct doctor *d)
{
	const char *user = sshd_query_get(&d->sshd, "permituserenvironment");
	const char *pattern;
	size_t i;

	for (i = 0; (pattern = sshd_query_get_one(&d->sshd, "acceptenv", i)) !=
	    NULL; i++)
		check_accepted(d, pattern);
	if (*user == '\0' || strcmp(user, "no") == 0)
		return;
	doctor_warn(d, "PermitUserEnvironment", "is %s, so that "
	    "environment=\"...\" of a key changes what the login shell does",
	    user);
	doctor_remedy(d, "PermitUserEnvironment no");
}

/* "10:30:100", or a number */
void
check_sshd_startups(struct doctor *d)
{
	const char *max = sshd_query_get(&d->sshd, "maxstartups");
	unsigned long start = strtoul(max, NULL, 10);

	if (d->key_files <= FEW_STARTUPS || start > FEW_STARTUPS ||
	    *max == '\0')
		return;
	doctor_warn(d, "MaxStartups", "is %s, and %u users have keys: where "
	    "more than %lu log in at the same moment, sshd refuses some", max,
	    d->key_files, start);
	doctor_remedy(d, "MaxStartups 100:30:200 in sshd_config");
}

/*
 * A user whom sshd sends to the broker as themselves
 */

static bool
is_broker(const char *command)
{
	size_t n = strcspn(command, " ");
	const char *name = memrchr(command, '/', n);

	name = name != NULL ? name + 1 : command;
	return n - (size_t)(name - command) == strlen("x2gobroker") &&
	    strncmp(name, "x2gobroker", strlen("x2gobroker")) == 0;
}

static void
check_forced(struct doctor *d, const struct sshd *sshd)
{
	const char *command = sshd_query_get(sshd, "forcecommand");
	const char *user = d->ctl->user;

	if (is_none(command)) {
		doctor_ok(d, user, "no ForceCommand: a key leads to the "
		    "broker, or a shell to whatever the client wants");
		return;
	}
	if (!is_broker(command)) {
		doctor_warn(d, user, "ForceCommand is \"%s\", not the broker",
		    command);
		doctor_remedy(d, "ForceCommand " X2GOBROKER_PROGRAM ", if "
		    "they are to reach it under this account");
		return;
	}
	d->forced = true;
	if (!sshd_query_is(sshd, "permittty", "no")) {
		doctor_ok(d, user, "ForceCommand is %s", command);
		return;
	}
	doctor_fail(d, user, "PermitTTY is no, and without a terminal the "
	    "X2Go client hangs when it logs in");
	doctor_remedy(d, "PermitTTY yes beside the ForceCommand");
}

void
check_user_command(struct doctor *d)
{
	struct sshd sshd;
	char why[WHY_SIZE];

	if (sshd_query_ask(&sshd, d->ctl->sshd_config, d->ctl->user, why,
	    sizeof(why)) == -1) {
		doctor_fail(d, d->ctl->user, "sshd does not tell: %s", why);
		return;
	}
	check_forced(d, &sshd);
	sshd_query_free(&sshd);
}
