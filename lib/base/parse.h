/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers of values: booleans, numbers and lists.  A parser takes the whole
 * text or returns false.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define PARSE_DIGITS	"0123456789"
#define PARSE_ALNUM	PARSE_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
			"abcdefghijklmnopqrstuvwxyz"

/* A boolean, spelt as Python's configparser accepts it: 1, yes, true, on, 0,
 * no, false or off, in upper or lower case. */
bool	parse_bool(const char *text, bool *out);

/* A decimal number from min to max, with an optional sign. */
bool	parse_int(const char *text, int min, int max, int *out);

/* A decimal number from min to max, without a sign. */
bool	parse_digits(const char *text, int min, int max, int *out);

/* The same for the len bytes at item; a number has 7 digits at most. */
bool	parse_item_digits(const char *item, size_t len, int min, int max,
	    int *out);

/* Drop blanks and line breaks from both ends of the len bytes at *text. */
void	parse_trim(const char **text, size_t *len);

/* Get the next item of a list such as "a, b ,c".  *next points to the list at
 * first, and then to the rest of it.  The item, without blanks and line breaks
 * around it, is returned in *item and *len; it may be empty.  Returns false at
 * the end of the list. */
bool	parse_next_item(const char **next, const char **item, size_t *len);

/* Whether an item is exactly word. */
bool	parse_item_is(const char *item, size_t len, const char *word);

/* Whether it is the same word in any ASCII case, whatever the locale. */
bool	parse_item_same(const char *item, size_t len, const char *word);
bool	parse_same_text(const char *a, size_t a_len, const char *b,
	    size_t b_len);
bool	parse_same_word(const char *a, const char *b);

/* Whether text matches a pattern of OpenSSH's, in which '*' and '?' have their
 * usual meaning and no other character has one; in any ASCII case if fold is
 * set. */
bool	parse_matches_pattern(const char *text, const char *pattern, bool fold);

static inline char
parse_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

#endif
