/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "farm/drain.h"
#include "base/safefile.h"

#define BLANKS		" \t\r\n"
#define LOCK_WAIT_MS	10000	/* nobody has so much to write */

/*
 * Names
 */

static bool
is_host(const char *name)
{
	struct address ignored;
	size_t len = strlen(name);

	return address_is_host_name(name, len) ||
	    address_parse(name, len, &ignored);
}

/* Whether the two, which are hosts, can mean the same one. */
static bool
is_same(const char *a, const char *b)
{
	struct host host = { .port = 0 };

	memcpy(host.name, a, strlen(a) + 1);
	return hostlist_match(&host, 1, b) != NULL;
}

/* Whether host needs no line of its own beside one of name: a full name says
 * nothing of other hosts with its first label. */
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

	for (i = 0; i < drained->n; i++)
		if (hostlist_match(host, 1, drained->names[i]) != NULL)
			return true;
	return false;
}

/*
 * The file
 */

struct reader {
	const char *path;
	FILE *fp;		/* NULL: there is no file */
	char *line;		/* as it stands there */
	char *name;		/* of a host; NULL: there is none in the line */
	size_t size;
	unsigned int number;
};

#define cleanup_reader	__attribute__((cleanup(reader_close)))

static int
reader_open(struct reader *r, const char *path, struct x2gobroker_error *err)
{
	memset(r, 0, sizeof(*r));
	r->path = path;
	if ((r->fp = safefile_open(path, err)) != NULL)
		return 0;
	return err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
}

static void
reader_close(struct reader *r)
{
	if (r->fp != NULL)
		fclose(r->fp);
	free(r->line);
	free(r->name);
}

/* Read the next line.  1: there it is; 0: there is none; -1: it cannot be
 * read. */
static int
reader_next(struct reader *r, struct x2gobroker_error *err)
{
	const char *word;
	ssize_t i, n;
	size_t len;

	free(r->name);
	r->name = NULL;
	errno = 0;
	if (r->fp == NULL)
		return 0;
	if ((n = getline(&r->line, &r->size, r->fp)) == -1)
		return feof(r->fp) ? 0 : error_errno(err, r->path,
		    "cannot be read");
	r->number++;
	for (i = 0; i < n; i++)
		if (r->line[i] == '\0')
			r->line[i] = '\1';	/* refused, but not the end */
	word = r->line + strspn(r->line, BLANKS);
	len = strlen(word);
	while (len > 0 && strchr(BLANKS, word[len - 1]) != NULL)
		len--;
	if (len == 0 || *word == '#')
		return 1;
	if ((r->name = strndup(word, len)) == NULL)
		return error_nomem(err);
	return 1;
}

static int
add_name(struct x2gobroker_drained *drained, struct reader *r,
    struct x2gobroker_error *err)
{
	char **more;

	/* one that is misspelt would go on getting sessions */
	if (!is_host(r->name))
		return error_set(err, X2GOBROKER_ERR_SYNTAX, r->path,
		    r->number, "\"%.200s\" is neither a host's name nor an "
		    "address", r->name);
	more = reallocarray(drained->names, drained->n + 1, sizeof(*more));
	if (more == NULL)
		return error_nomem(err);
	drained->names = more;
	drained->names[drained->n++] = steal(&r->name);
	return 0;
}

static int
load(struct x2gobroker_drained *drained, const char *path,
    struct x2gobroker_error *err)
{
	cleanup_reader struct reader r;
	int more;

	if (reader_open(&r, path, err) == -1)
		return -1;
	while ((more = reader_next(&r, err)) == 1)
		if (r.name != NULL && add_name(drained, &r, err) == -1)
			return -1;
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

/*
 * Changes
 */

/* The directory of the file, made if make says so and it is missing, and locked
 * for those who change the file; -1 with ERR_NOTFOUND where there is none. */
static int
lock_dir(const char *path, bool make, struct x2gobroker_error *err)
{
	cleanup_free char *dir = strdup(path);
	char *slash;
	int fd;

	if (dir == NULL)
		return error_nomem(err);
	if (path[0] != '/')
		return error_set(err, X2GOBROKER_ERR_VALUE, path, 0,
		    "drain-file must be a path from / on");
	slash = strrchr(dir, '/');
	slash[slash == dir ? 1 : 0] = '\0';
	make = make && mkdir(dir, 0755) == 0;
	if (safefile_check_dir(dir, err) == -1)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return error_errno(err, dir, "cannot be opened");
	/* brokers must be able to read it, whatever our umask is */
	if ((!make || fchmod(fd, 0755) == 0) &&
	    safefile_lock(fd, LOCK_WAIT_MS) == 0)
		return fd;
	error_errno(err, dir, "cannot be locked (lslocks says who has "
	    "locked it)");
	close(fd);
	return -1;
}

static int
replace(int dirfd, const char *path, const struct buf *text,
    struct x2gobroker_error *err)
{
	const struct safefile_new new = {
		.dirfd = dirfd,
		.name = strrchr(path, '/') + 1,
		.temporary = ".drained.new",
		.mode = 0644,
		.sync = true,
	};

	return safefile_replace(&new, text, path, err);
}

/* Copy the lines of the file to text, without those of host where it is to come
 * off; they are counted, as are those that cover it where it is to be put on.
 * Lines that are wrong stay as they are. */
static int
copy_lines(const char *path, const char *host, bool off, struct buf *text,
    size_t *found, struct x2gobroker_error *err)
{
	cleanup_reader struct reader r;
	bool is_one;
	int more;

	*found = 0;
	if (reader_open(&r, path, err) == -1)
		return -1;
	while ((more = reader_next(&r, err)) == 1) {
		is_one = r.name != NULL && is_host(r.name) &&
		    (off ? is_same(r.name, host) :
		    is_covered_by(host, r.name));
		*found += is_one;
		if (off && is_one)
			continue;
		buf_puts(text, r.line);
		if (text->len > 0 && text->data[text->len - 1] != '\n')
			buf_putc(text, '\n');
	}
	return more;
}

static int
change(const struct x2gobroker_config *config, const char *host, bool off,
    bool *changed, struct x2gobroker_error *err)
{
	const char *path = config->drain_file;
	cleanup_buf struct buf text = { 0 };
	cleanup_fd int dir = -1;
	size_t found;

	if (!is_host(host))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "\"%.200s\" is neither a host's name nor an address",
		    host);
	if ((dir = lock_dir(path, !off, err)) == -1)
		return off && err->code == X2GOBROKER_ERR_NOTFOUND ? 0 : -1;
	if (copy_lines(path, host, off, &text, &found, err) == -1)
		return -1;
	if (off ? found == 0 : found > 0)
		return 0;
	if (!off) {
		buf_puts(&text, host);
		buf_putc(&text, '\n');
	}
	if (replace(dir, path, &text, err) == -1)
		return -1;
	*changed = true;
	return 0;
}

int
x2gobroker_drain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	struct x2gobroker_error own;

	*changed = false;
	return change(config, host, false, changed, err != NULL ? err : &own);
}

int
x2gobroker_undrain(const struct x2gobroker_config *config, const char *host,
    bool *changed, struct x2gobroker_error *err)
{
	struct x2gobroker_error own;

	*changed = false;
	return change(config, host, true, changed, err != NULL ? err : &own);
}
