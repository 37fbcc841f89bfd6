/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl doctor: the table of checks, who can make them, and how is said
 * what they have found.  It begins as whoever has started it.  Root becomes the
 * broker account for the second half: what that account can read and reach is
 * what counts there.
 */
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "../become.h"
#include "../json.h"
#include "../terminal.h"

#define TEXT_SIZE	(2 * X2GOBROKER_TEXT_SIZE)	/* of a finding */
#define SUBJECT_SIZE	X2GOBROKER_FILE_SIZE

/* What a check cannot be made without. */
enum {
	NEEDS_CONFIG = 1 << 0,
	NEEDS_PROFILES = 1 << 1,
	NEEDS_USER = 1 << 2,
	NEEDS_ROOT = 1 << 3,
	NEEDS_SSHD = 1 << 4,
	NEEDS_ACCOUNT = 1 << 5,
	NEEDS_BROKER = 1 << 6,	/* to be that account */
};

#define SSHD		(NEEDS_CONFIG | NEEDS_ROOT | NEEDS_SSHD)
#define BROKER		(NEEDS_CONFIG | NEEDS_ACCOUNT | NEEDS_BROKER)
#define SITE		(BROKER | NEEDS_PROFILES)

/* In the order in which they are made: none that needs root may follow one that
 * needs to be the broker account.  The manual has an entry for each. */
static const struct check {
	const char *name;
	void (*run)(struct doctor *d);
	unsigned int needs;
	const char *what;	/* it looks at, and what it says itself where
				 * all is well and nothing is to be added */
} checks[] = {
	{ "configuration", check_configuration, 0,
	    "x2gobroker.conf is without errors" },
	{ "profiles", check_profiles, NEEDS_CONFIG,
	    "there are profiles, and they are without errors" },
	{ "visible", check_nobodys, NEEDS_PROFILES,
	    "no rule lets nobody through" },
	{ "user-keys", check_user_keys, NEEDS_CONFIG,
	    "the files with the keys of users are in order" },
	{ "owners", check_owners, 0,
	    "nobody but root could have written the files" },
	{ "account", check_account, NEEDS_CONFIG,
	    "there is a broker account, with a shell" },
	{ "home", check_home, NEEDS_CONFIG | NEEDS_ACCOUNT,
	    "its home is its own" },
	{ "sshd", check_sshd, NEEDS_CONFIG | NEEDS_ROOT,
	    "sshd reads its configuration" },
	{ "account-locked", check_account_locked, SSHD | NEEDS_ACCOUNT,
	    "the broker account is neither locked nor expired" },
	{ "sshd-login", check_sshd_login, SSHD, "keys are enough to log in" },
	{ "sshd-access", check_sshd_access, SSHD | NEEDS_ACCOUNT,
	    "no list of users or groups keeps the account out" },
	{ "sshd-command", check_sshd_command, SSHD,
	    "no ForceCommand overrides the command of a key" },
	{ "sshd-pty", check_sshd_pty, SSHD, "clients get their terminal" },
	{ "sshd-keys", check_sshd_keys, SSHD,
	    "AuthorizedKeysCommand is x2gobrokerctl's" },
	{ "sshd-sessions", check_sshd_sessions, SSHD,
	    "MaxSessions lets a client talk" },
	{ "sshd-environment", check_sshd_environment, SSHD,
	    "clients do not choose the environment" },
	{ "sshd-startups", check_sshd_startups, SSHD,
	    "MaxStartups is enough for a class that logs in" },
	{ "user-command", check_user_command, SSHD | NEEDS_USER,
	    "what sshd runs for the user" },
	{ "user-files", check_user_files, SSHD | NEEDS_USER,
	    "a broker that runs as the user can read the files" },
	{ "readable", check_readable, SITE,
	    "the broker account can read the files" },
	{ "program", check_program, BROKER,
	    "the broker's program is where keys have it" },
	{ "pam", check_pam, BROKER,
	    "x2gobroker-pam is there, and the account may start it" },
	{ "authorized-keys", check_authorized_keys, BROKER,
	    "lines in the account's authorized_keys lead to the broker" },
	{ "key-types", check_key_types, BROKER,
	    "keys are of types that clients and sshd take" },
	{ "ways-in", check_ways_in, BROKER, "some key leads to the broker" },
	{ "state-dir", check_state_dir, SITE,
	    "the directory for recent choices can be written" },
	{ "tokens", check_tokens, BROKER,
	    "the directory and the secret for login tokens" },
	{ "drain-file", check_drain_file, BROKER,
	    "the list of drained servers can be read" },
	{ "log-file", check_log_file, BROKER, "the log can be written" },
	{ "service-keys", check_service_keys, SITE,
	    "the keys with which servers are asked" },
	{ "known-hosts", check_known_hosts, SITE,
	    "the host key of each server is known" },
	{ "servers", check_servers, SITE, "each server answers" },
	{ "agents", check_agents, SITE,
	    "which agent each server has, and its version" },
	{ "clocks", check_clocks, SITE, "clocks do not differ" },
	{ "user-pam", check_user_pam, BROKER | NEEDS_USER,
	    "PAM lets the user in" },
	{ "user-profiles", check_user_profiles, SITE | NEEDS_USER,
	    "how many profiles the user sees" },
	{ "user-sessions", check_user_sessions, SITE | NEEDS_USER,
	    "each server can list the user's sessions" },
	{ "host-names", check_host_names, NEEDS_PROFILES,
	    "names that clients are sent to can be looked up" },
};

#define NCHECKS	(sizeof(checks) / sizeof(checks[0]))

static const struct need {
	unsigned int bit;
	const char *why;	/* why a check is skipped that has it */
} needs[] = {
	{ NEEDS_CONFIG, "the configuration is needed" },
	{ NEEDS_PROFILES, "profiles are needed" },
	{ NEEDS_USER, "they are about a user: --user NAME" },
	{ NEEDS_ROOT, "only root can look at this" },
	{ NEEDS_SSHD, "sshd does not tell" },
	{ NEEDS_ACCOUNT, "the broker account is needed" },
	{ NEEDS_BROKER, "only root and the broker account can look at this" },
};

#define NNEEDS	(sizeof(needs) / sizeof(needs[0]))

/*
 * Findings
 */

/* The last finding waits for its remedy. */
struct doctor_output {
	const struct check *check;	/* that runs */
	struct json *json;		/* NULL: lines for people */
	bool waiting, noted;
	enum finding finding;
	char subject[SUBJECT_SIZE], text[TEXT_SIZE], remedy[TEXT_SIZE];
	unsigned int bad;		/* of the running check */
	unsigned int counts[FINDING_FAILED + 1];
	const struct need *skipped[NCHECKS];
};

static const char *const words[] = { "ok", "skip", "warn", "FAIL" };

static void
put_finding(const struct doctor_output *out)
{
	json_object(out->json, NULL);
	json_string(out->json, "check", out->check->name);
	json_text(out->json, "subject", out->subject);
	json_string(out->json, "status", words[out->finding]);
	json_string(out->json, "text", out->text);
	json_text(out->json, "remedy", out->remedy);
	json_close(out->json);
}

static void
print_word(enum finding finding)
{
	static const char *const begin[] = {
		"\033[32m", "", "\033[33m", "\033[31m",
	};
	bool coloured = terminal_has_colour() && *begin[finding] != '\0';

	printf("%s%-4s%s  ", coloured ? begin[finding] : "", words[finding],
	    coloured ? "\033[m" : "");
}

/* Text, if there is any, with what a terminal would act on escaped. */
static void
print_plain(const char *before, const char *text, const char *after)
{
	struct x2gobroker_error plain = { 0 };
	char line[4 * X2GOBROKER_TEXT_SIZE];

	if (*text == '\0')
		return;
	snprintf(plain.text, sizeof(plain.text), "%.1023s", text);
	printf("%s%s%s", before, x2gobroker_error_format(&plain, line,
	    sizeof(line)), after);
}

static void
print_finding(const struct doctor_output *out)
{
	print_word(out->finding);
	printf("%s: ", out->check->name);
	print_plain("", out->subject, ": ");
	print_plain("", out->text, "");
	print_plain(" - ", out->remedy, "");
	printf("\n");
}

static void
flush_finding(struct doctor_output *out)
{
	if (!out->waiting)
		return;
	out->waiting = false;
	out->counts[out->finding]++;
	out->bad += out->finding != FINDING_OK;
	if (out->json != NULL)
		put_finding(out);
	else if (out->finding != FINDING_SKIPPED) {
		print_finding(out);
		fflush(stdout);		/* servers take their time */
	}
}

/* A value over several lines becomes one. */
static void
make_one_line(char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			*text = ' ';
}

static void note(struct doctor *, enum finding, const char *, const char *,
    va_list) __attribute__((format(printf, 4, 0)));

static void
note(struct doctor *d, enum finding finding, const char *subject,
    const char *fmt, va_list ap)
{
	struct doctor_output *out = d->out;

	flush_finding(out);
	out->waiting = out->noted = true;
	out->finding = finding;
	snprintf(out->subject, sizeof(out->subject), "%s", subject);
	vsnprintf(out->text, sizeof(out->text), fmt, ap);
	make_one_line(out->text);
	out->remedy[0] = '\0';
}

void
doctor_ok(struct doctor *d, const char *subject, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, FINDING_OK, subject, fmt, ap);
	va_end(ap);
}

void
doctor_warn(struct doctor *d, const char *subject, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, FINDING_WARNING, subject, fmt, ap);
	va_end(ap);
}

void
doctor_fail(struct doctor *d, const char *subject, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, FINDING_FAILED, subject, fmt, ap);
	va_end(ap);
}

void
doctor_remedy(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->out->remedy, sizeof(d->out->remedy), fmt, ap);
	va_end(ap);
}

void
doctor_fail_error(struct doctor *d, const char *subject,
    const struct x2gobroker_error *err)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];

	if (err->file[0] != '\0' && strcmp(err->file, subject) == 0 &&
	    err->line == 0)
		doctor_fail(d, subject, "%s", err->text);
	else
		doctor_fail(d, subject, "%s", x2gobroker_error_format(err,
		    text, sizeof(text)));
}

unsigned int
doctor_count_bad(const struct doctor *d)
{
	return d->out->bad + (d->out->waiting &&
	    d->out->finding != FINDING_OK);
}

const char *
doctor_text(const struct doctor *d, const char *key)
{
	const char *text = x2gobroker_config_text(d->config, "global", key);

	return text != NULL ? text : "";
}

/*
 * Who can make a check
 */

static bool
is_met(const struct doctor *d, unsigned int need)
{
	switch (need) {
	case NEEDS_CONFIG:
		return d->config != NULL;
	case NEEDS_PROFILES:
		return d->profiles != NULL;
	case NEEDS_USER:
		return d->ctl->user != NULL;
	case NEEDS_ROOT:
		return geteuid() == 0;
	case NEEDS_SSHD:
		return d->sshd.text != NULL;
	case NEEDS_ACCOUNT:
		return d->account.name != NULL;
	case NEEDS_BROKER:
		return geteuid() == 0 || geteuid() == d->account.uid;
	default:
		return false;
	}
}

static const struct need *
find_unmet(const struct doctor *d, const struct check *check)
{
	size_t i;

	for (i = 0; i < NNEEDS; i++)
		if ((check->needs & needs[i].bit) != 0 &&
		    !is_met(d, needs[i].bit))
			return &needs[i];
	return NULL;
}

static void doctor_skip(struct doctor *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* People are told at the end. */
static void
doctor_skip(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(d, FINDING_SKIPPED, "", fmt, ap);
	va_end(ap);
}

static void
run_check(struct doctor *d, size_t i)
{
	const struct check *check = &checks[i];
	struct doctor_output *out = d->out;

	out->check = check;
	out->bad = 0;
	out->skipped[i] = find_unmet(d, check);
	if (out->skipped[i] == NULL && (check->needs & NEEDS_BROKER) != 0 &&
	    become_broker(d->config) == -1)
		return;		/* and it was said */
	out->noted = false;
	if (out->skipped[i] != NULL)
		doctor_skip(d, "%s", out->skipped[i]->why);
	else
		check->run(d);
	if (!out->noted)
		doctor_ok(d, "", "%s", check->what);
	flush_finding(out);
}

/* A line for each reason, as there may be thirty checks for one. */
static void
print_skipped(const struct doctor_output *out)
{
	size_t i, n;

	for (n = 0; n < NNEEDS; n++) {
		const char *between = "";

		for (i = 0; i < NCHECKS; i++) {
			if (out->skipped[i] != &needs[n])
				continue;
			if (*between == '\0')
				print_word(FINDING_SKIPPED);
			printf("%s%s", between, checks[i].name);
			between = ", ";
		}
		if (*between != '\0')
			printf(": %s\n", needs[n].why);
	}
}

static int
print_end(const struct doctor_output *out)
{
	const unsigned int *counts = out->counts;

	if (out->json != NULL) {
		json_close(out->json);
		json_integer(out->json, "ok", counts[FINDING_OK]);
		json_integer(out->json, "warnings", counts[FINDING_WARNING]);
		json_integer(out->json, "failed", counts[FINDING_FAILED]);
		return json_print(out->json);
	}
	print_skipped(out);
	printf("%u ok, %u warning%s, %u failed\n", counts[FINDING_OK],
	    counts[FINDING_WARNING], counts[FINDING_WARNING] == 1 ? "" : "s",
	    counts[FINDING_FAILED]);
	return fflush(stdout) == 0 ? 0 : -1;
}

static void
close_all(struct doctor *d)
{
	x2gobroker_farm_free(d->farm);
	x2gobroker_profiles_free(d->profiles);
	x2gobroker_config_free(d->config);
	sshd_query_free(&d->sshd);
	free(d->account.name);
	free(d->account.home);
	free(d->account.shell);
}

int
doctor_main(const struct ctl *ctl)
{
	struct json json;
	struct doctor_output *out = calloc(1, sizeof(*out));
	struct doctor d = { .ctl = ctl, .out = out };
	int result;
	size_t i;

	if (out == NULL) {
		ctl_complain("out of memory");
		return EXIT_NO;
	}
	if (ctl->json) {
		json_begin(&json);
		json_array(&json, "findings");
		out->json = &json;
	}
	for (i = 0; i < NCHECKS; i++)
		run_check(&d, i);
	result = print_end(out) == 0 && out->counts[FINDING_FAILED] == 0 ?
	    EXIT_YES : EXIT_NO;
	close_all(&d);
	free(out);
	return result;
}
