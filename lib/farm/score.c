/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "farm/score.h"
#include "config/hostlist.h"
#include "base/parse.h"

#define WEIGHT_MAX	10000

static bool
any_load_known(const struct candidate *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (list[i].usable && list[i].load_known)
			return true;
	return false;
}

/* How many sessions the server would have with the new one. */
static double
sessions_then(const struct candidate *c)
{
	return (double)(c->sessions > 0 ? c->sessions : 0) +
	    (double)(c->pending > 0 ? c->pending : 0) + 1;
}

void
score_of(struct candidate *list, size_t n, enum load_balancing balancing)
{
	bool by_load = balancing == BALANCE_LOAD && any_load_known(list, n);
	struct candidate *c;

	for (c = list; c < list + n; c++) {
		if (by_load && !c->load_known)
			c->usable = false;
		if (by_load)
			c->score = sessions_then(c) / (double)
			    (c->load_factor > 0 ? c->load_factor : 1);
		else
			c->score = sessions_then(c) /
			    (c->weight > 0 ? c->weight : 1);
	}
}

/* Each one that is as good as the best so far takes its place with a chance of
 * one in the number of those that are, which is the same for all in the end. */
int
score_choose(const struct candidate *list, size_t n)
{
	unsigned int equals = 0;
	int best = -1;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!list[i].usable ||
		    (best != -1 && list[i].score > list[best].score))
			continue;
		if (best == -1 || list[i].score < list[best].score)
			equals = 0;
		if (arc4random_uniform(++equals) == 0)
			best = (int)i;
	}
	return best;
}

/*
 * Weights
 */

static int
bad(struct x2gobroker_error *err, const char *item, size_t len,
    const char *why)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
	    "broker-host-weights: \"%.*s\": %s", (int)(len > 200 ? 200 : len),
	    item, why);
}

static void
trim(const char **text, size_t *len)
{
	while (*len > 0 && **text == ' ') {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && (*text)[*len - 1] == ' ')
		(*len)--;
}

/* A host's name or address; an IPv6 address is in brackets, so that its last
 * part is not taken for the weight. */
static bool
take_name(const char *text, size_t len, char dst[static HOST_TEXT_MAX + 1])
{
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
	struct address ignored;

	if (brackets) {
		text++;
		len -= 2;
	}
	if (len > HOST_TEXT_MAX ||
	    (memchr(text, ':', len) != NULL) != brackets ||
	    (!address_is_host_name(text, len) &&
	    !address_parse(text, len, &ignored)))
		return false;
	memcpy(dst, text, len);
	dst[len] = '\0';
	return true;
}

static bool
take_weight(const char *text, size_t len, int *weight)
{
	char digits[8];

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return parse_digits(digits, 1, WEIGHT_MAX, weight);
}

static int
parse_item(const char *item, size_t len, char name[static HOST_TEXT_MAX + 1],
    int *weight, struct x2gobroker_error *err)
{
	const char *colon = memrchr(item, ':', len), *digits, *host = item;
	size_t host_len, digits_len;

	if (colon == NULL)
		return bad(err, item, len, "no NAME:WEIGHT");
	digits = colon + 1;
	host_len = (size_t)(colon - item);
	digits_len = len - host_len - 1;
	trim(&digits, &digits_len);
	if (!take_weight(digits, digits_len, weight))
		return bad(err, item, len, "no weight from 1 to 10000 behind "
		    "the last ':'");
	trim(&host, &host_len);
	if (!take_name(host, host_len, name))
		return bad(err, item, len, "neither a host's name nor an "
		    "address (one of IPv6 in brackets) before the last ':'");
	return 0;
}

/* Two weights for one host: which of them was meant? */
static bool
is_twice(const char *text, const char *until, const char *name)
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
hostweights_parse(const char *text, score_weight *fn, void *arg,
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
		if (is_twice(text, item, name))
			return bad(err, item, len, "this host has a weight "
			    "already");
		if (fn != NULL)
			fn(arg, name, weight);
	}
	return 0;
}
