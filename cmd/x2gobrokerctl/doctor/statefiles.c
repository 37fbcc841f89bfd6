/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the files and directories that the broker account owns.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "findings.h"

static bool
parent_can_be_written(const char *path)
{
	cleanup_free char *copy = strdup(path);

	return copy != NULL && eaccess(dirname(copy), W_OK | X_OK) == 0;
}

/* A directory that must belong to the broker account; if it may be readable by
 * all, also to root.  without: the effect if it does not. */
static bool
check_own_dir(struct doctor *d, const char *path, bool readable,
    const char *without)
{
	const struct doctor_account *account = &d->account;
	struct stat st;

	if (stat(path, &st) == -1) {
		doctor_fail(d, path, "%s: %s", strerror(errno), without);
		doctor_remedy(d, "install -d -o %s -g %u -m %s %s%s",
		    account->name, (unsigned int)account->gid,
		    readable ? "755" : "700", path,
		    strncmp(path, "/run/", 5) == 0 ? ", and at each boot by "
		    "tmpfiles.d(5)" : "");
	} else if (!S_ISDIR(st.st_mode))
		doctor_fail(d, path, "not a directory");
	else if (st.st_uid != account->uid && (st.st_uid != 0 || !readable)) {
		doctor_fail(d, path, "belongs to uid %u: %s",
		    (unsigned int)st.st_uid, without);
		doctor_remedy(d, "chown %s %s", account->name, path);
	} else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		doctor_fail(d, path, "its group or others may write to it: %s",
		    without);
		doctor_remedy(d, "chmod %s %s", readable ? "go-w" : "700",
		    path);
	} else
		return true;
	return false;
}

void
check_home(struct doctor *d)
{
	check_own_dir(d, d->account.home, true, "neither sshd nor the broker "
	    "use its files");
}

void
check_state_dir(struct doctor *d)
{
	const char *path = doctor_text(d, "state-dir");
	struct stat st;

	if (!doctor_has_servers(d, false))
		doctor_ok(d, path, "not needed: no server is polled");
	/* the broker makes it if it can */
	else if ((stat(path, &st) == 0 || !parent_can_be_written(path)) &&
	    check_own_dir(d, path, false, "users who log in at the same time "
	    "get the same server"))
		doctor_ok(d, path, "can be written");
}

/* The first secret of clients: in a file, in the configuration, or one for each
 * user. */
static bool
has_secret(struct doctor *d)
{
	const char *path = doctor_text(d, "my-cookie-file");
	struct x2gobroker_error err;
	struct stat st;

	if (*path != '\0' && x2gobroker_path_check(path, &err) == 0)
		return true;
	if (*path != '\0' && err.code != X2GOBROKER_ERR_NOTFOUND) {
		doctor_fail_error(d, path, &err);
		doctor_remedy(d, "%s must be able to read it, and only root to "
		    "write it",
		    d->account.name);
		return true;	/* with an error, which is reported now */
	}
	return *doctor_text(d, "my-cookie") != '\0' ||
	    stat(doctor_text(d, "authids-dir"), &st) == 0;
}

void
check_tokens(struct doctor *d)
{
	const char *path = doctor_text(d, "cookie-directory");

	if (strcmp(doctor_text(d, "require-cookie"), "true") != 0) {
		doctor_ok(d, "", "not needed: require-cookie = false");
		return;
	}
	check_own_dir(d, path, false, "the broker refuses everybody");
	if (has_secret(d))
		return;
	doctor_fail(d, doctor_text(d, "my-cookie-file"), "there is no secret "
	    "for the first request of clients, so everybody is refused");
	doctor_remedy(d, "write one; see LOGIN TOKENS in x2gobroker.conf(5)");
}

void
check_drain_file(struct doctor *d)
{
	const char *path = doctor_text(d, "drain-file");
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err;
	size_t n;

	if (x2gobroker_drained_load(d->config, &drained, &err) == -1) {
		doctor_fail_error(d, path, &err);
		doctor_remedy(d, "fix the file; until then, drained servers "
		    "get new sessions");
		return;
	}
	for (n = 0; x2gobroker_drained_get(drained, n) != NULL; n++)
		continue;
	x2gobroker_drained_free(drained);
	doctor_ok(d, path, "%zu server%s drained", n, n == 1 ? "" : "s");
}

void
check_hooks(struct doctor *d)
{
	static const char *const keys[] = { "login-hook", "select-hook" };
	struct x2gobroker_error err;
	const char *path;
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		path = doctor_text(d, keys[i]);
		if (*path == '\0')
			continue;
		if (x2gobroker_path_check(path, &err) == -1)
			doctor_fail_error(d, path, &err);
		else if (eaccess(path, X_OK) == -1)
			doctor_fail(d, path, "%s cannot be run: %s", keys[i],
			    strerror(errno));
		else
			doctor_ok(d, path, "%s can be run", keys[i]);
	}
}

/* It may have been forgotten. */
void
check_maintenance(struct doctor *d)
{
	const struct x2gobroker_notice *notice;
	struct x2gobroker_maintenance *all;
	struct x2gobroker_error err;
	size_t i;

	if (x2gobroker_maintenance_load(d->config, &all, &err) == -1) {
		doctor_fail_error(d, doctor_text(d, "maintenance-dir"), &err);
		doctor_remedy(d, "fix the directory; until then, no "
		    "maintenance is known");
		return;
	}
	for (i = 0; (notice = x2gobroker_maintenance_get(all, i)) != NULL;
	    i++) {
		doctor_warn(d, notice->profile != NULL ? notice->profile :
		    notice->server != NULL ? notice->server : "",
		    "no new sessions%s: %s", notice->resume ? "" :
		    ", and none is resumed", notice->text);
		doctor_remedy(d, "x2gobrokerctl maintenance --off");
	}
	x2gobroker_maintenance_free(all);
}

/* As the broker opens it. */
void
check_log_file(struct doctor *d)
{
	const char *path = x2gobroker_config_log_file(d->config);
	int fd;

	if (*path == '\0') {
		doctor_ok(d, "", "syslog");
		return;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY | O_NONBLOCK);
	if (fd != -1) {
		close(fd);
		doctor_ok(d, path, "can be written");
	} else if (errno != ENOENT || !parent_can_be_written(path)) {
		doctor_fail(d, path, "%s cannot open it, so the broker "
		    "logs to syslog: %s", d->account.name, strerror(errno));
		doctor_remedy(d, "install -o %s -m 640 /dev/null %s",
		    d->account.name, path);
	}
}
