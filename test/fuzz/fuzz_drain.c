/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of drained servers.  Each name in it is a host's; a host is put on
 * and taken off again, and the file is as it was, but for the end of its last
 * line.
 */
#include "base/address.h"
#include "farm/farm.h"
#include "fuzz_dir.h"

enum loaded { BROKEN, WITHOUT, WITH };

static enum loaded
load(const struct x2gobroker_config *config, const struct host *host)
{
	struct x2gobroker_drained *drained;
	struct x2gobroker_error err = { 0 };
	struct address ignored;
	const char *name;
	bool has;
	size_t i;

	if (x2gobroker_drained_load(config, &drained, &err) == -1) {
		must(drained == NULL && err.text[0] != '\0' && err.line > 0);
		return BROKEN;
	}
	for (i = 0; (name = x2gobroker_drained_get(drained, i)) != NULL; i++)
		must(address_is_host_name(name, strlen(name)) ||
		    address_parse(name, strlen(name), &ignored));
	has = drain_has(drained, host);
	x2gobroker_drained_free(drained);
	return has ? WITH : WITHOUT;
}

/* Lines with a NUL are no names, and are cut there when they are copied. */
static void
check_same(const uint8_t *data, size_t size)
{
	size_t now;
	char *text = fuzz_read("drained", &now);

	must(text != NULL && now >= size && now <= size + 1);
	must(size == 0 || memchr(data, '\0', size) != NULL ||
	    memcmp(text, data, size) == 0);
	must(now == size || text[now - 1] == '\n');
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct host host = { .name = "ts77.example.org" };
	struct x2gobroker_config config = { 0 };
	enum loaded was;
	bool changed, again;

	config.drain_file = fuzz_path("drained");
	fuzz_write("drained", data, size);
	was = load(&config, &host);
	must(x2gobroker_drain(&config, host.name, &changed, NULL) == 0);
	must(!changed || was != WITH);
	must(load(&config, &host) == (was == BROKEN ? BROKEN : WITH));
	must(x2gobroker_drain(&config, host.name, &again, NULL) == 0);
	must(!again);
	must(x2gobroker_undrain(&config, host.name, &again, NULL) == 0);
	must(again && load(&config, &host) != WITH);
	if (changed)
		check_same(data, size);
	return 0;
}
