/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of keys that have to be taken out again.  Whatever is in it: what is
 * taken has expired, on that server; taken and settled again and again, the
 * list of a server comes to its end; and a new one is found again as it was.
 */
#include "fuzz_dir.h"
#include "autologin/stalekeys.h"

#define NOW	1763930965

static const char server[] = "ts01:22";

static void
check_lease(const struct stalekey *lease)
{
	must(strcasecmp(lease->server, server) == 0);
	must(lease->expires < NOW);
	must(strpbrk(lease->user, "\t\n") == NULL);
	must(strpbrk(lease->file, "\t\n") == NULL);
	must(strchr(lease->line, '\n') == NULL);
}

/* Take all, a few at a time; how many of them are the new one. */
static unsigned int
take_all(const struct stalekey *new, size_t size)
{
	unsigned int found = 0;
	struct stalekeys taken;
	size_t i, times;

	for (times = 0; times <= size; times++) {
		must(stalekeys_take(fuzz_dir(), server, NOW, &taken, NULL) == 0);
		for (i = 0; i < taken.n; i++) {
			check_lease(&taken.list[i]);
			found += strcmp(taken.list[i].user, new->user) == 0 &&
			    strcmp(taken.list[i].line, new->line) == 0 &&
			    strcmp(taken.list[i].file, new->file) == 0;
		}
		must(stalekeys_update(fuzz_dir(), &taken, NULL, NULL) == 0);
		i = taken.n;
		stalekeys_free(&taken);
		if (i == 0)
			return found;
	}
	must(times <= size);	/* each line of the file has gone by now */
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[] = "TS01:22", user[] = "alice", file[] = "%h/k",
	    line[] = "restrict ssh-ed25519 AAAA\tx";
	const struct stalekey new = { NOW - 1, name, user, file, line };
	const struct stalekeys none = { 0 };

	fuzz_write(STALEKEYS_FILE, data, size);
	must(stalekeys_update(fuzz_dir(), &none, &new, NULL) == 0);
	must(take_all(&new, size + 2) >= 1);
	must(take_all(&new, size) == 0);
	return 0;
}
