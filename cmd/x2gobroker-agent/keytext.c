/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "keyline.h"
#include "keytext.h"

struct editor {
	enum key_change change;
	const char *line;
	struct keyline key;	/* parts of line */
	time_t now;
	bool has_key;		/* a line that stays has the key */
	bool begun;		/* out has a line */
	struct buf *out;
};

static void
put_line(struct editor *editor, const char *line, size_t len)
{
	if (editor->begun)
		buf_putc(editor->out, '\n');
	buf_put(editor->out, line, len);
	editor->begun = true;
}

static bool
is_line(const struct editor *editor, const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	return len == strlen(editor->line) &&
	    memcmp(line, editor->line, len) == 0;
}

/* Whether an existing line stays. */
static bool
keep(struct editor *editor, const char *line, size_t len)
{
	struct keyline key;
	bool is_same_line;

	if (!keyline_split(line, len, &key))
		return true;
	if (keyline_is_expired(&key, editor->now))
		return false;
	if (editor->change == KEY_EXPIRE ||
	    !keyline_same_key(&key, &editor->key))
		return true;
	is_same_line = is_line(editor, line, len);
	if (editor->change == KEY_REMOVE)
		return !is_same_line && !keyline_is_temporary(&key);
	/* the new line replaces a temporary one */
	if (!is_same_line && keyline_is_temporary(&key))
		return false;
	editor->has_key = true;
	return true;
}

void
keytext_change(const char *text, size_t len, enum key_change change,
    const char *line, time_t now, struct buf *out)
{
	struct editor editor = { .change = change, .line = line, .now = now,
	    .out = out };
	bool is_open = len > 0 && text[len - 1] != '\n';
	const char *at, *end = text + len, *eol;

	if (change != KEY_EXPIRE &&
	    !keyline_split(line, strlen(line), &editor.key)) {
		buf_put(out, text, len);	/* nothing to add or remove */
		return;
	}
	for (at = text; at < end; at = eol < end ? eol + 1 : end) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (eol == NULL)
			eol = end;
		if (keep(&editor, at, (size_t)(eol - at)))
			put_line(&editor, at, (size_t)(eol - at));
	}
	if (change == KEY_ADD && !editor.has_key)
		put_line(&editor, line, strlen(line));
	if (editor.begun && !is_open)
		buf_putc(out, '\n');
}

bool
keytext_has_temporary(const char *text, size_t len)
{
	const char *at, *end = text + len, *eol;
	struct keyline key;

	for (at = text; at < end; at = eol < end ? eol + 1 : end) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (eol == NULL)
			eol = end;
		if (keyline_split(at, (size_t)(eol - at), &key) &&
		    keyline_is_temporary(&key))
			return true;
	}
	return false;
}
