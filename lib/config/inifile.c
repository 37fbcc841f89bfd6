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
 *
 * The file is read into memory as a whole and cut into lines there, and a value
 * of one line, as nearly all are, stays where it is.
 */
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "config/inifile.h"

#define NAME_MAX_LEN	120	/* a key fits what libinih takes for a line */
#define READ_FIRST	4096	/* most files are smaller */
#define FEW_KEYS	32

struct reading {
	struct inifile *ini;
	struct reporter *rep;
	bool nomem;		/* reported at the end */

	/* the line being read */
	char *next, *end;	/* what is left of the text */
	unsigned int lineno;
	const char *line_value;	/* the text after the "=" */
	bool need_handler;	/* libinih must find a key in this line */

	/* the key being put together */
	int indent;		/* of the last line that was no continuation */
	unsigned int blank_lines; /* since the last line of the value */
	bool in_key;
	struct ini_key key;	/* its value is the first line of it */
	struct buf value;	/* all of it, if there are more */

	/* the section being put together */
	struct ini_key *keys;
	size_t nkeys;
};

static void
syntax_error(struct reading *r, const char *why)
{
	report(r->rep, X2GOBROKER_ERR_SYNTAX, r->ini->path, r->lineno, "%s",
	    why);
}

/* The value of several lines, which is trimmed as a whole. */
static const char *
take_joined(struct reading *r)
{
	const struct buf *value = &r->value;
	size_t len = value->len;
	const char *text;

	while (len > 0 && strchr(" \t\n", value->data[len - 1]) != NULL)
		len--;
	text = value->failed ? NULL : arena_strndup(&r->ini->arena,
	    value->data, len);
	buf_truncate(&r->value, 0);
	return text;
}

/* The key that was being put together is complete. */
static void
end_key(struct reading *r)
{
	struct ini_key *keys;

	if (!r->in_key)
		return;
	r->in_key = false;
	if (r->value.len > 0 || r->value.failed)
		r->key.value = take_joined(r);
	keys = array_grow(r->keys, r->nkeys, sizeof(*keys));
	if (keys != NULL)
		r->keys = keys;
	if (keys == NULL || r->key.value == NULL)
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

/* Most sections have few keys, for which an insertion sort is faster than
 * qsort(3). */
void
inifile_sort(struct ini_section *section)
{
	struct ini_key *keys = section->keys, key;
	size_t i, j, n = section->nkeys;

	if (n > FEW_KEYS) {
		qsort(keys, n, sizeof(*keys), compare_keys);
		return;
	}
	for (i = 1; i < n; i++) {
		key = keys[i];
		for (j = i; j > 0 && compare_keys(&keys[j - 1], &key) > 0; j--)
			keys[j] = keys[j - 1];
		keys[j] = key;
	}
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
	inifile_sort(section);
	r->nkeys = 0;
}

/* text is "[name]", perhaps with more after it, which configparser ignores. */
static void
begin_section(struct reading *r, const char *text)
{
	struct ini_section *sections;
	const char *end = strrchr(text, ']'), *behind;

	end_section(r);
	behind = end != NULL ? end + 1 + strspn(end + 1, " \t") : "";
	/* a remark, such as Debian's "-> MUSIC OF THE FUTURE", is harmless */
	if (*behind != ';' && *behind != '#' && strpbrk(behind, "=:") != NULL) {
		syntax_error(r, "text behind the ']' of a section, which "
		    "would be ignored; begin a line with it");
		return;
	}
	if (end == NULL || end == text + 1) {
		syntax_error(r, end == NULL ? "a section needs a ']' at its "
		    "end" : "a section needs a name: [name]");
		return;
	}
	sections = array_grow(r->ini->sections, r->ini->nsections,
	    sizeof(*sections));
	if (sections == NULL) {
		r->nomem = true;
		return;
	}
	r->ini->sections = sections;
	sections += r->ini->nsections;
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
		.value = r->line_value,
		.line = r->lineno,
	};
	if (r->key.name == NULL)
		r->nomem = true;
	r->in_key = true;
	return 1;
}

/* A line that continues the value above: its break is part of the value. */
static void
continue_value(struct reading *r, const char *text)
{
	if (r->value.len == 0)
		buf_puts(&r->value, r->key.value);
	for (; r->blank_lines > 0; r->blank_lines--)
		buf_putc(&r->value, '\n');
	buf_putc(&r->value, '\n');
	buf_puts(&r->value, text);
}

bool
inifile_has_control(const char *text, size_t len, const char *allowed)
{
	for (; len > 0; text++, len--)
		if (((unsigned char)*text < 0x20 || *text == 0x7f) &&
		    strchr(allowed, *text) == NULL)
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
	else if (inifile_has_control(text, name_len, "\t"))
		/* libinih would trim some of them as blanks */
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

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut off the next line, without what ends it; *end is the NUL there.  Returns
 * NULL at the end of the text. */
static char *
get_line(struct reading *r, char **end)
{
	char *text = r->next, *stop;

	if (text == r->end)
		return NULL;
	stop = memchr(text, '\n', (size_t)(r->end - text));
	r->next = stop != NULL ? stop + 1 : r->end;
	stop = r->next;
	while (stop > text && (stop[-1] == '\n' || stop[-1] == '\r'))
		stop--;
	*stop = '\0';
	r->lineno++;
	if (r->lineno == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;	/* a byte order mark, as Windows editors do */
	*end = stop;
	return text;
}

/* Give libinih the next line that it has to judge.  The signature is
 * fgets(3)'s; size is at least 200. */
static char *
next_line(char *dst, int size __attribute__((unused)), void *arg)
{
	struct reading *r = arg;
	char *text, *end;
	int indent;

	if (r->need_handler) {
		syntax_error(r, "invalid key name");
		r->need_handler = false;
	}
	dst[0] = '\0';
	while (dst[0] == '\0') {
		if (r->nomem || (text = get_line(r, &end)) == NULL)
			return NULL;
		for (indent = 0; is_blank(*text); indent++)
			text++;
		if (*text == '#' || *text == ';')
			continue;
		if (strlen(text) != (size_t)(end - text)) {
			syntax_error(r, "a NUL byte: this is not a text file");
			continue;
		}
		while (end > text && is_blank(end[-1]))
			*--end = '\0';
		if (end == text)
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

/* Read all of fp into memory and append a NUL.  Half a file is an error, as it
 * could lack the access rules of a profile. */
static int
read_text(FILE *fp, const char *path, struct reading *r,
    struct x2gobroker_error *err)
{
	size_t len = 0, size = READ_FIRST / 2;
	char *more;

	setvbuf(fp, NULL, _IONBF, 0);	/* a copy less */
	do {
		size *= 2;
		if ((more = realloc(r->ini->text, size)) == NULL)
			return error_nomem(err);
		r->ini->text = more;
		len += fread(more + len, 1, size - 1 - len, fp);
	} while (len == size - 1);
	if (ferror(fp))
		return error_errno(err, path, "cannot be read");
	if ((more = realloc(r->ini->text, len + 1)) == NULL)
		return error_nomem(err);
	r->next = r->ini->text = more;
	r->end = more + len;
	*r->end = '\0';
	return 0;
}

int
inifile_read(FILE *fp, const char *path, struct reporter *rep,
    struct inifile **out)
{
	unsigned int errors = rep->errors;
	struct reading r = { .rep = rep, .ini = inifile_new(path) };
	struct x2gobroker_error err;

	*out = NULL;
	if (r.ini == NULL) {
		error_nomem(&err);
		report_error(rep, &err);
		return -1;
	}
	if (read_text(fp, path, &r, &err) == -1)
		report_error(rep, &err);
	else {
		ini_parse_stream(next_line, &r, handle, &r);
		end_section(&r);
	}
	if (r.nomem) {
		error_nomem(&err);
		report_error(rep, &err);
	}
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
inifile_load(const char *path, safefile_opener *open_file, bool may_be_missing,
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
	free(ini->text);
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
		    "duplicate key \"%s\" (first at line %u)", b->name,
		    a->line);
		n++;
	}
	return n;
}
