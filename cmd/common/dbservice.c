/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service file: pg_service.conf(5) style, but read by us.  libpq would
 * also read the file of a home directory, follow ldap:// lines, and accept a
 * file that anybody can write.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/safefile.h"
#include "dbservice.h"

/* Keys of libpq that say where the database is and how to log in there.
 * Settings of the session ("options") are not among them: a time zone, for
 * example, would change the ages of sessions. */
static const char *const allowed[] = {
	"host", "hostaddr", "port", "dbname", "user", "password", "passfile",
	"sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl",
	"sslsni", "sslcompression", "ssl_min_protocol_version",
	"ssl_max_protocol_version", "channel_binding", "requirepeer",
	"target_session_attrs", "connect_timeout", "keepalives",
	"keepalives_idle", "keepalives_interval", "keepalives_count",
	"tcp_user_timeout", "gssencmode", "krbsrvname", "application_name",
	NULL
};

_Static_assert(sizeof(allowed) / sizeof(allowed[0]) <= DBSERVICE_KEYS_MAX,
    "there is room for each of them once");

static const char *const file_keys[DBSERVICE_FILES_MAX + 1] = { "passfile",
    "sslkey", "sslcert", "sslrootcert", "sslcrl", NULL };

struct reader {
	const char *path, *name;
	unsigned int line;
	bool found, inside;	/* the section of the service */
	bool is_private;	/* nobody else can read the file */
	struct dbservice *service;
};

void
dbservice_free(struct dbservice *service)
{
	char *value;

	while (service->n > 0) {
		free(service->keys[--service->n]);
		/* it may be a password */
		if ((value = service->values[service->n]) != NULL)
			freezero(value, strlen(value));
	}
}

const char *
dbservice_value(const struct dbservice *service, const char *key)
{
	size_t i;

	for (i = 0; i < service->n; i++)
		if (strcmp(service->keys[i], key) == 0)
			return service->values[i];
	return NULL;
}

void
dbservice_files(const struct dbservice *service,
    const char *files[static DBSERVICE_FILES_MAX + 1])
{
	size_t i, n = 0;

	for (i = 0; i < DBSERVICE_FILES_MAX; i++)
		if ((files[n] = dbservice_value(service, file_keys[i])) != NULL)
			n++;
	files[n] = NULL;
}

static int
refuse(const struct reader *reader, const char *key, const char *why,
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, reader->path, reader->line,
	    "%.100s: %s", key, why);
}

static bool
is_allowed(const char *key)
{
	size_t i = 0;

	while (allowed[i] != NULL && strcmp(allowed[i], key) != 0)
		i++;
	return allowed[i] != NULL;
}

/* x2gobrokerctl prints names from here, for a terminal and for psql(1). */
static bool
has_controls(const char *value)
{
	while ((unsigned char)*value >= ' ' && *value != 0x7f)
		value++;
	return *value != '\0';
}

static int
add_key(struct reader *reader, const char *key, const char *value,
    struct x2gobroker_error *err)
{
	struct dbservice *service = reader->service;

	if (!is_allowed(key))
		return refuse(reader, key, "not a key that can be used for "
		    "the session database", err);
	if (dbservice_value(service, key) != NULL)
		return refuse(reader, key, "duplicate key", err);
	if (strcmp(key, "password") == 0 && !reader->is_private)
		return refuse(reader, key, "others can read this file; write "
		    "the password into a passfile= of mode 0600", err);
	if (has_controls(value))
		return refuse(reader, key, "control character in the value",
		    err);
	service->keys[service->n] = strdup(key);
	service->values[service->n] = strdup(value);
	if (service->keys[service->n++] != NULL &&
	    service->values[service->n - 1] != NULL)
		return 0;
	return error_nomem(err);
}

static int
take_line(struct reader *reader, char *line, struct x2gobroker_error *err)
{
	const char *begin = line;
	size_t len = strlen(line);
	char *value;

	parse_trim(&begin, &len);
	line += begin - line;
	line[len] = '\0';
	if (*line == '\0' || *line == '#')
		return 0;
	if (*line == '[') {
		reader->inside = line[len - 1] == ']' &&
		    parse_item_is(line + 1, len - 2, reader->name);
		if (reader->inside && reader->found)
			return refuse(reader, line, "duplicate service", err);
		reader->found |= reader->inside;
		return 0;
	}
	if (!reader->inside)
		return 0;
	if ((value = strchr(line, '=')) == NULL || strncmp(line, "ldap",
	    strlen("ldap")) == 0)
		return refuse(reader, line, "not KEY=VALUE", err);
	*value++ = '\0';
	return add_key(reader, line, value, err);
}

static int
check_file(const char *key, const char *path, struct x2gobroker_error *err)
{
	cleanup_file FILE *fp = safefile_open(path, err);
	struct stat st;

	if (fp == NULL)
		return -1;
	if (strcmp(key, "passfile") != 0)
		return 0;
	if (fstat(fileno(fp), &st) == -1)
		return error_errno(err, path, "fstat");
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "others can read this file of passwords; its mode must be "
		    "0600");
	return 0;
}

static int
check_files(const struct dbservice *service, struct x2gobroker_error *err)
{
	const char *path;
	size_t i;

	for (i = 0; i < DBSERVICE_FILES_MAX; i++)
		if ((path = dbservice_value(service, file_keys[i])) != NULL &&
		    check_file(file_keys[i], path, err) == -1)
			return -1;
	return 0;
}

int
dbservice_read(const char *path, const char *name, struct dbservice *service,
    struct x2gobroker_error *err)
{
	struct reader reader = { .path = path, .name = name,
	    .service = service };
	cleanup_file FILE *fp = safefile_open(path, err);
	cleanup_free char *line = NULL;
	size_t size = 0;
	struct stat st;
	int result = 0;

	if (fp == NULL)
		return -1;
	if (fstat(fileno(fp), &st) == -1)
		return error_errno(err, path, "fstat");
	reader.is_private = (st.st_mode & (S_IRGRP | S_IROTH)) == 0;
	while (result == 0 && getline(&line, &size, fp) != -1) {
		reader.line++;
		result = take_line(&reader, line, err);
	}
	if (result == 0 && !feof(fp))
		result = error_errno(err, path, "read");
	if (line != NULL)
		explicit_bzero(line, size);
	if (result == 0 && !reader.found)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, path, 0,
		    "there is no service [%.100s], which session-database in "
		    "x2gobroker.conf names", name);
	return result == 0 ? check_files(service, err) : -1;
}
