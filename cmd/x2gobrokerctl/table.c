/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <x2gobroker.h>

#include "table.h"

#define GAP		2	/* blanks between columns */
#define CELL_MAX	4096

void
table_add(struct table *table, const char *text)
{
	struct x2gobroker_error plain = { 0 };
	char cell[CELL_MAX], **more, *p;
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
	/* an error without a file is formatted as its text, escaped */
	snprintf(plain.text, sizeof(plain.text), "%s",
	    text != NULL && *text != '\0' ? text : "-");
	for (p = plain.text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';	/* a value over several lines */
	x2gobroker_error_format(&plain, cell, sizeof(cell));
	if ((table->cells[table->n] = strdup(cell)) == NULL)
		table->nomem = true;
	else
		table->n++;
}

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

/* 0: not a terminal, so nothing is cut. */
static size_t
terminal_width(void)
{
	struct winsize ws;

	if (!isatty(STDOUT_FILENO) ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1)
		return 0;
	return ws.ws_col;
}

static void
print_row(const struct table *table, size_t row, const size_t *widths,
    size_t terminal)
{
	size_t c, used = 0, room;

	for (c = 0; c < table->columns; c++) {
		const char *cell = table->cells[row * table->columns + c];

		if (c + 1 < table->columns) {
			printf("%s%*s", cell,
			    (int)(widths[c] - width_of(cell) + GAP), "");
			used += widths[c] + GAP;
			continue;
		}
		room = terminal > used ? terminal - used : 0;
		if (terminal == 0 || width_of(cell) <= room)
			printf("%s\n", cell);
		else
			printf("%.*s\n", (int)bytes_of(cell, room), cell);
	}
}

int
table_print(struct table *table)
{
	size_t i, terminal = terminal_width();
	size_t *widths = calloc(table->columns, sizeof(*widths));
	int result = -1;

	if (widths != NULL && !table->nomem) {
		for (i = 0; i < table->n; i++) {
			size_t w = width_of(table->cells[i]);

			if (w > widths[i % table->columns])
				widths[i % table->columns] = w;
		}
		for (i = 0; i < table->n / table->columns; i++)
			print_row(table, i, widths, terminal);
		result = fflush(stdout) == 0 ? 0 : -1;
	}
	for (i = 0; i < table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	free(widths);
	*table = (struct table){ 0 };
	return result;
}
