/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sessions --state and --older-than leave.
 */
#include "../../../cmd/x2gobrokerctl/filter.c"
#include "support.h"

#include <stdarg.h>

static char complaint[300];

void
ctl_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(complaint, sizeof(complaint), fmt, ap);
	va_end(ap);
}

/* The time is that of the machine that runs the test, but not the zone. */
static int
setup(void **state unused)
{
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	complaint[0] = '\0';
	return 0;
}

#define NOW	1795550400	/* 2026-11-24 21:00 in Berlin */

static void
sessions_match_by_state_and_last_change(void **state unused)
{
	static const struct {
		const char *state, *older_than;
		enum x2gobroker_session_state session;
		const char *last;
		bool takes;
	} rows[] = {
		{ NULL, NULL, X2GOBROKER_SESSION_RUNNING, "", true },
		{ NULL, NULL, X2GOBROKER_SESSION_FINISHED, "", false },
		{ "running", NULL, X2GOBROKER_SESSION_RUNNING, "", true },
		{ "Running", NULL, X2GOBROKER_SESSION_SUSPENDED, "", false },
		{ "R", NULL, X2GOBROKER_SESSION_RUNNING, "", true },
		{ "S", NULL, X2GOBROKER_SESSION_RUNNING, "", false },
		{ "suspended", NULL, X2GOBROKER_SESSION_SUSPENDED, "", true },
		{ NULL, "2026-11-23 20:50", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-23T20:49:59", true },
		{ NULL, "2026-11-23 20:50", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-23T20:50:00", false },
		{ "S", "2026-11-23 20:50", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-23T20:49:59", false },
		{ NULL, "1d", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-23T20:59:59", true },
		{ NULL, "1d", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-23T21:00:00", false },
		{ NULL, "8h", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-24T12:59:59", true },
		{ NULL, "8h", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-24T13:00:00", false },
		{ NULL, "30m", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-24T20:29:59", true },
		{ NULL, "30m", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-24T20:30:00", false },
		{ NULL, "0m", X2GOBROKER_SESSION_RUNNING,
		    "2026-11-24T20:59:59", true },
	};
	struct x2gobroker_session session = { .id = "x" };
	struct ctl ctl = { 0 };
	struct filter filter;
	char label[100];
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		snprintf(label, sizeof(label), "%zu: %s", i, rows[i].last);
		ctl.state = rows[i].state;
		ctl.older_than = rows[i].older_than;
		session.state = rows[i].session;
		session.last = rows[i].last;
		check(label, filter_read(&ctl, NOW, &filter) == EXIT_YES);
		check(label, filter_takes(&filter, &session) == rows[i].takes);
	}
}

static void
what_is_no_filter_is_refused(void **state unused)
{
	static const struct {
		const char *state, *older_than, *why;
	} rows[] = {
		{ "", NULL, "not one of" },
		{ "r", NULL, "not one of" },
		{ "RS", NULL, "not one of" },
		{ "finished", NULL, "not one of" },
		{ "F", NULL, "not one of" },
		{ "running,suspended", NULL, "not one of" },
		{ NULL, "", "not a time" },
		{ NULL, "d", "not a time" },
		{ NULL, "3", "not a time" },
		{ NULL, "-3d", "not a time" },
		{ NULL, "+3d", "not a time" },
		{ NULL, " 3d", "not a time" },
		{ NULL, "3dd", "not a time" },
		{ NULL, "3d ", "not a time" },
		{ NULL, "3w", "not a time" },
		{ NULL, "3D", "not a time" },
		{ NULL, "1.5h", "not a time" },
		{ NULL, "100001d", "not a time" },
		{ NULL, "99999999999999999999999d", "not a time" },
		{ NULL, "2026-02-30 12:00", "not a time" },
		{ NULL, "2026-11-23", "not a time" },
		{ NULL, "2026-11-23T20:49:25", "not a time" },
		{ NULL, "25:00", "not a time" },
		{ NULL, "yesterday", "not a time" },
		{ NULL, "2199-01-01 00:00", "in the future" },
	};
	struct ctl ctl = { 0 };
	struct filter filter;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		ctl.state = rows[i].state;
		ctl.older_than = rows[i].older_than;
		check(rows[i].why, filter_read(&ctl, NOW, &filter) ==
		    EXIT_USAGE);
		check(rows[i].why, strstr(complaint, rows[i].why) != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sessions_match_by_state_and_last_change,
		    setup),
		cmocka_unit_test_setup(what_is_no_filter_is_refused, setup),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
