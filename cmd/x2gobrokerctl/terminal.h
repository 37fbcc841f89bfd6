/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different at a terminal: width, colours, progress, questions.
 */
#ifndef X2GOBROKERCTL_TERMINAL_H
#define X2GOBROKERCTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Columns of the terminal on stdout: COLUMNS, or else what the terminal says.
 * 0: stdout is not a terminal, or the width is not known. */
size_t	terminal_width(void);

/* Whether stdout is a terminal with colours, and NO_COLOR is not set. */
bool	terminal_has_colour(void);

/* If stderr is a terminal, show a line there that the next one overwrites. */
void	terminal_show_progress(const char *what, size_t done, size_t total);
void	terminal_clear_progress(void);

/* Whether stdin is a terminal, and whether the answer there is yes.  Other
 * answers than yes or no are asked again; the end of input is no. */
bool	terminal_can_ask(void);
bool	terminal_ask(const char *question);

/* Ask for a line of text.  The answer is initial if the line is empty or does
 * not fit.  False: the input has ended. */
bool	terminal_ask_text(const char *question, const char *initial,
	    char *answer, size_t size);

#endif
