/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/stat and comm.  What is read is the number that stands there, and
 * no name that a process gives itself changes it.
 */
#include "load.h"
#include "fuzz.h"

#define BEHIND	"S 1 2 2 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "

/* In proc(5) a name has at most 15 bytes; here it may have more. */
static void
check_name(const char *name)
{
	char *stat;

	must(asprintf(&stat, "17 (%s) " BEHIND "4711 0\n", name) > 0);
	must(load_parse_start(stat) == 4711);
	free(stat);
	must(asprintf(&stat, "17 (%s) " BEHIND "-1 0\n", name) > 0);
	must(load_parse_start(stat) == -1);
	free(stat);
}

static void
check_stat(const char *text)
{
	long long start = load_parse_start(text);
	char digits[32];

	must(start >= -1);
	if (start == -1)
		return;
	must(strrchr(text, ')') != NULL);
	snprintf(digits, sizeof(digits), "%lld", start);
	must(start == INT64_MAX || strstr(strrchr(text, ')'), digits) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);

	check_stat(text);
	/* what stands behind the last parenthesis is not the name's to say */
	if (strchr(text, ')') == NULL || strchr(text, '\n') == NULL)
		check_name(text);
	if (load_is_session(text))
		must(strncmp(text, "x2goagent", 9) == 0 ||
		    strncmp(text, "nxagent", 7) == 0);
	free(text);
	return 0;
}
