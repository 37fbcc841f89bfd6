/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x2gobroker.h>

#include "table.h"
#include "terminal.h"

#define GAP		2	/* blanks between columns */
#define CELL_MAX	4096
#define CUT		"..."	/* ends what was cut */
#define CUT_LEAST	10	/* less of a column is no use */

/*
 * Cells
 */

/* A copy of text as a terminal can be shown it. */
static char *
make_plain(const char *text)
{
	struct x2gobroker_error plain = { 0 };
	char cell[CELL_MAX], *p;

	/* an error without a file is formatted as its text, escaped */
	snprintf(plain.text, sizeof(plain.text), "%s",
	    text != NULL && *text != '\0' ? text : "-");
	for (p = plain.text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';	/* a value over several lines */
	return strdup(x2gobroker_error_format(&plain, cell, sizeof(cell)));
}

void
table_add_coloured(struct table *table, const char *text, enum colour colour)
{
	struct cell *more;
	size_t size;

	if (table->n == table->size) {
		size = table->size != 0 ? 2 * table->size : 64;
		more = reallocarray(table->cells, size, sizeof(*more));
		if (more == NULL) {
			table->nomem = true;
			return;
		}
		table->cells = more;
		table->size = size;
	}
	table->cells[table->n].colour = colour;
	if ((table->cells[table->n].text = make_plain(text)) == NULL)
		table->nomem = true;
	else
		table->n++;
}

void
table_add(struct table *table, const char *text)
{
	table_add_coloured(table, text, COLOUR_NONE);
}

void
table_addf(struct table *table, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_add(table, text);
}

void
table_add_number(struct table *table, long long number)
{
	if (number < 0)
		table_add(table, NULL);
	else
		table_addf(table, "%lld", number);
}

void
table_begin(struct table *table, const char *const *heading)
{
	*table = (struct table){ 0 };
	for (; heading[table->columns] != NULL; table->columns++)
		table_add(table, heading[table->columns]);
}

/*
 * Widths
 */

/* Columns that text takes on a UTF-8 terminal: its characters, as good as can
 * be known without a locale. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0xc0) != 0x80)
			n++;
	return n;
}

/* Bytes of the first n characters of text. */
static size_t
bytes_of(const char *text, size_t n)
{
	size_t i = 0;

	for (; text[i] != '\0'; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (n-- == 0)
			break;
	}
	return i;
}

/* Make columns narrower from the last one on, but not the first one: its names
 * are what people copy.  If that is not enough, the terminal breaks lines. */
static void
fit(const struct table *table, size_t *widths, size_t terminal)
{
	size_t c, total = 0, spare;

	for (c = 0; c < table->columns; c++)
		total += widths[c] + (c > 0 ? GAP : 0);
	for (c = table->columns - 1; c > 0 && total > terminal; c--) {
		if (widths[c] <= CUT_LEAST)
			continue;
		spare = widths[c] - CUT_LEAST;
		if (spare > total - terminal)
			spare = total - terminal;
		widths[c] -= spare;
		total -= spare;
	}
}

static size_t *
measure(const struct table *table)
{
	size_t *widths = calloc(table->columns, sizeof(*widths));
	size_t i, w, terminal = terminal_width();

	if (widths == NULL)
		return NULL;
	for (i = 0; i < table->n; i++) {
		w = width_of(table->cells[i].text);
		if (w > widths[i % table->columns])
			widths[i % table->columns] = w;
	}
	if (terminal > 0)
		fit(table, widths, terminal);
	return widths;
}

/*
 * Output
 */

static void
print_cell(const struct cell *cell, size_t width, bool is_number, bool is_last,
    bool coloured)
{
	static const char *const begin[] = {
		"", "\033[32m", "\033[33m", "\033[31m",
	};
	size_t own = width_of(cell->text), blanks, keep = own;
	bool cut = own > width;

	if (cut)
		keep = width - strlen(CUT);
	blanks = cut ? 0 : width - own;
	coloured = coloured && cell->colour != COLOUR_NONE;
	printf("%*s%s%.*s%s%s%*s%s", is_number ? (int)blanks : 0, "",
	    coloured ? begin[cell->colour] : "",
	    (int)bytes_of(cell->text, keep), cell->text,
	    cut ? CUT : "", coloured ? "\033[m" : "",
	    is_number || is_last ? 0 : (int)blanks, "", is_last ? "\n" : "");
}

static void
print_row(const struct table *table, size_t row, const size_t *widths,
    bool coloured)
{
	const struct cell *cells = table->cells + row * table->columns;
	size_t c;

	for (c = 0; c < table->columns; c++) {
		if (c > 0)
			printf("%*s", GAP, "");
		print_cell(&cells[c], widths[c], (table->numbers >> c & 1) != 0,
		    c + 1 == table->columns, coloured);
	}
}

int
table_print(struct table *table)
{
	bool coloured = terminal_has_colour();
	size_t i, *widths = NULL;
	int result = -1;

	if (!table->nomem && (widths = measure(table)) != NULL) {
		for (i = 0; i < table->n / table->columns; i++)
			print_row(table, i, widths, coloured);
		result = fflush(stdout) == 0 ? 0 : -1;
	}
	for (i = 0; i < table->n; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(widths);
	*table = (struct table){ 0 };
	return result;
}
