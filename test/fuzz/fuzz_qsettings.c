/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written for the X2Go client is one line without a word of the
 * protocol, and its INI reader gives back the value as it was.
 */
#include "client/qsettings.h"
#include "fuzz.h"
#include "client/markers.h"
#include "base/utf8.h"

/* The next UTF-16 unit of a quoted value in the notation of QSettings. */
static uint32_t
next_unit(const char **p)
{
	char *end;
	uint32_t unit;

	if (**p != '\\' || *++*p != 'x')
		return (unsigned char)*(*p)++;
	unit = (uint32_t)strtoul(*p + 1, &end, 16);
	must(end > *p + 1 && unit <= 0xffff);
	*p = end;
	return unit;
}

static void
check_reads_back(const char *p, const char *value)
{
	bool quoted = *p == '"';
	uint32_t cp, unit;
	size_t n;

	p += quoted ? 1 : 0;
	if (quoted && *value == '@')
		must(*p++ == '@');
	for (; *value != '\0'; value += n) {
		if ((n = utf8_decode(value, strlen(value), &cp)) == 0)
			cp = (unsigned char)value[(n = 1) - 1];
		unit = next_unit(&p);
		if (unit >= 0xd800 && unit < 0xdc00)
			unit = 0x10000 + ((unit - 0xd800) << 10) +
			    (next_unit(&p) - 0xdc00);
		must(unit == cp);
	}
	must(strcmp(p, quoted ? "\"\n" : "\n") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = fuzz_string(data, size);
	struct buf buf = { 0 };

	qsettings_put_list(&buf, "list", value);
	must(strchr(buf.data, '\n') == buf.data + buf.len - 1);
	qsettings_put(&buf, "key", value);
	must(buf.data[buf.len - 1] == '\n');
	must(markers_find(buf.data, buf.len) == NULL);
	if (value[0] != '"')	/* else it may be in the notation already */
		check_reads_back(strchr(buf.data, '\n') + 5, value);
	buf_free(&buf);
	free(value);
	return 0;
}
