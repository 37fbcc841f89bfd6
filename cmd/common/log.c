/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log, for the administrator.  Nothing here writes to stdout, which is the
 * client's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/safefile.h"
#include "common/log.h"

#define LINE_SIZE	4096

static bool to_stderr;
static int file_fd = -1;

void
log_open(bool debug)
{
	to_stderr = debug;
	openlog("x2gobroker", LOG_PID, LOG_AUTHPRIV);
}

void
log_to_file(const char *path)
{
	int fd;

	if (*path == '\0')
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
	    O_NOCTTY, 0640);
	if (fd == -1)
		log_line(LOG_ERR, "%s: cannot be opened for the log, so it "
		    "stays in syslog: %s", path, strerror(errno));
	file_fd = fd;
}

/* Write a line with one write(2), if possible, so that the lines of two
 * processes do not mix. */
static bool
write_line(int fd, const char *line, bool with_time)
{
	char out[LINE_SIZE + 64], stamp[32] = "";
	struct tm tm;
	time_t now = time(NULL);
	int len;

	if (with_time && localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%FT%T%z ", &tm);
	len = snprintf(out, sizeof(out), "%sx2gobroker[%ld]: %s\n", stamp,
	    (long)getpid(), line);
	if (len >= (int)sizeof(out))
		len = (int)sizeof(out) - 1;
	return safefile_write(fd, out, (size_t)len);
}

void
log_line(int priority, const char *fmt, ...)
{
	struct x2gobroker_error err = { 0 };
	char line[LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	x2gobroker_error_format(&err, line, sizeof(line));
	if (to_stderr)
		write_line(STDERR_FILENO, line, false);
	if (file_fd != -1 && write_line(file_fd, line, true))
		return;
	if (file_fd != -1)
		syslog(LOG_ERR, "the log file cannot be written, so the log "
		    "goes on here: %m");
	file_fd = -1;
	syslog(priority, "%s", line);
}

void
log_report(void *unused __attribute__((unused)),
    const struct x2gobroker_error *problem)
{
	/* x2gobrokerctl check shows warnings; do not log them for every
	 * request */
	if (problem->code != X2GOBROKER_WARNING || to_stderr)
		log_event(NULL, problem);
}

void
log_event(void *unused __attribute__((unused)),
    const struct x2gobroker_error *problem)
{
	char text[LINE_SIZE];

	log_line(problem->code == X2GOBROKER_WARNING ? LOG_WARNING : LOG_ERR,
	    "%s", x2gobroker_error_format(problem, text, sizeof(text)));
}
