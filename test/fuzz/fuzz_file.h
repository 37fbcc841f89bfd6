/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files without a file system, for targets linked with --wrap=safefile_open:
 * the_file is what every path holds, but a path that ends in defaults.conf
 * holds the_defaults, or does not exist where that is NULL.
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "base/safefile.h"
#include "fuzz.h"

FILE	*__wrap_safefile_open(const char *path, struct x2gobroker_error *err);

static struct fuzz_file {
	const void *data;
	size_t size;
} the_file, the_defaults;

static bool file_was_opened;	/* else the target was linked without it */

FILE *
__wrap_safefile_open(const char *path, struct x2gobroker_error *err)
{
	const struct fuzz_file *file = strstr(path, "/defaults.conf") != NULL ?
	    &the_defaults : &the_file;

	file_was_opened = true;
	if (file->data != NULL)
		return fuzz_open(file->data, file->size);
	error_set(err, X2GOBROKER_ERR_NOTFOUND, path, 0, "none");
	return NULL;
}

#endif
