/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text is decoded in one way only: encoded again, it is the same.  And all
 * bytes are given back as they were. */
#include "base/base64.h"
#include "fuzz.h"

static void
check_text(const char *text, size_t len)
{
	size_t room = len / 4 * 3, padding = 0;
	uint8_t *bytes = malloc(room + 1);
	char *again = malloc(len + 5);
	ssize_t n;

	must(bytes != NULL && again != NULL);
	if ((n = base64_decode(text, len, bytes, room)) != -1) {
		base64_encode(bytes, (size_t)n, again);
		while (strlen(again) % 4 != 0 && padding++ < 2)
			strcat(again, "=");
		must(strlen(again) == len && memcmp(again, text, len) == 0);
		must(n == 0 || base64_decode(text, len, bytes,
		    (size_t)n - 1) == -1);
	}
	free(bytes);
	free(again);
}

static void
check_bytes(const uint8_t *data, size_t size)
{
	char *text = malloc(4 * (size + 2) / 3 + 3);
	uint8_t *back = malloc(size + 1);

	must(text != NULL && back != NULL);
	base64_encode(data, size, text);
	while (strlen(text) % 4 != 0)
		strcat(text, "=");
	must(base64_decode(text, strlen(text), back, size) == (ssize_t)size);
	must(size == 0 || memcmp(data, back, size) == 0);
	free(text);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_text((const char *)data, size);
	check_bytes(data, size);
	return 0;
}
