/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of steps, in the order in which they are done; and the names, paths
 * and texts that they are about.
 */
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "../servers.h"
#include "steps.h"
#include "wholefile.h"

#define HOME		X2GOBROKER_VAR "/lib/x2gobroker"
#define PAM_SOURCE	X2GOBROKER_DATA "/pam.d/x2gobroker"
#define PAM_FILE	"/etc/pam.d/x2gobroker"
#define SSHD_FILE	"/etc/ssh/sshd_config.d/x2gobroker.conf"

/* Does PAM check users with keys in keys.d? */
static bool
asks_pam(const struct setup *setup)
{
	return x2gobroker_config_check_account(setup->config, true);
}

static bool
has_no_profile(const struct setup *setup)
{
	return !setup->has_profiles;
}

const struct step setup_steps[] = {
	/* ways, kind, name, content */
	{ WAY_SHARED, &kind_account, TEXT_ACCOUNT, TEXT_ACCOUNT_LINE },
	{ WAY_SHARED, &kind_password, TEXT_ACCOUNT },
	{ WAY_GROUP, &kind_group, TEXT_GROUP, TEXT_GROUP_LINE },
	{ WAY_ALL, &kind_file, TEXT_OWN_DIR_FILE, TEXT_DIR_LINES },
	{ WAY_ALL, &kind_dir, TEXT_DIRS },
	{ WAY_ALL, &kind_file, TEXT_PROFILE, TEXT_PROFILE_LINES,
	    .wanted = has_no_profile },
	{ WAY_SHARED, &kind_mode, TEXT_HELPER, .wanted = asks_pam },
	{ WAY_SHARED, &kind_file, TEXT_PAM, TEXT_PAM_LINES,
	    .wanted = asks_pam },
	{ WAY_SHARED, &kind_sshd, TEXT_SSHD, TEXT_SSHD_SHARED },
	{ WAY_GROUP, &kind_sshd, TEXT_SSHD, TEXT_SSHD_GROUP },
	{ WAY_SERVERS, &kind_key, TEXT_KEY },
	{ WAY_SERVERS, &kind_known_hosts, TEXT_KNOWN_HOSTS },
};

const size_t setup_nsteps = sizeof(setup_steps) / sizeof(setup_steps[0]);

/*
 * Names from the command line or the configuration
 */

#define ALNUM	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool
steps_is_name(const char *name)
{
	return name[0] != '\0' && name[0] != '-' &&
	    name[strspn(name, ALNUM "_.-")] == '\0';
}

bool
steps_is_host(const char *text)
{
	return text != NULL && text[0] != '\0' && text[0] != '-' &&
	    text[strspn(text, ALNUM "_.-:[]")] == '\0';
}

/* May path, which can be NULL, be part of a command in sshd_config? */
static bool
is_plain_path(const char *path)
{
	return path == NULL || (path[0] == '/' &&
	    path[strspn(path, ALNUM "/._-+@:,=")] == '\0');
}

/*
 * Profiles and the servers to be polled
 */

static int
add_server(struct setup *setup, const char *name)
{
	char **servers = reallocarray(setup->servers, setup->nservers + 1,
	    sizeof(*servers));
	size_t i;

	if (servers == NULL)
		return -1;
	setup->servers = servers;
	for (i = 0; i < setup->nservers; i++)
		if (strcmp(servers[i], name) == 0)
			return 0;
	if ((servers[i] = strdup(name)) == NULL)
		return -1;
	setup->nservers++;
	return 0;
}

/* Add the servers that profiles have and that are polled over SSH: those of
 * that name, or all. */
static int
add_from_farm(struct setup *setup, const struct x2gobroker_farm *farm,
    const char *name)
{
	char label[SERVER_LABEL_SIZE];
	const struct x2gobroker_server *server;
	size_t i;

	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++)
		if (server->name[0] != '\0' && (name == NULL ||
		    strcasecmp(name, server->name) == 0) &&
		    add_server(setup, servers_label(server->name, server->port,
		    label)) == -1)
			return -1;
	return 0;
}

/* Add those of --servers, with their ports in profiles. */
static int
add_named(struct setup *setup, const struct x2gobroker_farm *farm)
{
	char *copy = strdup(setup->ctl->servers), *rest = copy, *word;
	int result = copy != NULL ? 0 : -1;
	size_t before;

	while (result == 0 && (word = strsep(&rest, ", ")) != NULL) {
		if (*word == '\0')
			continue;
		before = setup->nservers;
		result = add_from_farm(setup, farm, word);
		if (result == 0 && setup->nservers == before)
			result = add_server(setup, word);
	}
	free(copy);
	return result;
}

static int
find_servers(struct setup *setup, struct x2gobroker_profiles *profiles)
{
	struct site site = { setup->config, profiles };
	struct x2gobroker_farm *farm = servers_farm(&site, NULL, NULL, 0);
	int result;

	if (farm == NULL)
		return -1;
	result = setup->ctl->servers != NULL ? add_named(setup, farm) :
	    add_from_farm(setup, farm, NULL);
	x2gobroker_farm_free(farm);
	if (result == -1)
		ctl_complain("out of memory");
	else if (setup->nservers > 0)
		setup->ways |= WAY_SERVERS;
	return result;
}

int
steps_find_site(struct setup *setup)
{
	struct x2gobroker_profiles *profiles;
	struct x2gobroker_error err;
	int result = 0;

	if (x2gobroker_profiles_load(setup->config, NULL, NULL, &profiles,
	    &err) == -1) {
		ctl_print_error(&err);
		return -1;
	}
	setup->has_profiles = x2gobroker_profiles_count(profiles) +
	    x2gobroker_profiles_count_withheld(profiles) > 0;
	/* users who run the broker themselves cannot read a service key */
	if ((setup->ways & WAY_SHARED) != 0)
		result = find_servers(setup, profiles);
	x2gobroker_profiles_free(profiles);
	return result;
}

/*
 * Names, paths and texts
 */

static void
set(struct setup *setup, enum text which, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory leaves NULL, which steps_prepare() finds. */
static void
set(struct setup *setup, enum text which, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&setup->text[which], fmt, ap) == -1)
		setup->text[which] = NULL;
	va_end(ap);
}

static const char *
config_text(const struct setup *setup, const char *key)
{
	const char *text = x2gobroker_config_text(setup->config, "global", key);

	return text != NULL ? text : "";
}

/* The first path of a list, with the broker account's home for "~". */
static void
set_home_path(struct setup *setup, enum text which, const char *key)
{
	const char *next = config_text(setup, key), *item = "";
	size_t len = 0;

	while (len == 0 && parse_next_item(&next, &item, &len))
		continue;
	if (len >= 2 && memcmp(item, "~/", 2) == 0)
		set(setup, which, "%s%.*s", setup->text[TEXT_HOME],
		    (int)len - 1, item + 1);
	else
		set(setup, which, "%.*s", (int)len, item);
}

static void
set_accounts(struct setup *setup)
{
	const char *name = x2gobroker_config_broker_account(setup->config);
	const char *users = setup->group != NULL ? setup->group : "";
	const struct passwd *pw = getpwnam(name);
	const struct group *group;

	set(setup, TEXT_ACCOUNT, "%s", name);
	set(setup, TEXT_HOME, "%s", pw != NULL ? pw->pw_dir : HOME);
	set(setup, TEXT_ACCOUNT_LINE, "u %s - \"X2Go session broker\" " HOME
	    " /bin/sh", name);
	group = pw != NULL ? getgrgid(pw->pw_gid) : NULL;
	set(setup, TEXT_ACCOUNT_GROUP, "%s", group != NULL ? group->gr_name :
	    name);
	set(setup, TEXT_GROUP, "%s", users);
	set(setup, TEXT_GROUP_LINE, "g %s -", users);
}

static void
set_paths(struct setup *setup)
{
	set(setup, TEXT_DIRS, "directories");
	set(setup, TEXT_PROFILES_DIR, "%s", config_text(setup, "profiles-dir"));
	set(setup, TEXT_PROFILE, "%s/first.conf",
	    setup->text[TEXT_PROFILES_DIR]);
	set(setup, TEXT_KEYS_DIR, "%s", config_text(setup, "keys-dir"));
	set(setup, TEXT_STATE_DIR, "%s", config_text(setup, "state-dir"));
	set(setup, TEXT_COOKIES_DIR, "%s",
	    config_text(setup, "cookie-directory"));
	set(setup, TEXT_HELPER, "%s",
	    x2gobroker_config_pam_helper(setup->config));
	set(setup, TEXT_PAM, PAM_FILE);
	set(setup, TEXT_SSHD, SSHD_FILE);
	set_home_path(setup, TEXT_KEY, "agent-identity-files");
	set_home_path(setup, TEXT_KNOWN_HOSTS, "agent-known-hosts");
}

static void
set_sshd_lines(struct setup *setup)
{
	const char *account = setup->text[TEXT_ACCOUNT];
	const char *file = setup->ctl->config_file;
	const char *option = file != NULL ? " -C " : "";

	if (file == NULL)
		file = "";
	set(setup, TEXT_SSHD_SHARED, "Match User %s\n"
	    "\tAuthorizedKeysCommand %s%s%s authorized-keys %%u %%t %%k\n"
	    "\tAuthorizedKeysCommandUser %s\n", account, X2GOBROKERCTL_PROGRAM,
	    option, file, account);
	set(setup, TEXT_SSHD_GROUP, "Match Group %s\n"
	    "\tForceCommand %s%s%s\n"
	    "\tPermitTTY yes\n"
	    "\tDisableForwarding yes\n"
	    "\tPermitUserRC no\n", setup->text[TEXT_GROUP], X2GOBROKER_PROGRAM,
	    option, file);
}

/* "host=ts01, ts02"; servers are polled only if the profile says so. */
static void
set_profile(struct setup *setup)
{
	const char *host = setup->host;
	char *list = NULL;
	size_t i, size;
	FILE *fp;

	if (setup->ctl->servers != NULL &&
	    (fp = open_memstream(&list, &size)) != NULL) {
		for (i = 0; i < setup->nservers; i++)
			fprintf(fp, "%s%s", i > 0 ? ", " : "",
			    setup->servers[i]);
		fclose(fp);
		host = list;
	}
	set(setup, TEXT_PROFILE_LINES,
	    "# Written by x2gobrokerctl setup; see "
	    "x2gobroker-sessionprofiles(5).\n"
	    "[first]\n"
	    "name=Desktop on %s\n"
	    "host=%s\n"
	    "command=XFCE\n"
	    "user=BROKER_USER\n"
	    "%s", setup->ctl->servers != NULL ? "the farm" : host, host,
	    setup->ctl->servers != NULL ? "broker-agent-query-mode=SSH\n" : "");
	free(list);
}

/* The service file has Debian's names; elsewhere it would refuse everybody. */
static void
warn_pam(const struct setup *setup)
{
	const char *text = setup->text[TEXT_PAM_LINES];

	if (text != NULL && (setup->ways & WAY_SHARED) != 0 &&
	    asks_pam(setup) && access(PAM_FILE, F_OK) == -1 &&
	    strstr(text, "@include common-account") != NULL &&
	    access("/etc/pam.d/common-account", F_OK) == -1)
		ctl_complain("warning: %s includes /etc/pam.d/common-account, "
		    "which does not exist, so PAM would refuse everybody; "
		    "include there what other services of this system do",
		    PAM_FILE);
}

/* Before anything is done in the name of an account. */
static int
check_account(const struct setup *setup)
{
	const char *name = setup->text[TEXT_ACCOUNT];
	const struct passwd *pw = getpwnam(name);

	if (!steps_is_name(name)) {
		ctl_complain("broker-account %s: not a name for sshd_config",
		    name);
		return -1;
	}
	if ((setup->ways & WAY_SHARED) != 0 && pw != NULL && pw->pw_uid == 0) {
		ctl_complain("broker-account = %s: users would share root's "
		    "account; choose another one", name);
		return -1;
	}
	return 0;
}

int
steps_prepare(struct setup *setup)
{
	size_t len;
	int i;

	set_accounts(setup);
	set_paths(setup);
	set_sshd_lines(setup);
	set_profile(setup);
	if (!is_plain_path(setup->ctl->config_file)) {
		ctl_complain("-C FILE: sshd needs a path that begins with / "
		    "and has only letters, digits and / . _ - + @ : , =");
		return -1;
	}
	if (check_account(setup) == -1 || dirs_prepare(setup) == -1)
		return -1;
	for (i = TEXT_NONE + 1; i < NTEXTS; i++)
		if (setup->text[i] == NULL && i != TEXT_PAM_LINES) {
			ctl_complain("out of memory");
			return -1;
		}
	/* if it is missing, its step says so */
	setup->text[TEXT_PAM_LINES] = wholefile_read(PAM_SOURCE, &len);
	warn_pam(setup);
	return 0;
}

void
steps_free(struct setup *setup)
{
	size_t i;

	for (i = 0; i < NTEXTS; i++)
		free(setup->text[i]);
	for (i = 0; i < setup->nservers; i++)
		free(setup->servers[i]);
	free(setup->servers);
	manifest_close(setup->manifest);
	x2gobroker_config_free(setup->config);
}
