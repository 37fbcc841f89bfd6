/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who starts a setuid program chooses nearly all of its surroundings:
 * descriptors, environment, directory, limits, signals, timers.  Here all of
 * that is put in order before anything is done with the privilege, in two
 * phases: process_settle() needs none, process_become_root() uses and keeps
 * it.  This file alone calls set*id, prctl and setrlimit.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <paths.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/startup.h"
#include "helper.h"

#define SECONDS_MAX	20	/* for everything; nobody waits longer */

/* No signal may end or stop us half way, with the lock of /etc/shadow held.
 * What a terminal sends needs no permission, so it is ignored, and so is what
 * writing can cause.  Once we are root, others may not send us any.  Modules
 * that wait for a child need SIGCHLD as it is by default. */
static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGPIPE, SIGXFSZ, 0 };

void
process_settle(void)
{
	if (clearenv() != 0 || setenv("PATH", _PATH_STDPATH, 1) == -1)
		_exit(HELPER_SYSTEM);
	if (!settle_fds())
		_exit(HELPER_SYSTEM);
	settle_signals(ignored);
	/* away from the caller's terminal; fails where it has none for us */
	setsid();
	umask(077);
	if (chdir("/") == -1)
		_exit(HELPER_SYSTEM);
}

/* A setuid file that everybody may run would let everybody set the passwords
 * of all.  That is one wrong chmod(1) away, so look. */
static enum helper_status
check_own_file(void)
{
	struct stat st;

	if (stat("/proc/self/exe", &st) == -1)
		return tell(HELPER_SYSTEM, "/proc/self/exe: %s",
		    strerror(errno));
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IRWXO)) != 0)
		return tell(HELPER_SYSTEM, "this file has mode %04o, with "
		    "which it could be misused; chmod 4750",
		    (unsigned int)st.st_mode & 07777);
	return HELPER_OK;
}

/* PAM's modules look at the real uid to see whether root is asking. */
static enum helper_status
become_root(void)
{
	uid_t ruid, euid, suid;

	if (setgroups(0, NULL) == -1 || setresgid(0, 0, 0) == -1 ||
	    setresuid(0, 0, 0) == -1)
		return tell(HELPER_SYSTEM, "cannot become root: %s",
		    strerror(errno));
	if (getresuid(&ruid, &euid, &suid) == -1 ||
	    ruid != 0 || euid != 0 || suid != 0)
		return tell(HELPER_SYSTEM, "did not become root");
	return HELPER_OK;
}

/* A caller's limit must not cut short a file that a module writes: with a file
 * size of 100 bytes, that is what the new /etc/shadow would be.  Where a hard
 * limit cannot be raised, as in containers without CAP_SYS_RESOURCE, nothing
 * is done at all. */
static enum helper_status
lift_limits(void)
{
	static const struct {
		const char *name;	/* as ulimit -a of bash has it */
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
			return tell(HELPER_SYSTEM, "getrlimit: %s",
			    strerror(errno));
		limit.rlim_cur = limits[i].value;
		if (limit.rlim_max < limit.rlim_cur ||
		    limits[i].resource == RLIMIT_CORE)
			limit.rlim_max = limit.rlim_cur;
		if (setrlimit(limits[i].resource, &limit) == -1)
			return tell(HELPER_SYSTEM, "the caller's limit of "
			    "%s is too low and stays: %s", limits[i].name,
			    strerror(errno));
	}
	return HELPER_OK;
}

/* An end for modules that wait for a server.  Not with alarm(2), which
 * lckpwdf(3) uses and turns off, and by the one signal that no module can
 * block.  The new /etc/shadow takes the old one's place by rename(2), so at
 * each moment one of them is whole. */
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
		return tell(HELPER_SYSTEM, "no timer: %s", strerror(errno));
	return HELPER_OK;
}

enum helper_status
process_become_root(uid_t *caller)
{
	enum helper_status status;

	*caller = getuid();
	if (geteuid() != 0)
		return tell(HELPER_SYSTEM, "has no privilege; make this file "
		    "root's, its group the broker account's, and its mode "
		    "4750, on a file system that is not mounted nosuid");
	if (*caller != 0 && (status = check_own_file()) != HELPER_OK)
		return status;
	if ((status = become_root()) != HELPER_OK ||
	    (status = lift_limits()) != HELPER_OK)
		return status;
	/* no core, no ptrace(2), and /proc/PID is root's; last, as a change of
	 * ids sets this anew */
	if (prctl(PR_SET_DUMPABLE, 0) == -1)
		return tell(HELPER_SYSTEM, "prctl: %s", strerror(errno));
	return limit_time();
}
