/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of sshd's configuration, for the broker account and for a user who
 * gets the broker by ForceCommand.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "findings.h"

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
	doctor_fail(d, "", SSHD_PROGRAM " -T fails: %s",
	    why);
	doctor_remedy(d, "install openssh-server, and fix what sshd -t "
	    "reports");
}

/* The remedy of the last finding is a line for the broker account only. */
static void
propose_match(struct doctor *d, const char *line)
{
	doctor_remedy(d, "Match User %s: %s",
	    x2gobroker_config_broker_account(d->config), line);
}

void
check_sshd_login(struct doctor *d)
{
	const char *methods = sshd_query_get(&d->sshd, "AuthenticationMethods");
	char spaced[WHY_SIZE];

	if (sshd_query_is(&d->sshd, "PubkeyAuthentication", "no")) {
		doctor_fail(d, "PubkeyAuthentication", "is no, so no key "
		    "leads to the broker");
		propose_match(d, "PubkeyAuthentication yes");
	}
	snprintf(spaced, sizeof(spaced), " %s ", methods);
	if (*methods != '\0' && strcmp(methods, "any") != 0 &&
	    strstr(spaced, " publickey ") == NULL) {
		doctor_fail(d, "AuthenticationMethods", "is \"%s\", but the "
		    "broker account has only keys", methods);
		propose_match(d, "AuthenticationMethods publickey");
	}
}

/*
 * AllowUsers, DenyUsers, AllowGroups, DenyGroups
 */

/* Does a pattern of the list, without its "@HOST", match name?  Patterns with a
 * host only match for some clients. */
static bool
list_has(const struct sshd *sshd, const char *keyword, const char *name,
    bool with_hosts)
{
	const char *pattern;
	char plain[256];
	size_t i, len;

	for (i = 0; (pattern = sshd_query_get_one(sshd, keyword, i)) != NULL;
	    i++) {
		len = strcspn(pattern, "@");
		if (len >= sizeof(plain) || (pattern[len] == '@' &&
		    !with_hosts))
			continue;
		strlcpy(plain, pattern, len + 1);
		if (parse_matches_pattern(name, plain, false))
			return true;
	}
	return false;
}

static bool
list_has_group(const struct sshd *sshd, const char *keyword,
    const struct doctor_account *account)
{
	gid_t gids[GROUPS_MAX];
	const struct group *group;
	int i, n = GROUPS_MAX;

	if (getgrouplist(account->name, account->gid, gids, &n) == -1)
		n = 0;
	for (i = 0; i < n; i++)
		if ((group = getgrgid(gids[i])) != NULL &&
		    list_has(sshd, keyword, group->gr_name, true))
			return true;
	return false;
}

/* The first of them that excludes the account, in the order of sshd. */
void
check_sshd_access(struct doctor *d)
{
	static const char *const keywords[] = { "DenyUsers", "AllowUsers",
	    "DenyGroups", "AllowGroups" };
	const char *keyword;
	bool allows, listed;
	size_t i;

	for (i = 0; i < 4; i++) {
		keyword = keywords[i];
		allows = *keyword == 'A';
		listed = i < 2 ?
		    list_has(&d->sshd, keyword, d->account.name, allows) :
		    list_has_group(&d->sshd, keyword, &d->account);
		if (listed == allows ||
		    *sshd_query_get(&d->sshd, keyword) == '\0')
			continue;
		doctor_fail(d, keyword, "excludes %s", d->account.name);
		doctor_remedy(d, "%s %s in sshd_config", allows ?
		    "add it to" : "remove it from", keyword);
		return;
	}
}

/*
 * The command, and how it is run
 */

static bool
is_none(const char *value)
{
	return *value == '\0' || strcmp(value, "none") == 0;
}

void
check_sshd_command(struct doctor *d)
{
	const char *command = sshd_query_get(&d->sshd, "ForceCommand");
	const char *root = sshd_query_get(&d->sshd, "ChrootDirectory");

	if (!is_none(command)) {
		doctor_fail(d, "ForceCommand", "\"%s\" overrides command= of "
		    "the keys of the broker account, so the broker cannot tell "
		    "users apart", command);
		propose_match(d, "ForceCommand none, before the line that "
		    "sets it");
	}
	if (!is_none(root)) {
		doctor_fail(d, "ChrootDirectory", "is %s for the broker "
		    "account, but the broker is not in there", root);
		propose_match(d, "ChrootDirectory none, before the line that "
		    "sets it");
	}
}

/* Returns whether the configuration denies a terminal. */
static bool
check_pty(struct doctor *d, const struct sshd *sshd, const char *subject,
    const char *prefix)
{
	if (!sshd_query_is(sshd, "PermitTTY", "no"))
		return false;
	doctor_fail(d, subject, "%sis no, but without a terminal the X2Go "
	    "client hangs at login", prefix);
	return true;
}

void
check_sshd_pty(struct doctor *d)
{
	if (check_pty(d, &d->sshd, "PermitTTY", ""))
		propose_match(d, "PermitTTY yes");
}

/* sshd only runs a program that belongs to root and that only root can write
 * to. */
static void
check_keys_program(struct doctor *d, const char *command)
{
	struct x2gobroker_error err;
	char *path = strndup(command, strcspn(command, " "));

	if (path != NULL && x2gobroker_path_check(path, &err) == -1) {
		doctor_fail_error(d, path, &err);
		doctor_remedy(d, "AuthorizedKeysCommand and the directories "
		    "above it must belong to root");
	}
	free(path);
}

static void
check_keys_user(struct doctor *d)
{
	const char *name = x2gobroker_config_broker_account(d->config);
	const char *user = sshd_query_get(&d->sshd,
	    "AuthorizedKeysCommandUser");

	if (strcmp(user, name) == 0)
		return;
	doctor_fail(d, "AuthorizedKeysCommandUser", "is %s, which may be "
	    "unable to read the keys of users", is_none(user) ? "not set" :
	    user);
	doctor_remedy(d, "Match User %s: AuthorizedKeysCommandUser %s", name,
	    name);
}

void
check_sshd_keys(struct doctor *d)
{
	const char *command = sshd_query_get(&d->sshd, "AuthorizedKeysCommand");

	if (is_none(command)) {
		doctor_ok(d, "AuthorizedKeysCommand", "is not set: keys are "
		    "only in authorized_keys");
		return;
	}
	if (strstr(command, "x2gobrokerctl ") == NULL ||
	    strstr(command, " authorized-keys %u %t %k") == NULL) {
		doctor_fail(d, "AuthorizedKeysCommand", "is \"%s\", which "
		    "does not print the keys of users", command);
		propose_match(d, "AuthorizedKeysCommand " X2GOBROKERCTL_PROGRAM
		    " authorized-keys %u %t %k");
		return;
	}
	d->reads_key_files = true;
	check_keys_program(d, command);
	check_keys_user(d);
}

void
check_sshd_sessions(struct doctor *d)
{
	const char *max = sshd_query_get(&d->sshd, "MaxSessions");

	if (strcmp(max, "0") == 0)
		doctor_fail(d, "MaxSessions", "is 0, so no command can be "
		    "run");
	else if (strcmp(max, "1") == 0)
		doctor_warn(d, "MaxSessions", "is 1, but a client that sends "
		    "events sometimes needs more");
	else
		return;
	doctor_remedy(d, "MaxSessions 10 in sshd_config, the default");
}

/* Variables that change what the login shell or the broker does. */
static const char *const dangerous[] = {
	"LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "PATH",
	"SSH_ORIGINAL_COMMAND", "SSH_CONNECTION",
};

static void
check_accepted(struct doctor *d, const char *pattern)
{
	size_t i;

	for (i = 0; i < sizeof(dangerous) / sizeof(dangerous[0]); i++)
		if (parse_matches_pattern(dangerous[i], pattern, false)) {
			doctor_warn(d, "AcceptEnv", "lets clients set %s, "
			    "which the login shell uses before the broker "
			    "runs", dangerous[i]);
			doctor_remedy(d, "list the variables that are needed "
			    "instead of \"%s\"", pattern);
			return;
		}
}

void
check_sshd_environment(struct doctor *d)
{
	const char *user = sshd_query_get(&d->sshd, "PermitUserEnvironment");
	const char *pattern;
	size_t i;

	for (i = 0; (pattern = sshd_query_get_one(&d->sshd, "AcceptEnv", i)) !=
	    NULL; i++)
		check_accepted(d, pattern);
	if (*user == '\0' || strcmp(user, "no") == 0)
		return;
	doctor_warn(d, "PermitUserEnvironment", "is %s, so "
	    "environment=\"...\" of a key changes what the login shell does",
	    user);
	doctor_remedy(d, "PermitUserEnvironment no");
}

/* "10:30:100", or a number */
void
check_sshd_startups(struct doctor *d)
{
	const char *max = sshd_query_get(&d->sshd, "MaxStartups");
	unsigned long start = strtoul(max, NULL, 10);

	if (d->key_files <= FEW_STARTUPS || start > FEW_STARTUPS ||
	    *max == '\0')
		return;
	doctor_warn(d, "MaxStartups", "is %s, but %u users have keys: if more "
	    "than %lu log in at once, sshd refuses some of them", max,
	    d->key_files, start);
	doctor_remedy(d, "MaxStartups 100:30:200 in sshd_config; since OpenSSH "
	    "9.8 also PerSourcePenaltyExemptList, with addresses that many "
	    "users share");
}

/*
 * A user who gets the broker by ForceCommand
 */

static bool
is_broker(const char *command)
{
	size_t n = strcspn(command, " ");
	const char *slash = memrchr(command, '/', n);
	const char *name = slash != NULL ? slash + 1 : command;

	return parse_item_is(name, (size_t)(command + n - name), "x2gobroker");
}

static void
check_forced(struct doctor *d, const struct sshd *sshd)
{
	const char *command = sshd_query_get(sshd, "ForceCommand");
	const char *user = d->ctl->user;

	if (is_none(command)) {
		doctor_ok(d, user, "no ForceCommand: a key leads to the "
		    "broker, or a shell runs what the client sends");
		return;
	}
	if (!is_broker(command)) {
		doctor_warn(d, user, "ForceCommand is \"%s\", not the broker",
		    command);
		doctor_remedy(d, "ForceCommand " X2GOBROKER_PROGRAM ", if "
		    "this account should reach the broker");
		return;
	}
	d->forced = true;
	if (check_pty(d, sshd, user, "PermitTTY "))
		doctor_remedy(d, "PermitTTY yes beside the ForceCommand");
	else
		doctor_ok(d, user, "ForceCommand is %s", command);
}

void
check_user_command(struct doctor *d)
{
	struct sshd sshd;
	char why[WHY_SIZE];

	if (sshd_query_ask(&sshd, d->ctl->sshd_config, d->ctl->user, why,
	    sizeof(why)) == -1) {
		doctor_fail(d, d->ctl->user, "sshd -T fails: %s", why);
		return;
	}
	check_forced(d, &sshd);
	sshd_query_free(&sshd);
}
