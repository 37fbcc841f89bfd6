/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The caller of a setuid program chooses nearly everything around it:
 * descriptors, environment, directory, limits, signals, timers.  All of that is
 * reset before the privilege is used, in two phases: process_init() needs no
 * privilege, process_become_root() uses and keeps it.  This file alone calls
 * set*id, prctl and setrlimit.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/startup.h"
#include "helper.h"

#define SECONDS_MAX	20	/* for everything; callers wait no longer */

/* No signal may end or stop us while we hold the lock of /etc/shadow.  Ignore
 * what a terminal can send without permission, and what writing can cause.
 * Once we are root, others may not send us signals.  SIGCHLD is not ignored, as
 * some modules wait for a child. */
static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGPIPE, SIGXFSZ, 0 };

void
process_init(void)
{
	if (startup_sanitise() != NULL)
		_exit(HELPER_SYSTEM);
	startup_sanitise_signals(ignored);
	/* leave the caller's terminal; fails for the leader of a group */
	setsid();
	openlog("x2gobroker-pam", LOG_PID, LOG_AUTHPRIV);
}

enum helper_status
report_status(enum helper_status status, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", line);
	syslog(status == HELPER_SYSTEM ? LOG_ERR : LOG_NOTICE, "%s", line);
	return status;
}

/* If everybody could run this setuid file, everybody could set all passwords.
 * One wrong chmod(1) is enough for that, so check. */
static enum helper_status
check_own_file(uid_t caller)
{
	struct stat st;

	if (stat("/proc/self/exe", &st) == -1)
		return report_status(HELPER_SYSTEM, "/proc/self/exe: %m");
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		return report_status(HELPER_SYSTEM, "this file has mode %04o, "
		    "which lets others misuse it; chmod 4750",
		    (unsigned int)st.st_mode & 07777);
	if (!startup_is_primary_group(caller, st.st_gid))
		return report_status(HELPER_SYSTEM, "the primary group of "
		    "uid %u is not group %u, which this file has; for the "
		    "broker account, chgrp the file to its primary group, "
		    "then chmod 4750", (unsigned int)caller,
		    (unsigned int)st.st_gid);
	return HELPER_OK;
}

/* PAM modules check the real uid to see whether root is asking. */
static enum helper_status
become_root(void)
{
	uid_t ruid, euid, suid;

	if (setgroups(0, NULL) == -1 || setresgid(0, 0, 0) == -1 ||
	    setresuid(0, 0, 0) == -1)
		return report_status(HELPER_SYSTEM, "cannot become root: %m");
	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    ruid != 0 || euid != 0 || suid != 0)
		return report_status(HELPER_SYSTEM, "did not become root");
	return HELPER_OK;
}

/* The caller's limits must not truncate a file that a module writes: with a
 * file size of 100 bytes, that would be the new /etc/shadow.  If a hard limit
 * cannot be raised, as in containers without CAP_SYS_RESOURCE, refuse. */
static enum helper_status
raise_limits(void)
{
	static const struct {
		const char *name;	/* as in ulimit -a of bash */
		int resource;
		rlim_t value;
	} limits[] = {
		{ "core file size", RLIMIT_CORE, 0 },
		{ "file size", RLIMIT_FSIZE, RLIM_INFINITY },
		{ "cpu time", RLIMIT_CPU, RLIM_INFINITY },
		{ "virtual memory", RLIMIT_AS, RLIM_INFINITY },
		{ "data seg size", RLIMIT_DATA, RLIM_INFINITY },
		{ "stack size", RLIMIT_STACK, 8 * 1024 * 1024 },
		{ "open files", RLIMIT_NOFILE, 1024 },
	};
	struct rlimit limit;
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (getrlimit(limits[i].resource, &limit) == -1)
			return report_status(HELPER_SYSTEM, "getrlimit: %m");
		limit.rlim_cur = limits[i].value;
		if (limit.rlim_max < limit.rlim_cur ||
		    limits[i].resource == RLIMIT_CORE)
			limit.rlim_max = limit.rlim_cur;
		if (setrlimit(limits[i].resource, &limit) == -1)
			return report_status(HELPER_SYSTEM, "cannot raise the "
			    "caller's limit of %s: %m", limits[i].name);
	}
	return HELPER_OK;
}

/* Modules may wait for a server that never answers.  Not with alarm(2), which
 * lckpwdf(3) uses and turns off, and with the one signal that no module can
 * block.  The new /etc/shadow replaces the old one by rename(2), so the file is
 * complete whenever we are killed. */
static enum helper_status
limit_time(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL,
	};
	const struct itimerspec end = { .it_value.tv_sec = SECONDS_MAX };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 ||
	    timer_settime(timer, 0, &end, NULL) == -1)
		return report_status(HELPER_SYSTEM, "cannot set a timer: %m");
	return HELPER_OK;
}

enum helper_status
process_become_root(uid_t *caller)
{
	enum helper_status status;

	*caller = getuid();
	if (geteuid() != 0)
		return report_status(HELPER_SYSTEM, "has no privilege; this "
		    "file must be owned by root and the broker account's "
		    "group, with mode 4750, on a file system that is not "
		    "mounted nosuid");
	if (*caller != 0 && (status = check_own_file(*caller)) != HELPER_OK)
		return status;
	if ((status = become_root()) != HELPER_OK ||
	    (status = raise_limits()) != HELPER_OK)
		return status;
	/* No core, no ptrace(2), and /proc/PID belongs to root.  Last, as a
	 * change of ids resets this. */
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		return report_status(HELPER_SYSTEM, "prctl: %m");
	return limit_time();
}
