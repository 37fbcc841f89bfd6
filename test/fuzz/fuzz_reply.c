/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gobroker-poll writes, in two pieces; the first byte says where they
 * meet.  A query that is done has one reply, and nothing is read differently
 * in one piece.
 */
#include "agent/record.h"
#include "fuzz.h"

#define N	4

struct read {
	struct query queries[N], *list[N];
	struct reply_reader reader;
	int result;
};

static void
read_replies(struct read *read, const char *text, size_t first, size_t len)
{
	const struct connection_target target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 };
	static const struct question *const questions[N] = { &query_all,
	    &query_sessions, &query_add_key, &query_list };
	size_t i;

	memset(read, 0, sizeof(*read));
	for (i = 0; i < N; i++) {
		query_init(&read->queries[i], questions[i], &target,
		    questions[i] == &query_list ? NULL : "alice");
		read->queries[i].nexpired = 2;
		read->list[i] = &read->queries[i];
	}
	read->reader.queries = read->list;
	read->reader.n = N;
	read->result = reply_read(&read->reader, text, first);
	if (read->result == 0)
		read->result = reply_read(&read->reader, text + first,
		    len - first);
}

static void
finish(struct read *read)
{
	size_t i;

	for (i = 0; i < N; i++)
		query_free(&read->queries[i]);
	buf_free(&read->reader.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	const struct query *one, *two;
	struct read whole, halves;
	size_t i, first;

	if (size == 0)
		return 0;
	first = data[0] < size - 1 ? data[0] : size - 1;
	read_replies(&whole, text, size - 1, size - 1);
	read_replies(&halves, text, first, size - 1);
	must(whole.result == halves.result);
	for (i = 0; i < N; i++) {
		one = &whole.queries[i];
		two = &halves.queries[i];
		must(one->done == two->done && one->failed == two->failed);
		must(!one->done || one->failed == (one->error.code !=
		    X2GOBROKER_OK));
		must(one->report.nsessions == two->report.nsessions);
		must(one->report.nsessions <= (one->user != NULL ?
		    AGENT_SESSIONS_MAX : AGENT_ALL_SESSIONS_MAX));
		must(one->new_key == NULL || strchr(one->new_key, '\n') ==
		    NULL);
	}
	finish(&whole);
	finish(&halves);
	return 0;
}
