/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line for each request:
 *
 *	granted|refused task=T user=U by=operator|account from=A [key=F]
 *	    [profile=P] [what was granted] ms=N [reason="..."]
 *
 * A value that is more than letters, digits and a few harmless characters
 * stands between quotes, in which quotes and backslashes have a backslash
 * before them and control characters are \ooo; so nothing that a client sends
 * can look like a key of ours, or like another line.  What is not known is "-".
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/audit.h"
#include "base/safefile.h"
#include "common/log.h"

#define LINE_SIZE	4096
#define VALUE_MAX	250	/* of one value; more of it helps nobody */
#define REASON_MAX	1000	/* a word on each of many servers, maybe */
#define AUTH_INFO_MAX	16384	/* an RSA key of 16384 bits fits */

struct line {
	char text[LINE_SIZE];
	size_t len;
};

static void
put(struct line *line, const char *text)
{
	size_t n = strlen(text), room = sizeof(line->text) - line->len - 1;

	if (n > room)
		n = room;
	memcpy(line->text + line->len, text, n);
	line->len += n;
	line->text[line->len] = '\0';
}

static bool
is_bare(const char *value)
{
	return *value != '\0' && strlen(value) <= VALUE_MAX &&
	    strspn(value, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+,-") == strlen(value);
}

/* " key=value".  Control characters are escaped by the log itself. */
static void
put_pair_max(struct line *line, const char *key, const char *value,
    size_t max)
{
	char one[2] = "";
	size_t i;

	put(line, " ");
	put(line, key);
	put(line, "=");
	if (value == NULL || is_bare(value)) {
		put(line, value != NULL ? value : "-");
		return;
	}
	put(line, "\"");
	for (i = 0; i < max && value[i] != '\0'; i++) {
		one[0] = value[i];
		if (value[i] == '"' || value[i] == '\\')
			put(line, "\\");
		put(line, one);
	}
	put(line, value[i] != '\0' ? "...\"" : "\"");
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
	struct line line = { 0 };
	long micros;

	put(&line, audit->why == NULL ? "granted" : "refused");
	put_pair(&line, "task", task_name(audit->request));
	put_pair(&line, "user", audit->user);
	put_pair(&line, "by", audit->user == NULL ? NULL :
	    audit->pinned ? "operator" : "account");
	put_pair(&line, "from", audit->address);
	if (audit->key != NULL)
		put_pair(&line, "key", audit->key);
	/* the client's own --user is a claim: wrong or right, never used */
	if (*claim != '\0' && audit->user != NULL &&
	    strcmp(claim, audit->user) != 0)
		put_pair(&line, "claims", claim);
	if (*sid != '\0')
		put_pair(&line, "profile", sid);
	if (audit->why == NULL && *audit->summary != '\0') {
		put(&line, " ");
		put(&line, audit->summary);
	}
	micros = microseconds_since(&audit->started);
	snprintf(number, sizeof(number), "%ld.%ld", micros / 1000,
	    micros % 1000 / 100);
	put_pair(&line, "ms", number);
	if (audit->why != NULL)
		put_pair_max(&line, "reason", x2gobroker_error_format(
		    audit->why, text, sizeof(text)), REASON_MAX);
	log_line(audit->why == NULL ? LOG_INFO : LOG_NOTICE, "%s", line.text);
}

/* The first public key among what sshd was satisfied with. */
static char *
read_fingerprint(int fd)
{
	char text[AUTH_INFO_MAX], *line, *rest = text, *word;
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	ssize_t n = safefile_read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return NULL;
	text[n] = '\0';
	/* "publickey TYPE BASE64", a line for each method that was passed */
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "publickey ", 10) != 0)
			continue;
		strsep(&line, " ");
		strsep(&line, " ");
		word = strsep(&line, " ");
		return word != NULL && x2gobroker_key_fingerprint(word,
		    fingerprint) == 0 ? strdup(fingerprint) : NULL;
	}
	return NULL;
}

char *
audit_key_fingerprint(const char *path)
{
	char *fingerprint;
	int fd;

	if (path == NULL || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK)) == -1)
		return NULL;
	fingerprint = read_fingerprint(fd);
	close(fd);
	return fingerprint;
}
