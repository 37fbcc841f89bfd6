/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/address.h"
#include "base/parse.h"

#define ADDRESS_TEXT_MAX	64	/* an IPv6 address and a zone */
#define HOST_NAME_MAX_LEN	253	/* RFC 1035, without the root's dot */
#define V4_BITS			96	/* bits of ::ffff:0:0/96 */

static const uint8_t v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

/* Copy len bytes to dst and terminate them.  False: they do not fit, or there
 * is nothing to copy. */
static bool
copy_text(char *dst, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(dst, text, len);
	dst[len] = '\0';
	return true;
}

static bool
is_v4(const struct address *addr)
{
	return memcmp(addr->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool
address_parse(const char *text, size_t len, struct address *out)
{
	char copy[ADDRESS_TEXT_MAX], *zone;

	/* most names are told from addresses by this, which is faster */
	if (len == 0 || ((text[0] < '0' || text[0] > '9') &&
	    memchr(text, ':', len) == NULL))
		return false;
	if (!copy_text(copy, sizeof(copy), text, len) || strlen(copy) != len)
		return false;
	memcpy(out->bytes, v4_prefix, sizeof(v4_prefix));
	if (inet_pton(AF_INET, copy, out->bytes + sizeof(v4_prefix)) == 1)
		return true;
	if ((zone = strchr(copy, '%')) != NULL) {
		/* a forgotten comma must be an error, not part of the zone */
		*zone++ = '\0';
		if (*zone == '\0' ||
		    zone[strspn(zone, PARSE_ALNUM "._-")] != '\0')
			return false;
	}
	return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

void
address_customer(const struct address *address,
    char text[static INET6_ADDRSTRLEN])
{
	struct address network = *address;

	if (is_v4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(v4_prefix), text,
		    INET6_ADDRSTRLEN);
	else {
		memset(network.bytes + 8, 0, 8);
		inet_ntop(AF_INET6, network.bytes, text, INET6_ADDRSTRLEN);
	}
}

/* The prefix length of a netmask such as 255.255.0.0, of which the bits before
 * first are taken as set; -1 if ones follow zeros. */
static int
netmask_bits(const struct address *mask, int first)
{
	int i, bits = first;

	for (i = first; i < 128; i++)
		if ((mask->bytes[i / 8] >> (7 - i % 8) & 1) != 0 &&
		    bits++ != i)
			return -1;
	return bits;
}

bool
network_parse(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t base_len = slash != NULL ? (size_t)(slash - text) : len;
	char copy[ADDRESS_TEXT_MAX];
	struct address mask;
	int bits, width;

	if (!address_parse(text, base_len, &out->base))
		return false;
	/* a rule about ::ffff:192.0.2.0 matches nothing in the Python broker,
	 * so it must not let anybody in here */
	if (is_v4(&out->base) && memchr(text, ':', base_len) != NULL)
		return false;
	out->bits = 128;
	if (slash == NULL)
		return true;
	len -= base_len + 1;
	if (!copy_text(copy, sizeof(copy), slash + 1, len))
		return false;
	width = is_v4(&out->base) ? 32 : 128;
	if (parse_digits(copy, 0, width, &bits)) {
		out->bits = (unsigned int)(128 - width + bits);
		return true;
	}
	if (!address_parse(copy, len, &mask) ||
	    is_v4(&mask) != (width == 32) ||
	    (bits = netmask_bits(&mask, 128 - width)) == -1)
		return false;
	out->bits = (unsigned int)bits;
	return true;
}

bool
network_contains(const struct network *net, const struct address *addr)
{
	size_t whole = net->bits / 8;
	unsigned int part = net->bits % 8;

	/* ::/0 contains no IPv4 address; 0.0.0.0/0 contains those */
	if (net->bits < V4_BITS && is_v4(addr))
		return false;
	if (memcmp(net->base.bytes, addr->bytes, whole) != 0)
		return false;
	return part == 0 ||
	    (net->base.bytes[whole] ^ addr->bytes[whole]) >> (8 - part) == 0;
}

bool
address_is_host_name(const char *text, size_t len)
{
	char copy[HOST_NAME_MAX_LEN + 1];
	struct in_addr ignored;
	bool letter = false;
	size_t i;

	if (!copy_text(copy, sizeof(copy), text, len) || text[0] == '-' ||
	    text[0] == '.')
		return false;
	for (i = 0; i < len; i++) {
		char c = parse_upper(text[i]);

		if ((c >= 'A' && c <= 'Z') || c == '-' || c == '_')
			letter = true;
		else if ((c < '0' || c > '9') && c != '.')
			return false;
	}
	if (!letter || text[0] < '0' || text[0] > '9')
		return letter;
	/* to resolvers, 0x7f.1 is an address */
	return inet_aton(copy, &ignored) == 0;
}

bool
address_is_host(const char *text, size_t len)
{
	struct address ignored;

	return address_is_host_name(text, len) ||
	    address_parse(text, len, &ignored);
}

int
address_of_host(const char *name, size_t len, const struct address *addr)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	};
	char copy[HOST_NAME_MAX_LEN + 1];
	struct addrinfo *list, *ai;
	struct address one;
	int found = 0;

	if (!address_is_host_name(name, len) ||
	    !copy_text(copy, sizeof(copy), name, len) ||
	    getaddrinfo(copy, NULL, &hints, &list) != 0)
		return -1;
	for (ai = list; ai != NULL && !found; ai = ai->ai_next) {
		if (ai->ai_family == AF_INET) {
			memcpy(one.bytes, v4_prefix, sizeof(v4_prefix));
			memcpy(one.bytes + sizeof(v4_prefix),
			    &((const struct sockaddr_in *)(const void *)
			    ai->ai_addr)->sin_addr, 4);
		} else if (ai->ai_family == AF_INET6)
			memcpy(one.bytes,
			    &((const struct sockaddr_in6 *)(const void *)
			    ai->ai_addr)->sin6_addr, 16);
		else
			continue;
		found = memcmp(&one, addr, sizeof(one)) == 0;
	}
	freeaddrinfo(list);
	return found;
}

bool
address_resolves(const char *name)
{
	struct addrinfo *list;

	if (getaddrinfo(name, NULL, NULL, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}
