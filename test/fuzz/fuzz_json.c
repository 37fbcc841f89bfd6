/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text in JSON for other programs.  It stands between
 * quotes that it cannot leave, is UTF-8, and has nothing that a terminal acts
 * on.
 */
#include "fuzz.h"
#include "base/json.h"
#include "base/utf8.h"

/* Behind the string that begins at p. */
static const char *
skip_string(const char *p)
{
	uint32_t cp;
	size_t n;

	must(*p++ == '"');
	for (; *p != '"'; p += n) {
		must((n = utf8_decode(p, strlen(p), &cp)) > 0);
		must(cp >= 0x20 && (cp < 0x7f || cp >= 0xa0));
		if (*p != '\\')
			continue;
		n = p[1] == 'u' ? 6 : 2;
		must(p[1] != '\0' && strchr("\"\\/bfnrtu", p[1]) != NULL);
		must(n == 2 || strspn(p + 2, "0123456789abcdefABCDEF") >= 4);
	}
	return p + 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct json json;
	const char *p;

	json_begin(&json);
	json_string(&json, "k", text);
	must((p = strchr(json.text.data, ':')) != NULL);
	p = skip_string(p + 1 + strspn(p + 1, " "));
	must(p[strspn(p, " \n")] == '\0');
	buf_free(&json.text);
	free(text);
	return 0;
}
