/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/hostlist.h"
#include "support.h"

static void
each_form_of_a_host_is_read(void **state unused)
{
	static const struct {
		const char *text, *name, *address;
		int port;
		const char *told;
	} rows[] = {
		{ "lab", "lab", "", 0, "lab" },
		{ " lab.example.org ", "lab.example.org", "", 0,
		    "lab.example.org" },
		{ "my_host", "my_host", "", 0, "my_host" },
		{ "X2GO-SERVER:22", "X2GO-SERVER", "", 22, "X2GO-SERVER" },
		{ "lab:2222", "lab", "", 2222, "lab" },
		{ "lab:1", "lab", "", 1, "lab" },
		{ "lab:65535", "lab", "", 65535, "lab" },
		{ "192.0.2.7", "192.0.2.7", "", 0, "192.0.2.7" },
		{ "192.0.2.7:22", "192.0.2.7", "", 22, "192.0.2.7" },
		{ "lab (192.0.2.7)", "lab", "192.0.2.7", 0, "192.0.2.7" },
		{ "lab(192.0.2.7)", "lab", "192.0.2.7", 0, "192.0.2.7" },
		{ "lab  ( 192.0.2.7:2222 )", "lab", "192.0.2.7", 2222,
		    "192.0.2.7" },
		{ "lab (in.example.org)", "lab", "in.example.org", 0,
		    "in.example.org" },
		{ "lab (in.example.org:22)", "lab", "in.example.org", 22,
		    "in.example.org" },
		{ "lab (2001:db8::1)", "lab", "2001:db8::1", 0, "lab" },
		{ "lab ([2001:db8::1]:22)", "lab", "2001:db8::1", 22, "lab" },
		{ "lab ([2001:db8::1])", "lab", "2001:db8::1", 0, "lab" },
		{ "2001:db8::1", "2001:db8::1", "", 0, NULL },
		{ "[2001:db8::1]", "2001:db8::1", "", 0, NULL },
		{ "[2001:db8::1]:2222", "2001:db8::1", "", 2222, NULL },
		{ "::1:22", "::1:22", "", 0, NULL },
		{ "2001:db8::1 (192.0.2.7)", "2001:db8::1", "192.0.2.7", 0,
		    "192.0.2.7" },
		{ "2001:db8::1 (2001:db8::2)", "2001:db8::1", "2001:db8::2", 0,
		    NULL },
	};
	struct host *hosts;
	const char *told;
	size_t i, n;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, hostlist_parse(rows[i].text, &hosts, &n,
		    NULL) == 0);
		check(rows[i].text, n == 1);
		check_text(rows[i].text, hosts[0].name, rows[i].name);
		check_text(rows[i].text, hosts[0].address, rows[i].address);
		check(rows[i].text, hosts[0].port == rows[i].port);
		told = host_for_client(&hosts[0]);
		check_text(rows[i].text, told != NULL ? told : "(nothing)",
		    rows[i].told != NULL ? rows[i].told : "(nothing)");
		free(hosts);
	}
}

static void
what_is_no_host_is_refused(void **state unused)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "no server given" },
		{ " ", "no server given" },
		{ ",, ,", "no server given" },
		{ "lab:0", "no port from 1 to 65535" },
		{ "lab:65536", "no port from 1 to 65535" },
		{ "lab:-22", "no port from 1 to 65535" },
		{ "lab:+22", "no port from 1 to 65535" },
		{ "lab:", "no port from 1 to 65535" },
		{ "lab:ssh", "no port from 1 to 65535" },
		{ "lab: 22", "no port from 1 to 65535" },
		{ "lab:22x", "no port from 1 to 65535" },
		{ "lab:000000022", "no port from 1 to 65535" },
		{ "lab:22:23", "neither a host name nor an address" },
		{ ":22", "neither a host name nor an address" },
		{ "lab one", "neither a host name nor an address" },
		{ "-oProxyCommand=x", "neither a host name" },
		{ "lab;reboot", "neither a host name nor an address" },
		{ "1.2.3", "neither a host name nor an address" },
		{ "[lab]", "neither a host name nor an address" },
		{ "[192.0.2.7]:22", "neither a host name nor an address" },
		{ "[2001:db8::1", "neither a host name nor an address" },
		{ "[]", "neither a host name nor an address" },
		{ "['a'", "neither a host name nor an address" },
		{ "l\xc3\xa4" "b", "neither a host name nor an address" },
		{ "(192.0.2.7)", "neither a host name nor an address" },
		{ "fe80::1%a b", "no port from 1 to 65535" },
		{ "lab (fe80::1%])", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab:22 (192.0.2.7)", "neither a host name" },
		{ "lab (192.0.2.7", "no ')' at the end" },
		{ "lab (192.0.2.7) x", "no ')' at the end" },
		{ "lab (192.0.2.7):22", "no ')' at the end" },
		{ "lab ()", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab (:22)", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab (192.0.2.7:0)", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab (192.0.2.7:x)", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab (a b)", "neither ADDRESS nor ADDRESS:PORT" },
		{ "lab ((192.0.2.7))", "neither ADDRESS nor ADDRESS:PORT" },
		{ "START_USER_SESSIONS", "neither a host name" },
		{ "lab (END_USER_SESSIONS:22)", "neither ADDRESS" },
		/* the answer puts a ':' behind it */
		{ "lab-AUTHID", "neither a host name" },
		{ "lab (X2GODATAEND:22)", "neither ADDRESS" },
	};
	struct x2gobroker_error err;
	struct host *hosts;
	size_t i, n;

	for (i = 0; i < LENGTH(rows); i++) {
		hosts = (void *)&err;
		n = 99;
		check(rows[i].text, hostlist_parse(rows[i].text, &hosts, &n,
		    &err) == -1);
		check_problem(rows[i].text, &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, rows[i].why });
		check(rows[i].text, hosts == NULL && n == 0);
	}
}

static void
a_list_keeps_its_order(void **state unused)
{
	struct host *hosts;
	size_t n;

	assert_int_equal(hostlist_parse("a, b:22,\n c (192.0.2.7),,d,\n\ne,",
	    &hosts, &n, NULL), 0);
	assert_int_equal(n, 5);
	assert_string_equal(hosts[0].name, "a");
	assert_string_equal(hosts[1].name, "b");
	assert_string_equal(hosts[2].address, "192.0.2.7");
	assert_string_equal(hosts[3].name, "d");
	assert_string_equal(hosts[4].name, "e");
	free(hosts);
}

static void
one_bad_host_spoils_the_list(void **state unused)
{
	struct x2gobroker_error err;
	struct host *hosts;
	size_t n;

	assert_int_equal(hostlist_parse("a, b:99999, c", &hosts, &n, &err),
	    -1);
	assert_non_null(strstr(err.text, "\"b:99999\""));
	assert_null(hosts);
}

static void
a_farm_has_hundreds(void **state unused)
{
	char text[20 * 400], *p = text;
	struct host *hosts;
	size_t i, n;

	for (i = 0; i < 400; i++)
		p += sprintf(p, "n%zu:%zu,", i, i + 1);
	assert_int_equal(hostlist_parse(text, &hosts, &n, NULL), 0);
	assert_int_equal(n, 400);
	for (i = 0; i < n; i++)
		assert_int_equal(hosts[i].port, i + 1);
	free(hosts);
}

static void
names_end_at_253_bytes(void **state unused)
{
	struct host *hosts;
	char name[255];
	size_t n;

	memset(name, 'a', sizeof(name));
	name[254] = '\0';
	assert_int_equal(hostlist_parse(name, &hosts, &n, NULL), -1);
	name[253] = '\0';
	assert_int_equal(hostlist_parse(name, &hosts, &n, NULL), 0);
	assert_string_equal(hosts[0].name, name);
	free(hosts);
}

/*
 * What a server calls itself
 */

/* The number of the host that name means, or -1. */
static int
match(const char *text, const char *name)
{
	const struct host *found;
	struct host *hosts;
	int number;
	size_t n;

	assert_int_equal(hostlist_parse(text, &hosts, &n, NULL), 0);
	found = hostlist_match(hosts, n, name);
	number = found != NULL ? (int)(found - hosts) : -1;
	free(hosts);
	return number;
}

static void
the_host_of_a_name_is_found(void **state unused)
{
	static const struct {
		const char *hosts, *name;
		int number;
	} rows[] = {
		{ "ts01, ts02", "ts02", 1 },
		{ "ts01, TS02", "ts02", 1 },
		{ "ts01, ts02.", "ts02", 1 },
		{ "ts01, ts02", "TS02.", 1 },
		{ "ts01, ts02.example.org", "ts02", 1 },
		{ "ts01, ts02", "ts02.example.org", 1 },
		{ "ts01.example.org., ts02.", "ts02.example.org", 1 },
		{ "ts01.a.org, ts01.b.org", "ts01.b.org", 1 },
		{ "ts01.a.org, ts01", "ts01", 1 },
		{ "ts01, ts01.a.org", "ts01.a.org", 1 },
		{ "ts01, ts02 (192.0.2.2)", "192.0.2.2", 1 },
		{ "ts01, ts02 (192.0.2.2)", "ts02.example.org", 1 },
		{ "ts01, 192.0.2.2", "192.0.2.2", 1 },
		{ "ts01, 2001:db8::2", "2001:DB8:0::2", 1 },
		{ "ts01, ts02 ([2001:db8::2]:22)", "2001:db8::2", 1 },
		{ "ts01, web (ts02.example.org)", "ts02.example.org", 1 },
		{ "ts01, web (ts02.example.org)", "ts02", 1 },
		{ "ts01, web (ts02)", "ts02.example.org", 1 },
		/* its name counts for more than an address, and that for more
		 * than a label */
		{ "web (ts02), ts02", "ts02", 1 },
		{ "ts02.a.org, web (ts02.b.org)", "ts02.b.org", 1 },
		/* the same twice is one */
		{ "ts01, ts02, ts02", "ts02", 2 },
		{ "ts01, ts02.a.org:22, ts02.a.org:22", "ts02", 2 },
		{ "my_host, my-host", "my-host", 1 },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].hosts, match(rows[i].hosts, rows[i].name) ==
		    rows[i].number);
}

static void
what_could_be_another_host_is_not_taken(void **state unused)
{
	static const struct {
		const char *hosts, *name;
	} rows[] = {
		{ "ts01, ts02", "ts03" },
		{ "ts01, ts02", "ts0" },
		{ "ts01, ts02", "ts011" },
		{ "ts01, ts02", "" },
		{ "ts01, ts02", "." },
		{ "ts01, ts02", ".example.org" },
		{ "ts01.a.org", "ts01.b.org" },
		{ "ts01.a.org", "ts01.a" },
		{ "ts01.a", "ts01.a.org" },
		{ "ts01.a.org", "a.org" },
		{ "ts01.a.org", "org" },
		{ "ts01.a.org, ts01.b.org", "ts01" },
		{ "ts01.a.org (192.0.2.1), web (ts01.b.org)", "ts01" },
		{ "ts01:2201, ts01:2202", "ts01" },
		{ "ts01 (192.0.2.1), ts01 (192.0.2.2)", "ts01" },
		{ "a (192.0.2.1), b (192.0.2.1)", "192.0.2.1" },
		{ "192.0.2.1", "192.0.2.2" },
		{ "192.0.2.1", "192" },
		{ "192.0.2.1", "192.0" },
		{ "192-0.example.org", "192.0.2.1" },
		{ "x (192.0.2.1)", "192" },
		{ "2001:db8::1", "2001" },
		{ "2001:db8::1", "2001:db8::2" },
		{ "a:22", "::a" },
	};
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i].hosts, match(rows[i].hosts, rows[i].name) ==
		    -1);
	assert_null(hostlist_match(NULL, 0, "ts01"));
}

static void
the_first_host_can_be_had_alone(void **state unused)
{
	static const struct {
		const char *text, *name;	/* or NULL: refused */
	} rows[] = {
		{ "ts01", "ts01" }, { " , ts01, ts02", "ts01" },
		{ "ts01, a b c", "ts01" },
		{ "", NULL }, { " , ", NULL }, { "a b c, ts01", NULL },
	};
	struct x2gobroker_error err;
	struct host host;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, hostlist_first(rows[i].text, &host, &err) ==
		    (rows[i].name != NULL ? 0 : -1));
		if (rows[i].name != NULL)
			check_text(rows[i].text, host.name, rows[i].name);
		else
			check(rows[i].text, err.code == X2GOBROKER_ERR_VALUE);
	}
}

/* So that a sorted list need not be searched as a whole. */
static void
names_of_one_host_are_equal_in_the_order(void **state unused)
{
	static const char *const names[] = {
		"ts01", "TS01", "ts01.", "ts01.example.com", "ts01.x.", "ts1",
		"ts010", "ts02", "192.0.2.1", "192.0.2.1.", "192.0.2.10",
		"192", "192.example.com", "2001:db8::1", "2001:DB8:0::1",
		"::ffff:192.0.2.1", "2001", "", ".", "x",
	};
	struct host host = { .port = 0 };
	size_t i, j;
	int order;

	for (i = 0; i < LENGTH(names); i++)
		for (j = 0; j < LENGTH(names); j++) {
			order = hostlist_compare_labels(names[i], names[j]);
			check(names[j], (order < 0) ==
			    (hostlist_compare_labels(names[j], names[i]) > 0));
			strcpy(host.name, names[i]);
			strcpy(host.address, names[i]);
			check(names[j], order == 0 || hostlist_match(&host, 1,
			    names[j]) == NULL);
		}
	assert_int_equal(hostlist_compare_labels("ts01.a", "TS01.b"), 0);
	assert_true(hostlist_compare_labels("ts01.a", "ts02.a") < 0);
	assert_true(hostlist_compare_labels("ts01", "192.0.2.1") < 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_a_host_is_read),
		cmocka_unit_test(what_is_no_host_is_refused),
		cmocka_unit_test(the_first_host_can_be_had_alone),
		cmocka_unit_test(a_list_keeps_its_order),
		cmocka_unit_test(one_bad_host_spoils_the_list),
		cmocka_unit_test(a_farm_has_hundreds),
		cmocka_unit_test(names_end_at_253_bytes),
		cmocka_unit_test(the_host_of_a_name_is_found),
		cmocka_unit_test(what_could_be_another_host_is_not_taken),
		cmocka_unit_test(names_of_one_host_are_equal_in_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
