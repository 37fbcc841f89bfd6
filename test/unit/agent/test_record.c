/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders and replies, written and read again, and what is refused.  Linked with
 * --wrap for the functions of failing_malloc.h.
 */
#include "agent/record.h"
#include "failing_malloc.h"
#include "support.h"

#define ID	"alice-50-1763930965_stDXFCE_dp24"
#define LISTED	"OK\n4711|" ID "|50|ts01|S|2026-11-23T20:49:25|" \
		"d5ac5e1b|192.0.2.7|30001|30002|2026-11-23T20:49:25|alice|" \
		"877|30003|-1|-1\n"
#define LOAD	"OK\nloadavgXX:121\nmemAvail:15873\nmyMemAvail:15010\n" \
		"numCPU:4\ntypeCPU:2400\n"

static void
fields_are_read_strictly(void **state unused)
{
	static const struct {
		const char *text;
		size_t len;
		ssize_t result;
	} rows[] = {
		{ "a 0 \n", 5, 5 }, { "end 2 xy\nmore", 13, 9 },
		{ "a-b 3 \n\n\n\n", 10, 10 },
		/* more is needed */
		{ "", 0, 0 }, { "a", 1, 0 }, { "a 1", 3, 0 },
		{ "a 1 ", 4, 0 }, { "a 1 x", 5, 0 }, { "a 1048576 ", 10, 0 },
		/* no field */
		{ " ", 1, -1 }, { "A 0 \n", 5, -1 }, { "a  0 \n", 6, -1 },
		{ "a x\n", 4, -1 }, { "a -1 \n", 6, -1 },
		{ "a 1 xy", 6, -1 }, { "a 3 x\0z\n", 8, -1 },
		{ "a 1048577 ", 10, -1 }, { "a 123456789 ", 12, -1 },
		{ "abcdefghijklmnopqrstu 0 \n", 25, -1 },
		{ "\0 0 \n", 5, -1 }, { "a\n", 2, -1 },
	};
	struct record_field field;
	char text[40];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		memcpy(text, rows[i].text, rows[i].len);
		check(rows[i].text, record_read(text, rows[i].len, &field) ==
		    rows[i].result);
	}
	memcpy(text, "end 2 xy\n", 9);
	assert_int_equal(record_read(text, 9, &field), 9);
	assert_string_equal(field.name, "end");
	assert_string_equal(field.value, "xy");
	assert_int_equal(field.len, 2);
}

static char *identities[] = { (char[]){ "/key" }, (char[]){ "/other" } };

static void
fill_order(struct order *order, struct query queries[2], struct query **list)
{
	const struct connection_target target = { .source = &source_ssh,
	    .host = { .name = "ts01", .address = "192.0.2.1" }, .port = 2022,
	    .policy = HOSTKEY_ADD };

	query_init(&queries[0], &query_keypair, NULL, NULL);
	queries[0].args[0] = "RSA";
	queries[0].lacks = LACKS_STATUS;
	query_init(&queries[1], &query_add_key, &target, "alice");
	queries[1].args[0] = "a line\twith \"all\"";
	queries[1].args[1] = "%h/file";
	queries[1].expired[0] = (struct expired_key){ "bob", "l", "f", false };
	queries[1].expired[1] = (struct expired_key){ "bob", "m", "f", false };
	queries[1].nexpired = 2;
	list[0] = &queries[0];
	list[1] = &queries[1];
	*order = (struct order){ .deadline = 123456789012, .confine = true,
	    .stay = true,
	    .account = "x2go", .agent = "/the/agent", .known_hosts = "/known",
	    .identities = identities, .nidentities = 2, .queries = list,
	    .n = 2 };
}

static int
read_back(const struct buf *text, struct order *order)
{
	const char *why;

	text->data[ORDER_HEAD - 1] = '\0';
	assert_int_equal(strtonum(text->data, 1, 1 << 20, &why),
	    text->len - ORDER_HEAD);
	return order_read(text->data + ORDER_HEAD, text->len - ORDER_HEAD,
	    order, NULL);
}

static void
an_order_is_read_as_it_was_written(void **state unused)
{
	struct order order, read = { 0 };
	struct query queries[2], *list[2], *query;
	struct buf text = { 0 };

	fill_order(&order, queries, list);
	order_put(&text, &order);
	assert_int_equal(read_back(&text, &read), 0);
	assert_true(read.deadline == order.deadline);
	assert_true(read.confine && read.stay);
	assert_string_equal(read.account, "x2go");
	assert_string_equal(read.agent, "/the/agent");
	assert_string_equal(read.known_hosts, "/known");
	assert_int_equal(read.nidentities, 2);
	assert_string_equal(read.identities[1], "/other");
	assert_int_equal(read.n, 2);
	assert_ptr_equal(read.queries[0]->question, &query_keypair);
	assert_string_equal(read.queries[0]->args[0], "RSA");
	assert_int_equal(read.queries[0]->lacks, LACKS_STATUS);
	query = read.queries[1];
	assert_string_equal(query->target.host.name, "ts01");
	assert_string_equal(query->target.host.address, "192.0.2.1");
	assert_int_equal(query->target.port, 2022);
	assert_int_equal(query->target.policy, HOSTKEY_ADD);
	assert_string_equal(query->user, "alice");
	assert_string_equal(query->args[0], "a line\twith \"all\"");
	assert_string_equal(query->args[1], "%h/file");
	assert_int_equal(query->nexpired, 2);
	assert_string_equal(query->expired[1].line, "m");
	order_free(&read);
	buf_free(&text);
}

static void
an_order_for_a_database_has_a_service(void **state unused)
{
	struct order order, read = { 0 };
	struct query query, *list[] = { &query };
	struct buf text = { 0 };

	query_init(&query, &query_all, NULL, "alice");
	query.args[0] = "60";
	order = (struct order){ .deadline = 5, .service = "farm",
	    .service_file = "/file", .queries = list, .n = 1 };
	order_put(&text, &order);
	assert_int_equal(read_back(&text, &read), 0);
	assert_string_equal(read.service, "farm");
	assert_string_equal(read.service_file, "/file");
	assert_null(read.account);
	assert_string_equal(read.queries[0]->user, "alice");
	assert_string_equal(read.queries[0]->args[0], "60");
	order_free(&read);
	buf_free(&text);
}

#define HEAD	"account 1 a\nagent 1 b\n" \
		"known-hosts 0 \n"
#define QUERY	HEAD "query 3 all\n"

static void
other_orders_are_refused(void **state unused)
{
	static const struct {
		const char *text, *why;		/* NULL: it is none */
	} rows[] = {
		{ QUERY, NULL }, { "", "incomplete" }, { HEAD, "incomplete" },
		{ "account 1 a\nquery 3 all\n", "incomplete" },
		{ "service 1 a\nquery 3 all\n", "incomplete" },
		{ "service 1 a\nservice-file 1 a\n", "incomplete" },
		{ "version 3 0.0\n", "version" }, { "x", "no field" },
		{ HEAD "query 4 some\n", "query" }, { HEAD "x 1 a\n", "x" },
		{ HEAD "deadline 2 -1\n", "deadline" },
		{ HEAD "confine 1 2\n", "confine" },
		{ QUERY "port 5 65536\n", "port" }, { QUERY "port 0 \n", "port" },
		{ QUERY "policy 1 3\n", "policy" },
		{ QUERY "lacks 1 4\n", "lacks" }, { QUERY "x 1 a\n", "x" },
		{ QUERY "arg 0 \narg 0 \narg 0 \n", "arg" },
		{ QUERY "expired-line 1 a\n", "expired-line" },
		{ QUERY "account 1 a\n", "account" },
	};
	struct x2gobroker_error err;
	struct order order;
	char text[300];
	size_t i, j;

	for (i = 0; i < LENGTH(rows); i++) {
		order = (struct order){ 0 };
		strlcpy(text, rows[i].text, sizeof(text));
		check(rows[i].text, order_read(text, strlen(rows[i].text),
		    &order, &err) == (rows[i].why == NULL ? 0 : -1));
		if (rows[i].why != NULL)
			check(rows[i].text, strstr(err.text, rows[i].why) !=
			    NULL);
		order_free(&order);
	}
	/* a name that is too long, and too many lines to remove */
	for (i = 0; i < 2; i++) {
		struct buf buf = { 0 };

		buf_puts(&buf, QUERY);
		buf_printf(&buf, i == 0 ? "name 300 %300d\n" : "", 0);
		for (j = 0; i == 1 && j <= QUERY_EXPIRED_MAX; j++)
			record_puts(&buf, "expired-user", "bob");
		order = (struct order){ 0 };
		assert_int_equal(order_read(buf.data, buf.len, &order, NULL),
		    -1);
		order_free(&order);
		buf_free(&buf);
	}
}

static void
an_order_takes_memory(void **state unused)
{
	struct order order, read;
	struct query queries[2], *list[2];
	struct buf text = { 0 };
	int n, result;

	fill_order(&order, queries, list);
	for (n = 1;; n++) {
		order_put(&text, &order);
		read = (struct order){ 0 };
		alloc_fail(n);
		result = read_back(&text, &read);
		order_free(&read);
		buf_free(&text);
		if (!alloc_failed())
			break;
		assert_int_equal(result, -1);
	}
	assert_int_equal(result, 0);
	assert_int_equal(n, 7);
}

/*
 * Replies
 */

static int ndone;

static void
note(void *arg, struct query *query)
{
	assert_ptr_equal(arg, &ndone);
	assert_true(query->done);
	ndone++;
}

static struct query queries[3], *const list[] = { &queries[0], &queries[1],
    &queries[2] };

/* Queries about alice, and who reads their replies. */
static void
begin(struct reply_reader *reader)
{
	const struct connection_target target = { .source = &source_ssh,
	    .host = { .name = "ts01" }, .port = 22 };

	query_init(&queries[0], &query_all, &target, "alice");
	query_init(&queries[1], &query_add_key, &target, "alice");
	queries[1].nexpired = 2;
	query_init(&queries[2], &query_keypair, NULL, NULL);
	*reader = (struct reply_reader){ .queries = list, .n = LENGTH(list),
	    .progress = note, .arg = &ndone };
	ndone = 0;
}

static void
finish(struct reply_reader *reader)
{
	size_t i;

	for (i = 0; i < LENGTH(list); i++)
		query_free(list[i]);
	buf_free(&reader->text);
}

/* What was asked, as x2gobroker-poll has it. */
static void
write_replies(struct buf *text)
{
	struct reply_reader none;
	struct buf answers = { 0 };

	begin(&none);
	record_puts(&answers, AGENT_LISTSESSIONS, LISTED);
	record_puts(&answers, AGENT_CHECKLOAD, LOAD);
	queries[0].ms = 12;
	strcpy(queries[0].missing, "Landlock");
	queries[0].sshd = SSHD_PENALISES;
	queries[0].new_key = strdup("ts01 ssh-ed25519 AAAA");
	strcpy(queries[0].fingerprint, "SHA256:finger");
	queries[0].record = &answers;
	queries[1].failed = queries[1].stays = true;
	queries[1].lacks = LACKS_COUNTS;
	queries[1].expired[1].removed = true;
	error_set(&queries[1].error, X2GOBROKER_ERR_DENIED, "/file", 7,
	    "no\nway");
	buf_puts(&queries[2].private_key, "-----BEGIN\nEND\n");
	queries[2].public_key = strdup("ssh-rsa AAAA");
	reply_put(text, 0, &queries[0]);
	reply_put(text, 2, &queries[2]);
	reply_put(text, 1, &queries[1]);
	finish(&none);
	buf_free(&answers);
}

static void
replies_are_read_as_they_arrive(void **state unused)
{
	static const size_t steps[] = { 1, 7, 100, 100000 };
	struct reply_reader reader;
	struct buf text = { 0 };
	size_t i, at, n;

	write_replies(&text);
	for (i = 0; i < LENGTH(steps); i++) {
		begin(&reader);
		for (at = 0; at < text.len; at += n) {
			n = text.len - at < steps[i] ? text.len - at :
			    steps[i];
			assert_int_equal(reply_read(&reader, text.data + at,
			    n), 0);
		}
		assert_int_equal(ndone, 3);
		assert_false(queries[0].failed);
		assert_int_equal(queries[0].report.nsessions, 1);
		assert_true(queries[0].report.load_known);
		assert_int_equal(queries[0].ms, 12);
		assert_string_equal(queries[0].missing, "Landlock");
		assert_int_equal(queries[0].sshd, SSHD_PENALISES);
		assert_string_equal(queries[0].new_key,
		    "ts01 ssh-ed25519 AAAA");
		assert_string_equal(queries[0].fingerprint, "SHA256:finger");
		assert_true(queries[1].failed && queries[1].stays);
		assert_int_equal(queries[1].lacks, LACKS_COUNTS);
		assert_int_equal(queries[1].error.code, X2GOBROKER_ERR_DENIED);
		assert_string_equal(queries[1].error.file, "/file");
		assert_int_equal(queries[1].error.line, 7);
		assert_string_equal(queries[1].error.text, "no\nway");
		assert_false(queries[1].expired[0].removed);
		assert_true(queries[1].expired[1].removed);
		assert_string_equal(queries[2].private_key.data,
		    "-----BEGIN\nEND\n");
		assert_string_equal(queries[2].public_key, "ssh-rsa AAAA");
		finish(&reader);
	}
	buf_free(&text);
}

#define ZERO	"reply 1 0\n"
#define ONE	"reply 1 1\n"
#define END	"end 0 \n"

static void
what_is_no_reply_is_refused(void **state unused)
{
	static const struct {
		const char *text;
		int done;
	} rows[] = {
		{ "hello\n", 0 }, { "end 0 \n", 0 }, { "ms 1 1\n", 0 },
		{ "reply 1 3\n", 0 }, { "reply 2 -1\n", 0 },
		{ "reply 1 x\n", 0 }, { ZERO ZERO, 0 },
		{ ZERO END ZERO, 1 }, { ZERO END "x\n", 1 },
	};
	struct reply_reader reader;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		begin(&reader);
		check(rows[i].text, reply_read(&reader, rows[i].text,
		    strlen(rows[i].text)) == -1);
		check(rows[i].text, ndone == rows[i].done);
		finish(&reader);
	}
}

#define EMPTY	"listsessions 3 OK\n\n"

/* What one server sends may make its own reply invalid, and no other. */
static void
a_wrong_value_fails_its_own_query(void **state unused)
{
	static const char *const rows[] = {
		"ms 2 -1\n", "sshd 1 3\n", "unnamed 1 2\n", "stays 0 \n",
		"lacks 1 4\n",		"removed 1 2\n", "host-key 0 \n", "host-key 3 a\nb\n",
		"host-key 1 a\nhost-key 1 a\n", "public-key 1 \x7f\n",
		"private-key 1 a\nprivate-key 1 b\n", "fingerprint 1 \t\n",
		"fingerprint 51 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaa\n", "code 1 9\n", "code 1 0\n", "why 1 a\n",
		"no-sandbox 32 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"line 1 x\n", "other 0 \n", "status 2 OK\n",
		"listsessions 2 NO\n",
		EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY,
	};
	static const char last[] = "reply 1 2\npublic-key 1 a\n" END;
	struct reply_reader reader;
	char text[400];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		begin(&reader);
		snprintf(text, sizeof(text), ONE "host-key 1 x\n%sms 1 1\n"
		    END "%s", rows[i], last);
		check(rows[i], reply_read(&reader, text, strlen(text)) == 0);
		check(rows[i], ndone == 2);
		check(rows[i], queries[1].failed);
		check(rows[i], queries[1].new_key == NULL);
		check(rows[i], strstr(queries[1].error.text, "invalid") !=
		    NULL);
		check(rows[i], queries[2].done && !queries[2].failed);
		finish(&reader);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_strictly),
		cmocka_unit_test(an_order_is_read_as_it_was_written),
		cmocka_unit_test(an_order_for_a_database_has_a_service),
		cmocka_unit_test(other_orders_are_refused),
		cmocka_unit_test(an_order_takes_memory),
		cmocka_unit_test(replies_are_read_as_they_arrive),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(a_wrong_value_fails_its_own_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
