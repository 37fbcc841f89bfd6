/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All session profiles of a backend: withhold those with an error, sort the
 * others by id.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x2gobroker_admin.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "config/nearmiss.h"
#include "config/profile.h"

struct x2gobroker_profiles {
	const struct x2gobroker_config *config;
	struct inifile **files;		/* owned, and each of them too */
	size_t nfiles;
	struct x2gobroker_profile *list;	/* owned; n served ones, then
						 * the withheld ones, each
						 * sorted by id */
	size_t n, nwithheld;
	bool nomem;
};

static void
add(struct x2gobroker_profiles *profiles,
    const struct x2gobroker_profile *profile)
{
	struct x2gobroker_profile *more = array_grow(profiles->list,
	    profiles->n, sizeof(*more));

	if (more == NULL) {
		profiles->nomem = true;
		return;
	}
	profiles->list = more;
	profiles->list[profiles->n++] = *profile;
}

/* Report sections that were meant as [DEFAULT]: without a name= nothing else
 * has such an id.  What they have may be what hides the profiles. */
static void
check_sections(const struct inifile *ini, struct reporter *rep)
{
	const struct ini_section *section;
	size_t i;

	for (i = 0; i < ini->nsections; i++) {
		section = &ini->sections[i];
		if (strcmp(section->name, "DEFAULT") != 0 &&
		    inifile_find(section, "name") == NULL &&
		    nearmiss_resembles(section->name, strcspn(section->name,
		    "]#;"), "DEFAULT"))
			report(rep, X2GOBROKER_ERR_VALUE, ini->path,
			    section->line, "[%.100s]: if this is to be "
			    "[DEFAULT], write it so; if it is a profile, add "
			    "name=", section->name);
	}
}

/* Add every profile of a file. */
static void
add_file(struct x2gobroker_profiles *profiles, struct inifile *ini,
    struct profile_file *file, struct reporter *rep)
{
	unsigned int errors = rep->errors;
	bool bad_defaults;
	size_t i;

	if (!profile_file_defaults(file, ini, rep)) {
		profiles->nomem = true;
		return;
	}
	check_sections(ini, rep);
	bad_defaults = rep->errors != errors;

	for (i = 0; i < ini->nsections; i++) {
		const struct ini_section *section = &ini->sections[i];
		struct x2gobroker_profile profile = {
			.id = section->name,
			.file = file,
			.line = section->line,
			.config = profiles->config,
			.own = section,
		};

		errors = rep->errors;
		if (strcmp(section->name, "DEFAULT") == 0)
			continue;
		if (profile_check(ini, section, i > 0 ? section - 1 : NULL,
		    rep) == 0)
			profile_check_whole(&profile, rep);
		profile.withheld = bad_defaults || rep->errors != errors;
		add(profiles, &profile);
	}
}

/* Add the profiles of ini, and take it over. */
static void
keep_file(struct x2gobroker_profiles *profiles, struct inifile *ini,
    struct reporter *rep)
{
	struct inifile **files;
	struct profile_file *file;

	file = arena_alloc(&ini->arena, sizeof(*file));
	files = array_grow(profiles->files, profiles->nfiles, sizeof(*files));
	if (files != NULL)
		profiles->files = files;
	if (files == NULL || file == NULL) {
		profiles->nomem = true;
		inifile_free(ini);
		return;
	}
	*file = (struct profile_file){
		.path = ini->path,
		.number = profiles->nfiles,
	};
	profiles->files[profiles->nfiles++] = ini;
	add_file(profiles, ini, file, rep);
}

/* Returns false if the file does not exist. */
static bool
load_file(struct x2gobroker_profiles *profiles, const char *path,
    safefile_opener *open_file, bool may_be_missing, struct reporter *rep)
{
	struct inifile *ini;
	bool found = inifile_load(path, open_file, may_be_missing, rep, &ini);

	if (ini != NULL)
		keep_file(profiles, ini, rep);
	return found;
}

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

/* The same for every *.conf of dir, in name order. */
static bool
load_dir(struct x2gobroker_profiles *profiles, const char *dir,
    bool may_be_missing, struct reporter *rep)
{
	struct x2gobroker_error err;
	struct dirent **entries;
	int i, n = -1;

	if (safefile_check_dir(dir, &err) == 0 && (n = scandir(dir, &entries,
	    is_conf_file, compare_entries)) == -1)
		error_errno(&err, dir, "cannot be listed");
	if (n == -1) {
		if (err.code == X2GOBROKER_ERR_NOTFOUND && may_be_missing)
			return false;
		report_error(rep, &err);
		return true;
	}
	for (i = 0; i < n; i++) {
		cleanup_free char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) == -1)
			profiles->nomem = true;
		else
			load_file(profiles, path, safefile_open_entry,
			    false, rep);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* The backend inifile: the profiles of one file, and of all files of a
 * directory. */
static void
load_inifile(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	const struct x2gobroker_config *config = profiles->config;
	bool file, dir;

	file = load_file(profiles, config->session_profiles,
	    safefile_open, !config->session_profiles_set, rep);
	dir = load_dir(profiles, config->profiles_dir,
	    !config->profiles_dir_set, rep);
	if (!file && !dir)
		report(rep, X2GOBROKER_ERR_NOTFOUND, config->session_profiles,
		    0, "no session profiles: neither this file nor the "
		    "directory %s exists", config->profiles_dir);
}

/* The backend zeroconf: one profile for this host, written as an administrator
 * would write it. */
static void
load_zeroconf(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	cleanup_buf struct buf text = { 0 };
	cleanup_file FILE *fp = NULL;
	struct inifile *ini;

	buf_printf(&text, "[localhost]\nname=LOCALHOST\nhost=localhost\n"
	    "user=\nrootless=false\ncommand=%s\n",
	    profiles->config->desktop_shell);
	if (text.failed || (fp = fmemopen(text.data, text.len, "r")) == NULL)
		profiles->nomem = true;
	else if (inifile_read(fp, "[broker_zeroconf]", rep, &ini) == 0)
		keep_file(profiles, ini, rep);
}

static void (*const backend_loads[NBACKENDS])(struct x2gobroker_profiles *,
    struct reporter *) = {
	[BACKEND_INIFILE] = load_inifile,
	[BACKEND_ZEROCONF] = load_zeroconf,
};

static int
compare_profiles(const void *a, const void *b)
{
	const struct x2gobroker_profile *pa = a, *pb = b;

	return strcmp(pa->id, pb->id);
}

static int
compare_served_first(const void *a, const void *b)
{
	const struct x2gobroker_profile *pa = a, *pb = b;

	if (pa->withheld != pb->withheld)
		return pa->withheld ? 1 : -1;
	return compare_profiles(a, b);
}

/* Withhold all profiles that share an id, even if only one of them is valid:
 * any of them could be the intended one. */
static void
withhold_duplicates(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	struct x2gobroker_profile *list = profiles->list, *first = list;
	size_t i;

	for (i = 1; i < profiles->n; i++) {
		if (strcmp(list[i].id, first->id) != 0) {
			first = &list[i];
			continue;
		}
		first->withheld = list[i].withheld = true;
		report(rep, X2GOBROKER_ERR_VALUE, list[i].file->path,
		    list[i].line,
		    "[%.100s]: duplicate id (first at %s:%u); rename or "
		    "remove one",
		    list[i].id, first->file->path, first->line);
	}
}

static void
sort(struct x2gobroker_profiles *profiles, struct reporter *rep)
{
	struct x2gobroker_profile *list = profiles->list;
	size_t i;

	if (profiles->n == 0)
		return;
	qsort(list, profiles->n, sizeof(*list), compare_profiles);
	withhold_duplicates(profiles, rep);
	for (i = 0; i < profiles->n && !list[i].withheld; i++)
		continue;
	if (i == profiles->n)
		return;		/* the usual case: nothing is withheld */
	qsort(list, profiles->n, sizeof(*list), compare_served_first);
	while (profiles->n > 0 && list[profiles->n - 1].withheld) {
		profiles->n--;
		profiles->nwithheld++;
	}
}

int
x2gobroker_profiles_load(const struct x2gobroker_config *config,
    x2gobroker_report *fn, void *arg, struct x2gobroker_profiles **out,
    struct x2gobroker_error *err)
{
	const char *backend = backend_names[config->backend];
	struct reporter rep = { .fn = fn, .arg = arg };
	struct x2gobroker_profiles *profiles;

	*out = NULL;
	if (!config->backends[config->backend].enable)
		return error_set(err, X2GOBROKER_ERR_DENIED, config->path, 0,
		    "the backend %s is not enabled; set enable = true in "
		    "[broker_%s]", backend, backend);
	if ((profiles = calloc(1, sizeof(*profiles))) == NULL)
		return error_nomem(err);
	profiles->config = config;
	backend_loads[config->backend](profiles, &rep);
	sort(profiles, &rep);
	if (profiles->nomem || rep.nomem) {
		x2gobroker_profiles_free(profiles);
		return error_nomem(err);
	}
	*out = profiles;
	return 0;
}

void
x2gobroker_profiles_free(struct x2gobroker_profiles *profiles)
{
	size_t i;

	if (profiles == NULL)
		return;
	for (i = 0; i < profiles->nfiles; i++)
		inifile_free(profiles->files[i]);
	free(profiles->files);
	free(profiles->list);
	free(profiles);
}

const struct x2gobroker_config *
profiles_config(const struct x2gobroker_profiles *profiles)
{
	return profiles->config;
}

size_t
profiles_count_files(const struct x2gobroker_profiles *profiles)
{
	return profiles->nfiles;
}

size_t
x2gobroker_profiles_count(const struct x2gobroker_profiles *profiles)
{
	return profiles->n;
}

size_t
x2gobroker_profiles_count_withheld(const struct x2gobroker_profiles *profiles)
{
	return profiles->nwithheld;
}

const struct x2gobroker_profile *
x2gobroker_profiles_get(const struct x2gobroker_profiles *profiles, size_t i)
{
	return i < profiles->n ? &profiles->list[i] : NULL;
}

const struct x2gobroker_profile *
x2gobroker_profiles_find(const struct x2gobroker_profiles *profiles,
    const char *id)
{
	const struct x2gobroker_profile key = { .id = id };

	if (profiles->n == 0)
		return NULL;
	return bsearch(&key, profiles->list, profiles->n,
	    sizeof(*profiles->list), compare_profiles);
}

bool
x2gobroker_profiles_withheld(const struct x2gobroker_profiles *profiles,
    const char *id, const char **file, unsigned int *line)
{
	const struct x2gobroker_profile *withheld = profiles->list +
	    profiles->n;
	size_t i;

	for (i = 0; i < profiles->nwithheld; i++) {
		if (strcmp(withheld[i].id, id) != 0)
			continue;
		*file = withheld[i].file->path;
		*line = withheld[i].line;
		return true;
	}
	return false;
}
