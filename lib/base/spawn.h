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
	bool keep_input;		/* stdin stays open, for spawn_send() */
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
	/* Called for all bytes of stdout as they arrive, in place of line and
	 * output: any number of them is taken, and none is kept. */
	int (*data)(void *arg, const char *data, size_t len);
	void *arg;
};

enum spawn_end {
	SPAWN_RUNNING,
	SPAWN_EXITED,		/* status is that of waitpid(2) */
	SPAWN_LOST,		/* ended, but the status is lost: this process
				 * ignores SIGCHLD, or calls wait(2) itself */
	SPAWN_LATE,		/* killed at the deadline */
	SPAWN_TOO_MUCH,		/* killed, or ended, after too much output */
	SPAWN_BROKEN,		/* killed because of error, an errno value;
				 * ECANCELED: options.line or data returned
				 * -1 */
};

/* A child.  Zero it before its first use. */
struct spawn {
	enum spawn_end end;
	int status;
	int error;
	struct buf output;	/* what has arrived so far, even if it was */
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

/* Start a child.  Returns 0, or -1 with errno set and no child. */
int	spawn_start(struct spawn *child, const struct spawn_options *options);

/* Give the child, which still runs and has options.keep_input, more input
 * (borrowed until spawn_finish() or the next call) and another deadline. */
void	spawn_send(struct spawn *child, const char *input, size_t len,
	    int64_t deadline);

/* Look, without waiting, whether the child has ended meanwhile. */
bool	spawn_is_running(struct spawn *child);

/* Wait until at least one of the children has written something, has ended or
 * has reached its deadline, and handle that.  Returns how many still run.
 *
 * A child is killed with its whole process group.  It is not waited for if it
 * runs as another user and cannot be killed.  When a child has ended, its
 * output is complete, even if a process that it has started keeps the pipes
 * open. */
size_t	spawn_step(struct spawn *const *children, size_t n);

/* Kill the child if it still runs, and free its memory. */
void	spawn_finish(struct spawn *child);

/* Start a child and wait for its end.  Returns 0, or -1 with errno set if it
 * did not start.  The caller checks how it ended. */
int	spawn_run(struct spawn *child, const struct spawn_options *options);

/* The exit status, or -1 if the child did not exit by itself. */
int	spawn_exit_status(const struct spawn *child);

/* How the child ended, as a predicate: "exited with status 3". */
const char *spawn_describe(const struct spawn *child,
	    char text[static SPAWN_TEXT_SIZE]);

#endif
