/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/pubkey.h"
#include "temporarykey.h"

#define LETTERS		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS		"0123456789"
/* Nothing that a shell, a mail program or cron interprets: the line does no
 * harm if it ever gets into a file of another kind. */
#define COMMENT_CHARS	LETTERS DIGITS " %+,-./:=@_"
#define FROM_CHARS	LETTERS DIGITS "*?!,.:/_-"
#define TIME_CHARS	DIGITS "Z"

static const char expiry_time[] = "expiry-time";

/* A broker may only restrict a key: its rights, its lifetime, its clients. */
static const struct option {
	const char *name;
	const char *value_chars;	/* NULL: it has no value */
} options[] = {
	{ "restrict", NULL },
	{ "pty", NULL },
	{ "port-forwarding", NULL },
	{ "agent-forwarding", NULL },
	{ "X11-forwarding", NULL },
	{ "no-pty", NULL },
	{ "no-port-forwarding", NULL },
	{ "no-agent-forwarding", NULL },
	{ "no-X11-forwarding", NULL },
	{ "no-user-rc", NULL },
	{ "from", FROM_CHARS },
	{ expiry_time, TIME_CHARS },
};

#define NOPTIONS	(sizeof(options) / sizeof(options[0]))

static bool
is_text(const struct span *span, const char *text)
{
	return parse_item_is(span->at, span->len, text);
}

static bool
has_mark(const struct span *comment)
{
	static const size_t n = sizeof(TEMPORARYKEY_MARK) - 1;

	return span_begins_with(comment, TEMPORARYKEY_MARK) &&
	    (comment->len == n || strchr(": \t\r", comment->at[n]) != NULL);
}

bool
temporarykey_check(const struct keyline *line, time_t *expiry)
{
	struct span rest = line->options;
	struct keyoption option;

	if (!has_mark(&line->comment))
		return false;
	/* sshd(8) ignores a line that has several */
	while (keyline_next_option(&rest, &option))
		if (is_text(&option.name, expiry_time))
			return keyline_parse_time(option.value.at,
			    option.value.len, expiry);
	return false;
}

/*
 * Making lines
 */

static int
refuse_line(struct x2gobroker_error *err, const char *why)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the key line: "
	    "%s", why);
}

/* The span is part of a terminated text. */
static bool
is_made_of(const struct span *span, const char *chars)
{
	return strspn(span->at, chars) >= span->len;
}

/* A line that is being made. */
struct making {
	enum temporarykey_end end;
	time_t now;
	unsigned int seen;	/* a bit for each of options */
	bool has_end;
	struct buf *out;
};

/* Is it an end that a new line may have? */
static int
check_end(const struct making *making, time_t end,
    struct x2gobroker_error *err)
{
	long long left = (long long)end - making->now;

	if (left > 0 && left <= TEMPORARYKEY_SECONDS_MAX)
		return 0;
	return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the key line: "
	    "the key would end %lld seconds %s by the clock of this server; "
	    "from 1 to %d seconds ahead are allowed.  If the broker asked for "
	    "less, the clocks differ: synchronise them", left > 0 ? left :
	    -left, left > 0 ? "ahead" : "ago", TEMPORARYKEY_SECONDS_MAX);
}

static int
put_end(struct making *making, time_t end, bool local,
    struct x2gobroker_error *err)
{
	char text[KEYLINE_TIME];

	if (!keyline_format_time(end, local, text))
		return refuse_line(err, "the time zone of this server does "
		    "not allow the end to be written");
	buf_printf(making->out, "=\"%s\"", text);
	making->has_end = true;
	return 0;
}

static int
put_value(struct making *making, const struct option *option,
    const struct span *value, struct x2gobroker_error *err)
{
	time_t end;

	if (value->len == 0 || !is_made_of(value, option->value_chars))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: invalid value of option %s", option->name);
	if (option->name == expiry_time) {
		if (!keyline_parse_time(value->at, value->len, &end))
			return refuse_line(err, "expiry-time is not "
			    "YYYYMMDDHHMM[SS][Z]");
		if (making->end != END_ANY &&
		    check_end(making, end, err) == -1)
			return -1;
		if (making->end == END_LOCAL)
			return put_end(making, end, true, err);
		making->has_end = true;
	}
	/* some shells remove the quotes, but sshd needs them */
	buf_printf(making->out, "=\"%.*s\"", (int)value->len, value->at);
	return 0;
}

static int
put_option(struct making *making, const struct keyoption *option,
    struct x2gobroker_error *err)
{
	size_t i;

	for (i = 0; i < NOPTIONS; i++)
		if (is_text(&option->name, options[i].name) &&
		    option->has_value == (options[i].value_chars != NULL))
			break;
	if (i == NOPTIONS)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: option %.*s is not allowed in temporary keys",
		    option->name.len < 64 ? (int)option->name.len : 64,
		    option->name.at);
	if ((making->seen & 1U << i) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: duplicate option %s", options[i].name);
	buf_printf(making->out, "%s%s", making->seen != 0 ? "," : "",
	    options[i].name);
	making->seen |= 1U << i;
	return option->has_value ? put_value(making, &options[i],
	    &option->value, err) : 0;
}

/* At least one: a user's permanent line usually has none, and must be neither
 * added nor removed.  Lines of the Python broker have no end: it removes them
 * itself, unless something goes wrong. */
static int
put_options(struct making *making, const struct keyline *line,
    struct x2gobroker_error *err)
{
	struct span rest = line->options;
	struct keyoption option;

	while (keyline_next_option(&rest, &option))
		if (put_option(making, &option, err) == -1)
			return -1;
	if (making->seen == 0)
		return refuse_line(err, "a temporary key must have options");
	if (making->end == END_ANY || making->has_end)
		return 0;
	buf_printf(making->out, ",%s", expiry_time);
	/* every sshd that knows the option reads the local form */
	return put_end(making, making->now + TEMPORARYKEY_SECONDS, true, err);
}

static int
put_key(const struct keyline *line, struct buf *out,
    struct x2gobroker_error *err)
{
	cleanup_free char *type = strndup(line->type.at, line->type.len);
	cleanup_free char *base64 = strndup(line->base64.at,
	    line->base64.len);
	const char *why;

	if (type == NULL || base64 == NULL)
		return error_nomem(err);
	if ((why = pubkey_check(type, base64)) != NULL)
		return refuse_line(err, why);
	buf_printf(out, " %s %s", type, base64);
	return 0;
}

/* The mark of a new line is our own work: without it, the line would stay. */
static void
put_comment(const struct making *making, const struct keyline *line)
{
	if (making->end != END_ANY && !has_mark(&line->comment))
		buf_puts(making->out, " " TEMPORARYKEY_MARK);
	if (line->comment.len > 0)
		buf_printf(making->out, " %.*s", (int)line->comment.len,
		    line->comment.at);
}

int
temporarykey_make(const char *text, enum temporarykey_end end, time_t now,
    struct buf *out, struct x2gobroker_error *err)
{
	struct making making = { .end = end, .now = now, .out = out };
	size_t len = strlen(text);
	struct keyline line;

	if (len > TEMPORARYKEY_MAX)
		return refuse_line(err, "is longer than 8 KiB");
	if (!keyline_split(text, len, &line))
		return refuse_line(err, "contains no key");
	while (line.comment.len > 0 &&
	    line.comment.at[line.comment.len - 1] == ' ')
		line.comment.len--;
	if (!is_made_of(&line.comment, COMMENT_CHARS))
		return refuse_line(err, "the comment may contain only letters, "
		    "digits, blanks and %+,-./:=@_");
	if (put_options(&making, &line, err) == -1 ||
	    put_key(&line, out, err) == -1)
		return -1;
	put_comment(&making, &line);
	return out->failed ? error_nomem(err) : 0;
}
