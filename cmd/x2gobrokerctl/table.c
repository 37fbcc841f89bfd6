/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <libsmartcols.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "table.h"
#include "terminal.h"

#define CELL_SIZE	4096

void
table_begin(struct table *table, const char *const *heading,
    unsigned int numbers)
{
	int flags;
	size_t i;

	*table = (struct table){ 0 };
	/* all text is UTF-8, and the width of a character is the locale's */
	setlocale(LC_CTYPE, "C.UTF-8");
	table->scols = scols_new_table();
	table->failed = table->scols == NULL ||
	    scols_table_set_column_separator(table->scols, "  ") != 0;
	for (i = 0; heading[i] != NULL && !table->failed; i++) {
		flags = (numbers >> i & 1) != 0 ? SCOLS_FL_RIGHT :
		    heading[i + 1] == NULL ? SCOLS_FL_TRUNC : 0;
		table->failed = scols_table_new_column(table->scols,
		    heading[i], 0, flags) == NULL;
	}
	table->columns = i;
}

void
table_add_coloured(struct table *table, const char *text, const char *colour)
{
	char copy[CELL_SIZE], cell[CELL_SIZE], *p;

	if (table->failed)
		return;
	if (table->next == 0) {
		table->line = scols_table_new_line(table->scols, NULL);
		table->lines++;
	}
	strlcpy(copy, text != NULL && *text != '\0' ? text : "-",
	    sizeof(copy));
	for (p = copy; (p = strchr(p, '\n')) != NULL; )
		*p = ' ';	/* a value may have several lines */
	utf8_escape(cell, sizeof(cell), copy);
	table->failed = table->line == NULL || scols_line_set_data(table->line,
	    table->next, cell) != 0 || scols_cell_set_color(
	    scols_line_get_cell(table->line, table->next), colour) != 0;
	table->next = (table->next + 1) % table->columns;
}

void
table_add(struct table *table, const char *text)
{
	table_add_coloured(table, text, NULL);
}

void
table_addf(struct table *table, const char *fmt, ...)
{
	char text[CELL_SIZE];
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
table_add_time(struct table *table, int64_t seconds)
{
	time_t when = (time_t)seconds;
	struct tm tm;
	char text[32];

	if (seconds == 0 || localtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) == 0)
		text[0] = '\0';
	table_add(table, text);
}

int
table_print(struct table *table)
{
	size_t width = terminal_width();

	if (!table->failed) {
		scols_table_set_termforce(table->scols, width > 0 ?
		    SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
		scols_table_set_termwidth(table->scols, width);
		scols_table_enable_colors(table->scols, terminal_has_colour());
		table->failed = scols_print_table(table->scols) != 0 ||
		    fflush(stdout) != 0 || ferror(stdout) != 0;
	}
	scols_unref_table(table->scols);
	return table->failed ? -1 : 0;
}
