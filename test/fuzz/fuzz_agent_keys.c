/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An authorized_keys file, and in front of it, up to a NUL, a line for it.  A
 * line that is taken is one line, of harmless text, and read again as the same;
 * and a file to which it was added is as it was when it has been removed.
 */
#include "fuzz.h"
#include "keyfile.h"
#include "temporarykey.h"

#define NOW	1700000000

/* One that is always taken, for files alone. */
static const char usual[] = "restrict,expiry-time=\"22231114Z\" ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIF0zx0rJE0JvvYFpX8QXzNM6tjuvP5S+jKMaU2F2LZcJ "
    "x2gobroker:x";

/* Not in quotes: a host of from="" may be called so. */
static bool
has_command(const struct span *options)
{
	static const char name[] = "command";
	size_t i, len = sizeof(name) - 1;
	bool quoted = false;

	for (i = 0; i + len <= options->len; i++) {
		if (options->at[i] == '"')
			quoted = !quoted;
		if (!quoted && memcmp(options->at + i, name, len) == 0)
			return true;
	}
	return false;
}

static void
check_line(const struct buf *line)
{
	struct buf again = { 0 };
	struct keyline pieces;
	const char *p;

	must(strlen(line->data) == line->len && line->len <= 2 * TEMPORARYKEY_MAX);
	for (p = line->data; *p != '\0'; p++)
		must(*p >= 0x20 && *p < 0x7f && strchr("$`\\;|&<>(){}#~'",
		    *p) == NULL);
	must(keyline_split(line->data, line->len, &pieces));
	must(pieces.options.len > 0 && !has_command(&pieces.options));
	must(line->len > TEMPORARYKEY_MAX ||
	    temporarykey_make(line->data, END_ANY, NOW, &again, NULL) == 0);
	must(again.len == 0 || strcmp(again.data, line->data) == 0);
	buf_free(&again);
}

static bool
is_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static const char *
text_of(const struct buf *buf)
{
	return buf->len > 0 ? buf->data : "";
}

/* clean: the file without what goes by itself and without the key. */
static void
check_file(const char *text, size_t len, const char *line)
{
	struct buf clean = { 0 }, with = { 0 }, twice = { 0 }, back = { 0 };

	keyfile_edit(text, len, KEY_REMOVE, line, NOW, &clean);
	must(clean.len <= len);
	keyfile_edit(text_of(&clean), clean.len, KEY_ADD, line, NOW, &with);
	must(with.len >= clean.len);
	keyfile_edit(text_of(&with), with.len, KEY_ADD, line, NOW, &twice);
	must(is_same(&with, &twice));
	keyfile_edit(text_of(&with), with.len, KEY_REMOVE, line, NOW,
	    &back);
	must(is_same(&back, &clean));
	buf_free(&clean);
	buf_free(&with);
	buf_free(&twice);
	buf_free(&back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t len = strlen(text);
	struct buf line = { 0 };

	if (temporarykey_make(text, END_ANY, NOW, &line, NULL) == 0)
		check_line(&line);
	else
		buf_free(&line);
	len += len < size;
	check_file((const char *)data + len, size - len,
	    line.len > 0 ? line.data : usual);
	buf_free(&line);
	free(text);
	return 0;
}
