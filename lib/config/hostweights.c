/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/parse.h"
#include "config/hostlist.h"
#include "config/hostweights.h"

#define WEIGHT_MAX	10000

static int
item_error(struct x2gobroker_error *err, const char *item, size_t len,
    const char *why)
{
	return host_error(err, "broker-host-weights", item, len, why);
}

/* An IPv6 address is in brackets, so that its last part is not taken for the
 * weight. */
static int
parse_item(const char *item, size_t len, char name[static HOST_TEXT_MAX + 1],
    int *weight, struct x2gobroker_error *err)
{
	const char *colon = memrchr(item, ':', len), *digits;
	size_t name_len, digits_len;

	if (colon == NULL)
		return item_error(err, item, len, "not NAME:WEIGHT");
	digits = colon + 1;
	name_len = (size_t)(colon - item);
	digits_len = len - name_len - 1;
	parse_trim(&digits, &digits_len);
	if (!parse_item_digits(digits, digits_len, 1, WEIGHT_MAX, weight))
		return item_error(err, item, len, "no weight from 1 to 10000 "
		    "after the last ':'");
	parse_trim(&item, &name_len);
	if (!host_parse_name(item, name_len, name) ||
	    (strchr(name, ':') != NULL && *item != '['))
		return item_error(err, item, len, "neither a host name nor an "
		    "address (IPv6 in brackets) before the last ':'");
	return 0;
}

/* Two weights for one host: either could be the intended one. */
static bool
is_duplicate(const char *text, const char *until, const char *name)
{
	char other[HOST_TEXT_MAX + 1];
	const char *item;
	size_t len;
	int ignored;

	while (parse_next_item(&text, &item, &len) && item != until)
		if (len > 0 && parse_item(item, len, other, &ignored,
		    NULL) == 0 && parse_same_word(name, other))
			return true;
	return false;
}

int
hostweights_parse(const char *text, hostweights_item *fn, void *arg,
    struct x2gobroker_error *err)
{
	const char *next = text, *item;
	char name[HOST_TEXT_MAX + 1];
	size_t len;
	int weight;

	while (parse_next_item(&next, &item, &len)) {
		if (len == 0)
			continue;
		if (parse_item(item, len, name, &weight, err) == -1)
			return -1;
		if (is_duplicate(text, item, name))
			return item_error(err, item, len, "this host already "
			    "has a weight");
		if (fn != NULL)
			fn(arg, name, weight);
	}
	return 0;
}
