/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs, started without a shell and never waited for longer than a
 * deadline.  A child gets its arguments and its environment from the caller,
 * descriptors 0 to 2 and no others, a process group of its own, and signals as
 * they are by default.  The caller's signals stay as they are.
 */
#ifndef BASE_SPAWN_H
#define BASE_SPAWN_H

#include <sys/resource.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define SPAWN_CHILDREN_MAX	64	/* for one call of spawn_step() */
#define SPAWN_NO_DEADLINE	INT64_MAX
#define SPAWN_TEXT_SIZE		64

/* A limit is set just after the program has started, by prlimit(2).  That is
 * not allowed for a program which runs as another user: it does not start. */
struct spawn_limit {
	int resource;		/* as in setrlimit(2) */
	rlim_t value;
};

/* What a child gets.  All pointers are borrowed until spawn_finish(). */
struct spawn_options {
	const char *const *argv;	/* ends with NULL; argv[0] is a path */
	const char *const *env;		/* ends with NULL; or NULL for none */
	const char *input;		/* on stdin; NULL: /dev/null */
	size_t input_len;		/* bytes; of any size, may be secret */
	size_t output_max;		/* bytes of stdout; more is an error */
	size_t message_max;		/* bytes of stderr; more is dropped */
	bool cut_output;		/* more of stdout is dropped, too */
	bool merge;			/* stderr goes where stdout goes */
	int64_t deadline;		/* of clock_ms() */
	const struct spawn_limit *limits;
	size_t nlimits;

	/* Called for each whole line of stdout when it has arrived, without
	 * its '\n'.  -1 ends the child. */
	int (*line)(void *arg, const char *line, size_t len);
	void *arg;
};

enum spawn_end {
	SPAWN_RUNNING,
	SPAWN_EXITED,		/* status is that of waitpid(2) */
	SPAWN_LOST,		/* ended, but this process ignores SIGCHLD, or
				 * somebody else has taken the status */
	SPAWN_LATE,		/* killed at the deadline */
	SPAWN_TOO_MUCH,		/* killed, or ended, after too much output */
	SPAWN_BROKEN,		/* killed, for error, which is as errno has it;
				 * ECANCELED if options.line wanted that */
};

/* A child.  Zero it before its first use. */
struct spawn {
	enum spawn_end end;
	int status;
	int error;
	struct buf output;	/* what has arrived so far, also if it was */
	struct buf message;	/* killed; wiped and freed by spawn_finish() */

	/* of spawn.c */
	struct spawn_options options;
	pid_t pid;
	int pidfd;		/* -1: the kernel has none */
	int fds[3];		/* our ends of its 0 to 2; -1: closed */
	size_t written;		/* bytes of options.input */
	size_t handed;		/* bytes of output, as lines */
};

#define cleanup_spawn	__attribute__((cleanup(spawn_finish)))

/* Start a child.  Returns 0, or -1 with errno: there is none. */
int	spawn_start(struct spawn *child, const struct spawn_options *options);

/* Wait until one of these children has said something, has ended or is late,
 * and see to it.  Returns how many of them are still running.
 *
 * One that has to be killed is killed with all of its process group, but not
 * waited for if it runs as another user, who cannot be sent signals.  One that
 * has ended is not waited for any more, even if a process that it started
 * holds on to its output. */
size_t	spawn_step(struct spawn *const *children, size_t n);

/* Kill it if it is still running, and free what it has. */
void	spawn_finish(struct spawn *child);

/* Start a child and see it to its end.  Returns 0, or -1 with errno: it did not
 * start.  How it ended is for the caller to judge. */
int	spawn_run(struct spawn *child, const struct spawn_options *options);

/* Its exit status, or -1 if it did not end by itself. */
int	spawn_exit_status(const struct spawn *child);

/* How it ended, as the end of a sentence: "exited with status 3". */
const char *spawn_describe(const struct spawn *child,
	    char text[static SPAWN_TEXT_SIZE]);

#endif
