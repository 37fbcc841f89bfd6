/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different where a person looks on.
 */
#ifndef X2GOBROKERCTL_TERMINAL_H
#define X2GOBROKERCTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns of the terminal that stdout is, by COLUMNS or else by the terminal
 * itself; 0: it is none, so nothing is cut. */
size_t	terminal_width(void);

/* Whether stdout may be coloured: a terminal, and no NO_COLOR. */
bool	terminal_has_colour(void);

/* A line on stderr, if that is a terminal, which the next one overwrites. */
void	terminal_show_progress(const char *what, size_t done, size_t total);
void	terminal_clear_progress(void);

/* Whether somebody can be asked, and whether they answer question with yes.
 * What is neither yes nor no is asked again; the end of input is no. */
bool	terminal_can_ask(void);
bool	terminal_ask(const char *question);

/* Ask for a line of text, the answer; an empty one, or one that does not fit, is
 * initial.  False: the input has ended. */
bool	terminal_ask_text(const char *question, const char *initial,
	    char *answer, size_t size);

#endif
