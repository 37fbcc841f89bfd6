/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line for each request:
 *
 *	granted|refused task=T user=U by=HOW from=A [key=F]
 *	    [profile=P] [what was granted] ms=N [reason="..."]
 *
 * A value with other characters than letters, digits and a few harmless ones is
 * quoted.  In quotes, quotes and backslashes are escaped with a backslash, and
 * control characters are \ooo; so nothing that a client sends can look like
 * another key or another line.  "-" stands for an unknown value.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/safefile.h"
#include "common/audit.h"
#include "common/counters.h"
#include "common/log.h"

#define VALUE_MAX	250	/* of one value; the rest is cut off */
#define REASON_MAX	1000	/* it may be about many servers */
#define AUTH_INFO_MAX	16384	/* an RSA key of 16384 bits fits */

struct line {
	char text[LOG_LINE_SIZE];
	size_t len;
};

static bool
is_bare(const char *value)
{
	return *value != '\0' && strlen(value) <= VALUE_MAX &&
	    strspn(value, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+,-") == strlen(value);
}

/* Append as much of the text as fits. */
static void
put(struct line *line, const char *text, size_t len)
{
	size_t room = sizeof(line->text) - 1 - line->len;

	if (len > room)
		len = room;
	memcpy(line->text + line->len, text, len);
	line->len += len;
	line->text[line->len] = '\0';
}

static void
put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* " key=value".  Control characters are escaped by the log itself. */
static void
put_pair_max(struct line *line, const char *key, const char *value, size_t max)
{
	size_t i;

	put_text(line, " ");
	put_text(line, key);
	put_text(line, "=");
	if (value == NULL || is_bare(value)) {
		put_text(line, value != NULL ? value : "-");
		return;
	}
	put_text(line, "\"");
	for (i = 0; i < max && value[i] != '\0'; i++) {
		if (value[i] == '"' || value[i] == '\\')
			put_text(line, "\\");
		put(line, value + i, 1);
	}
	put_text(line, value[i] != '\0' ? "...\"" : "\"");
}

static void
put_pair(struct line *line, const char *key, const char *value)
{
	put_pair_max(line, key, value, VALUE_MAX);
}

static const char *
task_name(const struct x2gobroker_request *request)
{
	switch (x2gobroker_request_kind(request)) {
	case X2GOBROKER_REQUEST_LOGIN_CHECK:
		return "login";
	case X2GOBROKER_REQUEST_WHOAMI:
		return "whoami";
	case X2GOBROKER_REQUEST_TASK:
		return x2gobroker_request_task(request);
	case X2GOBROKER_REQUEST_NONE:
		break;
	}
	return NULL;
}

static long
microseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000000L +
	    (now.tv_nsec - start->tv_nsec) / 1000;
}

void
audit_log(const struct audit *audit)
{
	const char *sid = x2gobroker_request_profile_id(audit->request);
	const char *claim = x2gobroker_request_user(audit->request);
	char number[48], text[2 * X2GOBROKER_TEXT_SIZE];
	struct line line;
	long micros;

	line.len = 0;
	put_text(&line, audit->why == NULL ? "granted" : "refused");
	put_pair(&line, "task", task_name(audit->request));
	put_pair(&line, "user", audit->user);
	put_pair(&line, "by", audit->user != NULL ? audit->by : NULL);
	put_pair(&line, "from", audit->address);
	if (audit->key != NULL)
		put_pair(&line, "key", audit->key);
	/* the client's own --user is only a claim, and never used */
	if (*claim != '\0' && audit->user != NULL &&
	    strcmp(claim, audit->user) != 0)
		put_pair(&line, "claims", claim);
	if (*sid != '\0')
		put_pair(&line, "profile", sid);
	if (audit->why == NULL && *audit->summary != '\0') {
		put_text(&line, " ");
		put_text(&line, audit->summary);
	}
	micros = microseconds_since(&audit->started);
	snprintf(number, sizeof(number), "%ld.%ld", micros / 1000,
	    micros % 1000 / 100);
	put_pair(&line, "ms", number);
	if (audit->why != NULL)
		put_pair_max(&line, "reason", x2gobroker_error_format(
		    audit->why, text, sizeof(text)), REASON_MAX);
	log_text(audit->why == NULL ? LOG_INFO : LOG_NOTICE, line.text);
	counters_add(task_name(audit->request), audit->why == NULL);
}

char *
audit_auth_info(const char *path)
{
	cleanup_fd int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK) : -1;
	size_t len = AUTH_INFO_MAX;

	return fd != -1 ? safefile_read_text(fd, path, &len, NULL) : NULL;
}

/* "publickey TYPE BASE64", a line for each method that was passed. */
bool
audit_next_key(char **rest, const char **type, const char **base64)
{
	char *line;

	while ((line = strsep(rest, "\n")) != NULL) {
		if (strncmp(line, "publickey ", 10) != 0)
			continue;
		strsep(&line, " ");
		*type = strsep(&line, " ");
		*base64 = strsep(&line, " ");
		if (*base64 != NULL)
			return true;
	}
	return false;
}

char *
audit_key_fingerprint(const char *base64)
{
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];

	return x2gobroker_key_fingerprint(base64, fingerprint) == 0 ?
	    strdup(fingerprint) : NULL;
}
