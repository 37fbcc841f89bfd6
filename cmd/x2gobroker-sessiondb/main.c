/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker-sessiondb: asks X2Go's session database, for one request of a
 * broker.  libx2gobroker starts it, writes an order to its stdin and reads the
 * reply from its stdout (agent/record.h).  Rows become the lines that agents
 * print, so that the library checks them in the same way.  It decides nothing.
 *
 * A row is only a hint: the server itself is asked before a client is sent
 * there, and says the cookie, the ports and the process then.  So none of these
 * is read here, and the role of the broker needs no right to read them.
 * "x2gobrokerctl database --grants" gives the rights to the other columns.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "common/child.h"
#include "common/sandbox.h"
#include "sessiondb.h"

#define MEMORY_MAX	(128UL * 1024 * 1024)
#define ANSWER_ENOUGH	(RECORD_VALUE_MAX / 4 * 3)	/* bytes */

/* Role names end there, so two long names may have the same role. */
#define USER_LEN_MAX	54

/* Any X2Go user can insert a row with the name of somebody else.  Who has
 * inserted it is in creator_id. */
#define IS_TRUE_ROW	"creator_id = 'x2gouser_' || uname"

#define TEXT_OF(number)	#number
#define TEXT(number)	TEXT_OF(number)

#define TIME(column)	"to_char(" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS')"

/* At the end of summer time the age of a young session can be negative.  Any
 * user can write "infinity", for which there is none. */
#define AGE	"CASE WHEN isfinite(init_time) THEN greatest(0, " \
		"extract(epoch from localtimestamp - init_time))::bigint " \
		"ELSE 0 END"

/* The fields of x2golistsessions(8); the age, which nobody needs, is 0.
 * PostgreSQL tests conditions in their order, so the first one is the one that
 * the fewest rows meet. */
#define SESSIONS(id, host, user, first) \
    "SELECT '', " id ", display, " host ", status, " TIME("init_time") ", " \
    "'', host(client), '', '', " TIME("last_time") ", " user ", 0, '' " \
    "FROM sessions WHERE " first "status IN ('R', 'S') " \
    "AND session_id NOT LIKE '%XSHAD%' "

static const char sessions_sql[] =
    SESSIONS("session_id", "server", "uname", "uname = $1 AND ")
    "AND " IS_TRUE_ROW " LIMIT 1000";

/* Of all users.  A forged row becomes one that the library ignores and counts.
 * No user can make the answer too long by long values.  One more than the
 * library takes, so that none is left out unseen. */
static const char list_sql[] =
    SESSIONS("left(session_id, 300)", "left(server, 300)", "left(CASE WHEN "
    IS_TRUE_ROW " THEN uname ELSE '(by ' || creator_id || ') ' || uname END, "
    "300)", "") "LIMIT " TEXT(AGENT_ALL_SESSIONS_MAX) " + 1";

/* Those that are being started count, too. */
static const char counts_sql[] =
    "SELECT server, count(*) FROM sessions WHERE status <> 'F' "
    "GROUP BY server LIMIT 10000";

static const char starts_sql[] =
    "SELECT server, uname, " AGE " FROM sessions WHERE status <> 'F' "
    "AND init_time > localtimestamp - $1::int * interval '1 second' AND "
    IS_TRUE_ROW " LIMIT 10000";

/* Other time zones than that of the X2Go servers make ages wrong. */
static const char facts_sql[] =
    "SELECT name, n FROM (VALUES "
    "('can-write', (has_any_column_privilege('sessions', 'INSERT, UPDATE') OR "
    "has_table_privilege('sessions', 'DELETE, TRUNCATE'))::int), "
    "('can-read-cookies', "
    "has_column_privilege('sessions', 'cookie', 'SELECT')::int), "
    "('has-own-time-zone', (SELECT count(*)::int FROM pg_settings "
    "WHERE name = 'TimeZone' AND source IN ('user', 'database user'))), "
    "('limit', (SELECT nullif(rolconnlimit, -1) FROM pg_roles "
    "WHERE rolname = current_user)), "
    "('max-connections', current_setting('max_connections')::int)"
    ") AS facts (name, n)";

static const char future_sql[] =
    "SELECT 'in-future', count(*) FROM sessions "
    "WHERE init_time > localtimestamp + interval '1 minute'";

/* What is asked, and the answer of an agent that the rows become. */
static const struct statement {
	const char *sql, *answer;
	char separator;
	bool for_user;		/* else for a number of seconds, or for none */
	bool for_seconds;
} sessions = { sessions_sql, AGENT_LISTSESSIONS, '|', .for_user = true },
  list = { list_sql, AGENT_LISTALLSESSIONS, '|' },
  counts = { counts_sql, AGENT_GETSERVERS, ' ' },
  starts = { starts_sql, AGENT_STARTS, ' ', .for_seconds = true },
  facts = { facts_sql, AGENT_FACTS, ' ' },
  future = { future_sql, AGENT_FACTS, ' ' };

struct request {
	PGconn *conn;
	struct query *query;
	int64_t deadline;
};

/* What would end a field or a line makes the line invalid, and the library
 * ignores it. */
static void
put_value(struct buf *answer, const char *value, char separator)
{
	for (; *value != '\0'; value++)
		buf_putc(answer, *value == separator || *value == '\n' ?
		    '\t' : *value);
}

static void
put_row(const PGresult *rows, int i, const struct statement *statement,
    struct buf *answer)
{
	int j, nfields = PQnfields(rows);

	if (answer->len == 0)
		buf_puts(answer, "OK\n");
	for (j = 0; j < nfields; j++) {
		if (j > 0)
			buf_putc(answer, statement->separator);
		put_value(answer, PQgetvalue(rows, i, j),
		    statement->separator);
	}
	buf_putc(answer, '\n');
}

/* Many rows become several answers. */
static void
put_rows(const PGresult *rows, const struct statement *statement,
    struct buf *record)
{
	int i, n = PQntuples(rows);
	struct buf answer = { 0 };

	if (n == 0)
		record_puts(record, statement->answer, "OK\n");
	for (i = 0; i < n; i++) {
		put_row(rows, i, statement, &answer);
		if (answer.len < ANSWER_ENOUGH && i < n - 1)
			continue;
		if (answer.failed)
			child_end("out of memory");
		record_put(record, statement->answer, answer.data, answer.len);
		buf_truncate(&answer, 0);
	}
	buf_free(&answer);
}

static int
ask(const struct request *request, const struct statement *statement,
    bool *again, struct x2gobroker_error *err)
{
	struct query *query = request->query;
	const char *param = statement->for_user ? query->user :
	    statement->for_seconds ? query->args[0] : NULL;
	PGresult *rows;

	rows = database_query(request->conn, statement->sql, param != NULL,
	    &param, request->deadline, again, err);
	if (rows == NULL)
		return -1;
	put_rows(rows, statement, query->record);
	PQclear(rows);
	return 0;
}

static int
ask_all(const struct request *request, bool *again,
    struct x2gobroker_error *err)
{
	const struct query *query = request->query;
	bool examine = query->question == &query_examine;

	/* first what needs no right */
	if (examine && (ask(request, &facts, again, err) == -1 ||
	    ask(request, &future, again, err) == -1))
		return -1;
	if (query->user != NULL && ask(request, &sessions, again, err) == -1)
		return -1;
	if (query->question == &query_list && query->user == NULL)
		return ask(request, &list, again, err);
	if (!examine && query->question != &query_all)
		return 0;
	if (ask(request, &counts, again, err) == -1)
		return -1;
	return query->args[0] == NULL ? 0 :
	    ask(request, &starts, again, err);
}

static int
connect_and_ask(const struct dbservice *service, struct query *query,
    int64_t deadline, struct x2gobroker_error *err)
{
	struct request request = { .query = query, .deadline = deadline };
	unsigned int attempt = 0;
	bool again;
	int result;

	if (query->user != NULL && strlen(query->user) > USER_LEN_MAX)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "it "
		    "cannot tell the sessions of a user whose name has more "
		    "than %d bytes", USER_LEN_MAX);
	do {
		buf_truncate(query->record, 0);
		request.conn = database_connect(service, deadline, err);
		if (request.conn == NULL)
			return -1;
		result = ask_all(&request, &again, err);
		PQfinish(request.conn);
	} while (result == -1 && again && database_pause(deadline, attempt++));
	return result;
}

static void
read_order(struct order *order)
{
	struct x2gobroker_error err;
	struct buf text = { 0 };

	child_read_order(&text, ORDER_HEAD);
	if (order_read(text.data, text.len, order, &err) == -1)
		child_end(err.text);
	if (order->service == NULL || order->n != 1)
		child_end("not an order for a session database");
}

/* Read what the sandbox takes away, and enter it. */
static int
prepare(const struct order *order, struct dbservice *service,
    struct x2gobroker_error *err)
{
	const char *files[DBSERVICE_FILES_MAX + 2];
	size_t n = 0;

	/* libpq looks for files in the home directory */
	setenv("HOME", "/nonexistent", 1);
	if (dbservice_read(order->service_file, order->service, service,
	    err) == -1)
		return -1;
	dbservice_files(service, files);
	while (files[n] != NULL)
		n++;
	files[n++] = "/etc/ssl/openssl.cnf";
	files[n] = NULL;
	child_limit_memory(MEMORY_MAX);
	if (order->confine)
		strlcpy(order->queries[0]->missing, sandbox_enter(files),
		    sizeof(order->queries[0]->missing));
	return 0;
}

int
main(void)
{
	struct order order = { 0 };
	struct dbservice service = { 0 };
	struct buf record = { 0 }, reply = { 0 };
	int64_t started = clock_ms();
	struct query *query;

	child_init();
	read_order(&order);
	query = order.queries[0];
	query->record = &record;
	query->failed = prepare(&order, &service, &query->error) == -1 ||
	    connect_and_ask(&service, query, order.deadline,
	    &query->error) == -1;
	query->ms = (int)(clock_ms() - started);
	/* half of an answer is none, but what is known helps to find why */
	if (query->failed && query->question != &query_examine)
		buf_truncate(&record, 0);
	reply_put(&reply, 0, query);
	child_write(&reply);
	_exit(0);
}
