/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The choices of the last moments, in a file of state-dir that all brokers of
 * this host share.  A session that was given to a server some seconds ago is
 * not in that server's count yet; were it not remembered here, a class that
 * logs in at once would end up on one server.
 *
 * A choice is forgotten when the server has reported that the user's session
 * has started, when the same user chooses anew in the same profile, or after
 * ASSIGNMENT_SECONDS: then the person did not go there after all.
 */
#ifndef FARM_ASSIGNMENTS_H
#define FARM_ASSIGNMENTS_H

#include <time.h>

#include "base/error.h"

#define ASSIGNMENT_SECONDS	60
#define ASSIGNMENTS_FILE	"choices"	/* in state-dir */
#define ASSIGNMENTS_MAX	10000		/* the oldest ones go then */

struct assignments;

/* Read the file and lock it (no longer than timeout_ms is waited for the lock).
 * Where it can't be, -1 with err filled in: balancing has to do without.  A
 * damaged file is an empty one.  dir must be a directory that only root and
 * the account of this process can write to; it is made if it is missing and its
 * parent is there. */
int	assignments_open(const char *dir, time_t now, int timeout_ms,
	    struct assignments **out, struct x2gobroker_error *err);

/* server is "NAME:PORT" as the profile has it, in any case. */
long	assignments_pending(const struct assignments *choices, const char *server);

/* The server has reported a session of user that is age seconds old. */
void	assignments_started(struct assignments *choices, const char *server,
	    const char *user, long age);

/* Remember that user was sent to server, by the profile of that id. */
int	assignments_add(struct assignments *choices, const char *server,
	    const char *user, const char *profile,
	    struct x2gobroker_error *err);

/* Replace the file, atomically, if anything has changed. */
int	assignments_save(struct assignments *choices, struct x2gobroker_error *err);

/* Unlock and free; NULL is fine.  What was not saved is lost. */
void	assignments_close(struct assignments *choices);

#endif
