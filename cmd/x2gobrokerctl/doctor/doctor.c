/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl doctor: the table of checks, and what each of them needs.  The
 * first half runs as the user who started it.  If that is root, the second half
 * runs as the broker account, because it is about what that account can read
 * and reach.
 */
#include <stdlib.h>
#include <unistd.h>

#include "findings.h"

/* What a check needs. */
enum {
	NEEDS_CONFIG = 1 << 0,
	NEEDS_PROFILES = 1 << 1,
	NEEDS_USER = 1 << 2,
	NEEDS_ROOT = 1 << 3,
	NEEDS_SSHD = 1 << 4,
	NEEDS_ACCOUNT = 1 << 5,
	NEEDS_BROKER = 1 << 6,	/* run as that account */
	NEEDS_URL = 1 << 7,
	NEEDS_DATABASE = 1 << 8,
};

#define SSHD		(NEEDS_CONFIG | NEEDS_ROOT | NEEDS_SSHD)
#define BROKER		(NEEDS_CONFIG | NEEDS_ACCOUNT | NEEDS_BROKER)
#define SITE		(BROKER | NEEDS_PROFILES)
#define DATABASE	(SITE | NEEDS_DATABASE)

/* In the order in which they run: none that needs root may follow one that runs
 * as the broker account.  The manual has an entry for each. */
static const struct check {
	const char *name;
	doctor_check *run;
	unsigned int needs;
	const char *what;	/* to print if it finds nothing */
} checks[] = {
	{ "configuration", check_configuration, 0,
	    "no errors in x2gobroker.conf" },
	{ "profiles", check_profiles, NEEDS_CONFIG,
	    "no errors in the profiles" },
	{ "visible", check_visible, NEEDS_PROFILES,
	    "every profile is visible to somebody" },
	{ "user-keys", check_user_keys, NEEDS_CONFIG,
	    "no errors in the keys of users" },
	{ "owners", check_owners, 0,
	    "only root can change the files" },
	{ "account", check_account, NEEDS_CONFIG,
	    "the broker account exists and has a shell" },
	{ "home", check_home, NEEDS_CONFIG | NEEDS_ACCOUNT,
	    "the home of the broker account belongs to it" },
	{ "sshd", check_sshd, NEEDS_CONFIG | NEEDS_ROOT,
	    "sshd accepts its configuration" },
	{ "account-locked", check_account_locked, SSHD | NEEDS_ACCOUNT,
	    "the broker account is neither locked nor expired" },
	{ "sshd-login", check_sshd_login, SSHD, "a key is enough to log in" },
	{ "sshd-access", check_sshd_access, SSHD | NEEDS_ACCOUNT,
	    "sshd_config does not exclude the broker account" },
	{ "sshd-command", check_sshd_command, SSHD,
	    "no ForceCommand overrides the command of a key" },
	{ "sshd-pty", check_sshd_pty, SSHD, "clients get a terminal" },
	{ "sshd-keys", check_sshd_keys, SSHD,
	    "AuthorizedKeysCommand is x2gobrokerctl" },
	{ "sshd-sessions", check_sshd_sessions, SSHD,
	    "MaxSessions is high enough" },
	{ "sshd-environment", check_sshd_environment, SSHD,
	    "clients cannot set dangerous variables" },
	{ "sshd-startups", check_sshd_startups, SSHD,
	    "MaxStartups allows many logins at once" },
	{ "user-command", check_user_command, SSHD | NEEDS_USER,
	    "sshd runs the broker for the user" },
	{ "user-files", check_user_files, SSHD | NEEDS_USER,
	    "the user can read the files" },
	{ "http", check_http, NEEDS_CONFIG | NEEDS_ROOT,
	    "passwords are checked, and encrypted on their way" },
	{ "http-socket", check_http_socket, NEEDS_ROOT,
	    "only the web server can write to the socket" },
	{ "http-answer", check_http_answer, NEEDS_ROOT,
	    "x2gobroker-http answers" },
	{ "https", check_https, NEEDS_URL, "clients get an answer" },
	{ "readable", check_readable, SITE,
	    "the broker account can read the files" },
	{ "program", check_program, BROKER,
	    "the broker account can run the broker" },
	{ "pam", check_pam, BROKER,
	    "the broker account can run x2gobroker-pam" },
	{ "authorized-keys", check_authorized_keys, BROKER,
	    "authorized_keys leads to the broker" },
	{ "key-types", check_key_types, BROKER,
	    "clients and sshd support the types of the keys" },
	{ "ways-in", check_ways_in, BROKER,
	    "at least one key leads to the broker" },
	{ "state-dir", check_state_dir, SITE,
	    "the broker can write to state-dir" },
	{ "tokens", check_tokens, BROKER,
	    "login tokens work" },
	{ "drain-file", check_drain_file, BROKER,
	    "the broker can read the list of drained servers" },
	{ "maintenance", check_maintenance, BROKER,
	    "users can get new sessions" },
	{ "hooks", check_hooks, BROKER,
	    "the broker account can run the programs of the site" },
	{ "log-file", check_log_file, BROKER, "the broker can write its log" },
	{ "database", check_database, DATABASE,
	    "the session database answers" },
	{ "database-read", check_database_read, DATABASE,
	    "the broker can read sessions" },
	{ "database-write", check_database_write, DATABASE,
	    "the broker cannot change sessions, nor read their cookies" },
	{ "database-zone", check_database_zone, DATABASE,
	    "the ages of sessions are right" },
	{ "database-limit", check_database_limit, DATABASE,
	    "the broker and X2Go servers get enough connections" },
	{ "database-hosts", check_database_hosts, DATABASE,
	    "all servers in the database are those of profiles" },
	{ "service-keys", check_service_keys, SITE,
	    "the service keys can be used" },
	{ "known-hosts", check_host_keys, SITE,
	    "the host key of each server is known" },
	{ "servers", check_servers, SITE, "each server answers" },
	{ "agents", check_agents, SITE,
	    "agents have the version of the broker" },
	{ "clocks", check_clocks, SITE, "the clocks of the servers are right" },
	{ "stores", check_stores, SITE,
	    "sshd on the servers reads the keys for one login" },
	{ "user-pam", check_user_pam, BROKER | NEEDS_USER,
	    "PAM accepts the user" },
	{ "user-profiles", check_user_profiles, SITE | NEEDS_USER,
	    "the user sees profiles" },
	{ "user-sessions", check_user_sessions, SITE | NEEDS_USER,
	    "each server can list the sessions of the user" },
	{ "host-names", check_host_names, NEEDS_PROFILES,
	    "host names can be looked up" },
};

#define NCHECKS	(sizeof(checks) / sizeof(checks[0]))

static const struct need {
	unsigned int bit;
	const char *why;	/* why a check is skipped that has it */
} needs[] = {
	{ NEEDS_CONFIG, "the configuration has errors" },
	{ NEEDS_PROFILES, "the profiles cannot be loaded" },
	{ NEEDS_USER, "only with --user NAME" },
	{ NEEDS_URL, "only with --url URL" },
	{ NEEDS_ROOT, "only root can check this" },
	{ NEEDS_SSHD, "sshd -T fails" },
	{ NEEDS_ACCOUNT, "there is no broker account" },
	{ NEEDS_DATABASE, "session-database is not set" },
	{ NEEDS_BROKER, "only root and the broker account can check this" },
};

#define NNEEDS	(sizeof(needs) / sizeof(needs[0]))

/*
 * Running them
 */

static unsigned int
find_met(const struct doctor *d)
{
	const uid_t me = geteuid();

	return (d->config != NULL ? NEEDS_CONFIG : 0) |
	    (d->profiles != NULL ? NEEDS_PROFILES : 0) |
	    (d->ctl->user != NULL ? NEEDS_USER : 0) |
	    (d->ctl->url != NULL ? NEEDS_URL : 0) |
	    (me == 0 ? NEEDS_ROOT : 0) |
	    (d->sshd.text != NULL ? NEEDS_SSHD : 0) |
	    (d->account.name != NULL ? NEEDS_ACCOUNT : 0) |
	    (d->config != NULL && *doctor_text(d, "session-database") !=
	    '\0' ? NEEDS_DATABASE : 0) |
	    (me == 0 || me == d->account.uid ? NEEDS_BROKER : 0);
}

static const struct need *
find_unmet(const struct doctor *d, const struct check *check)
{
	unsigned int unmet = check->needs & ~find_met(d);
	size_t i;

	for (i = 0; i < NNEEDS; i++)
		if ((unmet & needs[i].bit) != 0)
			return &needs[i];
	return NULL;
}

/* Returns the unmet need for which the check was skipped, or NULL. */
static const struct need *
run_check(struct doctor *d, const struct check *check)
{
	const struct need *unmet = find_unmet(d, check);

	if (unmet == NULL && (check->needs & NEEDS_BROKER) != 0 &&
	    ctl_become_broker(d->config) == -1)
		return NULL;	/* with a message printed */
	findings_begin(d, check->name);
	if (unmet == NULL)
		check->run(d);
	else
		findings_add(d, FINDING_SKIPPED, "", "%s", unmet->why);
	findings_end(d, check->what);
	return unmet;
}

/* One line for each reason, which can be the same for thirty checks. */
static void
print_skipped(const struct need *const skipped[static NCHECKS])
{
	const char *between;
	size_t i, n;

	for (n = 0; n < NNEEDS; n++) {
		between = "";
		for (i = 0; i < NCHECKS; i++) {
			if (skipped[i] != &needs[n])
				continue;
			if (*between == '\0')
				findings_print_word(FINDING_SKIPPED);
			printf("%s%s", between, checks[i].name);
			between = ", ";
		}
		if (*between != '\0')
			printf(": %s\n", needs[n].why);
	}
}

int
doctor_main(const struct ctl *ctl)
{
	const struct need *skipped[NCHECKS];
	struct doctor d = { .ctl = ctl };
	int result;
	size_t i;

	if (ctl->json) {
		json_begin(&d.out.json);
		json_array(&d.out.json, "findings");
	}
	for (i = 0; i < NCHECKS; i++)
		skipped[i] = run_check(&d, &checks[i]);
	if (!ctl->json)
		print_skipped(skipped);
	result = findings_print_sum(&d);
	x2gobroker_farm_free(d.farm);
	x2gobroker_farm_free(d.database_farm);
	x2gobroker_profiles_free(d.profiles);
	x2gobroker_config_free(d.config);
	sshd_query_free(&d.sshd);
	free(d.account.name);
	free(d.account.home);
	free(d.account.shell);
	return result;
}
