/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include <fcntl.h>
#include <paths.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/startup.h"

#define FDS_MAX		65536	/* closed where close_range(2) is missing */

/* The signals above are real-time ones, which we do not use; resetting them all
 * would take a hundredth of the time of a listing. */
#define SIGNALS		31

static void
close_others(void)
{
	int fd;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0U) == 0)
		return;
#endif
	for (fd = STDERR_FILENO + 1; fd < FDS_MAX; fd++)
		close(fd);
}

const char *
startup_sanitise(void)
{
	int fd;

	/* first, because a limit may leave no descriptor free */
	close_others();
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open(_PATH_DEVNULL, O_RDWR) != fd)
			return "there is no " _PATH_DEVNULL;
	umask(077);
	if (chdir("/") == -1)
		return "cannot change to the directory /";
	if (clearenv() != 0 || setenv("PATH", _PATH_STDPATH, 1) == -1)
		return "cannot clear the environment";
	return NULL;
}

void
startup_sanitise_signals(const int *ignored)
{
	static const int timers[] = { ITIMER_REAL, ITIMER_VIRTUAL,
	    ITIMER_PROF };
	const struct itimerval off = { 0 };
	sigset_t none;
	size_t i;
	int sig;

	for (i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		setitimer(timers[i], &off, NULL);
	for (sig = 1; sig <= SIGNALS; sig++)
		signal(sig, SIG_DFL);
	for (; *ignored != 0; ignored++)
		signal(*ignored, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

bool
startup_is_primary_group(uid_t uid, gid_t gid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL && pw->pw_gid == gid;
}

bool
startup_take_variable(const char *name, char **value)
{
	char *text = getenv(name);

	*value = NULL;
	if (text == NULL)
		return true;
	if ((*value = strdup(text)) == NULL)
		return false;
	explicit_bzero(text, strlen(text));
	return true;
}

/* SSH_CONNECTION is "client-address client-port server-address server-port",
 * SSH_CLIENT "client-address client-port server-port" (sshd(8), ssh(1)). */
bool
startup_take_address(char **address)
{
	if (!startup_take_variable("SSH_CONNECTION", address) ||
	    (*address == NULL && !startup_take_variable("SSH_CLIENT", address)))
		return false;
	if (*address != NULL)
		(*address)[strcspn(*address, " ")] = '\0';
	return true;
}
