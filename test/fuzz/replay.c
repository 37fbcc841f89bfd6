/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run a fuzz target over files, and over all files of directories, as an
 * ordinary test that needs no fuzzer.  With -n N also over N inputs that are
 * made of each file, always the same ones.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <unistd.h>

#include "fuzz.h"

#define CHANGES_MAX	4	/* in one input */
#define INPUT_MAX	4096	/* of one that is changed */

static unsigned int count, made;
static uint32_t seed;

/* The same numbers everywhere: a linear congruential generator (Numerical
 * Recipes), of which the upper bits are good enough here. */
static size_t
number(size_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (size_t)(seed >> 8) % below;
}

/* One byte, a piece that is lost, or one that is there twice; size is at least
 * 1, and there is room for as much again. */
static size_t
change(uint8_t *data, size_t size)
{
	static const char odd[] = "\0\n\t\f \r\"'\\,:;=%|#-[]()09aA\x7f\xff";
	size_t at = number(size), len = 1 + number(size - at);

	switch (number(5)) {
	case 0:
		data[at] = (uint8_t)number(256);
		return size;
	case 1:
		data[at] = (uint8_t)odd[number(sizeof(odd) - 1)];
		return size;
	case 2:
		data[at] ^= (uint8_t)(1 << number(8));
		return size;
	case 3:
		memmove(data + at, data + at + len, size - at - len);
		return size - len;
	default:
		memmove(data + at + len, data + at, size - at);
		return size + len;
	}
}

static void
run(const uint8_t *data, size_t size)
{
	/* the very size, so that a sanitizer sees a read beyond it */
	uint8_t *copy = malloc(size > 0 ? size : 1);

	must(copy != NULL);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
mutate(const uint8_t *data, size_t size)
{
	static uint8_t copy[INPUT_MAX << CHANGES_MAX];
	size_t i, changes, n = size;

	memcpy(copy, data, size);
	for (i = 0, changes = 1 + number(CHANGES_MAX); i < changes && n > 0;
	    i++)
		n = change(copy, n);
	run(copy, n);
	made++;
}

static void
replay_file(const char *path, unsigned int times)
{
	FILE *fp = fopen(path, "r");
	struct stat st;
	size_t size;
	uint8_t *data;
	unsigned int i;

	must(fp != NULL && fstat(fileno(fp), &st) == 0);
	size = (size_t)st.st_size;
	must((data = malloc(size + 1)) != NULL);
	must(fread(data, 1, size, fp) == size);
	fclose(fp);
	fprintf(stderr, "%s\n", path);
	run(data, size);
	seed = (uint32_t)size;
	for (i = 0; i < times && size <= INPUT_MAX; i++)
		mutate(data, size);
	free(data);
	count++;
}

static void
replay(const char *path, unsigned int times)
{
	struct dirent **entries;
	char inside[4096];
	int i, n;

	if ((n = scandir(path, &entries, NULL, alphasort)) == -1) {
		replay_file(path, times);
		return;
	}
	for (i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(inside, sizeof(inside), "%s/%s", path,
			    entries[i]->d_name);
			replay(inside, times);
		}
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char **argv)
{
	unsigned int times = 0;
	int i, opt;

	while ((opt = getopt(argc, argv, "n:")) != -1) {
		if (opt != 'n')
			return 2;
		times = (unsigned int)atoi(optarg);
	}
	for (i = optind; i < argc; i++)
		replay(argv[i], times);
	printf("%u inputs, and %u made of them\n", count, made);
	return count > 0 ? 0 : 1;
}
