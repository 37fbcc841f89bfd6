/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several commands need: configuration, profiles, users and messages.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "common/priv.h"
#include "ctl.h"

#define GROUPS_MAX	65536	/* the limit of the kernel */

void
ctl_print_problem(void *arg, const struct x2gobroker_error *problem)
{
	char text[2 * X2GOBROKER_TEXT_SIZE];
	FILE *fp = arg;

	x2gobroker_error_format(problem, text, sizeof(text));
	fprintf(fp, "%s%s\n",
	    problem->code == X2GOBROKER_WARNING ? "warning: " : "", text);
}

void
ctl_print_error(const struct x2gobroker_error *err)
{
	fflush(stdout);		/* keep the order of both outputs */
	fprintf(stderr, "x2gobrokerctl: ");
	ctl_print_problem(stderr, err);
}

void
ctl_explain_missing(const struct x2gobroker_profiles *profiles, const char *id,
    struct x2gobroker_error *why)
{
	const char *file;

	memset(why, 0, sizeof(*why));
	if (x2gobroker_profiles_withheld(profiles, id, &file, &why->line)) {
		strlcpy(why->file, file, sizeof(why->file));
		snprintf(why->text, sizeof(why->text), "[%s] is withheld "
		    "because of errors; x2gobrokerctl check prints them", id);
	} else
		snprintf(why->text, sizeof(why->text), "no such profile: "
		    "[%s]; ids are case-sensitive, and x2gobrokerctl check "
		    "prints the files that cannot be read", id);
}

void
ctl_complain(const char *fmt, ...)
{
	struct x2gobroker_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	ctl_print_error(&err);
}

/* x2gobrokerctl check prints warnings. */
static void
print_if_error(void *arg, const struct x2gobroker_error *problem)
{
	if (problem->code != X2GOBROKER_WARNING)
		ctl_print_problem(arg, problem);
}

int
ctl_load_config(const struct ctl *ctl, struct x2gobroker_config **config)
{
	struct x2gobroker_error err;

	if (x2gobroker_config_load(ctl->config_file, print_if_error, stderr,
	    config, &err) == 0)
		return 0;
	ctl_complain(CTL_BAD_CONFIG);
	return -1;
}

int
ctl_load_profiles(const struct x2gobroker_config *config,
    struct x2gobroker_profiles **profiles)
{
	struct x2gobroker_error err;

	if (x2gobroker_profiles_load(config, print_if_error, stderr,
	    profiles, &err) == 0)
		return 0;
	ctl_print_error(&err);
	return -1;
}

/* Set the groups "a,b". */
static int
set_groups(struct x2gobroker_user *user, const char *text,
    struct x2gobroker_error *err)
{
	cleanup_free char *copy = strdup(text);
	cleanup_free const char **names = calloc(strlen(text) + 1,
	    sizeof(*names));
	char *rest = copy, *name;
	size_t n = 0;

	if (copy == NULL || names == NULL)
		return -1;
	while ((name = strsep(&rest, ",")) != NULL)
		if (*name != '\0')
			names[n++] = name;
	return x2gobroker_user_set_groups(user, names, n, err);
}

static struct x2gobroker_user *
make_user(const struct ctl *ctl)
{
	struct x2gobroker_error err = { .text = "out of memory" };
	struct x2gobroker_user *user;

	if (x2gobroker_user_new(ctl->as, ctl->from, &user, &err) == -1 ||
	    (ctl->groups != NULL &&
	    set_groups(user, ctl->groups, &err) == -1)) {
		ctl_print_error(&err);
		x2gobroker_user_free(user);
		return NULL;
	}
	if (ctl->groups == NULL && getpwnam(ctl->as) == NULL)
		ctl_complain("no account %s on this host, so the broker would "
		    "refuse the user; use --groups to assume groups", ctl->as);
	return user;
}

int
ctl_open(const struct ctl *ctl, struct site *site)
{
	memset(site, 0, sizeof(*site));
	if (ctl->as != NULL && (site->user = make_user(ctl)) == NULL)
		return EXIT_USAGE;
	if (ctl_load_config(ctl, &site->config) == 0 &&
	    ctl_load_profiles(site->config, &site->profiles) == 0)
		return EXIT_YES;
	ctl_close(site);
	return EXIT_NO;
}

void
ctl_close(struct site *site)
{
	x2gobroker_user_free(site->user);
	x2gobroker_profiles_free(site->profiles);
	x2gobroker_config_free(site->config);
}

/*
 * From root to another account
 */

static void
die(const char *why)
{
	ctl_complain("%s", why);
	exit(EXIT_NO);
}

int
ctl_become(const struct passwd *pw)
{
	struct priv_user user = { .uid = pw->pw_uid, .gid = pw->pw_gid };
	cleanup_free gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));
	int n = GROUPS_MAX;

	if (groups == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1) {
		ctl_complain("cannot look up the groups of %s", pw->pw_name);
		return -1;
	}
	user.groups = groups;
	user.ngroups = (size_t)n;
	priv_become(&user, die);
	return 0;
}

int
ctl_become_broker(const struct x2gobroker_config *config)
{
	const char *name = x2gobroker_config_broker_account(config);
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	errno = 0;
	if ((pw = getpwnam(name)) == NULL) {
		ctl_complain("broker-account %s, which owns the service keys, "
		    "does not exist%s%s; create it with: useradd --system "
		    "--create-home --home-dir /var/lib/x2gobroker --shell "
		    "/bin/sh --password '*' %s", name, errno != 0 ? ": " : "",
		    errno != 0 ? strerror(errno) : "", name);
		return -1;
	}
	return pw->pw_uid != 0 ? ctl_become(pw) : 0;
}

bool
ctl_can_retry_as_broker(const struct x2gobroker_config *config,
    const struct x2gobroker_error *err)
{
	return err->code == X2GOBROKER_ERR_UNSAFE &&
	    ctl_become_broker(config) == 0;
}
