/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-pam: the broker runs without privilege, but needs it to ask PAM
 * whether an account may be used or a password is right, and to set one.  This
 * program is setuid root and does only that.  It reads no configuration and no
 * environment; its arguments are a name and an address.
 *
 * Its file mode, 4750 root:BROKER-GROUP, decides who may start it; it serves
 * only root and accounts with that primary group.  PAM's service file decides
 * what it may do to which accounts.
 */
#include <arpa/inet.h>
#include <net/if.h>

#include <errno.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper.h"

#define NAME_SIZE	256	/* LOGIN_NAME_MAX of Linux, with the NUL */
#define PEOPLE_FROM	1000	/* lower uids are root and system accounts */
#define NOBODY		65534	/* a system account, too */

static enum helper_status
usage(void)
{
	fprintf(stderr, "usage: x2gobroker-pam check NAME [RHOST]\n"
	    "       x2gobroker-pam login NAME [RHOST] <PASSWORD\n"
	    "       x2gobroker-pam checkpass NAME [RHOST] <PASSWORD\n"
	    "       x2gobroker-pam setpass NAME [RHOST] <PASSWORD\n");
	return HELPER_USAGE;
}

/* Modules put the name into logs, paths and environments.  Refuse names that
 * could be misread there, even if a directory service knows them. */
static bool
is_name(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	if (*text == '\0' || *text == '-' || strlen(text) >= NAME_SIZE ||
	    strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return false;
	for (; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f || *p == ':' || *p == '/')
			return false;
	return true;
}

/* An IPv4 address, or an IPv6 address with or without a zone (fe80::1%eth0). */
static bool
is_address(const char *text)
{
	static const char zone_chars[] = "0123456789.-_"
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr ignored;
	size_t len = strcspn(text, "%");
	const char *zone = text + len;

	if (inet_pton(AF_INET, text, &ignored) == 1)
		return true;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, &ignored) != 1)
		return false;
	return *zone == '\0' || (zone[1] != '\0' &&
	    strlen(zone + 1) < IF_NAMESIZE &&
	    zone[1 + strspn(zone + 1, zone_chars)] == '\0');
}

static bool
parse_task(const char *name, struct order *order)
{
	static const struct {
		const char *name;
		bool authenticates, checks_account, sets_password;
	} rows[] = {
		{ "check", false, true, false },
		{ "login", true, true, false },
		{ "checkpass", true, false, false },
		{ "setpass", false, true, true },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		order->authenticates = rows[i].authenticates;
		order->checks_account = rows[i].checks_account;
		order->sets_password = rows[i].sets_password;
		return true;
	}
	return false;
}

static enum helper_status
parse(int argc, char **argv, struct order *order)
{
	if ((argc != 3 && argc != 4) || !parse_task(argv[1], order))
		return usage();
	if (!is_name(argv[2]))
		return report_status(HELPER_USAGE, "NAME: not a valid account "
		    "name");
	if (argc == 4 && !is_address(argv[3]))
		return report_status(HELPER_USAGE, "RHOST: not an IP address");
	order->name = argv[2];
	order->rhost = argv[3];		/* argv[argc] is NULL */
	return HELPER_OK;
}

/* Read the password from standard input, to its end. */
static enum helper_status
read_password(char *password, size_t size)
{
	size_t len = 0;
	ssize_t n;

	if (isatty(STDIN_FILENO))
		return report_status(HELPER_USAGE, "a terminal would show the "
		    "password; use a pipe");
	do {
		n = read(STDIN_FILENO, password + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < size) || (n == -1 && errno == EINTR));
	if (n == -1)
		return report_status(HELPER_SYSTEM, "cannot read the password: "
		    "%m");
	if (len == 0)
		return report_status(HELPER_REFUSED, "the password is empty");
	if (len == size)
		return report_status(HELPER_REFUSED, "the password is longer "
		    "than %d bytes", PASSWORD_MAX);
	/* a module that reads lines would use only the part before it */
	if (memchr(password, '\n', len) != NULL ||
	    memchr(password, '\r', len) != NULL ||
	    memchr(password, '\0', len) != NULL)
		return report_status(HELPER_REFUSED, "the password contains "
		    "a line end or a NUL");
	password[len] = '\0';
	return HELPER_OK;
}

/* If the administrator has locked the password in /etc/shadow ("!"), or has
 * never set one ("*", "!" or nothing), refuse: a new password would open a way
 * in that was not meant to exist.  For accounts from other sources, their PAM
 * modules decide. */
static enum helper_status
check_has_password(const char *name)
{
	const struct spwd *entry;
	FILE *fp = fopen("/etc/shadow", "re");
	bool has_none = false;

	if (fp == NULL)
		return report_status(HELPER_SYSTEM, "/etc/shadow: %m");
	while ((entry = fgetspent(fp)) != NULL)
		if (strcmp(entry->sp_namp, name) == 0 &&
		    (entry->sp_pwdp[0] == '!' || entry->sp_pwdp[0] == '*' ||
		    entry->sp_pwdp[0] == '\0'))
			has_none = true;
	fclose(fp);
	if (!has_none)
		return HELPER_OK;
	return report_status(HELPER_REFUSED, "%s: has no password, or a locked "
	    "one; set a first one with passwd(1)", name);
}

/* The password was right. */
static enum helper_status
check_login(const char *name, const struct passwd *pw)
{
	/* some directories ignore case; rules that deny do not */
	if (strcmp(pw->pw_name, name) != 0)
		return report_status(HELPER_REFUSED, "%s: the account is "
		    "called %.100s", name, pw->pw_name);
	if (pw->pw_uid == 0)
		return report_status(HELPER_REFUSED, "%s: has uid 0, which may "
		    "not log in to a broker", name);
	return HELPER_OK;
}

static enum helper_status
check_account(const struct order *order)
{
	const char *name = order->name;
	const struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return errno != 0 && errno != ENOENT ?
		    report_status(HELPER_SYSTEM, "%s: %m", name) :
		    report_status(HELPER_REFUSED, "%s: no such account", name);
	if (order->authenticates)
		return check_login(name, pw);
	if (!order->sets_password)
		return HELPER_OK;
	if (pw->pw_uid < PEOPLE_FROM || pw->pw_uid == NOBODY)
		return report_status(HELPER_REFUSED, "%s: uid %u is a system "
		    "account, which keeps its password", name,
		    (unsigned int)pw->pw_uid);
	return check_has_password(name);
}

int
main(int argc, char **argv)
{
	char password[PASSWORD_MAX + 1];
	struct order order = { 0 };
	enum helper_status status;

	process_init();
	if ((status = parse(argc, argv, &order)) != HELPER_OK ||
	    (status = process_become_root(&order.caller)) != HELPER_OK)
		return status;
	/* Who has not proved anything yet must not learn, not even from the
	 * time it takes, which accounts exist. */
	if (!order.authenticates &&
	    (status = check_account(&order)) != HELPER_OK)
		return status;
	if (order.authenticates || order.sets_password) {
		status = read_password(password, sizeof(password));
		order.password = password;
	}
	if (status == HELPER_OK)
		status = pam_run(&order);
	if (status == HELPER_OK && order.authenticates)
		status = check_account(&order);
	explicit_bzero(password, sizeof(password));
	return status;
}
