/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gogetservers prints.  Of it, the agent says for each host how much of
 * all it has; and the broker can read what x2gogetservers says itself.
 */
#include "agent/answer.h"
#include "fuzz.h"
#include "load.h"

/* "PERCENT:HOST", sorted. */
static void
check_usage(char *text)
{
	char *line, *end;
	const char *before = "";
	long percent, all = 0;

	while ((line = strsep(&text, "\n")) != NULL && text != NULL) {
		must(strcmp(before, line) <= 0);
		before = line;
		percent = strtol(line, &end, 10);
		must(end > line && *end == ':' && end[1] != '\0');
		must(percent >= 0 && percent <= 100);
		must(end[1 + strcspn(end + 1, " :\t\r/\"'\\")] == '\0');
		all += percent;
	}
	must(line != NULL && *line == '\0' && all <= 100);
}

static size_t
count_lines(const char *text)
{
	size_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *answer;
	char *copy = fuzz_string(data, size);
	struct agent_report report;
	struct buf out = { 0 };

	must(load_put_servers(copy, &out) == 0);
	free(copy);
	if (out.len > 0) {
		must(count_lines(out.data) <= count_lines(text) + 1);
		check_usage(out.data);
	}
	agent_report_init(&report);
	must(asprintf(&answer, "OK\n%s\n", text) > 0);
	if (strlen(answer) < AGENT_ANSWER_MAX)
		must(agent_parse_servers(answer, strlen(answer), NULL,
		    &report, NULL) == 0 || report.ncounts == 0);
	must(report.ncounts <= count_lines(answer) - 1);
	agent_report_free(&report);
	buf_free(&out);
	free(answer);
	free(text);
	return 0;
}
