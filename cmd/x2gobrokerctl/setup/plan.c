/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of steps, in the order in which they are done.
 */
#include <err.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/array.h"
#include "../servers.h"
#include "step.h"

#define PAM_SOURCE	X2GOBROKER_DATA "/pam.d/x2gobroker"
#define DIRS_SHIPPED	X2GOBROKER_LIB "/tmpfiles.d/x2gobroker.conf"
#define DIRS_OWN	"/etc/tmpfiles.d/x2gobroker.conf"
#define ALNUM	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/*
 * Names from the command line or the configuration
 */

bool
plan_is_name(const char *name)
{
	/* names of SSSD can end with '@' and a domain */
	return name[0] != '\0' && name[0] != '-' && name[0] != '@' &&
	    name[strspn(name, ALNUM "_.-@")] == '\0';
}

bool
plan_is_host(const char *text)
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

static void
add_server(struct setup *setup, const char *name)
{
	setup->servers = array_grow(setup->servers, setup->nservers,
	    sizeof(*setup->servers));
	if (setup->servers == NULL)
		err(EXIT_NO, NULL);
	setup->servers[setup->nservers++] = step_text(setup, "%s", name);
}

/* Add the servers that profiles have and that are polled over SSH: those of
 * that name, or all.  False: there is none. */
static bool
add_from_farm(struct setup *setup, const struct x2gobroker_farm *farm,
    const char *name)
{
	char label[SERVER_LABEL_SIZE];
	const struct x2gobroker_server *server;
	size_t i, before = setup->nservers;

	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++)
		if (server->name[0] != '\0' && (name == NULL ||
		    strcasecmp(name, server->name) == 0))
			add_server(setup, servers_label(server->name,
			    server->port, label));
	return setup->nservers > before;
}

/* Those of --servers have their ports in profiles. */
static int
find_servers(struct setup *setup, struct x2gobroker_profiles *profiles)
{
	struct site site = { setup->config, profiles, NULL };
	struct x2gobroker_farm *farm = servers_farm(&site, NULL, NULL, 0);
	const char *list = setup->ctl->servers;
	char *rest = list != NULL ? step_text(setup, "%s", list) : NULL, *word;

	if (farm == NULL)
		return -1;
	if (list == NULL)
		add_from_farm(setup, farm, NULL);
	while ((word = strsep(&rest, ",")) != NULL)
		if (!add_from_farm(setup, farm, word))
			add_server(setup, word);
	x2gobroker_farm_free(farm);
	return 0;
}

int
plan_find_site(struct setup *setup)
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
	if (setup->shared || setup->http)
		result = find_servers(setup, profiles);
	x2gobroker_profiles_free(profiles);
	return result;
}

/*
 * Steps
 */

static const char *
config_text(const struct setup *setup, const char *key)
{
	const char *text = x2gobroker_config_text(setup->config, "global", key);

	return text != NULL ? text : "";
}

/* Before anything is done in the name of an account. */
static int
find_account(struct setup *setup)
{
	const char *name = x2gobroker_config_broker_account(setup->config);
	const struct passwd *pw = getpwnam(name);
	const struct group *group = pw != NULL ? getgrgid(pw->pw_gid) : NULL;

	setup->account = name;
	setup->home = step_text(setup, "%s", pw != NULL ? pw->pw_dir :
	    ACCOUNT_HOME);
	setup->account_group = step_text(setup, "%s", group != NULL ?
	    group->gr_name : name);
	if (!plan_is_name(name))
		ctl_complain("broker-account %s: not a name for sshd_config",
		    name);
	else if ((setup->shared || setup->http) && pw != NULL &&
	    pw->pw_uid == 0)
		ctl_complain("broker-account = %s: users would share root's "
		    "account; choose another one", name);
	else
		return 0;
	return -1;
}

/* systemd-tmpfiles makes only those that are missing: it would change the
 * others. */
static int
add_dirs(struct setup *setup)
{
	const char *lines, *missing[DIRS_MAX + 1], *file;
	struct step *step;
	size_t i;

	if (dirs_check(setup, &lines, missing) == -1)
		return -1;
	file = files_contain(DIRS_SHIPPED, lines) ? DIRS_SHIPPED : DIRS_OWN;
	step = step_add(setup, &kind_file,
	    strcmp(file, DIRS_OWN) == 0 ? DIRS_OWN : "", FILE_PLAN);
	step->content = lines;
	step = step_add(setup, &kind_dir, "directories",
	    "make those that are missing");
	step_add_args(step, PROGRAM_TMPFILES, "--create", (char *)NULL);
	for (i = 0; missing[i] != NULL; i++)
		step->argv[2 + i] = missing[i];
	step->argv[2 + i] = file;
	return 0;
}

/* "host=ts01, ts02"; servers are polled only if the profile says so. */
static void
add_profile(struct setup *setup)
{
	bool farm = setup->ctl->servers != NULL;
	const char *host = farm ? step_list_servers(setup) : setup->host;
	struct step *step = step_add(setup, &kind_file, step_text(setup,
	    "%s/first.conf", config_text(setup, "profiles-dir")), FILE_PLAN);

	step->content = step_text(setup,
	    "# Written by x2gobrokerctl setup; see "
	    "x2gobroker-sessionprofiles(5).\n"
	    "[first]\n"
	    "name=Desktop on %s\n"
	    "host=%s\n"
	    "command=XFCE\n"
	    "user=BROKER_USER\n"
	    "%s", farm ? "the farm" : host, host,
	    farm ? "broker-agent-query-mode=SSH\n" : "");
}

/* The service file has Debian's names; elsewhere it would refuse everybody. */
static void
add_pam(struct setup *setup)
{
	const char *group = setup->account_group;
	struct step *step;
	char *text = files_read(PAM_SOURCE);

	step_add(setup, &kind_mode, x2gobroker_config_pam_helper(setup->config),
	    step_text(setup, "set owner and mode: root:%s, 4750", group));
	step = step_add(setup, &kind_file, PAM_FILE, FILE_PLAN "; without its "
	    "comments:");
	step->brief = true;
	if (text == NULL)
		return;		/* its step says so */
	step->content = step_text(setup, "%s", text);
	free(text);
	if (access(PAM_FILE, F_OK) == -1 &&
	    strstr(step->content, "@include common-account") != NULL &&
	    access("/etc/pam.d/common-account", F_OK) == -1)
		ctl_complain("warning: %s includes /etc/pam.d/common-account, "
		    "which does not exist, so PAM would refuse everybody; "
		    "include there what other services of this system do",
		    PAM_FILE);
}

static void
add_sshd(struct setup *setup)
{
	const char *file = setup->ctl->config_file;
	const char *option = step_text(setup, "%s%s", file != NULL ? " -C " :
	    "", file != NULL ? file : "");

	setup->keys_command = step_text(setup, X2GOBROKERCTL_PROGRAM
	    "%s authorized-keys %%u %%t %%k", option);
	if (setup->shared)
		sshd_add_step(setup, step_text(setup, "Match User %s\n"
		    "\tAuthorizedKeysCommand %s\n"
		    "\tAuthorizedKeysCommandUser %s\n", setup->account,
		    setup->keys_command, setup->account));
	if (setup->group != NULL)
		sshd_add_step(setup, step_text(setup, "Match Group %s\n"
		    "\tForceCommand " X2GOBROKER_PROGRAM "%s\n"
		    "\tPermitTTY yes\n"
		    "\tDisableForwarding yes\n"
		    "\tPermitUserRC no\n", setup->group, option));
}

static void
add_servers(struct setup *setup)
{
	char key[X2GOBROKER_FILE_SIZE] = "", hosts[X2GOBROKER_FILE_SIZE];

	x2gobroker_service_key_path(setup->config, 0, setup->home, key);
	x2gobroker_known_hosts_path(setup->config, setup->home, hosts);
	servers_add_steps(setup, step_text(setup, "%s", key),
	    step_text(setup, "%s", hosts));
}

int
plan_add_steps(struct setup *setup)
{
	if (!is_plain_path(setup->ctl->config_file)) {
		ctl_complain("-C FILE: sshd needs a path that begins with / "
		    "and has only letters, digits and / . _ - + @ : , =");
		return -1;
	}
	if (find_account(setup) == -1)
		return -1;
	if (setup->shared || setup->http)
		account_add_steps(setup);
	if (setup->group != NULL)
		account_add_group(setup, setup->group);
	if (add_dirs(setup) == -1)
		return -1;
	if (!setup->has_profiles)
		add_profile(setup);
	if (setup->http || (setup->shared &&
	    x2gobroker_config_check_account(setup->config, true)))
		add_pam(setup);
	add_sshd(setup);
	if (setup->http)
		http_add_steps(setup);
	if (setup->nservers > 0)
		add_servers(setup);
	return 0;
}
