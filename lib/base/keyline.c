/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/keyline.h"
#include "base/parse.h"

#define BLANKS		" \t"

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

bool
span_begins_with(const struct span *span, const char *text)
{
	size_t n = strlen(text);

	return span->len >= n && memcmp(span->at, text, n) == 0;
}

static bool
is_type(const struct span *word)
{
	return span_begins_with(word, "ssh-") ||
	    span_begins_with(word, "ecdsa-") || span_begins_with(word, "sk-");
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

bool
keyline_next_option(struct span *rest, struct keyoption *option)
{
	const char *equals;
	struct span *value = &option->value;

	if (rest->len == 0)
		return false;
	memset(option, 0, sizeof(*option));
	*value = take_until(rest, ",");
	if (rest->len > 0)
		take(rest, 1);
	equals = memchr(value->at, '=', value->len);
	option->has_value = equals != NULL;
	option->name = take(value, equals != NULL ?
	    (size_t)(equals - value->at) : value->len);
	if (option->has_value)
		take(value, 1);
	if (value->len >= 2 && value->at[0] == '"' &&
	    value->at[value->len - 1] == '"') {
		take(value, 1);
		value->len--;
	}
	return true;
}

bool
keyline_parse_time(const char *text, size_t len, time_t *out)
{
	bool utc = len > 0 && text[len - 1] == 'Z';
	struct tm tm = { 0 };	/* sshd, too, reads local times without DST */
	char digits[15] = "";
	const char *end;

	len -= utc;
	if (len != 8 && len != 12 && len != 14)
		return false;
	memcpy(digits, text, len);
	if (digits[strspn(digits, PARSE_DIGITS)] != '\0')
		return false;
	/* digits are left if one of the numbers is too large */
	end = strptime(digits, len == 8 ? "%Y%m%d" : len == 12 ?
	    "%Y%m%d%H%M" : "%Y%m%d%H%M%S", &tm);
	if (end == NULL || *end != '\0' || tm.tm_year < 70 || tm.tm_sec > 60)
		return false;
	*out = utc ? timegm(&tm) : mktime(&tm);
	return *out != (time_t)-1;
}

bool
keyline_format_time(time_t when, bool local, char text[static KEYLINE_TIME])
{
	time_t shifted = when, back;
	struct tm tm, copy;

	if (local && localtime_r(&when, &tm) != NULL) {
		copy = tm;
		copy.tm_isdst = 0;
		shifted = timegm(&tm) - (mktime(&copy) - when);
	}
	if (gmtime_r(&shifted, &tm) == NULL)
		return false;
	strftime(text, KEYLINE_TIME, local ? "%Y%m%d%H%M%S" : "%Y%m%d%H%M%SZ",
	    &tm);
	return keyline_parse_time(text, strlen(text), &back) && back == when;
}
