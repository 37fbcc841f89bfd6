/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "agent/record.h"
#include "base/array.h"

#define NAME_MAX_LEN	20
#define LENGTH_DIGITS	8

void
record_put(struct buf *buf, const char *name, const char *value, size_t len)
{
	buf_printf(buf, "%s %zu ", name, len);
	buf_put(buf, value, len);
	buf_putc(buf, '\n');
}

void
record_puts(struct buf *buf, const char *name, const char *value)
{
	record_put(buf, name, value, strlen(value));
}

void
record_putn(struct buf *buf, const char *name, long long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", number);
	record_puts(buf, name, text);
}

/* The length of the word that text begins with, without the blank behind it; 0:
 * more bytes are needed; -1: there is no such word. */
static ssize_t
word_len(const char *text, size_t len, const char *letters, size_t max)
{
	size_t n = 0;

	while (n < len && text[n] != '\0' && strchr(letters, text[n]) != NULL)
		if (++n > max)
			return -1;
	if (n == len)
		return 0;
	return n > 0 && text[n] == ' ' ? (ssize_t)n : -1;
}

ssize_t
record_read(char *text, size_t len, struct record_field *field)
{
	size_t begin, value;
	ssize_t n;

	if ((n = word_len(text, len, "abcdefghijklmnopqrstuvwxyz-",
	    NAME_MAX_LEN)) <= 0)
		return n;
	begin = (size_t)n + 1;
	if ((n = word_len(text + begin, len - begin, "0123456789",
	    LENGTH_DIGITS)) <= 0)
		return n;
	value = begin + (size_t)n + 1;
	field->len = strtoul(text + begin, NULL, 10);
	if (field->len > RECORD_VALUE_MAX)
		return -1;
	if (len - value < field->len + 1)
		return 0;
	field->name = text;
	field->value = text + value;
	if (field->value[field->len] != '\n' ||
	    memchr(field->value, '\0', field->len) != NULL)
		return -1;
	text[begin - 1] = field->value[field->len] = '\0';
	return (ssize_t)(value + field->len + 1);
}

bool
record_number(const struct record_field *field, long long min, long long max,
    long long *number)
{
	const char *why;

	*number = strtonum(field->value, min, max, &why);
	return why == NULL;
}

/*
 * Orders
 */

static void
put_query(struct buf *buf, const struct query *query)
{
	const struct connection_target *target = &query->target;
	size_t i;

	record_puts(buf, "query", query->question->name);
	record_puts(buf, "name", target->host.name);
	record_puts(buf, "address", target->host.address);
	record_putn(buf, "port", target->port);
	record_putn(buf, "policy", target->policy);
	if (query->user != NULL)
		record_puts(buf, "user", query->user);
	for (i = 0; i < QUERY_ARGS && query->args[i] != NULL; i++)
		record_puts(buf, "arg", query->args[i]);
	record_putn(buf, "lacks", query->lacks);
	for (i = 0; i < query->nexpired; i++) {
		record_puts(buf, "expired-user", query->expired[i].user);
		record_puts(buf, "expired-line", query->expired[i].line);
		record_puts(buf, "expired-file", query->expired[i].file);
	}
}

/* The length is known when the rest is there. */
static void
put_head(struct buf *buf, size_t begin)
{
	char head[32];

	if (buf->failed)
		return;
	snprintf(head, sizeof(head), "%0*zu\n", ORDER_HEAD - 1,
	    buf->len - begin - ORDER_HEAD);
	memcpy(buf->data + begin, head, ORDER_HEAD);
}

void
order_put(struct buf *buf, const struct order *order)
{
	size_t i, begin = buf->len;

	buf_printf(buf, "%*s", ORDER_HEAD, "");
	record_puts(buf, "version", X2GOBROKER_VERSION);
	record_putn(buf, "deadline", order->deadline);
	record_putn(buf, "confine", order->confine);
	record_putn(buf, "stay", order->stay);
	if (order->service != NULL) {
		record_puts(buf, "service", order->service);
		record_puts(buf, "service-file", order->service_file);
	} else {
		record_puts(buf, "account", order->account);
		record_puts(buf, "agent", order->agent);
		record_puts(buf, "known-hosts", order->known_hosts);
	}
	for (i = 0; i < order->nidentities; i++)
		record_puts(buf, "identity", order->identities[i]);
	for (i = 0; i < order->n; i++)
		put_query(buf, order->queries[i]);
	put_head(buf, begin);
}

static bool
add_identity(struct order *order, char *path)
{
	char **more = array_grow(order->identities, order->nidentities,
	    sizeof(*more));

	if (more == NULL)
		return false;
	order->identities = more;
	more[order->nidentities++] = path;
	return true;
}

static bool
add_query(struct order *order, const char *name)
{
	const struct question *const *question = query_questions;
	struct query *query, **more;

	while (*question != NULL && strcmp((*question)->name, name) != 0)
		question++;
	if (*question == NULL ||
	    (more = array_grow(order->queries, order->n, sizeof(*more))) ==
	    NULL)
		return false;
	order->queries = more;
	if ((query = malloc(sizeof(*query))) == NULL)
		return false;
	query_init(query, *question, NULL, NULL);
	query->target.source = &source_ssh;
	more[order->n++] = query;
	return true;
}

static bool
add_arg(struct query *query, const char *value)
{
	size_t i = 0;

	while (i < QUERY_ARGS && query->args[i] != NULL)
		i++;
	if (i == QUERY_ARGS)
		return false;
	query->args[i] = value;
	return true;
}

static bool
copy_host(char text[HOST_TEXT_MAX + 1], const struct record_field *field)
{
	return strlcpy(text, field->value, HOST_TEXT_MAX + 1) <= HOST_TEXT_MAX;
}

/* The user comes first, so it begins a new row. */
static bool
take_expired(struct query *query, const struct record_field *field)
{
	struct expired_key *key = &query->expired[query->nexpired];

	if (strcmp(field->name, "expired-user") == 0) {
		if (query->nexpired == QUERY_EXPIRED_MAX)
			return false;
		key->user = field->value;
		query->nexpired++;
		return true;
	}
	if (query->nexpired == 0)
		return false;
	key--;
	if (strcmp(field->name, "expired-line") == 0)
		key->line = field->value;
	else
		key->file = field->value;
	return true;
}

/* A field of the last query. */
static bool
take_of_query(struct query *query, const struct record_field *field)
{
	struct connection_target *target = &query->target;
	const char *name = field->name;
	long long number;

	if (strcmp(name, "name") == 0)
		return copy_host(target->host.name, field);
	if (strcmp(name, "address") == 0)
		return copy_host(target->host.address, field);
	if (strcmp(name, "arg") == 0)
		return add_arg(query, field->value);
	if (strncmp(name, "expired-", strlen("expired-")) == 0)
		return take_expired(query, field);
	if (strcmp(name, "user") == 0)
		query->user = field->value;
	else if (strcmp(name, "port") == 0 &&
	    record_number(field, 0, 65535, &number))
		target->port = (int)number;
	else if (strcmp(name, "lacks") == 0 &&
	    record_number(field, 0, LACKS_ALL, &number))
		query->lacks = (unsigned int)number;
	else if (strcmp(name, "policy") == 0 &&
	    record_number(field, HOSTKEY_REJECT, HOSTKEY_ADD, &number))
		target->policy = (enum hostkey_policy)number;
	else
		return false;
	return true;
}

static bool
take_of_order(struct order *order, const struct record_field *field)
{
	const char *name = field->name, *value = field->value;
	long long number;

	if (strcmp(name, "query") == 0)
		return add_query(order, value);
	if (order->n > 0)
		return take_of_query(order->queries[order->n - 1], field);
	if (strcmp(name, "version") == 0)
		return strcmp(value, X2GOBROKER_VERSION) == 0;
	if (strcmp(name, "identity") == 0)
		return add_identity(order, field->value);
	if (strcmp(name, "account") == 0)
		order->account = value;
	else if (strcmp(name, "agent") == 0)
		order->agent = value;
	else if (strcmp(name, "known-hosts") == 0)
		order->known_hosts = value;
	else if (strcmp(name, "service") == 0)
		order->service = value;
	else if (strcmp(name, "service-file") == 0)
		order->service_file = value;
	else if (strcmp(name, "deadline") == 0 &&
	    record_number(field, 0, INT64_MAX, &number))
		order->deadline = number;
	else if (strcmp(name, "confine") == 0 &&
	    record_number(field, 0, 1, &number))
		order->confine = number != 0;
	else if (strcmp(name, "stay") == 0 &&
	    record_number(field, 0, 1, &number))
		order->stay = number != 0;
	else
		return false;
	return true;
}

static bool
is_complete(const struct order *order)
{
	if (order->service != NULL)
		return order->n > 0 && order->service_file != NULL;
	return order->n > 0 && order->account != NULL &&
	    order->agent != NULL && order->known_hosts != NULL;
}

int
order_read(char *text, size_t len, struct order *order,
    struct x2gobroker_error *err)
{
	struct record_field field = { .name = "no field" };
	size_t at = 0;
	ssize_t n = 1;

	while (at < len && (n = record_read(text + at, len - at, &field)) > 0 &&
	    take_of_order(order, &field))
		at += (size_t)n;
	if (at == len && is_complete(order))
		return 0;
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0, "not an order of "
	    "libx2gobroker " X2GOBROKER_VERSION ": %s", at == len ?
	    "incomplete" : n > 0 ? field.name : "no field");
}

void
order_free(struct order *order)
{
	size_t i;

	for (i = 0; i < order->n; i++) {
		query_free(order->queries[i]);
		free(order->queries[i]);
	}
	free(order->queries);
	free(order->identities);
	*order = (struct order){ 0 };
}
