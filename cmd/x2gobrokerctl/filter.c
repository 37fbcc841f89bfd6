/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "filter.h"

#define NUMBER_MAX	100000	/* of days: 273 years */

bool
filter_parse_time(const char *text, bool *today, time_t *out)
{
	time_t now = time(NULL);
	struct tm asked, found;
	const char *end;

	if (localtime_r(&now, &asked) == NULL)
		return false;
	asked.tm_sec = 0;
	end = strptime(text, "%H:%M", &asked);
	*today = end != NULL && *end == '\0';
	if (!*today)
		end = strptime(text, "%Y-%m-%d %H:%M", &asked);
	if (end == NULL || *end != '\0')
		return false;
	asked.tm_isdst = -1;
	found = asked;
	*out = mktime(&found);
	/* 30 February, and hours that summer time leaves out */
	return *out > 0 && found.tm_mday == asked.tm_mday &&
	    found.tm_hour == asked.tm_hour && found.tm_min == asked.tm_min;
}

/* "30m", "8h" or "3d" before now. */
static bool
parse_age(const char *text, time_t now, time_t *out)
{
	static const struct unit {
		char letter;
		int seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t i, digits = strspn(text, PARSE_DIGITS);
	long long n = strtoll(text, NULL, 10);

	if (digits == 0 || strlen(text) != digits + 1 || n > NUMBER_MAX)
		return false;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[digits] == units[i].letter) {
			*out = now - (time_t)n * units[i].seconds;
			return true;
		}
	return false;
}

/* As the times of sessions are written. */
static int
read_before(const char *text, time_t now, struct filter *filter)
{
	time_t before;
	struct tm tm;
	bool today;

	if ((!parse_age(text, now, &before) &&
	    !filter_parse_time(text, &today, &before)) ||
	    localtime_r(&before, &tm) == NULL ||
	    strftime(filter->before, sizeof(filter->before),
	    "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		ctl_complain("--older-than %s: not a time; write a number with "
		    "m, h or d, such as 8h, or HH:MM, or \"YYYY-MM-DD "
		    "HH:MM\", in local time", text);
		return EXIT_USAGE;
	}
	if (before <= now)
		return EXIT_YES;
	ctl_complain("--older-than %s: is in the future", text);
	return EXIT_USAGE;
}

/* In words, or as X2Go has it. */
static int
read_state(const char *text, struct filter *filter)
{
	if (strcasecmp(text, "running") == 0 || strcmp(text, "R") == 0)
		filter->state = X2GOBROKER_SESSION_RUNNING;
	else if (strcasecmp(text, "suspended") == 0 || strcmp(text, "S") == 0)
		filter->state = X2GOBROKER_SESSION_SUSPENDED;
	else {
		ctl_complain("--state %s: not one of: running (R), suspended "
		    "(S)", text);
		return EXIT_USAGE;
	}
	return EXIT_YES;
}

int
filter_read(const struct ctl *ctl, time_t now, struct filter *filter)
{
	int result = EXIT_YES;

	memset(filter, 0, sizeof(*filter));
	if (ctl->state != NULL)
		result = read_state(ctl->state, filter);
	if (result == EXIT_YES && ctl->older_than != NULL)
		result = read_before(ctl->older_than, now, filter);
	return result;
}

/* These times sort as text does. */
bool
filter_takes(const struct filter *filter,
    const struct x2gobroker_session *session)
{
	return session->state != X2GOBROKER_SESSION_FINISHED &&
	    (filter->state == 0 || filter->state == session->state) &&
	    (filter->before[0] == '\0' ||
	    strcmp(session->last, filter->before) < 0);
}
