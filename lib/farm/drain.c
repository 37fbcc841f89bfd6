/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/textfile.h"
#include "farm/farm.h"

#define BLANKS		" \t\r"
#define NOT_A_HOST	"\"%.200s\" is neither a host name nor an address"

/* Whether two names can mean the same host. */
static bool
is_same(const char *a, const char *b)
{
	struct host host = { .port = 0 };

	strlcpy(host.name, a, sizeof(host.name));
	return hostlist_match(&host, 1, b) != NULL;
}

/* Whether the line NAME in the file already drains host.  A full name does not
 * drain other hosts with the same first label. */
static bool
is_covered_by(const char *host, const char *name)
{
	return is_same(name, host) &&
	    (strchr(host, '.') != NULL || strchr(name, '.') == NULL);
}

bool
drain_has(const struct x2gobroker_drained *drained, const struct host *host)
{
	size_t i;

	for (i = 0; drained != NULL && i < drained->n; i++)
		if (hostlist_match(host, 1, drained->names[i]) != NULL)
			return true;
	return false;
}

/* Get the next line of the file, and a copy of the name in it in *name, which
 * is freed first; NULL if the line is empty or a comment.  1, 0 at the end, or
 * -1. */
static int
next_name(struct textfile *file, char **name, struct x2gobroker_error *err)
{
	const char *word;
	size_t len;

	free(*name);
	*name = NULL;
	if (!textfile_next(file))
		return 0;
	word = file->line + strspn(file->line, BLANKS);
	len = strlen(word);
	while (len > 0 && strchr(BLANKS, word[len - 1]) != NULL)
		len--;
	if (len > 0 && *word != '#' && (*name = strndup(word, len)) == NULL)
		return error_nomem(err);
	return 1;
}

static int
load(struct x2gobroker_drained *drained, const char *path,
    struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	cleanup_free char *name = NULL;
	char **names;
	int more;

	if (textfile_read(&file, path, safefile_open, err) == -1)
		return -1;
	while ((more = next_name(&file, &name, err)) == 1) {
		if (name == NULL)
			continue;
		/* a server with a misspelt name would go on getting sessions */
		if (!address_is_host(name, strlen(name)))
			return error_set(err, X2GOBROKER_ERR_SYNTAX, path,
			    file.number, NOT_A_HOST, name);
		names = reallocarray(drained->names, drained->n + 1,
		    sizeof(*names));
		if (names == NULL)
			return error_nomem(err);
		drained->names = names;
		drained->names[drained->n++] = steal(&name);
	}
	return more;
}

int
x2gobroker_drained_load(const struct x2gobroker_config *config,
    struct x2gobroker_drained **out, struct x2gobroker_error *err)
{
	struct x2gobroker_drained *drained = calloc(1, sizeof(*drained));
	struct x2gobroker_error own;

	*out = NULL;
	if (err == NULL)
		err = &own;
	if (drained == NULL)
		return error_nomem(err);
	if (config->drain_file[0] != '\0' &&
	    load(drained, config->drain_file, err) == -1) {
		x2gobroker_drained_free(drained);
		return -1;
	}
	*out = drained;
	return 0;
}

void
x2gobroker_drained_free(struct x2gobroker_drained *drained)
{
	size_t i;

	if (drained == NULL)
		return;
	for (i = 0; i < drained->n; i++)
		free(drained->names[i]);
	free(drained->names);
	free(drained);
}

const char *
x2gobroker_drained_get(const struct x2gobroker_drained *drained, size_t i)
{
	return i < drained->n ? drained->names[i] : NULL;
}

/* Copy the lines of the file to text, except those of host if it is undrained.
 * *found says whether host was found.  Invalid lines are copied as they are. */
static int
copy_lines(const char *path, const char *host, bool undrain, struct buf *text,
    bool *found, struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	cleanup_free char *name = NULL;
	bool matches;
	int more;

	*found = false;
	if (textfile_read(&file, path, safefile_open, err) == -1)
		return -1;
	while ((more = next_name(&file, &name, err)) == 1) {
		matches = name != NULL &&
		    address_is_host(name, strlen(name)) && (undrain ?
		    is_same(name, host) : is_covered_by(host, name));
		*found |= matches;
		if (!undrain || !matches)
			buf_printf(text, "%s\n", file.line);
	}
	return more;
}

static int
change(const struct x2gobroker_config *config, const char *host, bool undrain,
    bool *changed, struct x2gobroker_error *err)
{
	const char *path = config->drain_file;
	cleanup_buf struct buf text = { 0 };
	cleanup_textlock struct textlock lock = TEXTLOCK_NONE;
	struct x2gobroker_error own;
	bool found;

	*changed = false;
	if (err == NULL)
		err = &own;
	if (!address_is_host(host, strlen(host)))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    NOT_A_HOST, host);
	if (path[0] != '/')
		return error_set(err, X2GOBROKER_ERR_VALUE, path, 0,
		    "drain-file must be an absolute path");
	if (textfile_lock(&lock, path, !undrain, err) == -1)
		return undrain && err->code == X2GOBROKER_ERR_NOTFOUND ? 0 :
		    -1;
	if (copy_lines(path, host, undrain, &text, &found, err) == -1)
		return -1;
	if (found != undrain)
		return 0;
	if (!undrain)
		buf_printf(&text, "%s\n", host);
	if (textfile_replace(&lock, path, &text, err) == -1)
		return -1;
	*changed = true;
	return 0;
}

int
x2gobroker_drain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return change(config, host, false, changed, err);
}

int
x2gobroker_undrain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return change(config, host, true, changed, err);
}
