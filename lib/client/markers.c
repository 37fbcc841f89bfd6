/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "client/markers.h"

/* <br> is not part of the protocol, but the client replaces it by a line break
 * before it splits the answer into lines. */
static const char *const words[] = {
	"AUTHID:", "Access granted", "START_USER_SESSIONS",
	"END_USER_SESSIONS", "START_CLIENT_CONFIG", "END_CLIENT_CONFIG",
	"SERVER:", "SESSION_INFO:", "X2GODATABEGIN:", "X2GODATAEND:",
	"-----BEGIN ", "-----END ", "<br>",
};

/* The first characters of the words.  Most values have none of them. */
static const bool begins_word[UCHAR_MAX + 1] = {
	['A'] = true, ['S'] = true, ['E'] = true, ['X'] = true, ['-'] = true,
	['<'] = true,
};

const char *
markers_find(const char *text, size_t text_len)
{
	size_t i, j, n;

	for (i = 0; i < text_len; i++) {
		if (!begins_word[(unsigned char)text[i]])
			continue;
		for (j = 0; j < sizeof(words) / sizeof(words[0]); j++) {
			if (words[j][0] != text[i])
				continue;
			n = strlen(words[j]);
			if (n <= text_len - i &&
			    memcmp(text + i, words[j], n) == 0)
				return text + i;
		}
	}
	return NULL;
}
