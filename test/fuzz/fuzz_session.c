/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "USER\nLINE" of x2golistsessions: what is taken is safe in an answer, and is
 * given out as it came.  USER "" is any user. */
#include "fuzz.h"
#include "client/markers.h"
#include "agent/answer.h"

static char latest[] = "2026-11-29T14:00:00";

static void
check_session(const struct session *session, const char *user)
{
	must(session->nfields >= SESSION_FIELDS_MIN);
	must(session->nfields <= SESSION_FIELDS_MAX);
	must(user != NULL ? strcmp(session_user(session), user) == 0 :
	    strpbrk(session_user(session), " ") == NULL &&
	    *session_user(session) != '-' && *session_user(session) != '\0');
	must(session_is_id(session_id(session)));
	must(strpbrk(session_id(session), " '\"\\;|$`/") == NULL);
	must(*session_host(session) != '\0' && *session_host(session) != '-');
	must(session->state != SESSION_NONE);
	must(session_compare(session, session, latest) == 0);
	/* whatever it says */
	must(!session_is_shadow(session) ||
	    strstr(session_id(session), "XSHAD") != NULL);
}

static void
check_answer(const struct buf *line)
{
	size_t i;

	must(!line->failed && line->len <= SESSION_LINE_MAX);
	must(markers_find(line->data, line->len) == NULL);
	for (i = 0; i < line->len; i++)
		must(line->data[i] >= ' ' && line->data[i] <= '~');
}

static void
try_line(const char *line, size_t len, const char *user)
{
	struct session session, again;
	struct buf out = { 0 };

	if (session_parse(line, len, user, &session, NULL) == -1) {
		must(session.line == NULL && session.nfields == 0);
		return;
	}
	check_session(&session, user);
	session_put(&out, &session, session_host(&session), session.state);
	check_answer(&out);
	/* but for more fields than we know */
	must(out.len <= len && memcmp(out.data, line, out.len) == 0);
	must(out.len == len || (line[out.len] == '|' &&
	    session.nfields == SESSION_FIELDS_MAX));
	must(session_parse(out.data, out.len, user, &again, NULL) == 0);
	must(session_compare(&session, &again, latest) == 0);
	session_free(&session);
	session_free(&again);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *eol = size > 0 ? memchr(text, '\n', size) : NULL;
	char *user;

	if (eol == NULL)
		return 0;
	user = fuzz_string(text, (size_t)(eol - text));
	try_line(eol + 1, size - (size_t)(eol - text) - 1,
	    *user != '\0' ? user : NULL);
	free(user);
	return 0;
}
