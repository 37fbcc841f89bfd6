/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "become.h"
#include "common/priv.h"

#define GROUPS_MAX	65536	/* the limit of the kernel */

static void
die(const char *why)
{
	ctl_complain("%s", why);
	exit(EXIT_NO);
}

int
become_account(const struct passwd *pw)
{
	struct priv_user user = { .uid = pw->pw_uid, .gid = pw->pw_gid };
	gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));
	int n = GROUPS_MAX;

	if (groups == NULL ||
	    getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) == -1) {
		ctl_complain("cannot look up the groups of %s",
		    pw->pw_name);
		free(groups);
		return -1;
	}
	user.groups = groups;
	user.ngroups = (size_t)n;
	priv_become(&user, die);
	free(groups);
	return 0;
}

int
become_broker(const struct x2gobroker_config *config)
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
	return pw->pw_uid != 0 ? become_account(pw) : 0;
}
