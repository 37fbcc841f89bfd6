/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SSH_ORIGINAL_COMMAND of an agent.  Each word is a piece of the command, in its
 * order, without a control character; and written out again in quotes, it is
 * read as the same word.
 */
#include "base/buf.h"
#include "fuzz.h"
#include "command.h"

static void
check_words(const char *command, const struct words *words)
{
	const char *at = command;
	size_t i;

	must(words->n <= WORDS_MAX && words->list[words->n] == NULL);
	for (i = 0; i < words->n; i++) {
		const char *p = words->list[i];

		must((at = strstr(at, p)) != NULL);
		at += strlen(p);
		for (; *p != '\0'; p++)
			must((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static void
check_again(const struct words *words)
{
	struct buf buf = { 0 };
	struct words again;
	size_t i;

	buf_puts(&buf, "/x/x2gobroker-agent");
	for (i = 0; i < words->n; i++) {
		char quote = strchr(words->list[i], '\'') != NULL ? '"' : '\'';

		buf_printf(&buf, " %c%s%c", quote, words->list[i], quote);
	}
	/* of so many the program's name is one more, and quotes are longer */
	if (words->n < WORDS_MAX && buf.len <= COMMAND_MAX) {
		must(command_parse(buf.data, &again, NULL) == 0);
		must(again.n == words->n);
		for (i = 0; i < again.n; i++)
			must(strcmp(again.list[i], words->list[i]) == 0);
		command_free(&again);
	}
	buf_free(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *command = fuzz_string(data, size);
	struct x2gobroker_error err = { 0 };
	struct words words;

	if (command_parse(command, &words, &err) == 0) {
		check_words(command, &words);
		check_again(&words);
		command_free(&words);
	} else
		must(words.text == NULL && err.text[0] != '\0');
	free(command);
	return 0;
}
