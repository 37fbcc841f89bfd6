/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

#define BLANKS	" \t\n"

bool
parse_same_word(const char *a, const char *b)
{
	return parse_item_same(a, strlen(a), b);
}

bool
parse_bool(const char *text, bool *out)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true }, { "yes", true }, { "true", true },
		{ "on", true }, { "0", false }, { "no", false },
		{ "false", false }, { "off", false },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (parse_same_word(text, words[i].word)) {
			*out = words[i].value;
			return true;
		}
	}
	return false;
}

bool
parse_int(const char *text, int min, int max, int *out)
{
	const char *error = NULL;
	int n = (int)strtonum(text, min, max, &error);

	/* strtonum(3) skips leading blanks */
	if (error != NULL || strspn(text, "+-0123456789") == 0)
		return false;
	*out = n;
	return true;
}

bool
parse_digits(const char *text, int min, int max, int *out)
{
	return *text != '+' && *text != '-' &&
	    parse_int(text, min, max, out);
}

bool
parse_item_digits(const char *item, size_t len, int min, int max, int *out)
{
	char digits[8];

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, item, len);
	digits[len] = '\0';
	return parse_digits(digits, min, max, out);
}

void
parse_trim(const char **text, size_t *len)
{
	while (*len > 0 && strchr(BLANKS, **text) != NULL) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && strchr(BLANKS, (*text)[*len - 1]) != NULL)
		(*len)--;
}

bool
parse_next_item(const char **next, const char **item, size_t *len)
{
	const char *end;

	if (*next == NULL)
		return false;
	*item = *next;
	end = *item + strcspn(*item, ",");
	*next = *end == ',' ? end + 1 : NULL;
	*len = (size_t)(end - *item);
	parse_trim(item, len);
	return true;
}

bool
parse_item_is(const char *item, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(item, word, len) == 0;
}

bool
parse_same_text(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len; i++)
		if (parse_upper(a[i]) != parse_upper(b[i]))
			return false;
	return a_len == b_len;
}

bool
parse_item_same(const char *item, size_t len, const char *word)
{
	return parse_same_text(item, len, word, strlen(word));
}

bool
parse_matches_pattern(const char *text, const char *pattern, bool fold)
{
	const char *after_star = NULL, *again = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			after_star = ++pattern;
			again = text;
		} else if (*pattern == '?' || *pattern == *text ||
		    (fold && parse_upper(*pattern) == parse_upper(*text))) {
			pattern++;
			text++;
		} else if (after_star != NULL) {
			/* the last '*' takes one character more */
			pattern = after_star;
			text = ++again;
		} else
			return false;
	}
	return pattern[strspn(pattern, "*")] == '\0';
}
