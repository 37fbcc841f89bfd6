/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "client/markers.h"
#include "config/hostlist.h"

#define NUMBER_MAX	10000

static int
key_error(struct x2gobroker_error *err, const char *key, const char *item,
    size_t len, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "%s: \"%.*s\": %s",
	    key, (int)(len > 200 ? 200 : len), item, why);
}

/* Cut ":PORT" from the end of text and shorten *len.  The last part of a bare
 * IPv6 address is never a port; write "[ADDR]:PORT" for that. */
static bool
cut_port(const char *text, size_t *len, int *port)
{
	const char *colon = memrchr(text, ':', *len);
	struct address ignored;
	size_t digits_len;

	*port = 0;
	if (colon == NULL || address_parse(text, *len, &ignored) ||
	    text[*len - 1] == ']')
		return true;
	digits_len = *len - (size_t)(colon - text) - 1;
	*len = (size_t)(colon - text);
	return parse_item_digits(colon + 1, digits_len, 1, 65535, port);
}

/* Copy a host name or an address, without the brackets of an IPv6 address. */
static bool
parse_name(const char *text, size_t len,
    char dst[static HOST_TEXT_MAX + 1])
{
	struct address ignored;
	const char *word;

	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
		if (memchr(text, ':', len) == NULL)
			return false;
	}
	if (len >= HOST_TEXT_MAX || (!address_is_host_name(text, len) &&
	    !address_parse(text, len, &ignored)))
		return false;
	/* answers have it between "SERVER:" and ":PORT"; the client ignores
	 * another "SERVER:" at the end of a name */
	memcpy(dst, text, len);
	memcpy(dst + len, ":", 2);
	word = markers_find(dst, len + 1);
	if (word != NULL && strcmp(word, MARKER_SERVER) != 0)
		return false;
	dst[len] = '\0';
	return true;
}

/* Returns NULL, or why item is refused. */
static const char *
parse_item(const char *item, size_t len, struct host *host)
{
	const char *open = memchr(item, '(', len), *name = item, *addr;
	size_t name_len = len, addr_len;

	host->address[0] = '\0';
	host->port = 0;
	if (open != NULL) {
		if (item[len - 1] != ')')
			return "no ')' at the end";
		addr = open + 1;
		addr_len = len - (size_t)(addr - item) - 1;
		parse_trim(&addr, &addr_len);
		if (!cut_port(addr, &addr_len, &host->port) ||
		    !parse_name(addr, addr_len, host->address))
			return "the text in brackets is neither ADDRESS nor "
			    "ADDRESS:PORT";
		name_len = (size_t)(open - item);
		parse_trim(&name, &name_len);
	} else if (!cut_port(item, &name_len, &host->port))
		return "no port from 1 to 65535 after ':'";
	return parse_name(name, name_len, host->name) ? NULL :
	    "neither a host name nor an address";
}

int
hostlist_next(const char **text, struct host *host,
    struct x2gobroker_error *err)
{
	const char *item, *why;
	size_t len;

	while (parse_next_item(text, &item, &len))
		if (len > 0)
			return (why = parse_item(item, len, host)) == NULL ? 1 :
			    key_error(err, "host", item, len, why);
	return 0;
}

int
hostlist_no_server(struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
	    "host: no server given");
}

int
hostlist_parse(const char *text, struct host **out, size_t *n,
    struct x2gobroker_error *err)
{
	cleanup_free struct host *list = NULL;
	struct host host, *more;
	size_t used = 0;
	int result;

	*out = NULL;
	*n = 0;
	while ((result = hostlist_next(&text, &host, err)) == 1) {
		more = array_grow(list, used, sizeof(*list));
		if (more == NULL)
			return error_nomem(err);
		list = more;
		list[used++] = host;
	}
	if (result == -1)
		return -1;
	if (used == 0)
		return hostlist_no_server(err);
	*out = steal(&list);
	*n = used;
	return 0;
}

int
hostlist_first(const char *text, struct host *host,
    struct x2gobroker_error *err)
{
	int result = hostlist_next(&text, host, err);

	return result == 1 ? 0 : result == 0 ? hostlist_no_server(err) : -1;
}

/*
 * The names that servers give themselves
 */

static size_t
len_without_dot(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && name[len - 1] == '.' ? len - 1 : len;
}

/* An address has many spellings. */
static bool
is_same_name(const char *a, const char *b)
{
	size_t a_len = len_without_dot(a);
	struct address aa, ab;

	if (address_parse(a, strlen(a), &aa) &&
	    address_parse(b, strlen(b), &ab))
		return memcmp(&aa, &ab, sizeof(aa)) == 0;
	return a_len > 0 && parse_same_text(a, a_len, b, len_without_dot(b));
}

/* Whether both have the same first label and one of them has no domain.  With
 * two different domains they are two hosts. */
static bool
is_short_for(const char *a, const char *b)
{
	size_t a_len = len_without_dot(a), b_len = len_without_dot(b);
	const char *a_dot = memchr(a, '.', a_len);
	const char *b_dot = memchr(b, '.', b_len);
	struct address ignored;

	if ((a_dot != NULL && b_dot != NULL) ||
	    address_parse(a, a_len, &ignored) ||
	    address_parse(b, b_len, &ignored))
		return false;
	if (a_dot != NULL)
		a_len = (size_t)(a_dot - a);
	if (b_dot != NULL)
		b_len = (size_t)(b_dot - b);
	return a_len > 0 && parse_same_text(a, a_len, b, b_len);
}

static bool
has_name(const struct host *host, const char *name)
{
	return is_same_name(host->name, name);
}

static bool
has_address(const struct host *host, const char *name)
{
	return is_same_name(host->address, name);
}

static bool
has_label(const struct host *host, const char *name)
{
	return is_short_for(host->name, name) ||
	    is_short_for(host->address, name);
}

static bool
is_same_host(const struct host *a, const struct host *b)
{
	return a->port == b->port && is_same_name(a->name, b->name) &&
	    strcmp(a->address, b->address) == 0;
}

const struct host *
hostlist_match(const struct host *hosts, size_t n, const char *name)
{
	static bool (*const tests[])(const struct host *, const char *) = {
		has_name, has_address, has_label,
	};
	const struct host *found = NULL;
	size_t i, j;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		for (j = 0; j < n; j++) {
			if (!tests[i](&hosts[j], name))
				continue;
			if (found != NULL && !is_same_host(found, &hosts[j]))
				return NULL;
			found = &hosts[j];
		}
		if (found != NULL)
			return found;
	}
	return NULL;
}

int
hostlist_compare_labels(const char *a, const char *b)
{
	struct address aa, ab;
	bool a_is_address = address_parse(a, len_without_dot(a), &aa);
	bool b_is_address = address_parse(b, len_without_dot(b), &ab);
	size_t i = 0;

	if (a_is_address || b_is_address)
		return a_is_address && b_is_address ?
		    memcmp(&aa, &ab, sizeof(aa)) :
		    (int)a_is_address - (int)b_is_address;
	while (a[i] != '\0' && a[i] != '.' &&
	    parse_upper(a[i]) == parse_upper(b[i]))
		i++;
	return (a[i] == '.' ? 0 : parse_upper(a[i])) -
	    (b[i] == '.' ? 0 : parse_upper(b[i]));
}

const char *
host_for_client(const struct host *host)
{
	if (host->address[0] != '\0' && strchr(host->address, ':') == NULL)
		return host->address;
	return strchr(host->name, ':') == NULL ? host->name : NULL;
}

int
host_port(const struct host *host, const char *setting)
{
	int port = SSH_PORT;

	if (host->port != 0)
		return host->port;
	if (setting != NULL)
		parse_int(setting, 1, 65535, &port);
	return port;
}

/*
 * Numbers of servers: weights, limits
 */

/* The name before the last ':' of an item, and what is behind that; false
 * without one.  An IPv6 address is in brackets, so that its last part is not
 * taken for the number. */
static bool
split_number(const char **name, size_t *name_len, const char **digits,
    size_t *digits_len)
{
	const char *colon = memrchr(*name, ':', *name_len);

	if (colon == NULL)
		return false;
	*digits = colon + 1;
	*digits_len = *name_len - (size_t)(*digits - *name);
	*name_len = (size_t)(colon - *name);
	parse_trim(name, name_len);
	parse_trim(digits, digits_len);
	return true;
}

static const char *
parse_number(const char *item, size_t len, char name[static HOST_TEXT_MAX + 1],
    int *number)
{
	const char *digits;
	size_t digits_len;

	if (!split_number(&item, &len, &digits, &digits_len))
		return "not NAME:NUMBER";
	if (!parse_item_digits(digits, digits_len, 1, NUMBER_MAX, number))
		return "no number from 1 to 10000 after the last ':'";
	if (!parse_name(item, len, name) ||
	    (strchr(name, ':') != NULL && *item != '['))
		return "neither a host name nor an address (IPv6 in brackets) "
		    "before the last ':'";
	return NULL;
}

int
hostnumbers_parse(const char *key, const char *text, hostnumbers_item *fn,
    void *arg, struct x2gobroker_error *err)
{
	char name[HOST_TEXT_MAX + 1];
	const char *item, *why;
	size_t len;
	int number;

	while (parse_next_item(&text, &item, &len)) {
		if (len == 0)
			continue;
		why = parse_number(item, len, name, &number);
		if (why != NULL)
			return key_error(err, key, item, len, why);
		if (fn != NULL)
			fn(arg, name, number);
	}
	return 0;
}

struct numbered {
	const char *item, *name;
	size_t len, name_len;
};

static int
compare_names(const void *a, const void *b)
{
	const struct numbered *one = a, *other = b;
	size_t i;
	int order = 0;

	for (i = 0; order == 0 && i < one->name_len && i < other->name_len; i++)
		order = parse_upper(one->name[i]) - parse_upper(other->name[i]);
	return order != 0 ? order : (one->name_len > other->name_len) -
	    (one->name_len < other->name_len);
}

/* Two numbers for one host: either could be the intended one.  There may be
 * thousands, too many to compare each with each. */
int
hostnumbers_check(const char *key, const char *text,
    struct x2gobroker_error *err)
{
	cleanup_free struct numbered *list = NULL;
	struct numbered item, *more, *later;
	size_t i, n = 0, digits_len;
	const char *digits;

	if (hostnumbers_parse(key, text, NULL, NULL, err) == -1)
		return -1;
	while (parse_next_item(&text, &item.item, &item.len)) {
		item.name = item.item;
		item.name_len = item.len;
		if (!split_number(&item.name, &item.name_len, &digits,
		    &digits_len))
			continue;	/* an empty item */
		more = array_grow(list, n, sizeof(*list));
		if (more == NULL)
			return error_nomem(err);
		list = more;
		list[n++] = item;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), compare_names);
	for (i = 1; i < n; i++)
		if (compare_names(&list[i - 1], &list[i]) == 0) {
			later = &list[i - (list[i - 1].item > list[i].item)];
			return key_error(err, key, later->item, later->len,
			    "this host already has a number");
		}
	return 0;
}
