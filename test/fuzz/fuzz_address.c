/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An address, a network or a host's name, each from the same text.  None is two
 * of them; an address is read again as it is printed, and a network holds those
 * that differ in the bits of the host, and no others.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/address.h"
#include "fuzz.h"

static void
check_address(const struct address *address)
{
	char text[INET6_ADDRSTRLEN];
	struct address again;

	must(inet_ntop(AF_INET6, address->bytes, text, sizeof(text)) != NULL);
	must(address_parse(text, strlen(text), &again));
	must(memcmp(address, &again, sizeof(again)) == 0);
}

/* An IPv4 address is the mapped one, which is in no network of IPv6 addresses
 * that goes beyond those. */
static void
check_network(const struct network *net)
{
	struct address other = net->base;
	unsigned int i;
	bool holds = network_contains(net, &other);

	must(net->bits <= 128 && (holds || net->bits < 96));
	for (i = 0; holds && i < 128; i++) {
		other.bytes[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		must(i >= net->bits || !network_contains(net, &other));
		must(i < net->bits || net->bits < 96 ||
		    network_contains(net, &other));
		other = net->base;
	}
}

/* The resolver would ask somebody for it. */
static void
check_name(const char *text)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo *list;

	must(strpbrk(text, " :/%[](),\"'") == NULL && strlen(text) <= 253);
	must(getaddrinfo(text, NULL, &hints, &list) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t len = strlen(text);
	struct address address;
	struct network net;
	bool is_address = address_parse(text, len, &address);
	bool is_network = network_parse(text, len, &net);

	if (is_address)
		check_address(&address);
	if (is_network)
		check_network(&net);
	if (is_address && is_network)
		must(net.bits == 128 && network_contains(&net, &address));
	if (address_is_host_name(text, len)) {
		must(!is_address && !is_network);
		check_name(text);
	}
	free(text);
	return 0;
}
