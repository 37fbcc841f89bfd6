/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is taken says the same when it is written out from what was
 * understood, and read again: nothing was lost, nothing was made up.  But
 * control characters, which no user of the reader takes, may get lost.
 */
#include "base/buf.h"
#include "fuzz.h"
#include "config/inifile.h"

static void
write_section(struct buf *buf, const struct ini_section *section)
{
	const char *p;
	size_t i;

	buf_printf(buf, "[%s]\n", section->name);
	for (i = 0; i < section->nkeys; i++) {
		must(inifile_find(section, section->keys[i].name) != NULL);
		buf_printf(buf, "%s=", section->keys[i].name);
		for (p = section->keys[i].value; *p != '\0'; p++)
			buf_puts(buf, *p == '\n' ? "\n " :
			    (const char[]){ *p, '\0' });
		buf_putc(buf, '\n');
	}
}

static unsigned int
rewrite(const void *data, size_t size, struct buf *buf)
{
	struct reporter rep = { 0 };
	FILE *fp = fuzz_open(data, size);
	struct inifile *ini;
	size_t i;

	must((inifile_read(fp, "x", &rep, &ini) == 0) == (rep.errors == 0));
	must((ini != NULL) == (rep.errors == 0));
	fclose(fp);
	for (i = 0; ini != NULL && i < ini->nsections; i++)
		write_section(buf, &ini->sections[i]);
	inifile_free(ini);
	return rep.errors;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = { 0 }, second = { 0 };

	rewrite(data, size, &first);
	if (first.len > 0 && fuzz_is_text(first.data)) {
		must(rewrite(first.data, first.len, &second) == 0);
		must(strcmp(first.data, second.data) == 0);
	}
	buf_free(&first);
	buf_free(&second);
	return 0;
}
