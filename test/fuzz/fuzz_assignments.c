/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of recent choices.  Whatever is in it: a choice is added, and is
 * there, with those that were, when the file is read again.
 */
#include "base/statefile.h"
#include "farm/farm.h"
#include "fuzz_dir.h"

#define NOW	1763930965

static struct assignments *
must_open(void)
{
	struct assignments *choices;

	must(assignments_open(fuzz_dir(), NOW, 1000, &choices, NULL) == 0);
	return choices;
}

/* What we write is ours to the last line: SECONDS SERVER USER PROFILE. */
static void
check_file(void)
{
	size_t size, lines = 0;
	char *text = fuzz_read(ASSIGNMENTS_FILE, &size), *line, *rest = text;

	must(text != NULL && strlen(text) == size && size > 0);
	must(fuzz_is_text(text) && text[size - 1] == '\n');
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		const char *seconds = strsep(&line, " ");
		const char *server = strsep(&line, " ");
		const char *user = strsep(&line, " ");
		long long when = atoll(seconds);

		must(when >= NOW - ASSIGNMENT_SECONDS && when <= NOW + 5);
		must(server != NULL && *server != '\0');
		must(user != NULL && *user != '\0');
		must(line != NULL && *line != '\0');
		lines++;
	}
	must(lines <= STATEFILE_ROWS);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assignments *choices;
	long alone, others;

	fuzz_write(ASSIGNMENTS_FILE, data, size);
	choices = must_open();
	/* the same user's choice in the same profile is replaced */
	must(assignments_add(choices, "other:22", "alice", "p q", NULL) == 0);
	alone = assignments_pending(choices, "ts01:22");
	others = assignments_pending(choices, "other:22");
	must(alone >= 0 && others >= 1);
	must(assignments_add(choices, "TS01:22", "alice", "p q", NULL) == 0);
	must(assignments_pending(choices, "ts01:22") == alone + 1);
	must(assignments_pending(choices, "other:22") == others - 1);
	must(assignments_save(choices, NULL) == 0);
	assignments_close(choices);
	check_file();

	choices = must_open();
	must(assignments_pending(choices, "ts01:22") == alone + 1);
	must(assignments_pending(choices, "other:22") == others - 1);
	assignments_started(choices, "ts01:22", "alice", 0);
	must(assignments_pending(choices, "ts01:22") <= alone);
	assignments_close(choices);
	return 0;
}
