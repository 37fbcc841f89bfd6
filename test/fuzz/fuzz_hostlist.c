/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The value of host=: what is taken can be written out and read again. */
#include "buf.h"
#include "fuzz.h"
#include "hostlist.h"

static void
check_host(const struct host *host)
{
	const char *told = host_for_client(host);

	must(host->name[0] != '\0' && strpbrk(host->name, " \t\n,()[]") == NULL);
	must(strpbrk(host->address, " \t\n,()[]") == NULL);
	must(host->port >= 0 && host->port <= 65535);
	must(told == NULL || (*told != '\0' && strchr(told, ':') == NULL));
}

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

static bool
same_host(const struct host *a, const struct host *b)
{
	return strcmp(a->name, b->name) == 0 && a->port == b->port &&
	    strcmp(a->address, b->address) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct x2gobroker_error err = { 0 };
	struct host *hosts, *again;
	struct buf buf = { 0 };
	size_t i, n, n2;

	if (hostlist_parse(text, &hosts, &n, &err) == 0) {
		must(n > 0 && hosts != NULL);
		for (i = 0; i < n; i++) {
			check_host(&hosts[i]);
			write_host(&buf, &hosts[i]);
		}
		must(hostlist_parse(buf.data, &again, &n2, &err) == 0);
		must(n == n2);
		for (i = 0; i < n; i++)
			must(same_host(&hosts[i], &again[i]));
		free(again);
	} else
		must(hosts == NULL && n == 0 && err.text[0] != '\0');
	free(hosts);
	buf_free(&buf);
	free(text);
	return 0;
}
