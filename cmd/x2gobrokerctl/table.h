/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Aligned columns for a terminal.  The first row is the heading. */
struct table {
	size_t columns;
	char **cells;	/* row by row; owned */
	size_t n, size;
	bool nomem;
};

/* Add the next cell, row by row.  Text is shown with what a terminal would act
 * on escaped; NULL and "" become "-". */
void	table_add(struct table *table, const char *text);

/* Print to stdout; the last column is cut where the terminal ends.  Returns 0,
 * or -1 where memory was out or stdout is gone.  Frees the cells. */
int	table_print(struct table *table);

#endif
