/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INI files by the rules of Python's configparser, which wrote the rules of
 * X2Go's files: keys are case-sensitive, "=" or ":" separates, "#" and ";"
 * start a comment only where a line starts, a deeper indented line continues
 * the value above with its line break kept.
 */
#ifndef CONFIG_INIFILE_H
#define CONFIG_INIFILE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/safefile.h"

struct profile_key;

struct ini_key {
	const char *name;
	const char *value;	/* trimmed; continuation lines joined by \n */
	unsigned int line;
	const struct profile_key *row;	/* profile.c's; NULL when read */
};

struct ini_section {
	const char *name;
	unsigned int line;
	struct ini_key *keys;	/* sorted by name, equal names by line */
	size_t nkeys;
};

struct inifile {
	const char *path;
	struct ini_section *sections;	/* in file order, names may recur */
	size_t nsections;
	char *text;			/* the file, cut up; has most values */
	struct arena arena;		/* owns all else but sections */
};

/* Read fp, which path names in messages, into *out.  Syntax errors are reported
 * line by line; then, or when memory is out or reading fails, returns
 * -1 with *out NULL.  The caller frees *out with inifile_free(). */
int	inifile_read(FILE *fp, const char *path, struct reporter *rep,
	    struct inifile **out);

/* Open path with a function of safefile.h and read it.  *out is NULL if it
 * cannot be used, which is reported, unless the file may be missing and is.
 * Returns whether it exists. */
bool	inifile_load(const char *path, safefile_opener *open_file,
	    bool may_be_missing, struct reporter *rep, struct inifile **out);
void	inifile_free(struct inifile *ini);

/* The key of that name, the first where there are several, or NULL. */
const struct ini_key *inifile_find(const struct ini_section *section,
	    const char *name);

/* The index of name in section->keys, or of the first key after it. */
size_t	inifile_lower_bound(const struct ini_section *section,
	    const char *name);

/* Report duplicate keys of section; returns their number. */
size_t	inifile_report_duplicates(const struct inifile *ini,
	    const struct ini_section *section, struct reporter *rep);

/* Whether the len bytes at text have a control character that is not in
 * allowed. */
bool	inifile_has_control(const char *text, size_t len, const char *allowed);

/* Sort the keys of section by name, equal names by line. */
void	inifile_sort(struct ini_section *section);

#endif
