/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>

#include <x2gobroker.h>

/* Log to syslog (facility authpriv), and to stderr as well if debug. */
void	log_open(bool debug);

/* Log to this file instead of syslog; "" changes nothing. */
void	log_to_file(const char *path);

/* Open what is needed to log, so that a sandbox does not come in between. */
void	log_prepare(void);

/* One line.  Control characters in it are shown escaped. */
void	log_line(int priority, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* The same for an error, with a word about what was being done. */
void	log_error(const char *what, const struct x2gobroker_error *err);

/* An x2gobroker_report for what is found in files. */
void	log_report(void *unused, const struct x2gobroker_error *problem);

/* The same for what happens, such as a server that does not answer: warnings
 * are logged, too. */
void	log_event(void *unused, const struct x2gobroker_error *problem);

#endif
