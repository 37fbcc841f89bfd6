/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aligned columns for a terminal, with a heading.
 */
#ifndef X2GOBROKERCTL_TABLE_H
#define X2GOBROKERCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLOUR_GOOD	"green"
#define COLOUR_CARE	"brown"		/* which terminals show as yellow */
#define COLOUR_BAD	"red"

struct table {
	struct libscols_table *scols;	/* owned */
	struct libscols_line *line;	/* the one that is being filled */
	size_t columns, next;
	size_t lines;			/* without the heading */
	bool failed;
};

/* Begin with the heading, which ends with NULL.  Bit c of numbers: column c is
 * aligned to the right. */
void	table_begin(struct table *table, const char *const *heading,
	    unsigned int numbers);

/* Add the next cell, row by row.  What a terminal would act on is escaped; NULL
 * and "" become "-". */
void	table_add(struct table *table, const char *text);
void	table_add_coloured(struct table *table, const char *text,
	    const char *colour);
void	table_addf(struct table *table, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A negative number is shown as "-": not known. */
void	table_add_number(struct table *table, long long number);

/* A local time, to the minute; 0 is shown as "-". */
void	table_add_time(struct table *table, int64_t seconds);

/* Print to stdout and free the table.  On a terminal that is too narrow, the
 * last column is cut.  Returns 0, or -1 if memory was out or stdout failed. */
int	table_print(struct table *table);

#endif
