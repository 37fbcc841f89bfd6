/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/array.h"
#include "agent/answer.h"
#include "base/parse.h"

#define LIST_MAX	10000	/* starts, or servers, in one answer */
#define NUMBER_MAX	1000000000L	/* more than any real value */
#define TIME_DIGITS	12	/* of time(3), for 30,000 years */

void
agent_report_init(struct agent_report *report)
{
	memset(report, 0, sizeof(*report));
	report->count = -1;
}

static void
free_tallies(struct agent_tally **list, size_t *n)
{
	while (*n > 0) {
		free((*list)[--*n].name);
		free((*list)[*n].host);
	}
	free(*list);
	*list = NULL;
}

void
agent_report_free(struct agent_report *report)
{
	while (report->nsessions > 0)
		session_free(&report->sessions[--report->nsessions]);
	free(report->sessions);
	free_tallies(&report->starts, &report->nstarts);
	free_tallies(&report->counts, &report->ncounts);
	free_tallies(&report->facts, &report->nfacts);
	free(report->skipped_why);
	agent_report_init(report);
}

#define ARGUMENT	PARSE_ALNUM " %+,-./:=@_"

static int
bad_word(struct x2gobroker_error *err, const char *what, const char *word)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
	    "%s \"%.200s\" is not allowed in the command line of an agent",
	    what, word);
}

static bool
is_made_of(const char *word, const char *chars)
{
	return *word != '\0' && *word != '-' &&
	    word[strspn(word, chars)] == '\0';
}

bool
agent_name_is_plain(const char *user)
{
	/* "-" means no user, for tasks that need none */
	return is_made_of(user, PARSE_ALNUM "._-@+") || strcmp(user, "-") == 0;
}

/* EXAMPLE\alice, or a name with other letters than those of ASCII.  Some shells
 * read "\\" and "\'" in quotes as one character. */
static bool
may_be_quoted(const char *user)
{
	const char *p;

	for (p = user; *p != '\0'; p++)
		if ((*p & 0x80) == 0 && strchr(PARSE_ALNUM "._-@+",
		    *p) == NULL && (*p != '\\' || p[1] == '\\' ||
		    p[1] == '\0'))
			return false;
	return *user != '\0' && *user != '-';
}

/*
 * The command line is read by the login shell of the account, which can be any
 * shell (some do not treat a backslash in quotes as such); by Debian's agent,
 * which cuts its command at the first ';', gives it to a shell, and puts some
 * arguments into further command lines, in double quotes or in none; or by our
 * own agent.  So no word may contain a character that is special to any of
 * them.  The quotes are for the blanks in a public key.  A public key is the
 * first argument and may contain '"' in its options, because Debian's agent
 * does not pass it on.
 */
int
agent_command(struct buf *buf, const char *agent, const char *user,
    const char *task, const char *const *args, struct x2gobroker_error *err)
{
	size_t i;

	if (agent[0] != '/' || !is_made_of(agent, PARSE_ALNUM "/._+-"))
		return bad_word(err, "the path", agent);
	if (!agent_name_is_plain(user) && !may_be_quoted(user))
		return bad_word(err, "the user", user);
	if (!is_made_of(task, PARSE_ALNUM "_-"))
		return bad_word(err, "the task", task);
	for (i = 0; args != NULL && args[i] != NULL; i++)
		if (!is_made_of(args[i], i == 0 ? ARGUMENT "\"" : ARGUMENT))
			return bad_word(err, "the argument", args[i]);
	buf_printf(buf, agent_name_is_plain(user) ? "%s %s %s" : "%s '%s' %s",
	    agent, user, task);
	for (i = 0; args != NULL && args[i] != NULL; i++)
		buf_printf(buf, " '%s'", args[i]);
	return buf->failed ? error_nomem(err) : 0;
}

struct lines {
	const char *next, *end;
};

static int
bad_answer(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
	    "the agent's answer %s", why);
}

/* Check the answer as a whole, and set lines to what follows its OK.  whole: it
 * must end with a newline. */
static int
begin(struct lines *lines, const char *text, size_t len, bool whole,
    struct x2gobroker_error *err)
{
	const char *eol = memchr(text, '\n', len);
	size_t first = eol != NULL ? (size_t)(eol - text) : len;

	if (len == 0)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "the agent sent an empty answer: it may not know the task "
		    "or the user");
	if (len > AGENT_ANSWER_MAX)
		return bad_answer(err, "is too long");
	if (memchr(text, '\0', len) != NULL)
		return bad_answer(err, "contains a NUL byte");
	if (first != 2 || memcmp(text, "OK", 2) != 0)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "the agent's answer begins with \"%.*s\" instead of OK",
		    (int)(first < 200 ? first : 200), text);
	if (eol == NULL)
		return bad_answer(err, "has no newline after OK");
	if (whole && text[len - 1] != '\n')
		return bad_answer(err, "is cut off in the middle of a line");
	lines->next = eol + 1;
	lines->end = text + len;
	return 0;
}

static bool
next_line(struct lines *lines, const char **line, size_t *len)
{
	const char *eol;

	if (lines->next == lines->end)
		return false;
	*line = lines->next;
	eol = memchr(*line, '\n', (size_t)(lines->end - *line));
	*len = (size_t)((eol != NULL ? eol : lines->end) - *line);
	lines->next = eol != NULL ? eol + 1 : lines->end;
	return true;
}

/* If the line is "KEY:...", skip that part. */
static bool
take_key(const char **line, size_t *len, const char *key)
{
	size_t n = strlen(key);

	if (*len <= n || memcmp(*line, key, n) != 0 || (*line)[n] != ':')
		return false;
	*line += n + 1;
	*len -= n + 1;
	return true;
}

/* An unsigned integer; one above NUMBER_MAX is read as that. */
static bool
parse_number(const char *text, size_t len, long *out)
{
	long n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (text[i] - '0');
		if (n > NUMBER_MAX)
			n = NUMBER_MAX;
	}
	*out = n;
	return len > 0;
}

int
agent_parse_ok(const char *text, size_t len, struct x2gobroker_error *err)
{
	struct lines lines;

	return begin(&lines, text, len, true, err);
}

static bool
has_session(const struct agent_report *report, const char *id)
{
	size_t i;

	for (i = 0; i < report->nsessions; i++)
		if (strcmp(session_id(&report->sessions[i]), id) == 0)
			return true;
	return false;
}

/* A bad line is skipped; without memory the whole answer fails.  In a list of
 * all users, it takes too long to compare each with each. */
static int
add_session(struct agent_report *report, const char *line, size_t len,
    const char *user, struct x2gobroker_error *err)
{
	size_t max = user != NULL ? AGENT_SESSIONS_MAX :
	    AGENT_ALL_SESSIONS_MAX;
	struct session session, *more;
	struct x2gobroker_error why;

	if (session_parse(line, len, user, &session, &why) == -1) {
		if (why.code == X2GOBROKER_ERR_NOMEM)
			return error_nomem(err);
		if (report->skipped_why == NULL &&
		    (report->skipped_why = strdup(why.text)) == NULL)
			return error_nomem(err);
		report->skipped++;
		return 0;
	}
	if (user != NULL && has_session(report, session_id(&session))) {
		session_free(&session);
		return 0;
	}
	if (report->nsessions == max) {
		session_free(&session);
		return bad_answer(err, "has too many sessions");
	}
	more = array_grow(report->sessions, report->nsessions, sizeof(*more));
	if (more == NULL) {
		session_free(&session);
		return error_nomem(err);
	}
	report->sessions = more;
	report->sessions[report->nsessions++] = session;
	return 0;
}

static int
parse_sessions(const char *text, size_t len, const char *user,
    struct agent_report *report, struct x2gobroker_error *err)
{
	struct lines lines;
	const char *line;

	if (begin(&lines, text, len, true, err) == -1)
		return -1;
	while (next_line(&lines, &line, &len))
		if (add_session(report, line, len, user, err) == -1) {
			agent_report_free(report);
			return -1;
		}
	return 0;
}

int
agent_parse_sessions(const char *text, size_t len, const char *user,
    struct agent_report *report, struct x2gobroker_error *err)
{
	/* no user has no sessions */
	return parse_sessions(text, len, user != NULL ? user : "", report,
	    err);
}

int
agent_parse_all_sessions(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	return parse_sessions(text, len, NULL, report, err);
}

enum { LOADAVG, MEM_AVAIL, MY_MEM_AVAIL, NUM_CPU, TYPE_CPU, LOAD_KEYS };

#define LOAD_UNKNOWN	{ -1, -1, -1, -1, -1 }

/* Read a line of the load.  Agents print integers, but the Python broker
 * accepts fractions, so we ignore them. */
static bool
take_load(long load[static LOAD_KEYS], const char *line, size_t len)
{
	static const char *const keys[LOAD_KEYS] = {
		"loadavgXX", "memAvail", "myMemAvail", "numCPU", "typeCPU",
	};
	const char *point;
	long ignored;
	size_t i, n;

	for (i = 0; i < LOAD_KEYS; i++) {
		if (!take_key(&line, &len, keys[i]))
			continue;
		point = memchr(line, '.', len);
		n = point != NULL ? (size_t)(point - line) : len;
		if (!parse_number(line, n, &load[i]) ||
		    (point != NULL && !parse_number(point + 1, len - n - 1,
		    &ignored)))
			load[i] = -1;
		return true;
	}
	return false;
}

/* The load factor of the Python broker, but never 0, which that one computes
 * for a server without a known processor.  The product of four numbers up to
 * NUMBER_MAX does not fit in 64 bits. */
static void
rate_load(const long v[static LOAD_KEYS], struct agent_report *report)
{
	long mem = v[MEM_AVAIL] != 0 ? v[MEM_AVAIL] : v[MY_MEM_AVAIL];
	double factor;

	if (mem < 0 || v[LOADAVG] < 0 || v[NUM_CPU] < 0 || v[TYPE_CPU] < 0)
		return;
	factor = (double)mem / 1000 * (double)v[NUM_CPU] *
	    (double)v[TYPE_CPU] * 100 /
	    (double)(v[LOADAVG] > 0 ? v[LOADAVG] : 1);
	report->load_known = true;
	if (factor < 1)
		report->load_factor = 1;
	else if (factor >= (double)UINT64_MAX)
		report->load_factor = UINT64_MAX;
	else
		report->load_factor = (uint64_t)factor;
}

int
agent_parse_load(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	long load[LOAD_KEYS] = LOAD_UNKNOWN;
	struct lines lines;
	const char *line;

	if (begin(&lines, text, len, true, err) == -1)
		return -1;
	while (next_line(&lines, &line, &len))
		if (!take_load(load, line, len) &&
		    len == strlen(AGENT_HAS_STATUS) &&
		    memcmp(line, AGENT_HAS_STATUS, len) == 0)
			report->has_status = true;
	rate_load(load, report);
	return 0;
}

/* Could it be the name of a user?  It is only compared. */
static bool
is_user(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return len > 0 && len <= 255;
}

/* Add a line of a valid name, the separator and a number to the list.  Ignores
 * any other line. */
static int
add_tally(struct agent_tally **list, size_t *n, const char *line, size_t len,
    int separator, bool (*is_valid)(const char *, size_t),
    struct x2gobroker_error *err)
{
	const char *end = memrchr(line, separator, len);
	struct agent_tally tally = { .host = NULL }, *more;
	size_t name_len = end != NULL ? (size_t)(end - line) : 0;

	if (end == NULL || !is_valid(line, name_len) ||
	    !parse_number(end + 1, len - name_len - 1, &tally.number))
		return 0;
	if (*n == LIST_MAX)
		return bad_answer(err, "has too many lines");
	if ((more = array_grow(*list, *n, sizeof(*more))) == NULL)
		return error_nomem(err);
	*list = more;
	if ((tally.name = strndup(line, name_len)) == NULL)
		return error_nomem(err);
	more[(*n)++] = tally;
	return 0;
}

/* The last line of x2gogetservers(8) has no newline. */
static int
parse_tallies(const char *text, size_t len,
    bool (*is_valid)(const char *, size_t), struct agent_tally **list,
    size_t *n, struct x2gobroker_error *err)
{
	struct lines lines;
	const char *line;

	if (begin(&lines, text, len, false, err) == -1)
		return -1;
	while (next_line(&lines, &line, &len))
		if (add_tally(list, n, line, len, ' ', is_valid, err) == -1) {
			free_tallies(list, n);
			return -1;
		}
	return 0;
}

static int
compare_counts(const void *a, const void *b)
{
	const struct agent_tally *one = a, *other = b;
	int order = hostlist_compare_labels(one->name, other->name);

	return order != 0 ? order : strcmp(one->name, other->name);
}

int
agent_parse_servers(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	if (parse_tallies(text, len, address_is_host, &report->counts,
	    &report->ncounts, err) == -1)
		return -1;
	if (report->ncounts > 0)
		qsort(report->counts, report->ncounts, sizeof(*report->counts),
		    compare_counts);
	return 0;
}

/* The first one whose name is not before that name. */
static size_t
find_label(const struct agent_report *report, const char *name)
{
	size_t low = 0, high = report->ncounts, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (hostlist_compare_labels(report->counts[middle].name,
		    name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct agent_tally *
agent_find_count(const struct agent_report *report, const struct host *host)
{
	const char *const names[] = { host->name, host->address };
	const struct agent_tally *count, *end;
	size_t i;

	if (report->ncounts == 0)
		return NULL;
	end = report->counts + report->ncounts;
	for (i = 0; i < 2; i++)
		for (count = report->counts + find_label(report, names[i]);
		    count < end && hostlist_compare_labels(count->name,
		    names[i]) == 0; count++)
			if (hostlist_match(host, 1, count->name) != NULL)
				return count;
	return NULL;
}

int
agent_parse_facts(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	return parse_tallies(text, len, is_user, &report->facts,
	    &report->nfacts, err);
}

/* A line "HOST USER AGE". */
static int
add_start(struct agent_report *report, const char *line, size_t len,
    struct x2gobroker_error *err)
{
	const char *blank = memchr(line, ' ', len);
	size_t n = report->nstarts, host = blank != NULL ?
	    (size_t)(blank - line) : 0;

	if (blank == NULL || !address_is_host(line, host))
		return 0;
	if (add_tally(&report->starts, &report->nstarts, blank + 1,
	    len - host - 1, ' ', is_user, err) == -1)
		return -1;
	if (report->nstarts > n && (report->starts[n].host = strndup(line,
	    host)) == NULL)
		return error_nomem(err);
	return 0;
}

int
agent_parse_starts(const char *text, size_t len,
    const char *user __attribute__((unused)), struct agent_report *report,
    struct x2gobroker_error *err)
{
	struct lines lines;
	const char *line;

	if (begin(&lines, text, len, true, err) == -1)
		return -1;
	while (next_line(&lines, &line, &len))
		if (add_start(report, line, len, err) == -1) {
			free_tallies(&report->starts, &report->nstarts);
			return -1;
		}
	return 0;
}

/* Administrators see this. */
static void
take_agent(struct agent_report *report, const char *line, size_t len)
{
	static const char good[] = PARSE_ALNUM " .+~-_";
	char name[AGENT_NAME_MAX + 1];

	if (len > AGENT_NAME_MAX)
		return;
	memcpy(name, line, len);
	name[len] = '\0';
	if (name[strspn(name, good)] == '\0')
		memcpy(report->agent, name, len + 1);
}

static void
take_time(struct agent_report *report, const char *line, size_t len)
{
	int64_t seconds = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] < '0' || line[i] > '9' || i == TIME_DIGITS)
			return;
		seconds = seconds * 10 + (line[i] - '0');
	}
	report->time = seconds;
}

static void
take_host(struct agent_report *report, const char *line, size_t len)
{
	if (len > HOST_TEXT_MAX || !address_is_host(line, len))
		return;
	memcpy(report->host, line, len);
	report->host[len] = '\0';
}

/* Ignores unknown keys, which a newer agent may send. */
static int
take_status_line(struct agent_report *report, long load[static LOAD_KEYS],
    const char *line, size_t len, const char *user,
    struct x2gobroker_error *err)
{
	if (memchr(line, ':', len) == NULL)
		return bad_answer(err, "has a line that is not KEY:VALUE");
	if (take_load(load, line, len))
		return 0;
	if (take_key(&line, &len, "started"))
		return add_tally(&report->starts, &report->nstarts, line, len,
		    ':', is_user, err);
	if (take_key(&line, &len, "session"))
		return user == NULL ? 0 :
		    add_session(report, line, len, user, err);
	if (take_key(&line, &len, "sessions")) {
		if (!parse_number(line, len, &report->count))
			report->count = -1;
	} else if (take_key(&line, &len, "agent"))
		take_agent(report, line, len);
	else if (take_key(&line, &len, "host"))
		take_host(report, line, len);
	else if (take_key(&line, &len, "time"))
		take_time(report, line, len);
	return 0;
}

int
agent_parse_status(const char *text, size_t len, const char *user,
    struct agent_report *report, struct x2gobroker_error *err)
{
	static const char last[] = "\nEND\n";
	const size_t n = sizeof(last) - 1;
	long load[LOAD_KEYS] = LOAD_UNKNOWN;
	struct lines lines;
	const char *line;

	if (begin(&lines, text, len, true, err) == -1)
		return -1;
	if (len < n || memcmp(text + len - n, last, n) != 0)
		return bad_answer(err, "is cut off before END");
	lines.end -= n - 1;
	while (next_line(&lines, &line, &len))
		if (take_status_line(report, load, line, len, user,
		    err) == -1) {
			agent_report_free(report);
			return -1;
		}
	rate_load(load, report);
	return 0;
}

bool
agent_is_ours(const struct buf *answer)
{
	return answer->data != NULL &&
	    strstr(answer->data, "\n" AGENT_STATUS "\n") != NULL;
}
