/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known_hosts as somebody's editor left it, and behind a form feed the line of
 * a new key.  What was there stays, and one whole line is added.
 */
#include "fuzz_dir.h"
#include "agent/connection.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	size_t len = end != NULL ? (size_t)(end - data) : size, now;
	char *line = end != NULL ? fuzz_string(end + 1, size - len - 1) :
	    fuzz_string("", 0);
	char *text, *last;

	fuzz_write("known_hosts", data, len);
	must(knownhosts_add(fuzz_path("known_hosts"), line, NULL) == 0);
	must((text = fuzz_read("known_hosts", &now)) != NULL);
	must(len == 0 || memcmp(text, data, len) == 0);
	last = text + len;
	if (len > 0 && data[len - 1] != '\n')
		must(*last++ == '\n');
	must(text + now > last && text[now - 1] == '\n');
	must(strchr(last, '\n') == text + now - 1);
	must(strncmp(last, line, strlen(last) - 1) == 0);
	must(strcspn(line, "\n") == strlen(last) - 1);
	free(text);
	free(line);
	return 0;
}
