/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of broker-host-weights and broker-host-limits.
 */
#include "config/hostlist.h"
#include "failing_malloc.h"
#include "support.h"

#define NAME_MAX_LEN	253	/* of a host (RFC 1035) */

static void
put_weight(void *arg, const char *name, int weight)
{
	char *text = arg;

	sprintf(text + strlen(text), "%s=%d ", name, weight);
}

static void
weights_are_read(void **state unused)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ " , ", "" },
		{ "ts01:100", "ts01=100 " },
		{ "ts01:1, ts02.example.org:10000", "ts01=1 "
		    "ts02.example.org=10000 " },
		{ " ts01 : 50 ,\n\tts02: 60 ,", "ts01=50 ts02=60 " },
		{ "192.0.2.1:50", "192.0.2.1=50 " },
		{ "[2001:db8::1]:50,[2001:db8::2] : 60", "2001:db8::1=50 "
		    "2001:db8::2=60 " },
		{ "ts01:0100", "ts01=100 " },
	};
	char text[200];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		text[0] = '\0';
		check(rows[i].text, hostnumbers_parse("k", rows[i].text,
		    put_weight, text, NULL) == 0);
		check_text(rows[i].text, text, rows[i].want);
		check(rows[i].text, hostnumbers_check("k", rows[i].text, NULL) == 0);
	}
}

static void
invalid_weights_are_refused(void **state unused)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "ts01", "not NAME:NUMBER" },
		{ "ts01:100, ts02", "\"ts02\": not NAME:NUMBER" },
		{ "ts01=100", "not NAME:NUMBER" },
		{ "ts01:", "no number from 1 to 10000" },
		{ "ts01:0", "no number from 1 to 10000" },
		{ "ts01:10001", "no number from 1 to 10000" },
		{ "ts01:99999999999999999999", "no number" },
		{ "ts01:-1", "no number from 1 to 10000" },
		{ "ts01:+1", "no number from 1 to 10000" },
		{ "ts01:1.5", "no number from 1 to 10000" },
		{ "ts01:50%", "no number from 1 to 10000" },
		{ "ts01:5 0", "no number from 1 to 10000" },
		{ "ts01:many", "no number from 1 to 10000" },
		{ ":50", "neither a host name nor an address" },
		{ "ts 01:50", "neither a host name nor an address" },
		{ "ts01:22:50", "neither a host name nor an address" },
		{ "2001:db8::1:50", "neither a host name nor an address" },
		{ "[192.0.2.1]:50", "neither a host name nor an address" },
		{ "[ts01]:50", "neither a host name nor an address" },
		{ "[]:50", "neither a host name nor an address" },
		{ "[:]:50", "neither a host name nor an address" },
		{ "[2001:db8::1:50", "neither a host name nor an address" },
		{ "-x:50", "neither a host name nor an address" },
		{ "1.2.3:50", "neither a host name nor an address" },
		{ "*:50", "neither a host name nor an address" },
		{ "ts01:50, ts02:50, TS01:60", "\"TS01:60\": this host "
		    "already has a number" },
		{ "[2001:db8::a]:1,[2001:DB8::A]:1", "already has a number" },
	};
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, hostnumbers_check("k", rows[i].text, &err) == -1);
		check_problem(rows[i].text, &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, rows[i].why });
	}
}

static void
without_memory_weights_are_not_accepted(void **state unused)
{
	struct x2gobroker_error err;

	alloc_fail(1);
	assert_int_equal(hostnumbers_check("k", "ts01:50", &err),
	    -1);
	assert_true(alloc_failed());
	assert_int_equal(err.code, X2GOBROKER_ERR_NOMEM);
}

static void
names_are_as_long_as_those_of_hosts(void **state unused)
{
	char item[NAME_MAX_LEN + 10];
	char text[NAME_MAX_LEN + 20] = "";

	memset(item, 'a', NAME_MAX_LEN);
	strcpy(item + NAME_MAX_LEN, ":50");
	assert_int_equal(hostnumbers_parse("k", item, put_weight, text, NULL),
	    0);
	memset(item, 'a', NAME_MAX_LEN + 1);
	strcpy(item + NAME_MAX_LEN + 1, ":50");
	assert_int_equal(hostnumbers_parse("k", item, put_weight, text, NULL),
	    -1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_are_read),
		cmocka_unit_test(invalid_weights_are_refused),
		cmocka_unit_test(without_memory_weights_are_not_accepted),
		cmocka_unit_test(names_are_as_long_as_those_of_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
