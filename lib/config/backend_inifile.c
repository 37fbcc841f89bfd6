/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend inifile: the profiles of one file, and of all files of a
 * directory.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safefile.h"
#include "config/backend.h"
#include "config/profile.h"

static int
is_conf_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	    strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int
compare_entries(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);	/* no locale */
}

/* Add every *.conf of dir in name order.  Returns false if there is no dir. */
static bool
add_dir(struct x2gobroker_profiles *profiles, const char *dir,
    bool may_be_missing, struct reporter *rep)
{
	struct x2gobroker_error err;
	struct dirent **entries;
	char *path;
	int i, n;

	if (safefile_check_dir(dir, &err) == -1) {
		if (err.code == X2GOBROKER_ERR_NOTFOUND && may_be_missing)
			return false;
		report_error(rep, &err);
		return true;
	}
	if ((n = scandir(dir, &entries, is_conf_file, compare_entries)) < 0) {
		error_errno(&err, dir, "cannot be listed");
		report_error(rep, &err);
		return true;
	}
	for (i = 0; i < n; i++) {
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) == -1) {
			path = NULL;
			error_nomem(&err);
			report_error(rep, &err);
		} else
			profiles_add_file(profiles, path, safefile_open_entry,
			    false, rep);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return true;
}

static void
load_inifile(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	const struct x2gobroker_config *config = profiles_config(profiles);
	bool file, dir;

	file = profiles_add_file(profiles, config->session_profiles,
	    safefile_open, !config->session_profiles_set, rep);
	dir = add_dir(profiles, config->profiles_dir,
	    !config->profiles_dir_set, rep);
	if (!file && !dir)
		report(rep, X2GOBROKER_ERR_NOTFOUND, config->session_profiles,
		    0, "no session profiles: neither this file nor the "
		    "directory %s exists", config->profiles_dir);
}

const struct backend backend_inifile = {
	.name = "inifile",
	.settings = offsetof(struct x2gobroker_config, inifile),
	.load = load_inifile,
};
