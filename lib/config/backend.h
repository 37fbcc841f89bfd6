/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where session profiles come from: a file for each backend, and a row in
 * config.c.
 */
#ifndef CONFIG_BACKEND_H
#define CONFIG_BACKEND_H

#include "base/buf.h"
#include "config/config.h"

struct backend {
	const char *name;
	size_t settings;	/* offset in struct x2gobroker_config */
	/* read all profiles with the functions below */
	void (*load)(struct x2gobroker_profiles *profiles,
	    struct reporter *rep);
};

extern const struct backend backend_inifile;
extern const struct backend backend_zeroconf;

/* The one in use, and its settings. */
const struct backend *config_backend(const struct x2gobroker_config *config);
const struct backend_settings *config_backend_settings(
	    const struct x2gobroker_config *config);

/* Add the profiles of a file, opened by a function of safefile.h.  Returns
 * false if it does not exist. */
bool	profiles_add_file(struct x2gobroker_profiles *profiles,
	    const char *path, safefile_opener *open_file, bool may_be_missing,
	    struct reporter *rep);

/* Add the profiles of text, which messages call name. */
void	profiles_add_text(struct x2gobroker_profiles *profiles,
	    const struct buf *text, const char *name, struct reporter *rep);

#endif
