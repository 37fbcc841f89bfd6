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

static void
skip_blanks(struct span *rest)
{
	while (rest->len > 0 && is_one_of(*rest->at, BLANKS)) {
		rest->at++;
		rest->len--;
	}
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

static struct span
take_word(struct span *rest)
{
	size_t n = 0;

	while (n < rest->len && !is_one_of(rest->at[n], BLANKS))
		n++;
	return take(rest, n);
}

/* The length of the quoted string at the start of text; \" does not end it. */
static size_t
quoted_len(const char *text, size_t len)
{
	size_t n;

	for (n = 1; n < len && text[n] != '"'; n++)
		if (text[n] == '\\' && n + 1 < len && text[n + 1] == '"')
			n++;
	return n < len ? n + 1 : len;
}

/* Cut the text up to the first unquoted character of end off *rest. */
static struct span
take_options(struct span *rest, const char *end)
{
	size_t n = 0;

	while (n < rest->len && !is_one_of(rest->at[n], end))
		n += rest->at[n] == '"' ?
		    quoted_len(rest->at + n, rest->len - n) : 1;
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
	struct span rest = { line, len }, word;

	memset(out, 0, sizeof(*out));
	skip_blanks(&rest);
	if (rest.len == 0 || *rest.at == '#')
		return false;
	word = rest;
	word = take_word(&word);
	if (!is_type(&word)) {
		out->options = take_options(&rest, BLANKS);
		skip_blanks(&rest);
	}
	out->type = take_word(&rest);
	skip_blanks(&rest);
	out->base64 = take_word(&rest);
	skip_blanks(&rest);
	out->comment = rest;
	return is_type(&out->type) && out->base64.len > 0;
}

static bool
is_same(const struct span *a, const struct span *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

bool
keyline_same_key(const struct keyline *a, const struct keyline *b)
{
	return is_same(&a->type, &b->type) && is_same(&a->base64, &b->base64);
}

/* An option as it is written: its name, and what follows the '='. */
struct pair {
	struct span name, value;
	bool has_value;
};

static bool
next_option(struct span *rest, struct pair *pair)
{
	struct span all;
	const char *equals;

	if (rest->len == 0)
		return false;
	all = take_options(rest, ",");
	if (rest->len > 0)
		take(rest, 1);
	memset(pair, 0, sizeof(*pair));
	pair->name = all;
	if ((equals = memchr(all.at, '=', all.len)) == NULL)
		return true;
	pair->has_value = true;
	pair->name.len = (size_t)(equals - all.at);
	pair->value.at = equals + 1;
	pair->value.len = all.len - pair->name.len - 1;
	return true;
}

static void
strip_quotes(struct span *value)
{
	if (value->len >= 2 && value->at[0] == '"' &&
	    value->at[value->len - 1] == '"') {
		value->at++;
		value->len -= 2;
	}
}

static bool
is_text(const struct span *span, const char *text)
{
	return span->len == strlen(text) && memcmp(span->at, text,
	    span->len) == 0;
}

/* The first one; sshd(8) ignores a line that has several. */
static bool
find_expiry(const struct keyline *line, time_t *expiry)
{
	struct span rest = line->options;
	struct pair pair;

	while (next_option(&rest, &pair)) {
		if (!is_text(&pair.name, expiry_time))
			continue;
		strip_quotes(&pair.value);
		return keyline_parse_time(pair.value.at, pair.value.len,
		    expiry);
	}
	return false;
}

static bool
is_marked(const struct keyline *line)
{
	static const size_t n = sizeof(KEYLINE_MARK) - 1;
	const struct span *comment = &line->comment;

	return begins_with(comment, KEYLINE_MARK) && (comment->len == n ||
	    is_one_of(comment->at[n], ": \t\r"));
}

bool
keyline_is_temporary(const struct keyline *line)
{
	time_t ignored;

	return is_marked(line) && find_expiry(line, &ignored);
}

bool
keyline_is_expired(const struct keyline *line, time_t now)
{
	time_t expiry;

	return is_marked(line) && find_expiry(line, &expiry) && expiry <= now;
}

/*
 * Times
 */

/* Two or four digits, from min to max. */
static bool
take_number(struct span *rest, size_t digits, int min, int max, int *out)
{
	char text[5] = "";

	if (rest->len < digits)
		return false;
	memcpy(text, take(rest, digits).at, digits);
	return parse_digits(text, min, max, out);
}

bool
keyline_parse_time(const char *text, size_t len, time_t *out)
{
	struct span rest = { text, len };
	struct tm tm = { .tm_isdst = -1 };
	bool utc = len > 0 && text[len - 1] == 'Z';

	rest.len -= utc;
	if (rest.len != 8 && rest.len != 12 && rest.len != 14)
		return false;
	if (!take_number(&rest, 4, 1970, 9999, &tm.tm_year) ||
	    !take_number(&rest, 2, 1, 12, &tm.tm_mon) ||
	    !take_number(&rest, 2, 1, 31, &tm.tm_mday))
		return false;
	if (rest.len > 0 && (!take_number(&rest, 2, 0, 23, &tm.tm_hour) ||
	    !take_number(&rest, 2, 0, 59, &tm.tm_min)))
		return false;
	if (rest.len > 0 && !take_number(&rest, 2, 0, 60, &tm.tm_sec))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
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

static bool
is_made_of(const struct span *span, const char *chars)
{
	size_t i;

	for (i = 0; i < span->len; i++)
		if (!is_one_of(span->at[i], chars))
			return false;
	return true;
}

static int
put_value(const struct pair *pair, const struct option *option,
    struct buf *out, struct x2gobroker_error *err)
{
	struct span value = pair->value;
	time_t ignored;

	/* some shells remove the quotes, but sshd needs them */
	strip_quotes(&value);
	if (value.len == 0 || !is_made_of(&value, option->value_chars))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0, "the "
		    "key line: invalid value of option %s", option->name);
	if (option->name == expiry_time && !keyline_parse_time(value.at,
	    value.len, &ignored))
		return refuse_line(err, "expiry-time is not "
		    "YYYYMMDDHHMM[SS][Z]");
	buf_printf(out, "=\"%.*s\"", (int)value.len, value.at);
	return 0;
}

static int
put_option(const struct pair *pair, unsigned int *seen, struct buf *out,
    struct x2gobroker_error *err)
{
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
	return pair->has_value ? put_value(pair, &options[i], out, err) : 0;
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
