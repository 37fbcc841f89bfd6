/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sessions --state and --older-than leave; and times on the command line.
 */
#ifndef X2GOBROKERCTL_FILTER_H
#define X2GOBROKERCTL_FILTER_H

#include <time.h>

#include "ctl.h"

#define FILTER_TIME_SIZE	sizeof("2026-11-23T20:49:25")

struct filter {
	enum x2gobroker_session_state state;	/* 0: any */
	char before[FILTER_TIME_SIZE];		/* local time, or "" */
};

/* The local time "YYYY-MM-DD HH:MM", or "HH:MM" of today. */
bool	filter_parse_time(const char *text, bool *today, time_t *out);

/* Read the values of --state and --older-than; now is time(3).  Returns an exit
 * status; unless it is EXIT_YES, an error message was printed. */
int	filter_read(const struct ctl *ctl, time_t now, struct filter *filter);

bool	filter_takes(const struct filter *filter,
	    const struct x2gobroker_session *session);

#endif
