/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/address.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/textfile.h"
#include "farm/farm.h"

#define BLANKS		" \t\r"
#define BLOCKED		"blocked"
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

static bool
has(const struct x2gobroker_drained *drained, const struct host *host,
    bool blocked)
{
	const struct drained_host *entry;
	size_t i;

	for (i = 0; drained != NULL && i < drained->n; i++) {
		entry = &drained->list[i];
		if ((entry->blocked || !blocked) &&
		    hostlist_match(host, 1, entry->name) != NULL)
			return true;
	}
	return false;
}

bool
drain_has(const struct x2gobroker_drained *drained, const struct host *host)
{
	return has(drained, host, false);
}

bool
drain_blocks(const struct x2gobroker_drained *drained, const struct host *host)
{
	return has(drained, host, true);
}

/* Get the next line of the file, and what it says in *entry, whose name is
 * freed first; NULL if the line is empty or a comment.  1, 0 at the end, or
 * -1. */
static int
next_entry(struct textfile *file, struct drained_host *entry,
    struct x2gobroker_error *err)
{
	const char *name, *blank, *mark, *end;

	free(entry->name);
	*entry = (struct drained_host){ 0 };
	if (!textfile_next(file))
		return 0;
	name = file->line + strspn(file->line, BLANKS);
	if (*name == '\0' || *name == '#')
		return 1;
	end = name + strlen(name);
	while (strchr(BLANKS, end[-1]) != NULL)
		end--;
	blank = name + strcspn(name, BLANKS);
	mark = blank + strspn(blank, BLANKS);
	entry->blocked = mark < end &&
	    parse_item_is(mark, (size_t)(end - mark), BLOCKED);
	if (entry->blocked)
		end = blank;
	if ((entry->name = strndup(name, (size_t)(end - name))) == NULL)
		return error_nomem(err);
	return 1;
}

static int
load(struct x2gobroker_drained *drained, const char *path,
    struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	struct drained_host entry = { 0 }, *more;
	int result;

	if (textfile_read(&file, path, safefile_open, err) == -1)
		return -1;
	while ((result = next_entry(&file, &entry, err)) == 1) {
		if (entry.name == NULL)
			continue;
		/* a server with a misspelt name would go on getting sessions */
		if (!address_is_host(entry.name, strlen(entry.name))) {
			result = error_set(err, X2GOBROKER_ERR_SYNTAX, path,
			    file.number, NOT_A_HOST, entry.name);
			break;
		}
		more = array_grow(drained->list, drained->n, sizeof(*more));
		if (more == NULL) {
			result = error_nomem(err);
			break;
		}
		drained->list = more;
		drained->list[drained->n++] = entry;
		entry.name = NULL;
	}
	free(entry.name);
	return result;
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
		free(drained->list[i].name);
	free(drained->list);
	free(drained);
}

const char *
x2gobroker_drained_get(const struct x2gobroker_drained *drained, size_t i)
{
	return i < drained->n ? drained->list[i].name : NULL;
}

bool
x2gobroker_drained_is_blocked(const struct x2gobroker_drained *drained,
    size_t i)
{
	return i < drained->n && drained->list[i].blocked;
}

static const struct change {
	bool undo, blocked;
} drain = { false, false }, undrain = { true, false },
    block = { false, true }, unblock = { true, true };

/* Is it what undo takes back, or what makes the change unnecessary? */
static bool
is_met(const struct change *change, const struct drained_host *entry,
    const char *host)
{
	if (entry->name == NULL ||
	    !address_is_host(entry->name, strlen(entry->name)))
		return false;
	if (change->undo)
		return entry->blocked == change->blocked &&
		    is_same(entry->name, host);
	/* a host that is blocked gets no sessions either */
	return (entry->blocked || !change->blocked) &&
	    is_covered_by(host, entry->name);
}

/* Copy the lines of the file to text, except those that are undone.  *found
 * says whether there is one that meets the change.  Invalid lines are copied as
 * they are. */
static int
copy_lines(const char *path, const char *host, const struct change *change,
    struct buf *text, bool *found, struct x2gobroker_error *err)
{
	cleanup_textfile struct textfile file;
	struct drained_host entry = { 0 };
	bool met;
	int more;

	*found = false;
	if (textfile_read(&file, path, safefile_open, err) == -1)
		return -1;
	while ((more = next_entry(&file, &entry, err)) == 1) {
		met = is_met(change, &entry, host);
		*found |= met;
		if (!change->undo || !met)
			buf_printf(text, "%s\n", file.line);
	}
	free(entry.name);
	return more;
}

static int
make(const struct change *change, const struct x2gobroker_config *config,
    const char *host, bool *changed, struct x2gobroker_error *err)
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
	if (textfile_lock(&lock, path, !change->undo, err) == -1)
		return change->undo && err->code == X2GOBROKER_ERR_NOTFOUND ?
		    0 : -1;
	if (copy_lines(path, host, change, &text, &found, err) == -1)
		return -1;
	if (found != change->undo)
		return 0;
	if (!change->undo)
		buf_printf(&text, "%s%s\n", host, change->blocked ?
		    " " BLOCKED : "");
	if (textfile_replace(&lock, path, &text, err) == -1)
		return -1;
	*changed = true;
	return 0;
}

int
x2gobroker_drain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return make(&drain, config, host, changed, err);
}

int
x2gobroker_undrain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return make(&undrain, config, host, changed, err);
}

int
x2gobroker_block(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return make(&block, config, host, changed, err);
}

int
x2gobroker_unblock(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	return make(&unblock, config, host, changed, err);
}
