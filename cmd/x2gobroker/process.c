/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process as we want it, whoever started it and however.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <paths.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"

/* A file that is opened as number 1 would get our answer. */
static void
repair_standard_fds(void)
{
	int fd;

	do {
		if ((fd = open(_PATH_DEVNULL, O_RDWR)) == -1)
			_exit(1);
	} while (fd <= STDERR_FILENO);
	close(fd);
}

/* A copy of a variable, which outlives clearenv(3). */
static char *
take_variable(const char *name)
{
	const char *value = getenv(name);
	char *copy;

	if (value == NULL)
		return NULL;
	if ((copy = strdup(value)) == NULL)
		_exit(1);
	return copy;
}

/* SSH_CONNECTION is "client-address client-port server-address server-port",
 * SSH_CLIENT "client-address client-port server-port" (sshd(8), ssh(1)). */
static char *
take_address(void)
{
	char *text = take_variable("SSH_CONNECTION");

	if (text == NULL)
		text = take_variable("SSH_CLIENT");
	if (text != NULL)
		text[strcspn(text, " ")] = '\0';
	return text;
}

void
process_settle(struct process *process)
{
	repair_standard_fds();
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	process->uid = getuid();
	process->setuid = getuid() != geteuid() || getgid() != getegid();
	process->command = take_variable("SSH_ORIGINAL_COMMAND");
	process->address = take_address();
	process->under_sshd = process->command != NULL ||
	    process->address != NULL;
	/* resolvers, locales and libraries listen to many variables */
	if (clearenv() != 0 || setenv("PATH", _PATH_STDPATH, 1) == -1)
		_exit(1);
}
