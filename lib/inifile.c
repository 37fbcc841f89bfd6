/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libinih knows the grammar; what it lacks is width.  As distributions build
 * it, it cuts lines at 199 bytes and section names at 49 without a word, drops
 * what follows " ;", never reports a section without keys, and calls every
 * indented line a continuation.
 *
 * So the reader below stands between the file and libinih.  It takes whole
 * lines, decides what is a continuation (by the indentation, as configparser
 * does), and hands each line over in pieces that fit, the further ones as
 * continuation lines, with the bytes that libinih would drop or trim replaced
 * by control characters, which a file cannot contain.  The handler puts the
 * pieces together again.  Section names are taken here, where they are whole.
 */
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "buf.h"
#include "inifile.h"

#define PIECE_MAX	160	/* fits any libinih: 200 bytes less overhead */
#define NAME_MAX_LEN	120	/* a key must fit one piece, "=" included */

/* Stand-ins for what libinih would take for syntax. */
#define STAND_SEMICOLON	'\001'
#define STAND_BLANK	'\002'
#define STAND_TAB	'\003'
#define GUARD		'\004'	/* first in a further piece, so "#" is text */

struct reading {
	FILE *fp;
	struct inifile *ini;
	struct reporter *rep;
	bool nomem;

	/* the line being handed over */
	char *line;		/* owned by getline(3) */
	size_t linesize;
	unsigned int lineno;
	char *rest;		/* what of it has still to be handed over */
	bool need_handler;	/* the line must show up in the handler */
	bool piece;		/* what is handed over is not a line's start */

	/* the key being put together */
	int indent;		/* of the last line that was no continuation */
	unsigned int blank_lines; /* since the last line of the value */
	bool in_key;
	struct ini_key key;	/* its name is set, its value is in value */
	struct buf value;

	/* the section being put together */
	struct ini_key *keys;
	size_t nkeys, keys_size, sections_size;
};

/* Copy a piece as it was in the file; returns its length. */
static size_t
restore(char dst[static PIECE_MAX + 1], const char *src)
{
	size_t i;

	for (i = 0; i < PIECE_MAX && src[i] != '\0'; i++) {
		switch (src[i]) {
		case STAND_SEMICOLON:
			dst[i] = ';';
			break;
		case STAND_BLANK:
			dst[i] = ' ';
			break;
		case STAND_TAB:
			dst[i] = '\t';
			break;
		default:
			dst[i] = src[i];
		}
	}
	dst[i] = '\0';
	return i;
}

static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	for (len = strlen(s); len > 0; len--)
		if (s[len - 1] != ' ' && s[len - 1] != '\t')
			break;
	s[len] = '\0';
	return s;
}

static void
syntax_error(struct reading *r, const char *why)
{
	report(r->rep, X2GOBROKER_ERR_SYNTAX, r->ini->path, r->lineno, "%s",
	    why);
}

/* The key that was being put together is complete. */
static void
end_key(struct reading *r)
{
	struct ini_key *keys;
	size_t size;

	if (!r->in_key)
		return;
	r->in_key = false;
	if (r->nkeys == r->keys_size) {
		size = r->keys_size != 0 ? 2 * r->keys_size : 64;
		keys = reallocarray(r->keys, size, sizeof(*keys));
		if (keys == NULL) {
			r->nomem = true;
			return;
		}
		r->keys = keys;
		r->keys_size = size;
	}
	/* configparser strips a value as a whole once it is joined */
	while (r->value.len > 0 && strchr(" \t\n",
	    r->value.data[r->value.len - 1]) != NULL)
		buf_truncate(&r->value, r->value.len - 1);
	r->key.value = arena_strndup(&r->ini->arena,
	    r->value.data != NULL ? r->value.data : "", r->value.len);
	if (r->key.value == NULL || r->value.failed)
		r->nomem = true;
	else
		r->keys[r->nkeys++] = r->key;
}

static int
compare_keys(const void *a, const void *b)
{
	const struct ini_key *ka = a, *kb = b;
	int cmp = strcmp(ka->name, kb->name);

	return cmp != 0 ? cmp : (ka->line > kb->line) - (ka->line < kb->line);
}

/* The section that was being put together is complete. */
static void
end_section(struct reading *r)
{
	struct ini_section *section;
	size_t size;

	end_key(r);
	size = r->nkeys * sizeof(*r->keys);
	if (r->ini->nsections == 0 || r->nomem || r->nkeys == 0)
		return;
	section = &r->ini->sections[r->ini->nsections - 1];
	if ((section->keys = arena_alloc(&r->ini->arena, size)) == NULL) {
		r->nomem = true;
		return;
	}
	memcpy(section->keys, r->keys, size);
	section->nkeys = r->nkeys;
	qsort(section->keys, section->nkeys, sizeof(*section->keys),
	    compare_keys);
	r->nkeys = 0;
}

/* text is "[name]", and perhaps more, which configparser does not mind. */
static void
begin_section(struct reading *r, const char *text)
{
	struct ini_section *sections;
	const char *end = strrchr(text, ']');
	size_t size;

	end_section(r);
	if (end == NULL || end == text + 1) {
		syntax_error(r, end == NULL ? "a section needs a ']' at its "
		    "end" : "a section needs a name: [name]");
		return;
	}
	if (r->ini->nsections == r->sections_size) {
		size = r->sections_size != 0 ? 2 * r->sections_size : 16;
		sections = reallocarray(r->ini->sections, size,
		    sizeof(*sections));
		if (sections == NULL) {
			r->nomem = true;
			return;
		}
		r->ini->sections = sections;
		r->sections_size = size;
	}
	sections = &r->ini->sections[r->ini->nsections];
	*sections = (struct ini_section){
		.name = arena_strndup(&r->ini->arena, text + 1,
		    (size_t)(end - text) - 1),
		.line = r->lineno,
	};
	if (sections->name == NULL)
		r->nomem = true;
	else
		r->ini->nsections++;
}

/* libinih found "name = value", or one more piece of the value above. */
static int
handle(void *arg, const char *section __attribute__((unused)),
    const char *name, const char *value)
{
	struct reading *r = arg;
	char copy[PIECE_MAX + 1];
	const char *text;
	size_t len;

	r->need_handler = false;
	if (r->piece && !r->in_key)
		return 1;	/* of a key that was reported already */
	if (r->piece) {
		len = restore(copy, value + 1);
		buf_put(&r->value, copy, len);
		return 1;
	}
	restore(copy, name);
	text = trim(copy);
	if (*text == '\0') {
		syntax_error(r, "a key needs a name before '='");
		return 1;
	}
	r->key.name = arena_strndup(&r->ini->arena, text, strlen(text));
	r->key.line = r->lineno;
	if (r->key.name == NULL)
		r->nomem = true;
	len = restore(copy, value);
	text = copy + strspn(copy, " \t");
	buf_truncate(&r->value, 0);
	buf_put(&r->value, text, len - (size_t)(text - copy));
	r->in_key = true;
	return 1;
}

/* Whether text, trimmed, holds nothing that a file may not contain. */
static bool
is_clean(struct reading *r, const char *text, size_t len)
{
	size_t i;

	if (strlen(text) != len) {
		syntax_error(r, "a NUL byte: this is not a text file");
		return false;
	}
	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x20 || text[i] == '\t')
			continue;
		report(r->rep, X2GOBROKER_ERR_SYNTAX, r->ini->path, r->lineno,
		    "control character 0x%02x; remove it",
		    (unsigned int)(unsigned char)text[i]);
		return false;
	}
	return true;
}

/* Hand over up to PIECE_MAX bytes of r->rest, behind lead (may be ""). */
static char *
hand_over(struct reading *r, char *dst, int size, const char *lead)
{
	size_t lead_len = strlen(lead), n = strlen(r->rest), i;

	if (n > PIECE_MAX)
		n = PIECE_MAX;
	if (lead_len + n + 1 > (size_t)size)
		n = (size_t)size - lead_len - 1;
	memcpy(dst, lead, lead_len);
	for (i = 0; i < n; i++) {
		char c = r->rest[i];

		if (c == ';')
			c = STAND_SEMICOLON;
		else if (c == ' ')
			c = STAND_BLANK;
		else if (c == '\t')
			c = STAND_TAB;
		dst[lead_len + i] = c;
	}
	dst[lead_len + n] = '\0';
	r->rest += n;
	if (*r->rest == '\0')
		r->rest = NULL;
	return dst;
}

/* A line that continues the value above: its break is part of the value. */
static char *
continue_value(struct reading *r, char *text, char *dst, int size)
{
	static const char lead[] = { ' ', GUARD, '\0' };
	unsigned int i;

	for (i = 0; i <= r->blank_lines; i++)
		buf_putc(&r->value, '\n');
	r->blank_lines = 0;
	r->rest = text;
	r->piece = true;
	r->need_handler = true;
	return hand_over(r, dst, size, lead);
}

/* The start of a key, or a section. */
static char *
start_line(struct reading *r, char *text, char *dst, int size)
{
	size_t name_len = strcspn(text, "=:");

	r->blank_lines = 0;
	r->piece = false;
	if (*text == '[') {
		begin_section(r, text);
		/* enough for libinih to know that a section begins */
		memcpy(dst, "[]", 3);
		return dst;
	}
	end_key(r);
	if (r->ini->nsections == 0)
		syntax_error(r, "a key before the first [section]");
	else if (text[name_len] == '\0')
		syntax_error(r, "neither [section], key=value, comment nor an "
		    "indented continuation of the line above");
	else if (name_len > NAME_MAX_LEN)
		syntax_error(r, "a key's name is too long (120 bytes at most)");
	else {
		r->rest = text;
		r->need_handler = true;
		return hand_over(r, dst, size, "");
	}
	dst[0] = '\0';
	return dst;
}

/* libinih wants a line: the next piece of a long one, or the next of the file.
 * The signature is fgets(3)'s. */
static char *
next_line(char *dst, int size, void *arg)
{
	static const char lead[] = { ' ', GUARD, '\0' };
	struct reading *r = arg;
	ssize_t len;
	char *text;
	int indent;

	if (r->need_handler) {
		/* not met so far; but a line that is lost must not be silent */
		syntax_error(r, "not understood");
		r->need_handler = false;
	}
	if (r->nomem)
		return NULL;
	if (r->rest != NULL) {
		r->piece = true;
		return hand_over(r, dst, size, lead);
	}
	if ((len = getline(&r->line, &r->linesize, r->fp)) < 0)
		return NULL;
	r->lineno++;
	text = r->line;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	if (r->lineno == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;	/* a byte order mark, as Windows editors do */
		len -= 3;
	}
	dst[0] = '\0';
	indent = (int)strspn(text, " \t");
	if (text[indent] == '#' || text[indent] == ';')
		return dst;
	if (!is_clean(r, text, (size_t)len))
		return dst;
	text = trim(text);
	if (*text == '\0') {
		r->blank_lines++;
		return dst;
	}
	if (r->in_key && indent > r->indent)
		return continue_value(r, text, dst, size);
	r->indent = indent;
	return start_line(r, text, dst, size);
}

static struct inifile *
inifile_new(const char *path)
{
	struct inifile *ini;

	if ((ini = calloc(1, sizeof(*ini))) == NULL)
		return NULL;
	if ((ini->path = arena_strndup(&ini->arena, path,
	    strlen(path))) == NULL) {
		free(ini);
		return NULL;
	}
	return ini;
}

int
inifile_read(FILE *fp, const char *path, struct reporter *rep, struct inifile **out)
{
	unsigned int errors = rep->errors;
	struct reading r = { .fp = fp, .rep = rep, .ini = inifile_new(path) };
	struct x2gobroker_error err;

	*out = NULL;
	if (r.ini == NULL) {
		error_nomem(&err);
		report_error(rep, &err);
		return -1;
	}
	ini_parse_stream(next_line, &r, handle, &r);
	end_section(&r);
	if (ferror(fp)) {
		error_errno(&err, path, "cannot be read");
		report_error(rep, &err);
	}
	if (r.nomem || r.value.failed) {
		error_nomem(&err);
		report_error(rep, &err);
	}
	free(r.line);
	free(r.keys);
	buf_free(&r.value);
	if (rep->errors != errors) {
		inifile_free(r.ini);
		return -1;
	}
	*out = r.ini;
	return 0;
}

void
inifile_free(struct inifile *ini)
{
	if (ini == NULL)
		return;
	free(ini->sections);
	arena_free(&ini->arena);
	free(ini);
}

size_t
inifile_lower_bound(const struct ini_section *section, const char *name)
{
	size_t lo = 0, hi = section->nkeys, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (strcmp(section->keys[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct ini_key *
inifile_find(const struct ini_section *section, const char *name)
{
	size_t i = inifile_lower_bound(section, name);

	return i < section->nkeys && strcmp(section->keys[i].name, name) == 0 ?
	    &section->keys[i] : NULL;
}

size_t
inifile_report_duplicates(const struct inifile *ini, const struct ini_section *section,
    struct reporter *rep)
{
	size_t i, n = 0;

	for (i = 1; i < section->nkeys; i++) {
		const struct ini_key *a = &section->keys[i - 1];
		const struct ini_key *b = &section->keys[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, b->line,
		    "%s stands here and in line %u; remove one", b->name,
		    a->line);
		n++;
	}
	return n;
}
