/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SESSIONDB_SESSIONDB_H
#define SESSIONDB_SESSIONDB_H

#include <libpq-fe.h>

#include "agent/record.h"
#include "common/dbservice.h"

/* Connect to one of the hosts of the service, in their order.  Each gets an
 * equal share of the time.  Tries all again after a pause, until the deadline,
 * unless they say that this is of no use.  NULL: err says why. */
PGconn	*database_connect(const struct dbservice *service, int64_t deadline,
	    struct x2gobroker_error *err);

/* Run the statement with n parameters.  NULL: err says why, and *again whether
 * it may work in a moment.  The caller calls PQclear(). */
PGresult *database_query(PGconn *conn, const char *sql, size_t n,
	    const char *const *params, int64_t deadline, bool *again,
	    struct x2gobroker_error *err);

/* A random pause before another attempt, which begins with 50 ms and doubles
 * with each one.  False: no time is left. */
bool	database_pause(int64_t deadline, unsigned int attempt);

#endif
