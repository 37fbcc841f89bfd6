/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Most attributes of a process survive execve(2), so the caller of a setuid
 * broker, or an unusual sshd, chooses them.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <paths.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/counters.h"
#include "common/log.h"
#include "common/pam_helper.h"
#include "common/priv.h"
#include "common/service.h"
#include "common/startup.h"

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
service_set_refusal(const char *text, size_t len)
{
	atomic_store(&refusal, &bare);	/* whole at any time */
	framed.text = text;
	framed.len = len;
	atomic_store(&refusal, &framed);
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
service_refuse(const char *why)
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
	counters_add(NULL, false);
	_exit(1);
}

/*
 * Limits
 */

/* A request needs a few MiB, and some for each of its servers.  What servers
 * send is bounded where it is read; this is for what was overlooked there.
 * Memory of a sanitizer is not counted like that. */
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
		service_refuse(limit->why);
	if (rlimit.rlim_cur == rlimit.rlim_max ||
	    (rlimit.rlim_cur >= limit->needed && limit->needed != 0))
		return;
	rlimit.rlim_cur = rlimit.rlim_max;
	if (setrlimit(limit->resource, &rlimit) == -1 && limit->needed != 0)
		service_refuse(limit->why);
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
		service_refuse(NO_ANSWER);
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

int
service_load_config(const char *path, struct x2gobroker_config **config,
    struct x2gobroker_error *err)
{
	int seconds;

	if (x2gobroker_config_load(path, log_report, NULL, config, err) == -1)
		return -1;
	log_to_file(x2gobroker_config_log_file(*config));
	counters_open(*config);
	seconds = x2gobroker_config_request_timeout(*config) +
	    x2gobroker_config_hook_seconds(*config);
	if (seconds + SECONDS_MORE > SECONDS_MIN)
		alarm((unsigned int)(seconds + SECONDS_MORE));
	return 0;
}

/*
 * The start
 */

char *
service_take_variable(const char *name)
{
	char *value;

	if (!startup_take_variable(name, &value))
		service_refuse("out of memory at its start");
	return value;
}

void
service_protect(bool setuid)
{
	/* report a closed connection and a full file as write errors */
	static const int ignored[] = { SIGPIPE, SIGXFSZ, 0 };

	startup_sanitise_signals(ignored);
	raise_limits(setuid);
	priv_dumpable_off(service_refuse);
	limit_time();
}

void
service_sanitise(void)
{
	const char *why = startup_sanitise();

	if (why != NULL)
		service_refuse(why);
}

/*
 * The answer
 */

static int
set_password(void *arg, const struct x2gobroker_user *user,
    const char *password, struct x2gobroker_error *err)
{
	const struct x2gobroker_config *const *config = arg;

	return pam_helper_set_password(x2gobroker_config_pam_helper(*config),
	    x2gobroker_user_name(user), x2gobroker_user_address(user),
	    password, err);
}

/* Hooks run as the broker account, of which the caller of a setuid broker must
 * not be able to send them signals. */
static void
prepare_hooks(const struct x2gobroker_config *config)
{
	if (x2gobroker_config_hook_seconds(config) > 0)
		priv_keep_effective(service_refuse);
}

int
service_answer_login_check(const struct x2gobroker_config *config,
    struct x2gobroker_answer *answer, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	x2gobroker_answer_set_report(answer, log_event, NULL);
	prepare_hooks(config);
	if (x2gobroker_answer_admit(answer, config, user, err) == -1)
		return -1;
	return x2gobroker_answer_login_check(answer, NULL, err);
}

int
service_answer_task(const struct x2gobroker_config *config,
    struct x2gobroker_answer *answer, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	struct x2gobroker_profiles *profiles;	/* lives as long as answer */

	if (x2gobroker_profiles_load(config, log_report, NULL, &profiles,
	    err) == -1)
		return -1;
	if (x2gobroker_config_allow_password_change(config))
		x2gobroker_answer_allow_setpass(answer, set_password, &config);
	x2gobroker_answer_set_report(answer, log_event, NULL);
	prepare_hooks(config);
	if (x2gobroker_answer_decide(answer, profiles, user, err) == -1)
		return -1;
	/* writing the answer needs no privileges */
	priv_drop_for_good(service_refuse);
	return x2gobroker_answer_write(answer, err);
}

/* A process that shares our stdout may have made it non-blocking. */
static bool
wait_for_room(void)
{
	struct pollfd pollfd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&pollfd, 1, -1) != -1 || errno == EINTR;
}

int
service_write_answer(const char *text, size_t len)
{
	ssize_t n;

	atomic_store(&refusal, NULL);
	for (; len > 0; text += n, len -= (size_t)n) {
		n = write(STDOUT_FILENO, text, len);
		if (n == -1 && (errno == EINTR ||
		    (errno == EAGAIN && wait_for_room())))
			n = 0;
		else if (n == -1) {
			log_line(LOG_NOTICE, "the client is gone: %s",
			    strerror(errno));
			return -1;
		}
	}
	return 0;
}
