/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libinih knows what a section, a key, and a comment are; what it lacks is
 * width.  As distributions build it, it cuts lines at 199 bytes and section
 * names at 49 without a word, drops what follows " ;", never reports a section
 * without keys, and calls every indented line a continuation.
 *
 * So the reader below stands between the file and libinih.  It takes whole
 * lines and hands over only what libinih can judge: of a key's line the name
 * and the "=", of a section's the brackets.  Values, which can be of any length
 * and hold anything, never pass through; the handler takes them from the line.
 * Continuation lines are told by their indentation, as configparser does, and
 * belong to the value as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "buf.h"
#include "cleanup.h"
#include "inifile.h"

#define NAME_MAX_LEN	120	/* a key fits what libinih takes for a line */

struct reading {
	FILE *fp;
	struct inifile *ini;
	struct reporter *rep;
	bool nomem;

	/* the line being read */
	char *line;		/* owned by getline(3) */
	size_t linesize;
	unsigned int lineno;
	const char *line_value;	/* what stands behind the "=" */
	bool need_handler;	/* libinih must find a key in this line */

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

/* libinih found the name of a key. */
static int
handle(void *arg, const char *section __attribute__((unused)),
    const char *name, const char *value __attribute__((unused)))
{
	struct reading *r = arg;

	r->need_handler = false;
	if (*name == '\0') {
		syntax_error(r, "a key needs a name before '='");
		return 1;
	}
	r->key = (struct ini_key){
		.name = arena_strndup(&r->ini->arena, name, strlen(name)),
		.line = r->lineno,
	};
	if (r->key.name == NULL)
		r->nomem = true;
	buf_truncate(&r->value, 0);
	buf_puts(&r->value, r->line_value);
	r->in_key = true;
	return 1;
}

/* A line that continues the value above: its break is part of the value. */
static void
continue_value(struct reading *r, const char *text)
{
	for (; r->blank_lines > 0; r->blank_lines--)
		buf_putc(&r->value, '\n');
	buf_putc(&r->value, '\n');
	buf_puts(&r->value, text);
}

/* Some are blanks to libinih, and would be trimmed away. */
static bool
has_control_character(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
			return true;
	return false;
}

/* The start of a key, or a section.  Writes what libinih gets of it. */
static void
start_line(struct reading *r, char *text, char *dst)
{
	size_t name_len = strcspn(text, "=:");

	r->blank_lines = 0;
	if (*text == '[') {
		begin_section(r, text);
		memcpy(dst, "[]", 3);
		return;
	}
	end_key(r);
	if (r->ini->nsections == 0)
		syntax_error(r, "a key before the first [section]");
	else if (text[name_len] == '\0')
		syntax_error(r, "neither [section], key=value, comment nor an "
		    "indented continuation of the line above");
	else if (has_control_character(text, name_len))
		syntax_error(r, "a control character in a key's name");
	else if (name_len > NAME_MAX_LEN)
		syntax_error(r, "a key's name is too long (120 bytes at most)");
	else {
		memcpy(dst, text, name_len + 1);
		dst[name_len + 1] = '\0';
		r->line_value = text + name_len + 1;
		r->line_value += strspn(r->line_value, " \t");
		r->need_handler = true;
	}
}

/* Read the next line, without what ends it.  Returns NULL at the end. */
static char *
get_line(struct reading *r, size_t *len)
{
	ssize_t n = getline(&r->line, &r->linesize, r->fp);
	char *text = r->line;

	if (n < 0)
		return NULL;
	r->lineno++;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	if (r->lineno == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;	/* a byte order mark, as Windows editors do */
		n -= 3;
	}
	*len = (size_t)n;
	return text;
}

/* libinih wants a line, and gets the next that it has to judge.  The signature
 * is fgets(3)'s; size is at least 200. */
static char *
next_line(char *dst, int size __attribute__((unused)), void *arg)
{
	struct reading *r = arg;
	size_t len;
	char *text;
	int indent;

	if (r->need_handler) {
		syntax_error(r, "no name of a key");
		r->need_handler = false;
	}
	dst[0] = '\0';
	while (dst[0] == '\0') {
		if (r->nomem || (text = get_line(r, &len)) == NULL)
			return NULL;
		indent = (int)strspn(text, " \t");
		if (text[indent] == '#' || text[indent] == ';')
			continue;
		if (strlen(text) != len) {
			syntax_error(r, "a NUL byte: this is not a text file");
			continue;
		}
		text = trim(text);
		if (*text == '\0')
			r->blank_lines++;
		else if (r->in_key && indent > r->indent)
			continue_value(r, text);
		else {
			r->indent = indent;
			start_line(r, text, dst);
		}
	}
	return dst;
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
inifile_read(FILE *fp, const char *path, struct reporter *rep,
    struct inifile **out)
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
	/* getline(3) gives up like this when memory is out; half a file could
	 * lack the rules of a profile */
	if (r.nomem || r.value.failed || (!ferror(fp) && !feof(fp))) {
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

bool
inifile_load(const char *path, file_opener *open_file, bool may_be_missing,
    struct reporter *rep, struct inifile **out)
{
	struct x2gobroker_error err;
	cleanup_file FILE *fp = open_file(path, &err);

	*out = NULL;
	if (fp != NULL) {
		inifile_read(fp, path, rep, out);
		return true;
	}
	if (err.code == X2GOBROKER_ERR_NOTFOUND && may_be_missing)
		return false;
	report_error(rep, &err);
	return err.code != X2GOBROKER_ERR_NOTFOUND;
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
inifile_report_duplicates(const struct inifile *ini,
    const struct ini_section *section, struct reporter *rep)
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
