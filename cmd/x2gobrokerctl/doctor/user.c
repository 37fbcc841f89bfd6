/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a broker run as the user, and what can it read?  A child process becomes
 * that user and reports.
 */
#include <sys/wait.h>

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "../become.h"
#include "findings.h"

/* Sent through the pipe, as one block. */
struct user_report {
	size_t profiles;
	bool loaded, can_start;
	struct x2gobroker_error error;	/* the first one */
};

static void
keep_first(void *arg, const struct x2gobroker_error *problem)
{
	struct user_report *report = arg;

	if (problem->code != X2GOBROKER_WARNING &&
	    report->error.code == X2GOBROKER_OK)
		report->error = *problem;
}

static void
load_all(const char *config_file, struct user_report *report)
{
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;

	if (x2gobroker_config_load(config_file, keep_first, report, &config,
	    NULL) == -1 || x2gobroker_profiles_load(config, keep_first, report,
	    &profiles, NULL) == -1)
		return;		/* the process ends soon */
	report->loaded = true;
	report->profiles = x2gobroker_profiles_count(profiles);
}

static void send_report(const struct doctor *, const struct passwd *, int)
    __attribute__((noreturn));

static void
send_report(const struct doctor *d, const struct passwd *pw, int fd)
{
	struct user_report report = { 0 };

	if (become_account(pw) == -1)
		_exit(1);
	load_all(d->ctl->config_file, &report);
	report.can_start = access(X2GOBROKER_PROGRAM, X_OK) == 0;
	_exit(write(fd, &report, sizeof(report)) != (ssize_t)sizeof(report));
}

/* False: the child did not report. */
static bool
receive_report(const struct doctor *d, const struct passwd *pw,
    struct user_report *report)
{
	int ends[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	if (pipe(ends) == -1)
		return false;
	if ((pid = fork()) == 0) {
		close(ends[0]);
		send_report(d, pw, ends[1]);
	}
	close(ends[1]);
	while (pid != -1 && (n = read(ends[0], (char *)report + len,
	    sizeof(*report) - (size_t)len)) > 0)
		len += n;
	close(ends[0]);
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	return len == (ssize_t)sizeof(*report);
}

void
check_user_files(struct doctor *d)
{
	const char *user = d->ctl->user;
	const struct passwd *pw = getpwnam(user);
	struct user_report report;

	if (!d->forced || pw == NULL) {
		doctor_ok(d, user, "not needed: no broker runs as the user");
		return;
	}
	if (pw->pw_uid == 0 || !receive_report(d, pw, &report)) {
		doctor_fail(d, user, "cannot start a process as that user");
		return;
	}
	if (!report.can_start) {
		doctor_fail(d, X2GOBROKER_PROGRAM, "%s cannot run it", user);
		doctor_remedy(d, "chmod 755 " X2GOBROKER_PROGRAM);
	} else if (report.loaded && (d->profiles == NULL ||
	    report.profiles >= x2gobroker_profiles_count(d->profiles)))
		doctor_ok(d, user, "%zu profiles can be read", report.profiles);
	else {
		doctor_fail_error(d, user, &report.error);
		doctor_remedy(d, "files must belong to root, with mode 644, in "
		    "directories with mode 755");
	}
}
