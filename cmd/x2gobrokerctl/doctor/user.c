/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a broker can run as the user, and what it can read: a child becomes
 * that user, and tells what it has met.
 */
#include <sys/wait.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../become.h"
#include "doctor.h"

/* What goes through the pipe, in one piece. */
struct told {
	size_t profiles;
	bool loaded, can_start;
	struct x2gobroker_error error;	/* the first one */
};

static void
keep_first(void *arg, const struct x2gobroker_error *problem)
{
	struct told *told = arg;

	if (problem->code != X2GOBROKER_WARNING &&
	    told->error.code == X2GOBROKER_OK)
		told->error = *problem;
}

static void
load_all(const char *config_file, struct told *told)
{
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;

	if (x2gobroker_config_load(config_file, keep_first, told, &config,
	    NULL) == -1 || x2gobroker_profiles_load(config, keep_first, told,
	    &profiles, NULL) == -1)
		return;		/* our end frees it all */
	told->loaded = true;
	told->profiles = x2gobroker_profiles_count(profiles);
}

static void tell(const struct doctor *, const struct passwd *, int)
    __attribute__((noreturn));

static void
tell(const struct doctor *d, const struct passwd *pw, int fd)
{
	struct told told = { 0 };

	if (become_account(pw) == -1)
		_exit(1);
	load_all(d->ctl->config_file, &told);
	told.can_start = access(X2GOBROKER_PROGRAM, X_OK) == 0;
	_exit(write(fd, &told, sizeof(told)) != (ssize_t)sizeof(told));
}

/* Read what the child says; false: it did not. */
static bool
listen_to(const struct doctor *d, const struct passwd *pw, struct told *told)
{
	int ends[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	if (pipe(ends) == -1)
		return false;
	if ((pid = fork()) == 0) {
		close(ends[0]);
		tell(d, pw, ends[1]);
	}
	close(ends[1]);
	while (pid != -1 && (n = read(ends[0], (char *)told + len,
	    sizeof(*told) - (size_t)len)) > 0)
		len += n;
	close(ends[0]);
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return len == (ssize_t)sizeof(*told);
}

void
check_user_files(struct doctor *d)
{
	const char *user = d->ctl->user;
	const struct passwd *pw = getpwnam(user);
	struct told told;

	if (!d->forced || pw == NULL) {
		doctor_ok(d, user, "not needed: no broker runs as the user");
		return;
	}
	if (pw->pw_uid == 0 || !listen_to(d, pw, &told)) {
		doctor_fail(d, user, "no process can become that user");
		return;
	}
	if (!told.can_start) {
		doctor_fail(d, X2GOBROKER_PROGRAM, "%s cannot start it", user);
		doctor_remedy(d, "chmod 755 " X2GOBROKER_PROGRAM);
	} else if (told.loaded && (d->profiles == NULL ||
	    told.profiles >= x2gobroker_profiles_count(d->profiles)))
		doctor_ok(d, user, "%zu profiles can be read", told.profiles);
	else {
		doctor_fail_error(d, user, &told.error);
		doctor_remedy(d, "files that are root's, mode 644, in "
		    "directories with mode 755");
	}
}
