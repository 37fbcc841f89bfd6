/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <netinet/in.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IP address in network byte order.  IPv4 addresses are stored as IPv6
 * (RFC 4291, 2.5.5.2), so ::ffff:192.0.2.1 is the same as 192.0.2.1. */
struct address {
	uint8_t bytes[16];
};

struct network {
	struct address base;
	unsigned int bits;	/* length of the prefix, of 128 */
};

/* The text of the address or, as IPv6 networks give a /64 to each customer, of
 * that network. */
void	address_customer(const struct address *address,
	    char text[static INET6_ADDRSTRLEN]);

/* Parse an address as inet_pton(3) does, which takes no abbreviation such as
 * "10.1".  A %zone behind an IPv6 address is ignored. */
bool	address_parse(const char *text, size_t len, struct address *out);

/* Parse ADDRESS, ADDRESS/BITS or ADDRESS/NETMASK.  Bits of the host are
 * ignored.  IPv4 must be written as IPv4, not as ::ffff:192.0.2.0. */
bool	network_parse(const char *text, size_t len, struct network *out);

bool	network_contains(const struct network *net, const struct address *addr);

/* Whether text is a valid host name: letters, digits, '-', '_' and '.', at most
 * 253 bytes, and not an address to resolvers, which accept more than
 * address_parse() (see inet_aton(3)). */
bool	address_is_host_name(const char *text, size_t len);

/* Whether text is a host name or an address. */
bool	address_is_host(const char *text, size_t len);

/* Whether one of the addresses of the host name is addr: 1 yes, 0 no, -1 the
 * name cannot be resolved. */
int	address_of_host(const char *name, size_t len,
	    const struct address *addr);

/* Does the host name, or address, resolve here? */
bool	address_resolves(const char *name);

#endif
