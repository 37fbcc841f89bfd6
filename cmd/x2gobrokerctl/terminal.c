/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/ioctl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "terminal.h"

#define COLUMNS_MAX	10000
#define PROGRESS_WIDTH	40	/* no progress line is longer */
#define ANSWER_SIZE	16	/* "yes" and "no" are shorter */

size_t
terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	long long n;

	if (!isatty(STDOUT_FILENO))
		return 0;
	n = columns != NULL ? strtonum(columns, 1, COLUMNS_MAX, NULL) : 0;
	if (n > 0)
		return (size_t)n;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0;
}

/* https://no-color.org: NO_COLOR counts if it is not empty. */
bool
terminal_has_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

void
terminal_show_progress(const char *what, size_t done, size_t total)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s %zu/%zu ...", what, done, total);
}

/* Overwrite the line with blanks, which every terminal understands. */
void
terminal_clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%*s\r", PROGRESS_WIDTH, "");
}

bool
terminal_can_ask(void)
{
	return isatty(STDIN_FILENO);
}

/* Read a whole line; the answer is "" if it does not fit. */
static bool
read_answer(char *answer, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = getchar()) != EOF && c != '\n')
		if (n < size)
			answer[n++] = (char)c;
	if (n == size)
		n = 0;
	answer[n] = '\0';
	return c != EOF;
}

/* Questions go to stderr: stdout may be redirected to a file. */
bool
terminal_ask(const char *question)
{
	char answer[ANSWER_SIZE];

	fprintf(stderr, "%s [yes/no] ", question);
	while (read_answer(answer, sizeof(answer))) {
		if (strcasecmp(answer, "yes") == 0)
			return true;
		if (strcasecmp(answer, "no") == 0)
			return false;
		fprintf(stderr, "Please type yes or no: ");
	}
	fprintf(stderr, "\n");
	return false;
}

bool
terminal_ask_text(const char *question, const char *initial, char *answer,
    size_t size)
{
	bool has = *initial != '\0';

	fprintf(stderr, "%s %s%s%s", question, has ? "[" : "", initial,
	    has ? "] " : "");
	if (!read_answer(answer, size)) {
		fprintf(stderr, "\n");
		return false;
	}
	if (*answer == '\0')
		strlcpy(answer, initial, size);
	return true;
}
