/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pwd.h>
#include <string.h>

#include "agent/query.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

#define LOAD_MS		10000	/* to load a key takes a moment */

/* Where the path begins behind a "~", which stands for a home, or 0. */
static size_t
tilde_len(const char *path, size_t len)
{
	return len >= 2 && memcmp(path, "~/", 2) == 0 ? 1 : 0;
}

/* A copy of path, with the home of the broker account for a leading "~". */
static char *
expand_home(const struct x2gobroker_config *config, const char *path,
    size_t len, struct x2gobroker_error *err)
{
	size_t tilde = tilde_len(path, len);
	const struct passwd *pw = NULL;
	char *full;

	if (tilde > 0 && (pw = getpwnam(config->broker_account)) == NULL)
		return error_null(error_set(err, X2GOBROKER_ERR_NOTFOUND,
		    NULL, 0, "%.*s: broker-account %.100s does not exist, so "
		    "it has no home",
		    (int)len, path, config->broker_account));
	if (asprintf(&full, "%s%.*s", pw != NULL ? pw->pw_dir : "",
	    (int)(len - tilde), path + tilde) != -1)
		return full;
	return error_null(error_nomem(err));
}

/* The i-th path of agent-identity-files, as it is written.  All who read this
 * key do it here. */
static bool
find_path(const struct x2gobroker_config *config, size_t i, const char **path,
    size_t *len)
{
	const char *next = config->agent_identity_files;

	while (parse_next_item(&next, path, len))
		if (*len > 0 && i-- == 0)
			return true;
	return false;
}

static void
copy_path(char dst[X2GOBROKER_FILE_SIZE], const char *home, const char *path,
    size_t len)
{
	size_t tilde = tilde_len(path, len), size = X2GOBROKER_FILE_SIZE;
	size_t n = strlcpy(dst, tilde > 0 ? home : "", size);

	len -= tilde;
	if (n < size)
		strlcpy(dst + n, path + tilde, len < size - n ? len + 1 :
		    size - n);
}

bool
x2gobroker_service_key_path(const struct x2gobroker_config *config, size_t i,
    const char *home, char path[X2GOBROKER_FILE_SIZE])
{
	const char *text;
	size_t len;

	if (!find_path(config, i, &text, &len))
		return false;
	copy_path(path, home, text, len);
	return true;
}

void
x2gobroker_known_hosts_path(const struct x2gobroker_config *config,
    const char *home, char path[X2GOBROKER_FILE_SIZE])
{
	const char *hosts = config->agent_known_hosts;

	copy_path(path, home, hosts, strlen(hosts));
}

bool
x2gobroker_service_key(const struct x2gobroker_config *config, size_t i,
    char path[X2GOBROKER_FILE_SIZE],
    char fingerprint[X2GOBROKER_FINGERPRINT_SIZE],
    struct x2gobroker_error *err)
{
	struct x2gobroker_error ignored;
	cleanup_free char *full = NULL;
	struct query query, *queries[] = { &query };
	const char *item;
	size_t len;

	if (err == NULL)
		err = &ignored;
	memset(err, 0, sizeof(*err));
	*path = *fingerprint = '\0';
	if (!find_path(config, i, &item, &len))
		return false;
	if ((full = expand_home(config, item, len, err)) == NULL)
		return true;
	strlcpy(path, full, X2GOBROKER_FILE_SIZE);
	query_init(&query, &query_service_key, NULL, NULL);
	query.args[0] = full;
	query_run(config, queries, 1, clock_ms() + LOAD_MS, NULL, NULL,
	    NULL);
	if (query.failed)
		*err = query.error;
	else
		strlcpy(fingerprint, query.fingerprint,
		    X2GOBROKER_FINGERPRINT_SIZE);
	query_free(&query);
	return true;
}

char *
servicekeys_known_hosts(const struct x2gobroker_config *config,
    struct x2gobroker_error *err)
{
	const char *hosts = config->agent_known_hosts;

	return expand_home(config, hosts, strlen(hosts), err);
}

int
servicekeys_paths(const struct x2gobroker_config *config, char ***paths,
    size_t *n, struct x2gobroker_error *err)
{
	char **more, *path;
	const char *text;
	size_t len;

	*paths = NULL;
	for (*n = 0; find_path(config, *n, &text, &len); ++*n) {
		more = array_grow(*paths, *n, sizeof(*more));
		if (more == NULL) {
			servicekeys_free(*paths, *n);
			return error_nomem(err);
		}
		*paths = more;
		if ((path = expand_home(config, text, len, err)) == NULL) {
			servicekeys_free(*paths, *n);
			return -1;
		}
		more[*n] = path;
	}
	return 0;
}

void
servicekeys_free(char **paths, size_t n)
{
	while (n > 0)
		free(paths[--n]);
	free(paths);
}
