/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of recent choices.  Whatever is in them: a choice is added, and is
 * there, with those that were, when they are read again.
 */
#include "base/statedir.h"
#include "farm/farm.h"
#include "fuzz_dir.h"

#define NOW	1763930965

static struct assignments *
must_open(void)
{
	struct assignments *choices;

	must(assignments_open(fuzz_dir(), NOW, &choices, NULL) == 0);
	return choices;
}

static long
pending(const struct assignments *choices, const char *server,
    const struct agent_report *report)
{
	long own = 0;
	long n = assignments_pending(choices, server, report, "alice", "p q",
	    &own);

	must(own <= n);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char alice[] = "alice";
	struct agent_tally start = { alice, 0 };
	const struct agent_report report = { .starts = &start, .nstarts = 1 };
	struct assignments *choices;
	long alone, others;

	fuzz_dir();
	fuzz_dir_empty();
	fuzz_write_rows(ASSIGNMENTS_DIR, data, size);
	choices = must_open();
	/* the same user's choice in the same profile is replaced */
	must(assignments_add(choices, "other:22", "alice", "p q", NULL) == 0);
	alone = pending(choices, "ts01:22", NULL);
	others = pending(choices, "other:22", NULL);
	must(alone >= 0 && others >= 1);
	must(assignments_add(choices, "TS01:22", "alice", "p q", NULL) == 0);
	must(pending(choices, "ts01:22", NULL) == alone + 1);
	must(pending(choices, "other:22", NULL) == others - 1);
	assignments_close(choices);

	choices = must_open();
	must(pending(choices, "ts01:22", NULL) == alone + 1);
	must(pending(choices, "other:22", NULL) == others - 1);
	must(pending(choices, "ts01:22", &report) <= alone);
	assignments_close(choices);
	return 0;
}
