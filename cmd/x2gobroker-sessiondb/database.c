/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpq, under one deadline.  Its own time limits have gaps: if a backend is
 * stopped after the connection was made, it waits for ever.  So this file does
 * every wait itself, by poll(2); except the lookup of a name, after which the
 * library ends this process.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "sessiondb.h"

#define PAUSE_MIN_MS	50
#define PAUSE_DOUBLINGS	4
#define STATE_LEN	5	/* of an SQLSTATE */

/* Classes of SQLSTATE that may be over in a moment: connection exceptions,
 * rollbacks (a conflict on a standby), too many connections, locks, and a
 * shutdown, start or time limit of the server. */
static const char *const passing[] = { "08", "40", "53", "55", "57", NULL };

bool
database_pause(int64_t deadline, unsigned int attempt)
{
	unsigned int most = PAUSE_MIN_MS << (attempt < PAUSE_DOUBLINGS ?
	    attempt : PAUSE_DOUBLINGS);
	int ms = (int)(most / 2 + arc4random_uniform(most));

	if (clock_left(deadline) <= ms)
		return false;
	usleep((useconds_t)ms * 1000);
	return true;
}

/* The SQLSTATE in the verbose text of an error ("FATAL:  53300: ..."), as libpq
 * keeps no other of a connection that failed; or NULL. */
static const char *
find_state(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, ":  ")) != NULL) {
		at += 3;
		if (strspn(at, PARSE_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
		    STATE_LEN && at[STATE_LEN] == ':')
			return at;
	}
	return NULL;
}

/* Without a state, no server was reached. */
static bool
is_passing(const char *state)
{
	size_t i;

	for (i = 0; state != NULL && passing[i] != NULL; i++)
		if (strncmp(state, passing[i], strlen(passing[i])) == 0)
			return true;
	return state == NULL;
}

/* Its first line says what has happened. */
static int
set_error(const char *text, struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "%.*s",
	    (int)strcspn(text, "\n"), text);
}

/* They would be printed on stderr. */
static void
drop_notice(void *arg __attribute__((unused)),
    const char *text __attribute__((unused)))
{
}

/* The i-th item of a list, or its only one, cut out; the caller frees it.  NULL
 * if there is no list. */
static char *
cut_item(const char *list, size_t i)
{
	const char *comma;

	if (list == NULL)
		return NULL;
	for (; i > 0 && (comma = strchr(list, ',')) != NULL; i--)
		list = comma + 1;
	return strndup(list, strcspn(list, ","));
}

static size_t
count_hosts(const struct dbservice *service)
{
	const char *list = dbservice_value(service, "hostaddr");
	size_t n = 1;

	if (list == NULL && (list = dbservice_value(service, "host")) == NULL)
		return 1;
	while ((list = strchr(list, ',')) != NULL) {
		list++;
		n++;
	}
	return n;
}

/* Begin to connect to the i-th host. */
static PGconn *
start(const struct dbservice *service, size_t i)
{
	static const char *const lists[] = { "host", "hostaddr", "port" };
	/* the last one of a key counts: first what the service may replace */
	const char *keys[3 + DBSERVICE_KEYS_MAX + 3 + 1] = { "dbname",
	    "gssencmode", "fallback_application_name" };
	const char *values[3 + DBSERVICE_KEYS_MAX + 3 + 1] = {
	    DBSERVICE_DATABASE, "disable", "x2gobroker" };
	char *cut[3] = { NULL };
	size_t j, n = 3;
	PGconn *conn;

	for (j = 0; j < service->n; j++, n++) {
		keys[n] = service->keys[j];
		values[n] = service->values[j];
	}
	for (j = 0; j < 3; j++, n++) {
		keys[n] = lists[j];
		values[n] = cut[j] = cut_item(dbservice_value(service,
		    lists[j]), i);
	}
	conn = PQconnectStartParams(keys, values, 0);
	for (j = 0; j < 3; j++)
		free(cut[j]);
	return conn;
}

/* Wait for the socket.  False: no time is left. */
static bool
wait_for(const PGconn *conn, short events, int64_t deadline)
{
	return clock_poll(PQsocket(conn), events, deadline) > 0;
}

/* False: it has not answered in time. */
static bool
finish_connecting(PGconn *conn, int64_t deadline)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
		if (!wait_for(conn, state == PGRES_POLLING_READING ? POLLIN :
		    POLLOUT, deadline))
			return false;
		state = PQconnectPoll(conn);
	}
	return true;
}

static PGconn *
try_host(const struct dbservice *service, size_t i, int64_t deadline,
    bool *again, struct x2gobroker_error *err)
{
	PGconn *conn = start(service, i);

	if (conn == NULL)
		return error_null(error_nomem(err));
	PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
	PQsetNoticeProcessor(conn, drop_notice, NULL);
	if (PQstatus(conn) != CONNECTION_BAD &&
	    !finish_connecting(conn, deadline)) {
		*again = true;
		error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0, "host %zu of "
		    "the service has not answered in time", i + 1);
	} else if (PQstatus(conn) == CONNECTION_OK)
		return conn;
	else {
		*again |= !PQconnectionNeedsPassword(conn) &&
		    is_passing(find_state(PQerrorMessage(conn)));
		set_error(PQerrorMessage(conn), err);
	}
	PQfinish(conn);
	return NULL;
}

PGconn *
database_connect(const struct dbservice *service, int64_t deadline,
    struct x2gobroker_error *err)
{
	size_t i, n = count_hosts(service);
	unsigned int attempt = 0;
	PGconn *conn;
	int64_t now;
	bool again;

	do {
		again = false;
		for (i = 0; i < n; i++) {
			now = clock_ms();
			conn = try_host(service, i, now + (deadline - now) /
			    (int64_t)(n - i), &again, err);
			if (conn != NULL)
				return conn;
		}
	} while (again && database_pause(deadline, attempt++));
	return NULL;
}

/* Send all of the statement. */
static bool
flush(PGconn *conn, int64_t deadline)
{
	int left;

	while ((left = PQflush(conn)) == 1)
		if (!wait_for(conn, POLLIN | POLLOUT, deadline) ||
		    PQconsumeInput(conn) == 0)
			return false;
	return left == 0;
}

/* The next result.  NULL: there are no more, or it did not come in time. */
static PGresult *
get_result(PGconn *conn, int64_t deadline, bool *late)
{
	while (PQisBusy(conn)) {
		*late = !wait_for(conn, POLLIN, deadline);
		if (*late || PQconsumeInput(conn) == 0)
			return NULL;
	}
	return PQgetResult(conn);
}

PGresult *
database_query(PGconn *conn, const char *sql, size_t n,
    const char *const *params, int64_t deadline, bool *again,
    struct x2gobroker_error *err)
{
	PGresult *result = NULL;
	bool late = false;

	*again = false;
	PQsetnonblocking(conn, 1);
	if (PQsendQueryParams(conn, sql, (int)n, NULL, params, NULL, NULL,
	    0) == 1 && flush(conn, deadline))
		result = get_result(conn, deadline, &late);
	if (late)
		return error_null(error_set(err, X2GOBROKER_ERR_SYSTEM, NULL,
		    0, "the server has not answered a query in time"));
	if (result == NULL) {
		*again = true;
		return error_null(set_error(PQerrorMessage(conn), err));
	}
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		PQclear(get_result(conn, deadline, &late));
		return result;
	}
	*again = is_passing(PQresultErrorField(result, PG_DIAG_SQLSTATE));
	set_error(PQresultErrorMessage(result), err);
	PQclear(result);
	return NULL;
}
