/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "serverusage.h"
#include "base/parse.h"

#define SESSIONS_MAX	1000000	/* of a host; sums do not overflow */
#define HOST_CHARS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" \
			"0123456789._-"

/* Split the next line of the form "HOST" or "HOST SESSIONS" in place; skip all
 * others.  False at the end. */
static bool
next_server(char **rest, const char **host, int *sessions)
{
	char *line, *number;

	while ((line = strsep(rest, "\n")) != NULL) {
		number = line + strspn(line, HOST_CHARS);
		if (number == line || (*number != ' ' && *number != '\0'))
			continue;
		*sessions = 0;
		if (*number == ' ') {
			*number++ = '\0';
			if (!parse_digits(number + strspn(number, " "),
			    0, SESSIONS_MAX, sessions))
				continue;
		}
		*host = line;
		return true;
	}
	return false;
}

static int
compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append the lines of text, sorted as strings, as Debian's agent does. */
static int
put_sorted(char *text, size_t n, struct buf *out)
{
	cleanup_free char **lines = calloc(n + 1, sizeof(*lines));
	size_t i;

	if (lines == NULL)
		return -1;
	for (i = 0; i < n; i++)
		lines[i] = strsep(&text, "\n");
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (i = 0; i < n; i++)
		buf_printf(out, "%s\n", lines[i]);
	return 0;
}

int
serverusage_put(const char *text, struct buf *out)
{
	cleanup_free char *first = NULL, *second = NULL;
	cleanup_buf struct buf lines = { 0 };
	const char *host;
	char *rest;
	long long all = 0;
	size_t n = 0;
	int sessions;

	if (text == NULL)
		return 0;
	if ((rest = first = strdup(text)) == NULL)
		return -1;
	while (next_server(&rest, &host, &sessions))
		all += sessions;
	if ((rest = second = strdup(text)) == NULL)
		return -1;
	for (; next_server(&rest, &host, &sessions); n++)
		buf_printf(&lines, "%d:%s\n", all == 0 ? 0 :
		    (int)((double)sessions / (double)all * 100), host);
	if (n == 0 || lines.failed)
		return lines.failed ? -1 : 0;
	return put_sorted(lines.data, n, out);
}
