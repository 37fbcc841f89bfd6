/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of an agent; the first byte says to what.  What is refused leaves no
 * trace, and what is taken can be used without another look. */
#include "base/address.h"
#include "agent/answer.h"
#include "fuzz.h"

static int
parse(uint8_t which, const char *text, size_t len,
    struct agent_report *report, struct x2gobroker_error *err)
{
	switch (which % 6) {
	case 0:
		return agent_parse_ok(text, len, err);
	case 1:
		return agent_parse_sessions(text, len, "alice", report, err);
	case 2:
		return agent_parse_load(text, len, NULL, report, err);
	case 3:
		return agent_parse_servers(text, len, NULL, report, err);
	case 4:
		return agent_parse_status(text, len, NULL, report, err);
	default:
		return agent_parse_status(text, len, "alice", report, err);
	}
}

static void
check_nothing(const struct agent_report *report)
{
	must(report->nsessions == 0 && report->nstarts == 0);
	must(report->ncounts == 0 && report->skipped == 0);
	must(!report->load_known && report->count == -1);
}

static void
check_report(const struct agent_report *report)
{
	const struct agent_tally *count = report->counts;
	const struct agent_tally *start = report->starts;
	struct address ignored;
	size_t i, j;

	must(report->nsessions <= AGENT_SESSIONS_MAX);
	for (i = 0; i < report->nsessions; i++) {
		must(strcmp(session_user(&report->sessions[i]), "alice") == 0);
		for (j = 0; j < i; j++)
			must(strcmp(session_id(&report->sessions[i]),
			    session_id(&report->sessions[j])) != 0);
	}
	must((report->skipped == 0) == (report->skipped_why == NULL));
	must(report->load_known == (report->load_factor > 0));
	must(report->count >= -1);
	for (i = 0; i < report->nstarts; i++, start++)
		must(start->number >= 0 && *start->name != '\0' &&
		    strpbrk(start->name, " \n") == NULL);
	for (i = 0; i < report->ncounts; i++, count++)
		must(count->number >= 0 &&
		    (address_is_host_name(count->name, strlen(count->name)) ||
		    address_parse(count->name, strlen(count->name), &ignored)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct agent_report report;
	struct x2gobroker_error err;

	if (size == 0)
		return 0;
	agent_report_init(&report);
	if (parse(data[0], (const char *)data + 1, size - 1, &report,
	    &err) == -1) {
		must((err.code == X2GOBROKER_ERR_NOTFOUND) == (size == 1));
		check_nothing(&report);
	} else
		check_report(&report);
	agent_report_free(&report);
	return 0;
}
