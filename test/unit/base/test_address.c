/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/address.h"
#include "support.h"

static struct address
address(const char *text)
{
	struct address addr;

	if (!address_parse(text, strlen(text), &addr))
		fail_msg("[%s] is an address", text);
	return addr;
}

static void
addresses_are_read(void **state unused)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "::ffff:192.0.2.1" },
		{ "192.0.2.1", "::FFFF:c000:201" },
		{ "2001:db8::1", "2001:0DB8:0:0:0:0:0:1" },
		{ "fe80::1%eth0", "fe80::1" },
		{ "::ffff:192.0.2.1%eth0", "192.0.2.1" },
	};
	struct address a, b;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		a = address(rows[i][0]);
		b = address(rows[i][1]);
		check(rows[i][1], memcmp(&a, &b, sizeof(a)) == 0);
	}
	a = address("::192.0.2.1");
	b = address("192.0.2.1");
	check("compatible is not mapped", memcmp(&a, &b, sizeof(a)) != 0);
	check("len counts", address_parse("::1,x", 3, &a));
}

static void
what_is_no_address_is_refused(void **state unused)
{
	static const char *const rows[] = {
		"", " ", "10.1", "10", "1.2.3", "1.2.3.4.5", "256.0.0.1",
		"0x7f.0.0.1", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4%eth0",
		"1.2.3.4/24", "1.2.3.4:22", ":", "::1::", "1::2::3", "[::1]",
		"12345::", "::g", "%eth0", "localhost", "alice",
		"1.2.3.4\n", "-1.2.3.4",
		/* a zone is a name; what follows a blank is something else */
		"::1%", "::1%a b", "::1%)", "::1%eth0,", "::1%%", "::1%\n",
		"fe80::1%eth0 192.0.2.1",
		("::1%verylongverylongverylongverylong"
		"verylongverylongverylongverylong"),
	};
	struct address addr;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i], !address_parse(rows[i], strlen(rows[i]),
		    &addr));
	check("a NUL inside", !address_parse("1.2.3.4\0x", 9, &addr));
	check("len 0", !address_parse("1.2.3.4", 0, &addr));
}

static void
networks_contain_what_they_should(void **state unused)
{
	static const struct {
		const char *net, *addr;
		bool contains;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.99/24", "192.0.2.1", true },
		{ "192.0.2.0/255.255.255.0", "192.0.2.77", true },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.0/31", "192.0.2.1", true },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0.0.0.0", "203.0.113.9", true },
		{ "2001:db8::/32", "2001:db8:ffff::1", true },
		{ "2001:db8::/ffff:ffff::", "2001:db8::9", true },
		{ "2001:db8::1/128", "2001:db8::1", true },
		{ "fe80::/10", "fe80::1%eth0", true },
		{ "::/0", "2001:db8::1", true },
		{ "::1", "::1", true },

		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.0/24", "192.0.1.255", false },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.0/31", "192.0.2.2", false },
		{ "192.0.2.1/32", "192.0.2.0", false },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "128.0.0.0/1", "127.255.255.255", false },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "0.0.0.0/0", "::192.0.2.1", false },
		{ "::/0", "192.0.2.1", false },
		{ "::/0", "::ffff:192.0.2.1", false },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1/128", "2001:db8::", false },
		{ "fe80::/10", "fec0::1", false },
		{ "::1", "127.0.0.1", false },
	};
	struct address addr;
	struct network net;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].net, network_parse(rows[i].net,
		    strlen(rows[i].net), &net));
		addr = address(rows[i].addr);
		if (network_contains(&net, &addr) != rows[i].contains)
			fail_msg("[%s] %s %s", rows[i].net, rows[i].contains ?
			    "lacks" : "contains", rows[i].addr);
	}
}

static void
what_is_no_network_is_refused(void **state unused)
{
	static const char *const rows[] = {
		"", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1",
		"192.0.2.0/-0", "192.0.2.0/+24", "192.0.2.0/ 24",
		"192.0.2.0/24 ", "192.0.2.0 /24", "192.0.2.0/24/24",
		"192.0.2.0/2x", "192.0.2.0/255.0.255.0",
		"192.0.2.0/0.0.0.255", "192.0.2.0/255.255.255.1",
		"192.0.2.0/255.255.255", "192.0.2.0/ffff::",
		"192.0.2.0/999999999999", "192.0.2/24", "10/8", "ALL",
		"host.example.org", "host/24", "2001:db8::/129",
		"2001:db8::/-1", "2001:db8::/255.255.0.0",
		"2001:db8::/ffff:0:ffff::", "2001:db8::/::ffff",
		"::ffff:192.0.2.0/255.255.255.0", "::ffff:192.0.2.0/120",
		"::ffff:192.0.2.0/24", "::ffff:0:0/96", "::ffff:192.0.2.1",
		"192.0.2.*",
		"192.0.2.1-192.0.2.9",
	};
	struct network net;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		check(rows[i], !network_parse(rows[i], strlen(rows[i]), &net));
	check("len counts", !network_parse("192.0.2.0/24", 10, &net));
}

static void
host_names_are_known_from_addresses(void **state unused)
{
	static const struct {
		const char *text;
		bool is;
	} rows[] = {
		{ "a", true }, { "lab", true }, { "lab.example.org", true },
		{ "LAB-2.example.org", true }, { "my_host", true },
		{ "3com.example.org", true }, { "1a", true },
		{ "lab.example.org.", true }, { "xn--bro-hoa.example", true },
		{ "", false }, { ".", false }, { ".lab", false },
		{ "-lab", false }, { "1", false }, { "10.1", false },
		{ "192.0.2.1", false }, { "1.2.3.4.5", false },
		{ "2130706433", false }, { "0x7f000001", false },
		{ "0x7f.1", false }, { "0X7F.0.0.1", false }, { "::1", false },
		{ "a b", false }, { "lab:22", false }, { "a/b", false },
		{ "a,b", false }, { "*.example.org", false },
		{ "lab\n", false }, { "l\xc3\xa4" "b", false },
		{ "a'b", false },
		{ "$HOME", false }, { "a;b", false }, { "a%b", false },
	};
	char name[255];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++)
		if (address_is_host_name(rows[i].text, strlen(rows[i].text)) !=
		    rows[i].is)
			fail_msg("[%s] %s a host's name", rows[i].text,
			    rows[i].is ? "is" : "is not");
	memset(name, 'a', sizeof(name));
	check("253 bytes", address_is_host_name(name, 253));
	check("254 bytes", !address_is_host_name(name, 254));
	check("a NUL", !address_is_host_name("a\0b", 3));
}

static void
only_a_name_that_resolves_is_compared(void **state unused)
{
	static const struct {
		const char *name, *addr;
		int found;
	} rows[] = {
		{ "localhost", "127.0.0.1", 1 },
		{ "localhost", "::ffff:127.0.0.1", 1 },
		{ "localhost", "192.0.2.1", 0 },
		{ "localhost", "2001:db8::1", 0 },
		{ "no-such-host.invalid", "192.0.2.1", -1 },
		{ "127.0.0.1", "127.0.0.1", -1 },
		{ "2130706433", "127.0.0.1", -1 },
		{ "", "127.0.0.1", -1 },
	};
	struct address addr;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		addr = address(rows[i].addr);
		check(rows[i].name, address_of_host(rows[i].name,
		    strlen(rows[i].name), &addr) == rows[i].found);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(networks_contain_what_they_should),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(host_names_are_known_from_addresses),
		cmocka_unit_test(only_a_name_that_resolves_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
