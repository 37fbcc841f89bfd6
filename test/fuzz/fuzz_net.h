/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A resolver without a network, for targets linked with
 * --wrap=getaddrinfo,--wrap=freeaddrinfo: what begins with 'y' is 192.0.2.1.
 */
#ifndef FUZZ_NET_H
#define FUZZ_NET_H

#include <sys/types.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

int	__wrap_getaddrinfo(const char *name, const char *service,
	    const struct addrinfo *hints, struct addrinfo **out);
void	__wrap_freeaddrinfo(struct addrinfo *list);

static struct sockaddr_in the_only_host = { .sin_family = AF_INET };
static struct addrinfo the_only_answer = {
	.ai_family = AF_INET,
	.ai_addr = (struct sockaddr *)(void *)&the_only_host,
	.ai_addrlen = sizeof(the_only_host),
};

int
__wrap_getaddrinfo(const char *name,
    const char *service __attribute__((unused)),
    const struct addrinfo *hints __attribute__((unused)),
    struct addrinfo **out)
{
	if (name[0] != 'y')
		return EAI_NONAME;
	inet_pton(AF_INET, "192.0.2.1", &the_only_host.sin_addr);
	*out = &the_only_answer;
	return 0;
}

void
__wrap_freeaddrinfo(struct addrinfo *list)
{
	must(list == &the_only_answer);
}

#endif
