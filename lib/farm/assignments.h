/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which user was sent to which server in the last minute, in a file of
 * state-dir that all brokers of this host share.  A new session takes some
 * seconds to appear in the count of its server.  Without this file, a class
 * that logs in at once would end up on one server.
 *
 * An assignment ends when the server reports that the session has started, when
 * the user is assigned again in the same profile, or after ASSIGNMENT_SECONDS,
 * as the client did not connect then.
 */
#ifndef FARM_ASSIGNMENTS_H
#define FARM_ASSIGNMENTS_H

#include <time.h>

#include "base/error.h"

#define ASSIGNMENT_SECONDS	60
#define ASSIGNMENTS_FILE	"choices"	/* in state-dir */

struct assignments;

/* Lock the file, waiting at most timeout_ms, and read it.  A damaged file
 * counts as an empty one.  For dir see statefile_open().  -1: balancing has to
 * work without the file. */
int	assignments_open(const char *dir, time_t now, int timeout_ms,
	    struct assignments **out, struct x2gobroker_error *err);

/* The number of assignments to server, which is "NAME:PORT" as in the profile,
 * in any case. */
long	assignments_pending(const struct assignments *all, const char *server);

/* The server has reported a session of user that is age seconds old. */
void	assignments_started(struct assignments *all, const char *server,
	    const char *user, long age);

/* Store that user was sent to server, by the profile with this id. */
int	assignments_add(struct assignments *all, const char *server,
	    const char *user, const char *profile,
	    struct x2gobroker_error *err);

/* Replace the file if anything has changed. */
int	assignments_save(struct assignments *all, struct x2gobroker_error *err);

/* Unlock and free (NULL is allowed).  Unsaved changes are lost. */
void	assignments_close(struct assignments *all);

#endif
