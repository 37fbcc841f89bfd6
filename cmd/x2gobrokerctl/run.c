/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "run.h"

#define SIZE_FIRST	16384	/* sshd -T prints less */

/* posix_spawn(3) closes what we have open, as all of it is closed on exec.
 * Returns an errno value. */
static int
spawn(const char *const *argv, int out, pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = { path, NULL };
	posix_spawn_file_actions_t files;
	int result;

	if ((result = posix_spawn_file_actions_init(&files)) != 0)
		return result;
	if ((result = posix_spawn_file_actions_addopen(&files, STDIN_FILENO,
	    _PATH_DEVNULL, O_RDONLY, 0)) == 0 &&
	    (result = posix_spawn_file_actions_adddup2(&files, out,
	    STDOUT_FILENO)) == 0 &&
	    (result = posix_spawn_file_actions_adddup2(&files, out,
	    STDERR_FILENO)) == 0)
		/* it changes neither argv nor its words */
		result = posix_spawn(pid, argv[0], &files, NULL,
		    (char *const *)(uintptr_t)argv, environment);
	posix_spawn_file_actions_destroy(&files);
	return result;
}

/* All that comes, or -1. */
static int
read_all(int fd, size_t max, char **text, size_t *len)
{
	size_t size = 0;
	char *more;
	ssize_t n = 1;

	while (n != 0 && *len <= max) {
		if (*len + 1 >= size) {
			size = size != 0 ? 2 * size : SIZE_FIRST;
			if ((more = realloc(*text, size)) == NULL)
				return -1;
			*text = more;
		}
		n = read(fd, *text + *len, size - *len - 1);
		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0)
			*len += (size_t)n;
	}
	(*text)[*len] = '\0';
	if (*len <= max)
		return 0;
	errno = EFBIG;
	return -1;
}

int
run_program(const char *const *argv, size_t max, char **text, size_t *len)
{
	int ends[2], error, result, status = 0;
	pid_t pid;

	*text = NULL;
	*len = 0;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	error = spawn(argv, ends[1], &pid);
	close(ends[1]);
	result = error == 0 ? read_all(ends[0], max, text, len) : -1;
	if (error == 0 && result == -1)
		error = errno;
	close(ends[0]);		/* who goes on writing gets a signal */
	if (*text == NULL) {
		errno = error;
		return -1;
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (result == 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	free(*text);
	*text = NULL;
	errno = result == 0 ? EINTR : error;
	return -1;
}
