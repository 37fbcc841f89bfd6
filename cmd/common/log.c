/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log, for the administrator.  Nothing here writes to stdout, which is the
 * client's.
 */
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "common/log.h"

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

/* Write a line with one writev(2), so that the lines of two processes do not
 * mix. */
static bool
write_line(int fd, char *line, bool with_time)
{
	char stamp[32] = "", name[32], newline[] = "\n";
	struct iovec parts[] = { { stamp, 0 }, { name, 0 }, { line, 0 },
	    { newline, 0 } };
	const int n = sizeof(parts) / sizeof(parts[0]);
	time_t now = time(NULL);
	ssize_t len = 0;
	struct tm tm;
	int i;

	if (with_time && localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%FT%T%z ", &tm);
	snprintf(name, sizeof(name), "x2gobroker[%ld]: ", (long)getpid());
	for (i = 0; i < n; i++) {
		parts[i].iov_len = strlen(parts[i].iov_base);
		len += (ssize_t)parts[i].iov_len;
	}
	return writev(fd, parts, n) == len;
}

void
log_text(int priority, const char *text)
{
	char line[LOG_LINE_SIZE];

	utf8_escape(line, sizeof(line), text);
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
log_line(int priority, const char *fmt, ...)
{
	char text[LOG_LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_text(priority, text);
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
	char text[LOG_LINE_SIZE];

	log_text(problem->code == X2GOBROKER_WARNING ? LOG_WARNING : LOG_ERR,
	    x2gobroker_error_format(problem, text, sizeof(text)));
}
