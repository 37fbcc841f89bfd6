/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker's own command line, a word a line.  Each word is the operator's or
 * the client's; none is both, or comes up from nowhere, and under a forced
 * command there is no client's.
 */
#include "fuzz.h"

#include "../../cmd/x2gobroker/options.c"

#define WORDS_MAX	64

/* Whether text is a word, or what stands behind the "=" of one, or "". */
static bool
is_said(const char *text, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (text >= argv[i] && text <= argv[i] + strlen(argv[i]))
			return true;
	return *text == '\0';
}

static void
check_options(int argc, char **argv, bool forced)
{
	struct options options;
	struct x2gobroker_error err;
	int i, next = 1;

	if (options_parse(argc, argv, forced, &options, &err) == -1)
		must(err.code != X2GOBROKER_OK && err.text[0] != '\0');
	else {
		must(options.nclient == 0 || !forced);
		must(options.client[options.nclient] == NULL);
		must(options.user == NULL ||
		    is_said(options.user, argc, argv));
		must(options.config_file == NULL ||
		    is_said(options.config_file, argc, argv));
		must(options.backend == NULL ||
		    is_said(options.backend, argc, argv));
	}
	for (i = 0; i < options.nclient; i++) {
		while (next < argc && argv[next] != options.client[i])
			next++;
		must(next < argc && (find_row(argv[next],
		    &(const char *){ NULL }) == NULL ||
		    (i > 0 && strcmp(argv[next], "--version") == 0)));
		must(options.client[i] != options.user);
		next++;
	}
	free(options.client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text;
	char program[] = "x2gobroker", *argv[WORDS_MAX + 1] = { program };
	int argc = 1;

	while (argc < WORDS_MAX && rest != NULL)
		argv[argc++] = strsep(&rest, "\n");
	check_options(argc, argv, true);
	check_options(argc, argv, false);
	free(text);
	return 0;
}
