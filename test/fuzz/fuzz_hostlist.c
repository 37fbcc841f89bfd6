/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of host=: what is taken can be written out and read again. */
#include "base/buf.h"
#include "fuzz.h"
#include "config/hostlist.h"

/* In brackets a colon is the address's, behind them it is the port's. */
static void
write_host(struct buf *buf, const struct host *host)
{
	bool named = host->address[0] != '\0';
	const char *at = named ? host->address : host->name;

	if (named)
		buf_printf(buf, strchr(host->name, ':') != NULL ? "[%s] (" :
		    "%s (", host->name);
	buf_printf(buf, strchr(at, ':') != NULL ? "[%s]" : "%s", at);
	if (host->port != 0)
		buf_printf(buf, ":%d", host->port);
	buf_puts(buf, named ? ")," : ",");
}

static void
check_host(const struct host *host, const struct host *again)
{
	const char *told = host_for_client(host);

	must(host->name[0] != '\0' && strpbrk(host->name, " \n,()[]") == NULL);
	must(told == NULL || (*told != '\0' && strchr(told, ':') == NULL));
	must(strcmp(host->name, again->name) == 0);
	must(strcmp(host->address, again->address) == 0);
	must(host->port == again->port);
	must(hostlist_match(again, 1, host->name) == again);
	must(*host->address == '\0' ||
	    hostlist_match(again, 1, host->address) == again);
	must(hostlist_match(again, 1, "") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct host *hosts, *again = NULL;
	struct buf buf = { 0 };
	size_t i, n, n2;

	if (hostlist_parse(text, &hosts, &n, NULL) == 0) {
		for (i = 0; i < n; i++)
			write_host(&buf, &hosts[i]);
		must(hostlist_parse(buf.data, &again, &n2, NULL) == 0);
		must(n == n2 && n > 0);
		for (i = 0; i < n; i++)
			check_host(&hosts[i], &again[i]);
	} else
		must(hosts == NULL && n == 0);
	free(hosts);
	free(again);
	buf_free(&buf);
	free(text);
	return 0;
}
