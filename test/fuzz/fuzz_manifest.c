/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest of setup, as an older version or a broken disk left it.  Either
 * it is refused as a whole, or each record survives when another one is added
 * and dropped again.
 */
#include "fuzz_dir.h"

/* Below the directory in which the target runs. */
#define X2GOBROKER_VAR	"."
#include "../../cmd/x2gobrokerctl/setup/manifest.c"

void
ctl_complain(const char *fmt __attribute__((unused)), ...)
{
}

void
ctl_print_error(const struct x2gobroker_error *err __attribute__((unused)))
{
}

static char *
print(const struct manifest *manifest)
{
	struct buf buf = { 0 };

	print_records(manifest, &buf);
	must(!buf.failed);
	return buf.data;
}

static void
check_records(const struct manifest *manifest)
{
	const struct record *record;
	size_t i;

	for (i = 0; i < manifest->n; i++) {
		record = &manifest->records[i];
		must(record->kind[0] != '#');
		must(strpbrk(record->kind, "\t\n") == NULL);
		must(strpbrk(record->account, "\t\n") == NULL);
	}
}

/* No line lost anything, except for what is behind a NUL. */
static void
check_lines(const uint8_t *data, size_t size, size_t records)
{
	char *text = fuzz_string(data, size), *rest = text, *line;
	const char *p;
	bool whole = strlen(text) == size;
	size_t tabs = 0;

	while ((line = strsep(&rest, "\n")) != NULL)
		for (p = line; *line != '#' && *p != '\0'; p++)
			tabs += *p == '\t';
	must(!whole || tabs == (NFIELDS - 1) * records);
	free(text);
}

static void
check_again(const char *before)
{
	struct manifest *manifest;
	char *now;

	must(manifest_open(true, &manifest) == 0);
	must(manifest_add(manifest, "file", "/x", "", "b c", "") == 0);
	manifest_close(manifest);
	must(manifest_open(false, &manifest) == 0 && manifest != NULL);
	must(manifest_drop(manifest, manifest->n - 1) == 0);
	now = print(manifest);
	must(strcmp(before, now) == 0);
	manifest_close(manifest);
	free(now);
}

static void
check(const uint8_t *data, size_t size)
{
	struct manifest *manifest;
	char *before;

	must(mkdir("lib", 0700) == 0 || errno == EEXIST);
	must(mkdir(DIR_PATH, 0700) == 0 || errno == EEXIST);
	fuzz_write("lib/x2gobroker-setup/manifest", data, size);
	if (manifest_open(true, &manifest) == -1) {
		must(manifest == NULL);
		return;
	}
	check_records(manifest);
	check_lines(data, size, manifest->n);
	before = print(manifest);
	manifest_close(manifest);
	check_again(before);
	free(before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	must(here != -1 && chdir(fuzz_dir()) == 0);
	check(data, size);
	must(fchdir(here) == 0);
	close(here);
	return 0;
}
