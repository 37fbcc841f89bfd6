/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a fuzz target over files, and over all files of directories, as an
 * ordinary test that needs no fuzzer.
 */
#include <sys/stat.h>

#include <dirent.h>

#include "fuzz.h"

static unsigned int count;

static void
replay_file(const char *path)
{
	FILE *fp = fopen(path, "r");
	struct stat st;
	size_t size;
	uint8_t *data;

	must(fp != NULL && fstat(fileno(fp), &st) == 0);
	size = (size_t)st.st_size;
	/* the very size, so that a sanitizer sees a read beyond it */
	must((data = malloc(size > 0 ? size : 1)) != NULL);
	must(fread(data, 1, size, fp) == size);
	fclose(fp);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	count++;
}

static void
replay(const char *path)
{
	struct dirent **entries;
	char inside[4096];
	int i, n;

	if ((n = scandir(path, &entries, NULL, alphasort)) == -1) {
		replay_file(path);
		return;
	}
	for (i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(inside, sizeof(inside), "%s/%s", path,
			    entries[i]->d_name);
			replay(inside);
		}
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs\n", count);
	return count > 0 ? 0 : 1;
}
