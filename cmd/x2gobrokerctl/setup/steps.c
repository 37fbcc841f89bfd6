/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there may be to do, in this order; and the names, paths and texts that
 * it is about.
 */
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../servers.h"
#include "setup.h"

#define HOME		X2GOBROKER_VAR "/lib/x2gobroker"
#define PAM_SOURCE	X2GOBROKER_DATA "/pam.d/x2gobroker"
#define PAM_FILE	"/etc/pam.d/x2gobroker"
#define SSHD_DIR	"/etc/ssh/sshd_config.d"
#define SSHD_FILE	SSHD_DIR "/x2gobroker.conf"
#define TMPFILES_DIR	"/etc/tmpfiles.d"
#define TMPFILES_FILE	TMPFILES_DIR "/x2gobroker.conf"
#define TMPFILES_ALL	"/{etc,run,usr/lib}/tmpfiles.d/*.conf"
#define TMPFILES	"/usr/bin/systemd-tmpfiles"

/*
 * Steps that are not always needed
 */

static bool
has_account(const struct setup *setup)
{
	return getpwnam(setup->text[TEXT_ACCOUNT]) != NULL;
}

static bool
has_home(const struct setup *setup)
{
	const char *home = setup->text[TEXT_HOME];

	return strcmp(home, "/") != 0 && strcmp(home, "/nonexistent") != 0;
}

/* Whether users whose keys are pinned are checked with PAM. */
static bool
asks_pam(const struct setup *setup)
{
	return x2gobroker_config_check_account(setup->config, true);
}

/* Whether there is a place for its lines; if not, the step for those says what
 * is missing. */
static bool
has_sshd(const struct setup *setup __attribute__((unused)))
{
	return access("/etc/ssh", F_OK) == 0;
}

static bool
has_no_profile(const struct setup *setup)
{
	return !setup->has_profiles;
}

static bool
mentions(const char *path, const char *word)
{
	FILE *fp = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	bool does = false;

	while (fp != NULL && !does && getline(&line, &size, fp) != -1)
		does = line[0] != '#' && strstr(line, word) != NULL;
	free(line);
	if (fp != NULL)
		fclose(fp);
	return does;
}

/* Whether systemd would make state-dir anew when the host is started, if it is
 * told to, and is not yet. */
static bool
lacks_tmpfiles(const struct setup *setup)
{
	const char *dir = setup->text[TEXT_STATE_DIR];
	bool lacks = access(TMPFILES, X_OK) == 0 &&
	    strncmp(dir, "/run/", 5) == 0;
	glob_t found;
	size_t i;

	if (!lacks || access(TMPFILES_FILE, F_OK) == 0 ||
	    glob(TMPFILES_ALL, GLOB_BRACE, NULL, &found) != 0)
		return lacks && access(TMPFILES_FILE, F_OK) != 0;
	for (i = 0; i < found.gl_pathc && lacks; i++)
		lacks = !mentions(found.gl_pathv[i], dir);
	globfree(&found);
	return lacks;
}

/*
 * The list
 */

const struct step setup_steps[] = {
	/* ways, kind, name, content, mode */
	{ WAY_SHARED, &kind_group, TEXT_GROUP, .broker = true },
	{ WAY_SHARED, &kind_account, TEXT_ACCOUNT },
	{ WAY_SHARED, &kind_password, TEXT_ACCOUNT, .wanted = has_account },
	{ WAY_SHARED, &kind_shell, TEXT_ACCOUNT, .wanted = has_account },
	{ WAY_SHARED, &kind_dir, TEXT_HOME, .mode = 0755, .broker = true,
	    .wanted = has_home },
	{ WAY_GROUP, &kind_group, TEXT_USERS },
	{ WAY_ALL, &kind_dir, TEXT_X2GO_DIR, .mode = 0755 },
	{ WAY_ALL, &kind_dir, TEXT_BROKER_DIR, .mode = 0755 },
	{ WAY_ALL, &kind_dir, TEXT_PROFILES_DIR, .mode = 0755 },
	{ WAY_ALL, &kind_file, TEXT_PROFILE, TEXT_PROFILE_LINES, 0644,
	    .wanted = has_no_profile },
	{ WAY_SHARED, &kind_dir, TEXT_KEYS_DIR, .mode = 0755 },
	{ WAY_SHARED, &kind_dir, TEXT_STATE_DIR, .mode = 0700, .broker = true,
	    .passing = true },
	{ WAY_SHARED, &kind_dir, TEXT_TMPFILES_DIR, .mode = 0755,
	    .wanted = lacks_tmpfiles },
	{ WAY_SHARED, &kind_file, TEXT_TMPFILES, TEXT_TMPFILES_LINE, 0644,
	    .wanted = lacks_tmpfiles },
	{ WAY_SHARED, &kind_dir, TEXT_COOKIES_DIR, .mode = 0700,
	    .broker = true, .passing = true },
	{ WAY_SHARED, &kind_mode, TEXT_HELPER, .mode = 04750,
	    .wanted = asks_pam },
	{ WAY_SHARED, &kind_file, TEXT_PAM, TEXT_PAM_LINES, 0644,
	    .wanted = asks_pam },
	{ WAY_SHARED | WAY_GROUP, &kind_dir, TEXT_SSHD_DIR, .mode = 0755,
	    .wanted = has_sshd },
	{ WAY_SHARED, &kind_sshd, TEXT_SSHD, TEXT_SSHD_SHARED, 0644 },
	{ WAY_GROUP, &kind_sshd, TEXT_SSHD, TEXT_SSHD_GROUP, 0644 },
	{ WAY_SERVERS, &kind_dir, TEXT_SSH_DIR, .mode = 0700, .broker = true },
	{ WAY_SERVERS, &kind_key, TEXT_KEY },
	{ WAY_SERVERS, &kind_known_hosts, TEXT_KNOWN_HOSTS },
};

const size_t setup_nsteps = sizeof(setup_steps) / sizeof(setup_steps[0]);

/*
 * Words that come from the command line, or from a configuration
 */

#define ALNUM	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool
setup_is_name(const char *name)
{
	return name[0] != '\0' && name[0] != '-' &&
	    name[strspn(name, ALNUM "_.-")] == '\0';
}

bool
setup_is_host(const char *text)
{
	return text != NULL && text[0] != '\0' && text[0] != '-' &&
	    text[strspn(text, ALNUM "_.-:[]")] == '\0';
}

/* Whether sshd can be told of the path, which may be NULL, in a command. */
static bool
is_plain_path(const char *path)
{
	return path == NULL || (path[0] == '/' &&
	    path[strspn(path, ALNUM "/._-+@:,=")] == '\0');
}

/*
 * What is there: profiles, and servers that are asked
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

/* The servers of profiles that are asked by SSH; of all, or of that name. */
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

/* --servers, with the ports that profiles have. */
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
setup_look_around(struct setup *setup)
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
	/* a broker that users run has no access to a service key */
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

/* Memory that is out leaves NULL, which setup_prepare() finds. */
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

/* The first path of a list, "~" being the home of the broker account. */
static void
set_home_path(struct setup *setup, enum text which, const char *key)
{
	const char *list = config_text(setup, key);
	int len = (int)strcspn(list, ", \t");

	if (strncmp(list, "~/", 2) == 0)
		set(setup, which, "%s%.*s", setup->text[TEXT_HOME], len - 1,
		    list + 1);
	else
		set(setup, which, "%.*s", len, list);
}

static void
set_account(struct setup *setup)
{
	const char *name = x2gobroker_config_broker_account(setup->config);
	const struct passwd *pw = getpwnam(name);
	const struct group *group;

	set(setup, TEXT_ACCOUNT, "%s", name);
	set(setup, TEXT_HOME, "%s", pw != NULL ? pw->pw_dir : HOME);
	group = pw != NULL ? getgrgid(pw->pw_gid) : NULL;
	set(setup, TEXT_GROUP, "%s", group != NULL ? group->gr_name : name);
	set(setup, TEXT_USERS, "%s", setup->group != NULL ? setup->group : "");
}

static void
set_paths(struct setup *setup)
{
	set(setup, TEXT_X2GO_DIR, "%s", X2GO_ETC);
	set(setup, TEXT_BROKER_DIR, "%s/broker", X2GO_ETC);
	set(setup, TEXT_PROFILES_DIR, "%s", config_text(setup, "profiles-dir"));
	set(setup, TEXT_PROFILE, "%s/first.conf",
	    setup->text[TEXT_PROFILES_DIR]);
	set(setup, TEXT_KEYS_DIR, "%s", config_text(setup, "keys-dir"));
	set(setup, TEXT_STATE_DIR, "%s", config_text(setup, "state-dir"));
	set(setup, TEXT_COOKIES_DIR, "%s",
	    config_text(setup, "cookie-directory"));
	set(setup, TEXT_TMPFILES_DIR, TMPFILES_DIR);
	set(setup, TEXT_TMPFILES, TMPFILES_FILE);
	set(setup, TEXT_HELPER, "%s",
	    x2gobroker_config_pam_helper(setup->config));
	set(setup, TEXT_PAM, PAM_FILE);
	set(setup, TEXT_SSHD_DIR, SSHD_DIR);
	set(setup, TEXT_SSHD, SSHD_FILE);
	set(setup, TEXT_SSH_DIR, "%s/.ssh", setup->text[TEXT_HOME]);
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
	    "\tPermitUserRC no\n", setup->text[TEXT_USERS], X2GOBROKER_PROGRAM,
	    option, file);
}

/* "host=ts01, ts02"; one that is asked must say so. */
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
	    "# By x2gobrokerctl setup.  All keys: "
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

/* Debian's names are in the file; elsewhere it would let nobody in. */
static void
warn_pam(const struct setup *setup)
{
	const char *text = setup->text[TEXT_PAM_LINES];

	if (text != NULL && (setup->ways & WAY_SHARED) != 0 &&
	    asks_pam(setup) && access(PAM_FILE, F_OK) == -1 &&
	    strstr(text, "@include common-account") != NULL &&
	    access("/etc/pam.d/common-account", F_OK) == -1)
		ctl_complain("warning: there is no /etc/pam.d/common-account, "
		    "which %s includes; write there instead what this system "
		    "has, or everybody is refused", PAM_FILE);
}

int
setup_prepare(struct setup *setup)
{
	size_t len;
	int i;

	set_account(setup);
	set_paths(setup);
	set_sshd_lines(setup);
	set_profile(setup);
	set(setup, TEXT_TMPFILES_LINE, "d %s 0700 %s %s -\n",
	    setup->text[TEXT_STATE_DIR], setup->text[TEXT_ACCOUNT],
	    setup->text[TEXT_GROUP]);
	for (i = TEXT_NONE + 1; i < NTEXTS; i++)
		if (setup->text[i] == NULL && i != TEXT_PAM_LINES) {
			ctl_complain("out of memory");
			return -1;
		}
	if (!is_plain_path(setup->ctl->config_file)) {
		ctl_complain("-C FILE: sshd needs a path that begins with / "
		    "and has only letters, digits and / . _ - + @ : , =");
		return -1;
	}
	/* where it is not there, the step says so */
	setup->text[TEXT_PAM_LINES] = setup_read(PAM_SOURCE, &len);
	warn_pam(setup);
	if (setup_is_name(setup->text[TEXT_ACCOUNT]))
		return 0;
	ctl_complain("broker-account %s: not a name for sshd_config",
	    setup->text[TEXT_ACCOUNT]);
	return -1;
}

void
setup_free(struct setup *setup)
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
