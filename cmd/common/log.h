/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include <x2gobroker.h>

/* Log to syslog (facility authpriv), and to stderr as well if debug. */
void	log_open(bool debug);

/* Log to this file instead of syslog; "" changes nothing. */
void	log_to_file(const char *path);

#define LOG_LINE_SIZE	4096	/* with the NUL; longer lines are cut off */

/* Log one line.  Control characters in it are escaped. */
void	log_text(int priority, const char *text);
void	log_line(int priority, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* An x2gobroker_report for problems in files. */
void	log_report(void *unused, const struct x2gobroker_error *problem);

/* The same for events, such as a server that does not answer: warnings are
 * logged, too. */
void	log_event(void *unused, const struct x2gobroker_error *problem);

#endif
