/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The INI format as Qt's QSettings reads it.  Outside quotes "," separates the
 * items of a list, ";" starts a comment, and blanks at both ends are dropped.
 * Bytes are Latin-1.  "\" starts an escape: \xHHHH is one UTF-16 unit and takes
 * all hex digits that follow, so a hex digit after it must be escaped as well.
 * A value that begins with "@" names a type, "@@" is "@".
 */
#include <string.h>

#include "client/qsettings.h"
#include "client/markers.h"
#include "base/utf8.h"
#include "base/parse.h"

static bool
is_hex_digit(uint32_t cp)
{
	return (cp >= '0' && cp <= '9') || (cp >= 'a' && cp <= 'f') ||
	    (cp >= 'A' && cp <= 'F');
}

static bool
is_plain(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 ||
		    (unsigned char)text[i] >= 0x7f ||
		    strchr(",;\\\"=@%", text[i]) != NULL)
			return false;
	if (len > 0 && (text[0] == ' ' || text[len - 1] == ' '))
		return false;
	return markers_find(text, len) == NULL;
}

static void
put_escape(struct buf *buf, uint32_t cp)
{
	if (cp >= 0x10000) {
		cp -= 0x10000;
		buf_printf(buf, "\\x%x", (unsigned int)(0xd800 + (cp >> 10)));
		cp = 0xdc00 + (cp & 0x3ff);
	}
	buf_printf(buf, "\\x%x", (unsigned int)cp);
}

/* The number of bytes at the start of text that need no escape in quotes. */
static size_t
span_plain(const char *text, size_t len, bool quoted)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c >= 0x7f ||
		    (!quoted && (c == '"' || c == '\\')))
			break;
	}
	return i;
}

/* Write text as the inside of a quoted string.  If it is quoted already, its
 * backslashes and quotes are left alone, and only characters beyond ASCII and
 * words of the protocol are escaped. */
static void
put_inside(struct buf *buf, const char *text, size_t len, bool quoted)
{
	const char *word = markers_find(text, len);
	bool after_escape = false;
	uint32_t cp;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = after_escape || word != NULL ? 0 :
		    span_plain(text, len, quoted);
		if (n > 0) {
			buf_put(buf, text, n);
			continue;
		}
		if ((n = utf8_decode(text, len, &cp)) == 0) {
			cp = (unsigned char)*text;
			n = 1;
		}
		if (word != NULL && text > word)
			word = markers_find(text, len);
		if (cp < 0x20 || cp >= 0x7f || text == word ||
		    (after_escape && is_hex_digit(cp))) {
			put_escape(buf, cp);
			after_escape = true;
			continue;
		}
		if (!quoted && (cp == '"' || cp == '\\'))
			buf_putc(buf, '\\');
		buf_putc(buf, (char)cp);
		after_escape = false;
	}
}

/* Whether text is one quoted string: the first '"' without a backslash before
 * it is at the end, and all escapes are complete. */
static bool
is_quoted(const char *text, size_t len)
{
	size_t i;

	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return false;
	for (i = 1; i < len - 1; i++) {
		if (text[i] == '"' || text[i] == '\n')
			return false;
		if (text[i] == '\\' && ++i >= len - 1)
			return false;
	}
	return true;
}

static void
put_value(struct buf *buf, const char *text, size_t len)
{
	if (is_plain(text, len)) {
		buf_put(buf, text, len);
		return;
	}
	buf_putc(buf, '"');
	if (is_quoted(text, len))
		put_inside(buf, text + 1, len - 2, true);
	else {
		if (text[0] == '@')
			buf_putc(buf, '@');
		put_inside(buf, text, len, false);
	}
	buf_putc(buf, '"');
}

void
qsettings_put(struct buf *buf, const char *key, const char *value)
{
	buf_puts(buf, key);
	buf_putc(buf, '=');
	put_value(buf, value, strlen(value));
	buf_putc(buf, '\n');
}

void
qsettings_put_list(struct buf *buf, const char *key, const char *value)
{
	const char *item, *between = "";
	size_t len;

	buf_puts(buf, key);
	buf_putc(buf, '=');
	while (parse_next_item(&value, &item, &len)) {
		if (len == 0)
			continue;
		buf_puts(buf, between);
		put_value(buf, item, len);
		between = ",";
	}
	buf_putc(buf, '\n');
}
