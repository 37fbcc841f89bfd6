/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "helper.h"

enum helper_status
report_status(enum helper_status status, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", line);
	syslog(status == HELPER_SYSTEM ? LOG_ERR : LOG_NOTICE, "%s", line);
	return status;
}
