/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the process, and its identity.  An account that may run this
 * file can make it become any ordinary user; the file's mode decides who may.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/priv.h"
#include "common/startup.h"
#include "process.h"

#define SECONDS_MAX	30	/* longer than the limit of a tool */
#define OUT_OF_TIME	"no answer within 30 seconds; does a directory or " \
			"name server hang?"

struct process process;

void
process_die(const char *why)
{
	dprintf(STDERR_FILENO, "x2gobroker-agent: %s\n", why);
	syslog(LOG_ERR, "%s", why);
	_exit(1);
}

void
process_make_harmless(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

void
process_log(int priority, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	process_make_harmless(line);
	syslog(priority, "%s", line);
}

/* A signal handler cannot use syslog(3), but sshd logs this end. */
static void
out_of_time(int sig __attribute__((unused)))
{
	static const char text[] = "x2gobroker-agent: " OUT_OF_TIME "\n";
	ssize_t written __attribute__((unused));

	written = write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

/* The last resort, for calls without a timeout, such as a lookup in a directory
 * that does not answer. */
static void
limit_time(void)
{
	const struct sigaction action = {
		.sa_handler = out_of_time, .sa_flags = SA_RESTART,
	};

	sigaction(SIGALRM, &action, NULL);
	alarm(SECONDS_MAX);
}

void
process_init(void)
{
	/* a lost client and a full disk are write errors */
	static const int ignored[] = { SIGPIPE, SIGXFSZ, 0 };
	const struct rlimit none = { 0, 0 };
	const char *why;

	process.uid = getuid();
	startup_sanitise_signals(ignored);
	if (!startup_take_variable("SSH_ORIGINAL_COMMAND",
	    &process.command) || !startup_take_address(&process.address))
		process_die("out of memory at the start");
	if ((why = startup_sanitise()) != NULL)
		process_die(why);
	/* now, while it can be opened */
	openlog("x2gobroker-agent", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
	setrlimit(RLIMIT_CORE, &none);
	priv_dumpable_off(process_die);
	limit_time();
}

void
process_be_caller(void)
{
	priv_drop_for_good(process_die);
	priv_drop_caps(process_die);
}

/* One wrong chmod(1) lets everybody run a file with this privilege, so
 * check. */
static int
check_own_file(struct x2gobroker_error *err)
{
	struct stat st;

	if (stat("/proc/self/exe", &st) == -1)
		return error_errno(err, NULL, "/proc/self/exe");
	if (st.st_uid == 0 && (st.st_mode & (S_IWGRP | S_IRWXO)) == 0)
		return startup_is_primary_group(process.uid, st.st_gid) ? 0 :
		    error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0, "the "
		    "primary group of uid %u is not group %u, which this file "
		    "has; for the agent account, chgrp the file to its primary "
		    "group, then setcap cap_setuid,cap_setgid=ep",
		    (unsigned int)process.uid, (unsigned int)st.st_gid);
	return error_set(err, X2GOBROKER_ERR_UNSAFE, NULL, 0, "this file "
	    "has mode %04o, but must belong to root and have mode 0750, or "
	    "everybody could become another user: chown root:GROUP, chmod "
	    "0750, then setcap cap_setuid,cap_setgid=ep",
	    (unsigned int)st.st_mode & 07777);
}

int
process_no_new_privs(struct x2gobroker_error *err)
{
	return priv_no_new_privs() ? 0 : error_set(err, X2GOBROKER_ERR_SYSTEM,
	    NULL, 0, "this kernel has no PR_SET_NO_NEW_PRIVS");
}

/* Whether the caller may ask for another identity, which this file can give. */
static int
check_privilege(const char *whom, struct x2gobroker_error *err)
{
	if (!priv_can_become())
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "has no privilege to act for %.64s; on this file, run "
		    "chgrp GROUP, chmod 0750, then setcap "
		    "cap_setuid,cap_setgid=ep; GROUP is the group of the "
		    "account that runs it", whom);
	return process.uid != 0 ? check_own_file(err) : 0;
}

int
process_become(const struct account *account, struct x2gobroker_error *err)
{
	const struct priv_user user = {
		.uid = account->uid, .gid = account->gid,
		.groups = account->groups, .ngroups = account->ngroups,
	};

	if (process.uid == account->uid) {
		process_be_caller();	/* which needs no privilege */
		return 0;
	}
	if (check_privilege(account->name, err) == -1)
		return -1;
	priv_become(&user, process_die);
	return 0;
}

int
process_become_root(struct x2gobroker_error *err)
{
	if (check_privilege("root", err) == -1)
		return -1;
	priv_become_root(process_die);
	return 0;
}
