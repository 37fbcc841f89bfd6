/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_DBSERVICE_H
#define COMMON_DBSERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The name of the database in X2Go is fixed. */
#define DBSERVICE_DATABASE	"x2go_sessions"

/* What session-database-file says about the service, checked. */
#define DBSERVICE_KEYS_MAX	32
struct dbservice {
	char *keys[DBSERVICE_KEYS_MAX], *values[DBSERVICE_KEYS_MAX];
	size_t n;
};

/* Read the service of that name from the file, and check the files that it
 * names.  To be zeroed before, and freed also after a failure. */
int	dbservice_read(const char *path, const char *name,
	    struct dbservice *service, struct x2gobroker_error *err);
void	dbservice_free(struct dbservice *service);

/* The value of a key, or NULL. */
const char *dbservice_value(const struct dbservice *service, const char *key);

/* The files that it names, for sandbox_enter(); ends with NULL. */
#define DBSERVICE_FILES_MAX	5
void	dbservice_files(const struct dbservice *service,
	    const char *files[static DBSERVICE_FILES_MAX + 1]);

#endif
