/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is taken says the same when it is written out from what was
 * understood, and read again: nothing was lost, nothing was made up.  But
 * control characters, which no user of the reader takes, may get lost.
 */
#include "buf.h"
#include "fuzz.h"
#include "inifile.h"

static struct inifile *
read_text(const void *data, size_t size, unsigned int *errors)
{
	struct reporter rep = { 0 };
	FILE *fp = fuzz_open(data, size);
	struct inifile *ini;
	int result = inifile_read(fp, "fuzz", &rep, &ini);

	must((result == 0) == (rep.errors == 0) && (result == 0) ==
	    (ini != NULL));
	fclose(fp);
	*errors = rep.errors;
	return ini;
}

static bool
is_text(const struct buf *buf)
{
	size_t i;

	for (i = 0; i < buf->len; i++)
		if ((unsigned char)buf->data[i] < 0x20 &&
		    strchr("\t\n", buf->data[i]) == NULL)
			return false;
	return true;
}

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int errors;
	struct inifile *ini = read_text(data, size, &errors), *again;
	struct buf first = { 0 }, second = { 0 };
	size_t i;

	for (i = 0; ini != NULL && i < ini->nsections; i++)
		write_section(&first, &ini->sections[i]);
	again = read_text(first.data, first.len, &errors);
	must(errors == 0 || !is_text(&first));
	for (i = 0; again != NULL && i < again->nsections; i++)
		write_section(&second, &again->sections[i]);
	must(!is_text(&first) || (first.len == second.len && (first.len == 0 ||
	    memcmp(first.data, second.data, first.len) == 0)));
	inifile_free(ini);
	inifile_free(again);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
