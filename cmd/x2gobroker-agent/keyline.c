/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "keyline.h"
#include "base/pubkey.h"
#include "base/parse.h"

#define BLANKS		" \t"
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

/*
 * Reading lines
 */

static bool
is_one_of(char c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

/* Cut the first n bytes off *rest. */
static struct span
take(struct span *rest, size_t n)
{
	struct span taken = { rest->at, n };

	rest->at += n;
	rest->len -= n;
	return taken;
}

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && is_one_of(*rest->at, BLANKS))
		take(rest, 1);
}

/* Cut the text up to the first unquoted character of end off *rest; in quotes,
 * \" is not their end. */
static struct span
take_until(struct span *rest, const char *end)
{
	bool quoted = false;
	size_t n;

	for (n = 0; n < rest->len; n++)
		if (rest->at[n] == '"')
			quoted = !quoted;
		else if (quoted && rest->at[n] == '\\' &&
		    n + 1 < rest->len && rest->at[n + 1] == '"')
			n++;
		else if (!quoted && is_one_of(rest->at[n], end))
			break;
	return take(rest, n);
}

static bool
begins_with(const struct span *span, const char *text)
{
	size_t n = strlen(text);

	return span->len >= n && memcmp(span->at, text, n) == 0;
}

static bool
is_type(const struct span *word)
{
	return begins_with(word, "ssh-") || begins_with(word, "ecdsa-") ||
	    begins_with(word, "sk-");
}

bool
keyline_split(const char *line, size_t len, struct keyline *out)
{
	struct span rest = { line, len };

	memset(out, 0, sizeof(*out));
	skip_blanks(&rest);
	if (rest.len == 0 || *rest.at == '#')
		return false;
	if (!is_type(&rest)) {
		out->options = take_until(&rest, BLANKS);
		skip_blanks(&rest);
	}
	out->type = take_until(&rest, BLANKS);
	skip_blanks(&rest);
	out->base64 = take_until(&rest, BLANKS);
	skip_blanks(&rest);
	out->comment = rest;
	return is_type(&out->type) && out->base64.len > 0;
}

bool
keyline_same_key(const struct keyline *a, const struct keyline *b)
{
	return a->type.len == b->type.len && a->base64.len == b->base64.len &&
	    memcmp(a->type.at, b->type.at, a->type.len) == 0 &&
	    memcmp(a->base64.at, b->base64.at, a->base64.len) == 0;
}

/* An option: its name, and what follows the '=', without quotes. */
struct pair {
	struct span name, value;
	bool has_value;
};

static bool
next_option(struct span *rest, struct pair *pair)
{
	const char *equals;
	struct span *value = &pair->value;

	if (rest->len == 0)
		return false;
	memset(pair, 0, sizeof(*pair));
	*value = take_until(rest, ",");
	if (rest->len > 0)
		take(rest, 1);
	equals = memchr(value->at, '=', value->len);
	pair->has_value = equals != NULL;
	pair->name = take(value, equals != NULL ?
	    (size_t)(equals - value->at) : value->len);
	if (pair->has_value)
		take(value, 1);
	if (value->len >= 2 && value->at[0] == '"' &&
	    value->at[value->len - 1] == '"') {
		take(value, 1);
		value->len--;
	}
	return true;
}

static bool
is_text(const struct span *span, const char *text)
{
	return parse_item_is(span->at, span->len, text);
}

bool
keyline_is_temporary(const struct keyline *line, time_t *expiry)
{
	static const size_t n = sizeof(KEYLINE_MARK) - 1;
	const struct span *comment = &line->comment;
	struct span rest = line->options;
	struct pair pair;

	if (!begins_with(comment, KEYLINE_MARK) || (comment->len > n &&
	    !is_one_of(comment->at[n], ": \t\r")))
		return false;
	/* sshd(8) ignores a line that has several */
	while (next_option(&rest, &pair))
		if (is_text(&pair.name, expiry_time))
			return keyline_parse_time(pair.value.at,
			    pair.value.len, expiry);
	return false;
}

bool
keyline_parse_time(const char *text, size_t len, time_t *out)
{
	bool utc = len > 0 && text[len - 1] == 'Z';
	struct tm tm = { .tm_isdst = -1 };
	char digits[15] = "";
	const char *end;

	len -= utc;
	if (len != 8 && len != 12 && len != 14)
		return false;
	memcpy(digits, text, len);
	if (digits[strspn(digits, DIGITS)] != '\0')
		return false;
	/* digits are left if one of the numbers is too large */
	end = strptime(digits, len == 8 ? "%Y%m%d" : len == 12 ?
	    "%Y%m%d%H%M" : "%Y%m%d%H%M%S", &tm);
	if (end == NULL || *end != '\0' || tm.tm_year < 70 || tm.tm_sec > 60)
		return false;
	*out = utc ? timegm(&tm) : mktime(&tm);
	return *out != (time_t)-1;
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

static int
put_option(const struct pair *pair, unsigned int *seen, struct buf *out,
    struct x2gobroker_error *err)
{
	const struct span *value = &pair->value;
	time_t ignored;
	size_t i;

	for (i = 0; i < NOPTIONS; i++)
		if (is_text(&pair->name, options[i].name) &&
		    pair->has_value == (options[i].value_chars != NULL))
			break;
	if (i == NOPTIONS)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: option %.*s is not allowed in temporary keys",
		    pair->name.len < 64 ? (int)pair->name.len : 64,
		    pair->name.at);
	if ((*seen & 1U << i) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: duplicate option %s", options[i].name);
	buf_printf(out, "%s%s", *seen != 0 ? "," : "", options[i].name);
	*seen |= 1U << i;
	if (!pair->has_value)
		return 0;
	if (value->len == 0 || !is_made_of(value, options[i].value_chars))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: invalid value of option %s", options[i].name);
	if (options[i].name == expiry_time && !keyline_parse_time(value->at,
	    value->len, &ignored))
		return refuse_line(err, "expiry-time is not "
		    "YYYYMMDDHHMM[SS][Z]");
	/* some shells remove the quotes, but sshd needs them */
	buf_printf(out, "=\"%.*s\"", (int)value->len, value->at);
	return 0;
}

/* At least one: a user's permanent line usually has none, and must be neither
 * added nor removed. */
static int
put_options(const struct keyline *line, struct buf *out,
    struct x2gobroker_error *err)
{
	struct span rest = line->options;
	unsigned int seen = 0;
	struct pair pair;

	while (next_option(&rest, &pair))
		if (put_option(&pair, &seen, out, err) == -1)
			return -1;
	if (seen == 0)
		return refuse_line(err, "a temporary key must have options");
	return 0;
}

/* Keys of hardware tokens cannot be temporary ones. */
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
	if (begins_with(&line->type, "sk-"))
		return refuse_line(err, "keys of hardware tokens cannot be "
		    "temporary");
	if ((why = pubkey_check(type, base64)) != NULL)
		return refuse_line(err, why);
	buf_printf(out, " %s %s", type, base64);
	return 0;
}

int
keyline_make(const char *text, struct buf *out, struct x2gobroker_error *err)
{
	size_t len = strlen(text);
	struct keyline line;

	if (len > KEYLINE_MAX)
		return refuse_line(err, "is longer than 8 KiB");
	if (!keyline_split(text, len, &line))
		return refuse_line(err, "contains no key");
	while (line.comment.len > 0 &&
	    line.comment.at[line.comment.len - 1] == ' ')
		line.comment.len--;
	if (!is_made_of(&line.comment, COMMENT_CHARS))
		return refuse_line(err, "the comment may contain only letters, "
		    "digits, blanks and %+,-./:=@_");
	if (put_options(&line, out, err) == -1 ||
	    put_key(&line, out, err) == -1)
		return -1;
	if (line.comment.len > 0)
		buf_printf(out, " %.*s", (int)line.comment.len,
		    line.comment.at);
	return out->failed ? error_nomem(err) : 0;
}
