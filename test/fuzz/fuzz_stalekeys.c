/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of keys that have to be taken out again.  Whatever is in them: what is
 * taken has expired, on that server; taken and settled again and again, the
 * list of a server comes to its end; and a new one is found again as it was.
 */
#include "fuzz_dir.h"
#include "autologin/autologin.h"

#define NOW	1763930965

static const char server[] = "ts01:22";

static void
check_lease(const struct staterow *lease)
{
	must(strcasecmp(lease->fields[STALE_SERVER], server) == 0);
	must(lease->seconds < NOW);
	must(strpbrk(lease->fields[STALE_USER], "\t\n") == NULL);
	must(strpbrk(lease->fields[STALE_FILE], "\t\n") == NULL);
	must(strchr(lease->fields[STALE_LINE], '\n') == NULL);
}

/* Take all, a few at a time; how many of them are the new one. */
static unsigned int
take_all(const struct staterow *new, size_t size)
{
	unsigned int found = 0;
	struct staterows taken;
	size_t i, times;

	for (times = 0; times <= size; times++) {
		must(stalekeys_take(fuzz_dir(), server, NOW, &taken, NULL) == 0);
		for (i = 0; i < taken.n; i++) {
			check_lease(&taken.list[i]);
			found += strcmp(taken.list[i].fields[STALE_USER], new->fields[STALE_USER]) == 0 &&
			    strcmp(taken.list[i].fields[STALE_LINE], new->fields[STALE_LINE]) == 0 &&
			    strcmp(taken.list[i].fields[STALE_FILE], new->fields[STALE_FILE]) == 0;
		}
		must(stalekeys_update(fuzz_dir(), &taken, NULL, NULL) == 0);
		i = taken.n;
		staterows_free(&taken);
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
	const struct staterow new = { .seconds = NOW - 1,
	    .fields = { name, user, file, line } };
	const struct staterows none = { 0 };

	fuzz_dir();
	fuzz_dir_empty();
	fuzz_write_rows(STALEKEYS_DIR, data, size);
	must(stalekeys_update(fuzz_dir(), &none, &new, NULL) == 0);
	must(take_all(&new, size + 2) >= 1);
	must(take_all(&new, size) == 0);
	return 0;
}
