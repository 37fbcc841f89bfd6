/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the library speaks with x2gobroker-poll and x2gobroker-sessiondb: an
 * order on its stdin, and a reply on its stdout for each query as soon as it is
 * done.  Both are fields:
 *
 *	NAME LENGTH VALUE\n
 *
 * VALUE has LENGTH bytes, and no NUL.  Before an order stands the number of its
 * bytes.  It has these fields:
 *
 *	version		of the library, which must be the program's own
 *	deadline	of all queries: milliseconds of the monotonic clock
 *	confine		0: without the confinement
 *	stay		1: x2gobroker-poll keeps its connections, and another
 *			order may follow when all is done, within some
 *			seconds, with other queries and another deadline
 *	service, service-file	of the session database, for
 *			x2gobroker-sessiondb; the next four are for
 *			x2gobroker-poll
 *	account		to log in to on the servers
 *	agent		path of the agent on the servers
 *	known-hosts	path
 *	identity	path of a service key; of each one
 *	query		name of a question; begins a query
 *	name, address, port, policy	of the server that is asked
 *	user, arg..., lacks		of the query
 *	expired-user, expired-line, expired-file	of each line to remove
 *
 * A reply begins with "reply" (the number of the query, from 0) and ends with
 * "end".  In between are facts about the server, the raw answers of its agent,
 * named as their tasks are, and, if the query failed, the error.
 */
#ifndef AGENT_RECORD_H
#define AGENT_RECORD_H

#include "agent/query.h"

struct record_field {
	const char *name;
	char *value;		/* ends with NUL */
	size_t len;
};

#define RECORD_VALUE_MAX	AGENT_ANSWER_MAX

void	record_put(struct buf *buf, const char *name, const char *value,
	    size_t len);
void	record_puts(struct buf *buf, const char *name, const char *value);
void	record_putn(struct buf *buf, const char *name, long long number);

/* Read the field that text (len bytes) begins with, and write NULs behind its
 * name and value.  Returns its size, 0 if more bytes are needed, or -1 if it is
 * no field. */
ssize_t	record_read(char *text, size_t len, struct record_field *field);

/* The value, if it is a number of that range. */
bool	record_number(const struct record_field *field, long long min,
	    long long max, long long *number);

/* All pointers are borrowed, but identities and queries. */
struct order {
	int64_t deadline;
	bool confine, stay;
	const char *service, *service_file;	/* or NULL, or else ... */
	const char *account, *agent, *known_hosts;
	char **identities;
	size_t nidentities;
	struct query **queries;
	size_t n;
};

/* The digits, and a newline, before an order. */
#define ORDER_HEAD	9

void	order_put(struct buf *buf, const struct order *order);

/* Read an order without its head, to which text belongs afterwards; zeroed
 * before. */
int	order_read(char *text, size_t len, struct order *order,
	    struct x2gobroker_error *err);
void	order_free(struct order *order);

/* Write the reply of the i-th query, which is done. */
void	reply_put(struct buf *buf, size_t i, const struct query *query);

/* Reads replies, as they arrive, into their queries.  The caller sets the first
 * four members, and zeroes the others, before the first use. */
struct reply_reader {
	struct query *const *queries;
	size_t n;
	query_progress *progress;	/* or NULL */
	void *arg;
	/* of reply.c */
	struct query *query;		/* whose reply is being read */
	int answers;
	bool invalid;			/* and is skipped */
	struct buf text;
};

/* Returns -1 if this is no reply; what was read before counts.  A query whose
 * reply has a wrong value has failed, and the others go on. */
int	reply_read(struct reply_reader *reader, const char *data, size_t len);

#endif
