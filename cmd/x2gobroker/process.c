/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process as we want it, whoever started it and however.  Nearly all that a
 * process is made of outlives execve(2), so whoever runs a setuid broker, or
 * has an odd sshd, chooses it; and a client that gets no answer at all is
 * worse off than one that is refused.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* Longer than x2gobroker-pam(8), the slowest that is waited for, lives; and
 * longer than servers are asked, who have request-timeout for that. */
#define SECONDS_MIN	30
#define SECONDS_MORE	10
#define NO_ANSWER	"no answer in time; does a directory or name server " \
			"hang?"

#define KIB		((rlim_t)1024)
#define MIB		(1024 * KIB)

/*
 * Refusing
 */

static struct refusal {
	const char *text;
	size_t len;
} bare = { "Access denied\n", 14 }, framed;

/* What a refusal is, or NULL: something else is on its way.  One pointer, as
 * SIGALRM may come at any time. */
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

/* What syslog(3) does, but that is not for signal handlers.  85 is
 * LOG_AUTHPRIV | LOG_NOTICE. */
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
			break;	/* nobody listens; there is still the log */
	}
	tell_syslog(why);
	_exit(1);
}

/*
 * Limits
 */

/* With too little of these, a lookup fails half way, of a group for example,
 * and what fails may be what would have denied.  So it is all or nothing. */
static const struct limit {
	int resource;
	rlim_t needed;		/* 0: what there is will do */
	const char *why;
} limits[] = {
	{ RLIMIT_STACK, 512 * KIB,
	    "whoever started this has set its stack limit below 512 KiB" },
	{ RLIMIT_NOFILE, 32,
	    "whoever started this has set its limit of open files below 32" },
	{ RLIMIT_AS, 64 * MIB,
	    "whoever started this has set its memory limit below 64 MiB" },
	{ RLIMIT_DATA, 32 * MIB,
	    "whoever started this has set its data limit below 32 MiB" },
	/* how much is enough is not known here; a write that fails is
	 * noticed */
	{ RLIMIT_FSIZE, 0, NULL },
	{ RLIMIT_CPU, 0, NULL },
};

/* A line in the log and a token are the broker account's, and it is not for
 * somebody else to say where they are cut off. */
static const struct limit limit_of_files = { RLIMIT_FSIZE, RLIM_INFINITY,
    "whoever started this has set a limit for the size of files" };

/* Who is not root cannot raise a hard limit, and a setuid file's caller may
 * have set it. */
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
settle_limits(bool setuid)
{
	const struct rlimit none = { 0, 0 };
	size_t i;

	setrlimit(RLIMIT_CORE, &none);
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		raise_limit(&limits[i]);
	if (setuid)
		raise_limit(&limit_of_files);
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

/* The last resort, for what has no end of its own, such as a lookup in a
 * directory that does not answer.  The handler has a whole refusal at hand, and
 * makes nothing but system calls. */
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
 * The environment
 */

static char *
take_variable(const char *name)
{
	char *value;

	if (!settle_take_variable(name, &value))
		process_refuse("out of memory at its start");
	return value;
}

static void
settle_environment(struct process *process)
{
	char *address;

	process->command = take_variable("SSH_ORIGINAL_COMMAND");
	if (!settle_take_address(&address))
		process_refuse("out of memory at its start");
	process->address = address;
	process->under_sshd = process->command != NULL ||
	    process->address != NULL;
	/* the caller of a setuid file would have us read any file of ours */
	if (!process->setuid)
		process->auth_info = take_variable("SSH_USER_AUTH");
	/* resolvers, locales and libraries listen to many variables */
	if (clearenv() != 0 || setenv("PATH", _PATH_STDPATH, 1) == -1)
		process_refuse("its environment cannot be cleared");
}

void
process_settle(struct process *process)
{
	/* a client that is gone and a file that is full are write errors */
	static const int ignored[] = { SIGPIPE, SIGXFSZ, 0 };

	process->uid = getuid();
	process->setuid = getuid() != geteuid() || getgid() != getegid();
	settle_signals(ignored);
	settle_limits(process->setuid);
	if (!settle_fds())
		process_refuse("there is no " _PATH_DEVNULL);
	priv_dumpable_off(process_refuse);
	umask(077);
	if (chdir("/") == -1)
		process_refuse("it cannot change to the directory /");
	limit_time();
	settle_environment(process);
}
