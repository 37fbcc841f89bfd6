/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROFILE_H
#define PROFILE_H

#include "config.h"
#include "inifile.h"

/* A profile's keys come from three places, the nearest wins: its own section,
 * the [DEFAULT] of its file, the built-in defaults. */
struct x2gobroker_profile {
	const char *id;
	const char *file;
	unsigned int line;
	const struct x2gobroker_config *config;
	const struct ini_section *own;
	const struct ini_section *file_defaults;
	bool withheld;		/* something is wrong with it: not served */
};

enum value_type {
	VALUE_TEXT,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLAG,	/* a boolean that may be written as a number */
	VALUE_LIST,
	VALUE_HOSTS,
	VALUE_MODE,	/* an agent query mode */
};

/* A key that this broker knows; others are passed on to the client as text. */
struct profile_key {
	const char *name;
	enum value_type type;
	const char *initial;	/* NULL: there is no built-in default */
	int min, max;		/* of VALUE_INT */
};

/* Row i of the table of keys, sorted by name, or NULL past the end. */
const struct profile_key *profile_key(size_t i);
const struct profile_key *profile_key_find(const char *name);

/* The key as somebody wrote it, in the profile or its file's [DEFAULT]; NULL
 * where nobody did. */
const struct ini_key *profile_find_key(const struct x2gobroker_profile *profile,
	    const char *name);
unsigned int profile_key_line(const struct x2gobroker_profile *profile,
	    const char *name);

/* Every key of the profile with its value, sorted by name.  Start with a
 * cleared walk; false at the end. */
struct profile_walk {
	size_t own, file_defaults, builtin;
};

bool	profile_next(const struct x2gobroker_profile *profile,
	    struct profile_walk *walk, const char **name, const char **value);

/* A boolean key, or fallback where it is not set. */
bool	profile_bool(const struct x2gobroker_profile *profile,
	    const char *name, bool fallback);

/* Report all that is wrong with section as a profile, or with a [DEFAULT].
 * Returns the number of errors that withhold it. */
unsigned int profile_check(const struct inifile *ini,
	    const struct ini_section *section, struct reporter *rep);

/* Report what is wrong with the whole, own and inherited. */
void	profile_check_whole(const struct x2gobroker_profile *profile,
	    struct reporter *rep);

#endif
