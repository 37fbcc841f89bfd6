/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The replies of x2gobroker-poll and x2gobroker-sessiondb.  They have spoken
 * with foreign programs, so nothing that they write is trusted more than what
 * those send.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/record.h"

#define ANSWERS_MAX	8	/* of one agent, for one query; more than any
				 * question needs */

void
reply_put(struct buf *buf, size_t i, const struct query *query)
{
	const struct x2gobroker_error *err = &query->error;
	size_t j;

	record_putn(buf, "reply", (long long)i);
	record_putn(buf, "ms", query->ms);
	record_putn(buf, "sshd", query->sshd);
	record_putn(buf, "unnamed", query->unnamed);
	record_putn(buf, "stays", query->stays);
	record_putn(buf, "lacks", query->lacks);
	record_puts(buf, "fingerprint", query->fingerprint);
	if (query->missing[0] != '\0')
		record_puts(buf, "no-sandbox", query->missing);
	if (query->new_key != NULL)
		record_puts(buf, "host-key", query->new_key);
	if (query->private_key.len > 0)
		record_put(buf, "private-key", query->private_key.data,
		    query->private_key.len);
	if (query->public_key != NULL)
		record_puts(buf, "public-key", query->public_key);
	for (j = 0; j < query->nexpired; j++)
		if (query->expired[j].removed)
			record_putn(buf, "removed", (long long)j);
	if (query->record != NULL)
		buf_put(buf, query->record->data, query->record->len);
	if (query->failed) {
		record_putn(buf, "code", err->code);
		record_puts(buf, "file", err->file);
		record_putn(buf, "line", err->line);
		record_puts(buf, "why", err->text);
	}
	record_puts(buf, "end", "");
}

/*
 * Fields: one function for each kind of value.
 */

static bool
take_number(const struct record_field *field, long long max, int *number)
{
	long long value;

	if (!record_number(field, 0, max, &value))
		return false;
	*number = (int)value;
	return true;
}

static bool
take_flag(const struct record_field *field, bool *flag)
{
	int number;

	if (!take_number(field, 1, &number))
		return false;
	*flag = number != 0;
	return true;
}

/* Printable ASCII on one line. */
static bool
is_line(const struct record_field *field)
{
	size_t i;

	for (i = 0; i < field->len; i++)
		if (field->value[i] < ' ' || field->value[i] > '~')
			return false;
	return field->len > 0;
}

static bool
take_line(const struct record_field *field, char **line)
{
	if (!is_line(field) || *line != NULL)
		return false;
	return (*line = strdup(field->value)) != NULL;
}

static bool
take_private_key(struct query *query, const struct record_field *field)
{
	if (query->private_key.len > 0)
		return false;
	buf_put(&query->private_key, field->value, field->len);
	return !query->private_key.failed;
}

static bool
take_removed(struct query *query, const struct record_field *field)
{
	int i;

	if (!take_number(field, (long long)query->nexpired - 1, &i))
		return false;
	query->expired[i].removed = true;
	return true;
}

/* The text of an error is printed, so all bytes are allowed in it. */
static bool
take_error(struct query *query, const struct record_field *field)
{
	struct x2gobroker_error *err = &query->error;
	int number;

	query->failed = true;
	if (strcmp(field->name, "why") == 0)
		strlcpy(err->text, field->value, sizeof(err->text));
	else if (strcmp(field->name, "file") == 0)
		strlcpy(err->file, field->value, sizeof(err->file));
	else if (!take_number(field, strcmp(field->name, "code") == 0 ?
	    X2GOBROKER_ERR_NOTFOUND : INT_MAX, &number))
		return false;
	else if (strcmp(field->name, "code") == 0)
		err->code = (enum x2gobroker_code)number;
	else
		err->line = (unsigned int)number;
	return true;
}

static bool
copy_line(const struct record_field *field, char *line, size_t size)
{
	return (field->len == 0 || is_line(field)) &&
	    strlcpy(line, field->value, size) < size;
}

static bool
take_field(struct reply_reader *reader, const struct record_field *field)
{
	static const char *const errors[] = { "code", "file", "line", "why",
	    NULL };
	struct query *query = reader->query;
	const char *name = field->name;
	int number;

	if (strcmp(name, "ms") == 0)
		return take_number(field, INT_MAX, &query->ms);
	if (strcmp(name, "unnamed") == 0)
		return take_flag(field, &query->unnamed);
	if (strcmp(name, "stays") == 0)
		return take_flag(field, &query->stays);
	if (strcmp(name, "lacks") == 0) {
		if (!take_number(field, LACKS_ALL, &number))
			return false;
		query->lacks = (unsigned int)number;
		return true;
	}
	if (strcmp(name, "fingerprint") == 0)
		return copy_line(field, query->fingerprint,
		    sizeof(query->fingerprint));
	if (strcmp(name, "no-sandbox") == 0)
		return copy_line(field, query->missing,
		    sizeof(query->missing));
	if (strcmp(name, "host-key") == 0)
		return take_line(field, &query->new_key);
	if (strcmp(name, "public-key") == 0)
		return take_line(field, &query->public_key);
	if (strcmp(name, "private-key") == 0)
		return take_private_key(query, field);
	if (strcmp(name, "removed") == 0)
		return take_removed(query, field);
	if (config_find_word(errors, name) != -1)
		return take_error(query, field);
	if (strcmp(name, "sshd") == 0) {
		if (!take_number(field, SSHD_REFUSES, &number))
			return false;
		query->sshd = (enum sshd_verdict)number;
		return true;
	}
	return reader->answers++ < ANSWERS_MAX &&
	    query_take(query, name, field->value, field->len, NULL) == 0;
}

/* Of a query that has no reply yet. */
static bool
begin_reply(struct reply_reader *reader, const struct record_field *field)
{
	int i;

	if (strcmp(field->name, "reply") != 0 ||
	    !take_number(field, (long long)reader->n - 1, &i) ||
	    reader->queries[i]->done)
		return false;
	reader->query = reader->queries[i];
	reader->answers = 0;
	reader->invalid = false;
	return true;
}

/* It may have repeated what a server has sent. */
static void
fail_reply(struct reply_reader *reader, const char *name)
{
	struct query *query = reader->query;

	reader->invalid = true;
	query_free(query);
	query->failed = true;
	error_set(&query->error, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "its helper program reports an invalid %s", name);
}

static bool
end_reply(struct reply_reader *reader)
{
	struct query *query = reader->query;

	if (!reader->invalid &&
	    query->failed != (query->error.code != X2GOBROKER_OK))
		fail_reply(reader, "code");
	query->done = true;
	reader->query = NULL;
	if (reader->progress != NULL)
		reader->progress(reader->arg, query);
	return true;
}

static bool
take(struct reply_reader *reader, const struct record_field *field)
{
	if (reader->query == NULL)
		return begin_reply(reader, field);
	if (strcmp(field->name, "end") == 0)
		return end_reply(reader);
	if (strcmp(field->name, "reply") == 0)
		return false;
	if (!reader->invalid && !take_field(reader, field))
		fail_reply(reader, field->name);
	return true;
}

/* Drop the first n bytes, which have been read. */
static void
drop(struct buf *text, size_t n)
{
	memmove(text->data, text->data + n, text->len - n);
	buf_truncate(text, text->len - n);
}

int
reply_read(struct reply_reader *reader, const char *data, size_t len)
{
	struct buf *text = &reader->text;
	struct record_field field;
	size_t at = 0;
	ssize_t n = 0;

	buf_put(text, data, len);
	if (text->failed)
		return -1;
	while (at < text->len && (n = record_read(text->data + at,
	    text->len - at, &field)) > 0) {
		if (!take(reader, &field))
			return -1;
		at += (size_t)n;
	}
	if (n == -1)
		return -1;
	drop(text, at);
	return 0;
}
