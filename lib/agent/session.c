/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/parse.h"
#include "client/markers.h"
#include "agent/answer.h"

#define EASTMOST_HOURS	14	/* ahead of UTC, in Kiribati */

/*
 * Valid values of fields.  While a session starts it has no process, cookie,
 * client and ports yet, so these fields may be empty.
 */

static bool
is_number(const char *text)
{
	/* an unused port, or a clock that was set back */
	if (*text == '-')
		text++;
	return *text != '\0' && text[strspn(text, PARSE_DIGITS)] == '\0';
}

static bool
is_cookie(const char *text)
{
	return text[strspn(text, PARSE_ALNUM)] == '\0';
}

static bool
is_time(const char *text)
{
	return *text != '\0' && text[strspn(text, PARSE_DIGITS "-:T")] == '\0';
}

static bool
is_state(const char *text)
{
	return (*text == SESSION_RUNNING || *text == SESSION_SUSPENDED ||
	    *text == SESSION_FINISHED) && text[1] == '\0';
}

static bool
is_host(const char *text)
{
	return address_is_host(text, strlen(text));
}

/* Of anybody; a task is given it as a word. */
static bool
is_user(const char *text)
{
	return *text != '-' && strchr(text, ' ') == NULL;
}

static const struct field {
	const char *name;
	bool (*is_valid)(const char *text);	/* not called with "" */
	bool may_be_empty;
} field_types[SESSION_FIELDS_MAX] = {
	{ "agent pid", is_number, true },
	{ "session id", session_is_id },
	{ "display", is_number },
	{ "host", is_host },
	{ "state", is_state },
	{ "time of creation", is_time },
	{ "cookie", is_cookie, true },
	{ "client", is_host, true },
	{ "graphics port", is_number, true },
	{ "sound port", is_number, true },
	{ "last time", is_time },
	{ "user", NULL },
	{ "age", is_number },
	{ "file-sharing port", is_number, true },
	{ "telekinesis control port", is_number, true },
	{ "telekinesis data port", is_number, true },
};

bool
session_is_id(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= SESSION_ID_MAX && id[0] != '-' &&
	    strspn(id, PARSE_ALNUM "._-@") == len;
}

static int
session_error(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "no session: %s", why);
}

/* Checks of the whole line. */
static int
check_line(const char *line, size_t len, struct x2gobroker_error *err)
{
	size_t i;

	if (len > SESSION_LINE_MAX)
		return session_error(err, "line too long");
	for (i = 0; i < len; i++)
		if (line[i] < 0x20 || line[i] > 0x7e)
			return session_error(err, "not printable ASCII");
	/* in an answer, the client would take it for a marker */
	if (markers_find(line, len) != NULL)
		return session_error(err, "it contains a marker of the "
		    "broker's protocol");
	return 0;
}

/* Split session->line at each '|'; fields may be empty.  Those that a later
 * version may add are left out. */
static int
split(struct session *session, struct x2gobroker_error *err)
{
	char *rest = session->line, *field;

	while (session->nfields < SESSION_FIELDS_MAX &&
	    (field = strsep(&rest, "|")) != NULL)
		session->fields[session->nfields++] = field;
	if (session->nfields < SESSION_FIELDS_MIN)
		return session_error(err, "too few fields");
	return 0;
}

static int
check_fields(struct session *session, const char *user,
    struct x2gobroker_error *err)
{
	const struct field *type;
	const char *text;
	size_t i;

	for (i = 0; i < session->nfields; i++) {
		text = session->fields[i];
		type = &field_types[i];
		if (*text == '\0' ? !type->may_be_empty :
		    type->is_valid != NULL && !type->is_valid(text))
			return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
			    "no session: the %s cannot be \"%.100s\"",
			    type->name, text);
	}
	if (user == NULL && !is_user(session_user(session)))
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no session of a user: %.100s", session_user(session));
	if (user != NULL && strcmp(session_user(session), user) != 0)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "no session of %.100s: it is %.100s's", user,
		    session_user(session));
	session->state = (enum session_state)session->fields[4][0];
	return 0;
}

int
session_parse(const char *line, size_t len, const char *user,
    struct session *session, struct x2gobroker_error *err)
{
	memset(session, 0, sizeof(*session));
	if (check_line(line, len, err) == -1)
		return -1;
	if ((session->line = strndup(line, len)) == NULL)
		return error_nomem(err);
	if (split(session, err) == 0 && check_fields(session, user, err) == 0)
		return 0;
	session_free(session);
	return -1;
}

void
session_put(struct buf *buf, const struct session *session, const char *host,
    enum session_state state)
{
	size_t i;

	for (i = 0; i < session->nfields; i++) {
		if (i > 0)
			buf_putc(buf, '|');
		if (i == 3)
			buf_puts(buf, host);
		else if (i == 4)
			buf_putc(buf, (char)state);
		else
			buf_puts(buf, session->fields[i]);
	}
}

/* Is there a '-' and at least min digits just before *end?  Then move *end
 * before them. */
static bool
skip_number(const char *text, size_t *end, size_t min)
{
	size_t at = *end;

	while (at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9')
		at--;
	if (*end - at < min || at == 0 || text[at - 1] != '-')
		return false;
	*end = at - 1;
	return true;
}

/* As X2Go::Server::Agent::NX does, find -[0-9]{2,}-[0-9]{10,}_stS(0|1)XSHAD
 * anywhere in the id, which begins with the name of the user. */
bool
session_is_shadow(const struct session *session)
{
	const char *id = session_id(session), *at = id;
	size_t end;

	for (; (at = strstr(at, "_stS")) != NULL; at++) {
		end = (size_t)(at - id);
		if ((at[4] == '0' || at[4] == '1') &&
		    strncmp(at + 5, "XSHAD", 5) == 0 &&
		    skip_number(id, &end, 10) && skip_number(id, &end, 2))
			return true;
	}
	return false;
}

static int
rank(const struct session *session)
{
	static const char order[] = { SESSION_SUSPENDED, SESSION_RUNNING,
	    SESSION_FINISHED, SESSION_NONE };

	return (int)(strchr(order, (char)session->state) - order);
}

/* The times of sessions are local ones. */
void
session_latest(time_t now, char latest[static SESSION_TIME_SIZE])
{
	struct tm tm;

	now += EASTMOST_HOURS * 3600;
	if (gmtime_r(&now, &tm) == NULL || strftime(latest, SESSION_TIME_SIZE,
	    "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		*latest = '\0';
}

/* These times sort as text does. */
static const char *
believed_time(const struct session *session, const char *latest)
{
	const char *last = session_last(session);

	return strcmp(last, latest) <= 0 ? last : "";
}

int
session_compare(const void *a, const void *b, void *latest)
{
	const struct session *sa = a, *sb = b;
	int order = rank(sa) - rank(sb);

	if (order == 0)
		order = strcmp(believed_time(sb, latest),
		    believed_time(sa, latest));
	return order != 0 ? order : strcmp(session_id(sa), session_id(sb));
}

void
session_free(struct session *session)
{
	free(session->line);
	memset(session, 0, sizeof(*session));
}
