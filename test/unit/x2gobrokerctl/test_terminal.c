/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What x2gobrokerctl does at a terminal: its width, colours, and questions.
 */
#include <pty.h>

#include "../../../cmd/x2gobrokerctl/terminal.c"
#include "capture.h"

/*
 * Width and colours
 */

/* Make stdout a terminal that has so many columns.  Returns what it was, for
 * end_terminal(). */
static int
begin_terminal(unsigned short columns, int ends[2])
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int before;

	assert_int_equal(fflush(stdout), 0);
	assert_int_equal(openpty(&ends[0], &ends[1], NULL, NULL, &size), 0);
	before = dup(STDOUT_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	return before;
}

static void
end_terminal(int before, int ends[2])
{
	dup2(before, STDOUT_FILENO);
	close(before);
	close(ends[0]);
	close(ends[1]);
}

static void
set_variable(const char *name, const char *value)
{
	if (value != NULL)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static const struct {
	const char *what;
	const char *variable;	/* COLUMNS */
	unsigned short real;	/* 0: not known */
	size_t expected;
} widths[] = {
	{ "by the terminal", NULL, 132, 132 },
	{ "by COLUMNS", "70", 132, 70 },
	{ "by COLUMNS alone", "70", 0, 70 },
	{ "not known", NULL, 0, 0 },
	{ "COLUMNS: empty", "", 80, 80 },
	{ "COLUMNS: 0", "0", 80, 80 },
	{ "COLUMNS: negative", "-1", 80, 80 },
	{ "COLUMNS: more than a number", "70x", 80, 80 },
	{ "COLUMNS: a word", "wide", 80, 80 },
	{ "COLUMNS: the most", "10000", 80, 10000 },
	{ "COLUMNS: more than the most", "10001", 80, 80 },
	{ "COLUMNS: overflow", "99999999999999999999", 80, 80 },
};

static void
test_widths(void **state unused)
{
	int before, ends[2];
	size_t i, width;

	for (i = 0; i < LENGTH(widths); i++) {
		set_variable("COLUMNS", widths[i].variable);
		before = begin_terminal(widths[i].real, ends);
		width = terminal_width();
		end_terminal(before, ends);
		check(widths[i].what, width == widths[i].expected);
	}
	setenv("COLUMNS", "70", 1);
	begin_capture();
	width = terminal_width();
	end_capture();
	check("a pipe", width == 0);
}

static const struct {
	const char *what, *term, *no_color;
	bool expected;
} colours[] = {
	{ "a terminal", "xterm", NULL, true },
	{ "NO_COLOR is empty", "xterm", "", true },
	{ "NO_COLOR", "xterm", "1", false },
	{ "a dumb terminal", "dumb", NULL, false },
	{ "no TERM", NULL, NULL, false },
	{ "TERM is empty", "", NULL, false },
};

static void
test_colours(void **state unused)
{
	int before, ends[2];
	bool has;
	size_t i;

	for (i = 0; i < LENGTH(colours); i++) {
		set_variable("TERM", colours[i].term);
		set_variable("NO_COLOR", colours[i].no_color);
		before = begin_terminal(80, ends);
		has = terminal_has_colour();
		end_terminal(before, ends);
		check(colours[i].what, has == colours[i].expected);
	}
	setenv("TERM", "xterm", 1);
	begin_capture();
	has = terminal_has_colour();
	end_capture();
	check("a pipe", !has);
}

/*
 * Questions
 */

/* Run ask(arg) with input on stdin.  Returns what it prints to stderr, to be
 * freed. */
static char *
with_input(const char *input, void (*ask)(void *arg), void *arg)
{
	FILE *in = stdin, *out = stderr;
	char *copy = strdup(input), *text;
	size_t len;

	/* an empty input cannot be opened as memory */
	stdin = *input != '\0' ? fmemopen(copy, strlen(input), "r") :
	    fopen("/dev/null", "r");
	stderr = open_memstream(&text, &len);
	ask(arg);
	fclose(stdin);
	fclose(stderr);
	stdin = in;
	stderr = out;
	free(copy);
	return text;
}

#define ASKED	"Proceed? [yes/no] "
#define AGAIN	"Please type yes or no: "

static const struct {
	const char *input;
	bool expected;
	const char *printed;
} answers[] = {
	{ "yes\n", true, ASKED },
	{ "YES\n", true, ASKED },
	{ "yes", false, ASKED "\n" },	/* cut off by the end of input */
	{ "no\n", false, ASKED },
	{ "No\nyes\n", false, ASKED },
	{ "", false, ASKED "\n" },
	{ "y\nyes\n", true, ASKED AGAIN },
	{ "\n\nno\n", false, ASKED AGAIN AGAIN },
	{ "yes please\nno\n", false, ASKED AGAIN },
	{ " yes\nno\n", false, ASKED AGAIN },
	{ "yesyesyesyesyesyes\nno\n", false, ASKED AGAIN },
	{ "maybe\n", false, ASKED AGAIN "\n" },
};

static void
ask(void *arg)
{
	*(bool *)arg = terminal_ask("Proceed?");
}

static void
test_ask(void **state unused)
{
	bool answer = false;
	char *text;
	size_t i;

	for (i = 0; i < LENGTH(answers); i++) {
		text = with_input(answers[i].input, ask, &answer);
		check_text(answers[i].input, text, answers[i].printed);
		check(answers[i].input, answer == answers[i].expected);
		free(text);
	}
}

/* A question for a text of at most seven characters. */
static struct {
	const char *initial;
	char answer[8];
	bool ended;
} question;

static const struct {
	const char *input, *initial;
	const char *expected;	/* NULL: the input has ended */
	const char *printed;
} texts[] = {
	{ "pupils\n", "", "pupils", "Which group? " },
	{ "pupils\n", "staff", "pupils", "Which group? [staff] " },
	{ "\n", "staff", "staff", "Which group? [staff] " },
	{ "\n", "", "", "Which group? " },
	{ "seven77\n", "staff", "seven77", "Which group? [staff] " },
	{ "eight888\n", "staff", "staff", "Which group? [staff] " },
	{ "", "staff", NULL, "Which group? [staff] \n" },
	{ "pup", "staff", NULL, "Which group? [staff] \n" },
};

static void
ask_text(void *arg unused)
{
	question.ended = !terminal_ask_text("Which group?", question.initial,
	    question.answer, sizeof(question.answer));
}

static void
test_ask_text(void **state unused)
{
	char *text;
	size_t i;

	for (i = 0; i < LENGTH(texts); i++) {
		question.initial = texts[i].initial;
		text = with_input(texts[i].input, ask_text, NULL);
		check_text(texts[i].input, text, texts[i].printed);
		check(texts[i].input,
		    question.ended == (texts[i].expected == NULL));
		if (texts[i].expected != NULL)
			check_text(texts[i].input, question.answer,
			    texts[i].expected);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_colours),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_ask_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
