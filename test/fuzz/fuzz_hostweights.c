/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * broker-host-weights, and behind a form feed what servers have said, eight
 * bytes for each.  Weights that are taken are read again as the same; and the
 * server that is chosen is a usable one with the least score.
 */
#include "base/buf.h"
#include "config/hostlist.h"
#include "farm/farm.h"
#include "fuzz.h"

#define SERVERS_MAX	32

static void
write_weight(void *arg, const char *name, int weight)
{
	bool brackets = strchr(name, ':') != NULL;
	struct buf *buf = arg;
	char *item;

	must(*name != '\0' && strlen(name) <= HOST_TEXT_MAX);
	must(strpbrk(name, " ,\n[]") == NULL);
	must(weight >= 1 && weight <= 10000);
	must(asprintf(&item, ", %s%s%s:", brackets ? "[" : "", name,
	    brackets ? "]" : "") > 0);
	must(buf->len == 0 || strcasestr(buf->data, item) == NULL);
	buf_printf(buf, "%s%d", item, weight);
	free(item);
}

static void
check_weights(const char *text)
{
	struct buf first = { 0 }, second = { 0 };
	struct x2gobroker_error err = { 0 };

	if (hostnumbers_check("k", text, &err) == -1)
		must(err.text[0] != '\0');
	else if (hostnumbers_parse("k", text, write_weight, &first, NULL) == 0 &&
	    first.len > 0) {
		must(hostnumbers_parse("k", first.data, write_weight, &second,
		    NULL) == 0);
		must(strcmp(first.data, second.data) == 0);
	}
	buf_free(&first);
	buf_free(&second);
}

static void
check_choice(const uint8_t *data, size_t n, enum load_balancing balancing)
{
	struct candidate list[SERVERS_MAX] = { 0 };
	size_t i, usable = 0;
	int best;

	for (i = 0; i < n; i++, data += 8) {
		list[i].why = data[0] & 1 ? NULL : "down";
		list[i].load_known = data[0] & 2;
		list[i].sessions = (int8_t)data[1];
		list[i].pending = (int8_t)data[2];
		list[i].weight = data[3];
		memcpy(&list[i].load_factor, &data[4], 4);
	}
	for (i = 0; i < n; i++)
		usable += list[i].why == NULL;
	balance_score(list, n, balancing);
	best = balance_best(list, n);
	must((best == -1) == (usable == 0) && best < (int)n);
	for (i = 0; best != -1 && i < n; i++)
		must(list[best].why == NULL && list[best].score > 0 &&
		    (list[i].why != NULL || list[best].score <= list[i].score));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size;
	size_t n = end != NULL ? (size - len - 1) / 8 : 0;
	char *text = fuzz_string(data, len);

	n = n < SERVERS_MAX ? n : SERVERS_MAX;
	check_weights(text);
	if (end != NULL) {
		check_choice(end + 1, n, BALANCE_LOAD);
		check_choice(end + 1, n, BALANCE_SESSIONS);
	}
	free(text);
	return 0;
}
