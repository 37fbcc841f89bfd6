/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reset what the process inherited.  Most attributes of a process survive
 * execve(2), so the caller of a setuid broker, or an unusual sshd, chooses
 * them.  And always send an answer: a client that gets none is worse off than
 * one that is refused.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <paths.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/priv.h"
#include "common/startup.h"
#include "process.h"

/* Longer than x2gobroker-pam(8) runs, the slowest program that we wait for, and
 * longer than servers are asked, which request-timeout limits. */
#define SECONDS_MIN	30
#define SECONDS_MORE	10
#define NO_ANSWER	"no answer in time; does a directory or name server " \
			"hang?"

#define MIB		((rlim_t)1024 * 1024)

/*
 * Refusing
 */

static struct refusal {
	const char *text;
	size_t len;
} bare = { "Access denied\n", 14 }, framed;

/* The refusal to send; NULL: the answer is being sent.  A single pointer,
 * because SIGALRM may arrive at any time. */
static _Atomic(const struct refusal *) refusal = &bare;

void
process_set_refusal(const char *text, size_t len)
{
	framed.text = text;
	framed.len = len;
	atomic_store(&refusal, &framed);
}

void
process_answer_begins(void)
{
	atomic_store(&refusal, NULL);
}

/* As syslog(3), which signal handlers must not call.  85 is LOG_AUTHPRIV |
 * LOG_NOTICE. */
static void
tell_syslog(const char *why)
{
	const struct sockaddr_un address = { AF_UNIX, _PATH_LOG };
	char line[256] = "<85>x2gobroker: refused: ";
	int fd;

	strncat(line, why, sizeof(line) - strlen(line) - 1);
	close(STDIN_FILENO);	/* limits may leave no room for one more */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd != -1)
		sendto(fd, line, strlen(line), MSG_NOSIGNAL,
		    (const struct sockaddr *)&address, sizeof(address));
}

void
process_refuse(const char *why)
{
	const struct refusal *say = atomic_exchange(&refusal, NULL);
	size_t done = 0;
	ssize_t n;

	while (say != NULL && done < say->len) {
		n = write(STDOUT_FILENO, say->text + done, say->len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			break;	/* the client is gone; still log it */
	}
	tell_syslog(why);
	_exit(1);
}

/*
 * Limits
 */

/* A request needs a few MiB, and some for each of its servers.  What servers send
 * is bounded where it is read; this is for what was overlooked there.  Memory
 * of a sanitizer is not counted like that. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX	RLIM_INFINITY
#else
#define MEMORY_MAX	(512 * MIB)
#endif

/* If these are too low, a lookup (of a group, for example) may fail half way,
 * and it may be the one that would have denied access.  So refuse instead. */
static const struct limit {
	int resource;
	rlim_t needed;		/* 0: any limit is enough */
	const char *why;
	bool only_setuid;
} limits[] = {
	{ RLIMIT_STACK, MIB / 2,
	    "the caller has set the stack limit below 512 KiB" },
	{ RLIMIT_NOFILE, 32,
	    "the caller has set the limit of open files below 32" },
	{ RLIMIT_AS, 64 * MIB,
	    "the caller has set the memory limit below 64 MiB" },
	{ RLIMIT_DATA, 32 * MIB,
	    "the caller has set the data limit below 32 MiB" },
	/* not known here how much is enough; failing writes are reported */
	{ RLIMIT_FSIZE, 0, NULL },
	{ RLIMIT_CPU, 0, NULL },
	/* The log and the tokens belong to the broker account; the caller of a
	 * setuid broker must not be able to have them truncated. */
	{ RLIMIT_FSIZE, RLIM_INFINITY,
	    "the caller has set a limit for the size of files", true },
};

/* Only root can raise a hard limit, and the caller of a setuid file may have
 * lowered it. */
static void
raise_limit(const struct limit *limit)
{
	struct rlimit rlimit;

	if (getrlimit(limit->resource, &rlimit) == -1)
		return;
	if (rlimit.rlim_max < limit->needed)
		process_refuse(limit->why);
	if (rlimit.rlim_cur == rlimit.rlim_max ||
	    (rlimit.rlim_cur >= limit->needed && limit->needed != 0))
		return;
	rlimit.rlim_cur = rlimit.rlim_max;
	if (setrlimit(limit->resource, &rlimit) == -1 && limit->needed != 0)
		process_refuse(limit->why);
}

static void
raise_limits(bool setuid)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit memory;
	size_t i;

	setrlimit(RLIMIT_CORE, &none);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (setuid || !limits[i].only_setuid)
			raise_limit(&limits[i]);
	if (getrlimit(RLIMIT_DATA, &memory) == 0 &&
	    memory.rlim_cur > MEMORY_MAX) {
		memory.rlim_cur = MEMORY_MAX;
		setrlimit(RLIMIT_DATA, &memory);
	}
}

/*
 * Signals and time
 */

static void
out_of_time(int sig __attribute__((unused)))
{
	if (atomic_load(&refusal) != NULL)
		process_refuse(NO_ANSWER);
}

/* The last resort, for calls without a time limit, such as a lookup in a
 * directory service that does not answer.  The handler has a complete refusal
 * and makes only system calls. */
static void
limit_time(void)
{
	const struct sigaction action = {
		.sa_handler = out_of_time, .sa_flags = SA_RESTART,
	};

	sigaction(SIGALRM, &action, NULL);
	alarm(SECONDS_MIN);
}

void
process_set_request_timeout(int seconds)
{
	if (seconds + SECONDS_MORE > SECONDS_MIN)
		alarm((unsigned int)(seconds + SECONDS_MORE));
}

/*
 * The start
 */

static char *
take_variable(const char *name)
{
	char *value;

	if (!startup_take_variable(name, &value))
		process_refuse("out of memory at its start");
	return value;
}

void
process_init(struct process *process)
{
	/* report a closed connection and a full file as write errors */
	static const int ignored[] = { SIGPIPE, SIGXFSZ, 0 };
	const char *why;

	process->uid = getuid();
	process->setuid = getuid() != geteuid() || getgid() != getegid();
	startup_sanitise_signals(ignored);
	raise_limits(process->setuid);
	priv_dumpable_off(process_refuse);
	limit_time();
	process->command = take_variable("SSH_ORIGINAL_COMMAND");
	if (!startup_take_address(&process->address))
		process_refuse("out of memory at its start");
	process->under_sshd = process->command != NULL ||
	    process->address != NULL;
	/* if setuid, the caller could have us read any file */
	if (!process->setuid)
		process->auth_info = take_variable("SSH_USER_AUTH");
	if ((why = startup_sanitise()) != NULL)
		process_refuse(why);
}
