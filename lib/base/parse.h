/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of value that a key can have, one parser each: the whole text is
 * the value, or there is none.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

/* configparser's spellings: 1 yes true on, 0 no false off, in any case. */
bool	parse_bool(const char *text, bool *out);

/* A decimal number from min to max, with an optional sign. */
bool	parse_int(const char *text, int min, int max, int *out);

/* A decimal number from min to max, of digits alone. */
bool	parse_digits(const char *text, int min, int max, int *out);

/* The next item of a list "a, b ,c": from *next on, trimmed of blanks and line
 * breaks, as *item and *len; *next is moved behind it.  Items may be empty.
 * False at the end.  Start with *next at the list. */
bool	parse_next_item(const char **next, const char **item, size_t *len);

/* Whether an item is word, which is compared as it is. */
bool	parse_item_is(const char *item, size_t len, const char *word);

/* Compare ASCII without case, as no locale does. */
bool	parse_same_word(const char *a, const char *b);

static inline char
parse_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
