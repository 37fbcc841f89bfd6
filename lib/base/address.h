/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IP address in network byte order.  IPv4 addresses are kept mapped into
 * IPv6 (RFC 4291, 2.5.5.2), so that one that arrives as ::ffff:192.0.2.1 is
 * the same as 192.0.2.1. */
struct address {
	uint8_t bytes[16];
};

struct network {
	struct address base;
	unsigned int bits;	/* of the 128 that count */
};

/* An address as inet_pton(3) knows it, IPv6 perhaps with a %zone (dropped).
 * Abbreviations such as "10.1" are none. */
bool	address_parse(const char *text, size_t len, struct address *out);

/* ADDRESS, ADDRESS/BITS or ADDRESS/NETMASK; bits of the host do not count.
 * IPv4 must be written as IPv4, not mapped. */
bool	network_parse(const char *text, size_t len, struct network *out);

bool	network_contains(const struct network *net, const struct address *addr);

/* Whether text could be a host's name: letters, digits, '-', '_' and '.', at
 * most 253 bytes, and nothing that resolvers take for an address in a notation
 * of their own, as inet_aton(3) does. */
bool	address_is_host_name(const char *text, size_t len);

/* Whether one of the addresses of host name is addr.  1 yes, 0 no, -1 the
 * name cannot be resolved. */
int	address_of_host(const char *name, size_t len,
	    const struct address *addr);

#endif
