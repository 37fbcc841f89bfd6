/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory for targets whose reader wants one: made once, below TMPDIR, or
 * in memory, as some readers sync what they write; and removed when the process
 * ends well.
 */
#ifndef FUZZ_DIR_H
#define FUZZ_DIR_H

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static char fuzz_dir_path[512];

static int
fuzz_remove(const char *path, const struct stat *st __attribute__((unused)),
    int flag __attribute__((unused)), struct FTW *ftw)
{
	return ftw->level > 0 ? remove(path) : 0;
}

/* Remove what is in it. */
static inline void
fuzz_dir_empty(void)
{
	nftw(fuzz_dir_path, fuzz_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void
fuzz_dir_end(void)
{
	fuzz_dir_empty();
	rmdir(fuzz_dir_path);
}

static inline const char *
fuzz_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	if (fuzz_dir_path[0] == '\0') {
		if (tmp == NULL)
			tmp = access("/dev/shm", W_OK | X_OK) == 0 ?
			    "/dev/shm" : "/tmp";
		snprintf(fuzz_dir_path, sizeof(fuzz_dir_path),
		    "%s/x2gobroker-fuzz.XXXXXX", tmp);
		must(mkdtemp(fuzz_dir_path) != NULL);
		atexit(fuzz_dir_end);
	}
	return fuzz_dir_path;
}

/* The path of a file there; good until it is asked for the next but one. */
static inline const char *
fuzz_path(const char *name)
{
	static char paths[2][1024];
	static unsigned int next;

	next ^= 1;
	snprintf(paths[next], sizeof(paths[next]), "%s/%s", fuzz_dir(), name);
	return paths[next];
}

/* Let the file of that name hold size bytes, whatever it was before. */
static inline void
fuzz_write(const char *name, const void *data, size_t size)
{
	int fd = open(fuzz_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);

	must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* Rows of base/statedir.h: a link for each line of data, without its NULs. */
static inline void
fuzz_write_rows(const char *dir, const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *line, *rest = text, name[32];
	int fd, i = 0;

	mkdir(fuzz_path(dir), 0700);
	must((fd = open(fuzz_path(dir), O_RDONLY | O_DIRECTORY)) != -1);
	while ((line = strsep(&rest, "\n")) != NULL) {
		snprintf(name, sizeof(name), "%d", ++i);
		unlinkat(fd, name, 0);
		if (*line != '\0')
			must(symlinkat(line, fd, name) == 0 ||
			    strlen(line) >= 4096);
	}
	close(fd);
	free(text);
}

/* What the file holds, ended by a NUL; NULL where there is none. */
static inline char *
fuzz_read(const char *name, size_t *size)
{
	int fd = open(fuzz_path(name), O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	*size = 0;
	if (fd == -1)
		return NULL;
	must(fstat(fd, &st) == 0);
	must((text = malloc((size_t)st.st_size + 1)) != NULL);
	must(read(fd, text, (size_t)st.st_size) == st.st_size);
	text[*size = (size_t)st.st_size] = '\0';
	close(fd);
	return text;
}

#endif
