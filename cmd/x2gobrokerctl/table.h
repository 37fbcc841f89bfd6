/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef X2GOBROKERCTL_TABLE_H
#define X2GOBROKERCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum colour {
	COLOUR_NONE = 0,
	COLOUR_GOOD,
	COLOUR_CARE,
	COLOUR_BAD,
};

struct cell {
	char *text;	/* owned */
	enum colour colour;
};

/* Aligned columns for a terminal.  The first row is the heading. */
struct table {
	size_t columns;
	unsigned int numbers;	/* bit c: column c is aligned to the right */
	struct cell *cells;	/* row by row; owned */
	size_t n, size;
	bool nomem;
};

/* Begin with the heading, which ends with NULL. */
void	table_begin(struct table *table, const char *const *heading);

/* Add the next cell, row by row.  Text is shown with what a terminal would act
 * on escaped; NULL and "" become "-". */
void	table_add(struct table *table, const char *text);
void	table_add_coloured(struct table *table, const char *text,
	    enum colour colour);
void	table_addf(struct table *table, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A number that is not known where it is negative. */
void	table_add_number(struct table *table, long long number);

/* Print to stdout.  On a terminal that is too narrow, columns are cut, the last
 * one first and never the first one.  Returns 0, or -1 where memory was out or
 * stdout is gone.  Frees the cells. */
int	table_print(struct table *table);

#endif
