/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written for a terminal or a log is UTF-8 without anything that either
 * acts on; it stays as it is when it is escaped again, and where there is no
 * room it is cut between characters.
 */
#include "fuzz.h"
#include "base/utf8.h"

static size_t
encode(uint32_t c, char *dst)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; c >>= 6)
		dst[i] = (char)(0x80 | (c & 0x3f));
	dst[0] = (char)(n == 1 ? c : (0xf00 >> n & 0xff) | c);
	return n;
}

static bool
is_harmless(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c >= 0xa0) && c != 0x2028 &&
	    c != 0x2029 && c != 0x202e && c != 0x2066 && c != 0xfeff;
}

static void
check_escaped(const char *text)
{
	size_t len = strlen(text), n;
	char back[4];
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		n = utf8_decode(text, len, &c);
		must(n > 0 && n <= len && is_harmless(c));
		must(encode(c, back) == n && memcmp(back, text, n) == 0);
		/* none of its beginnings is a character */
		must(n == 1 || utf8_decode(text, n - 1, &c) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	size_t room = 4 * strlen(text) + 1, cut = size > 0 ? data[0] : 0;
	char *all = malloc(room), *again = malloc(room);

	must(all != NULL && again != NULL);
	utf8_escape(all, room, text);
	check_escaped(all);
	utf8_escape(again, room, all);
	must(strcmp(all, again) == 0);
	cut = cut < room ? cut : room;
	memset(again, 'x', room);
	utf8_escape(again, cut, text);
	if (cut > 0) {
		must(strlen(again) < cut);
		must(strncmp(all, again, strlen(again)) == 0);
		check_escaped(again);
	}
	must(cut == room || again[cut] == 'x');
	free(all);
	free(again);
	free(text);
	return 0;
}
