/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is connected to a session, as the events of the clients say, and orders
 * that wait for the clients.  Each is a symbolic link in a directory of
 * state-dir: its name is made from the user and the id of the session, its
 * target is the text.  One system call replaces it, completely or not at all,
 * and nobody holds a lock.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <inttypes.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/answer.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/safefile.h"
#include "base/statedir.h"
#include "base/utf8.h"
#include "farm/farm.h"
#include "x2gobroker_admin.h"

#define CONNECTED_DIR	"connected"	/* in state-dir */
#define ORDER		".order"
#define NEW		".new"
#define ORDER_SECONDS	600	/* then nobody waits for it any more */
#define MISSED_EVENTS	3	/* then the client is gone */
#define FIELD_SIZE	256
#define TEXT_SIZE	4096	/* PATH_MAX, of the target of a link */
#define NAME_SIZE	(SHA256_DIGEST_STRING_LENGTH + 32)

enum field {
	SEEN, SINCE, EVENT, USER, SESSION, SERVER, ADDRESS, SYSTEM, VERSION,
	NFIELDS
};

struct x2gobroker_connected {
	struct record {
		char *text;
		struct x2gobroker_client client;
	} *list;
	size_t n;
};

static const char *const order_words[] = { "", "SUSPEND", "TERMINATE" };

/*
 * Files
 */

static void
put_name(char name[static NAME_SIZE], const char *user, const char *session)
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)user, strlen(user) + 1);
	SHA256Update(&context, (const uint8_t *)session, strlen(session));
	SHA256End(&context, name);
}

static bool
read_link(int dir, const char *name, char text[static TEXT_SIZE])
{
	ssize_t len = readlinkat(dir, name, text, TEXT_SIZE);

	if (len <= 0 || len == TEXT_SIZE)
		return false;
	text[len] = '\0';
	return true;
}

static int
replace_link(int dir, const char *path, const char *name, const char *text,
    struct x2gobroker_error *err)
{
	char temporary[NAME_SIZE + 32];

	snprintf(temporary, sizeof(temporary), "%s" NEW "%ld", name,
	    (long)getpid());
	unlinkat(dir, temporary, 0);
	if (symlinkat(text, dir, temporary) == 0 &&
	    renameat(dir, temporary, dir, name) == 0)
		return 0;
	error_errno(err, path, "an event cannot be stored");
	unlinkat(dir, temporary, 0);
	return -1;
}

/* Split text, which is changed, into *client.  false: it is none. */
static bool
parse_record(char *text, struct x2gobroker_client *client)
{
	const char *fields[NFIELDS], *wrong[2];
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if ((fields[i] = strsep(&text, "\n")) == NULL)
			return false;
	*client = (struct x2gobroker_client){
		.seen = strtonum(fields[SEEN], 0, INT64_MAX, &wrong[0]),
		.since = strtonum(fields[SINCE], 0, INT64_MAX, &wrong[1]),
		.event = fields[EVENT],
		.user = fields[USER],
		.session = fields[SESSION],
		.server = fields[SERVER],
		.address = fields[ADDRESS],
		.system = fields[SYSTEM],
		.version = fields[VERSION],
	};
	return text == NULL && wrong[0] == NULL && wrong[1] == NULL;
}

static bool
is_fresh(const struct x2gobroker_config *config,
    const struct x2gobroker_client *client, time_t now)
{
	return client->seen <= now &&
	    now - client->seen < MISSED_EVENTS * config->liveevent;
}

static bool
is_old(int dir, const char *name, time_t now)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mtime > now || now - st.st_mtime >= ORDER_SECONDS);
}

static bool
is_stale(int dir, const char *name, const struct x2gobroker_config *config,
    time_t now)
{
	struct x2gobroker_client client;
	char text[TEXT_SIZE];

	if (strchr(name, '.') != NULL)
		return is_old(dir, name, now);
	return !read_link(dir, name, text) || !parse_record(text, &client) ||
	    !is_fresh(config, &client, now);
}

/* Remove what clients have left that did not say that they end. */
static void
sweep(int dir, const struct x2gobroker_config *config, time_t now)
{
	DIR *list = safefile_entries(dir, ".");
	const struct dirent *entry;

	if (list == NULL)
		return;
	while ((entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.' &&
		    is_stale(dir, entry->d_name, config, now))
			unlinkat(dir, entry->d_name, 0);
	closedir(list);
}

/*
 * Events
 */

static void
put_field(struct buf *buf, const char *text)
{
	char safe[FIELD_SIZE];

	utf8_escape(safe, sizeof(safe), text != NULL ? text : "");
	buf_printf(buf, "\n%s", safe);
}

static int
store(int dir, const char *path, const char *name,
    const struct x2gobroker_client *client, struct x2gobroker_error *err)
{
	cleanup_buf struct buf text = { 0 };

	buf_printf(&text, "%" PRId64 "\n%" PRId64, client->seen,
	    client->since);
	put_field(&text, client->event);
	put_field(&text, client->user);
	put_field(&text, client->session);
	put_field(&text, client->server);
	put_field(&text, client->address);
	put_field(&text, client->system);
	put_field(&text, client->version);
	if (text.failed)
		return error_nomem(err);
	return replace_link(dir, path, name, text.data, err);
}

static enum x2gobroker_order
find_order(int dir, const char *name, time_t now)
{
	char text[TEXT_SIZE];

	if (is_old(dir, name, now) || !read_link(dir, name, text))
		return X2GOBROKER_ORDER_NONE;
	return strcmp(text, order_words[X2GOBROKER_ORDER_TERMINATE]) == 0 ?
	    X2GOBROKER_ORDER_TERMINATE : X2GOBROKER_ORDER_SUSPEND;
}

static bool
is_one_of(const char *event, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(event, *words) == 0)
			return true;
	return false;
}

int
connected_note(const struct x2gobroker_config *config,
    const struct x2gobroker_client *event, enum x2gobroker_order *order,
    struct x2gobroker_error *err)
{
	static const char *const first[] = { "CONNECTING", "CONNECTED", NULL };
	static const char *const obeyed[] = { "CONNECTING", "SUSPENDING",
	    "TERMINATING", "FINISHED", NULL };
	struct x2gobroker_client client = *event, before;
	char name[NAME_SIZE], waiting[NAME_SIZE + sizeof(ORDER)];
	char text[TEXT_SIZE];
	cleanup_free char *path = NULL;
	cleanup_fd int dir = statedir_open_dir(config->state_dir,
	    CONNECTED_DIR, &path, err);

	*order = X2GOBROKER_ORDER_NONE;
	if (dir == -1)
		return -1;
	put_name(name, client.user, client.session);
	snprintf(waiting, sizeof(waiting), "%s" ORDER, name);
	if (is_one_of(client.event, obeyed))
		unlinkat(dir, waiting, 0);
	else
		*order = find_order(dir, waiting, client.seen);
	if (strcmp(client.event, "FINISHED") == 0) {
		unlinkat(dir, name, 0);
		return 0;
	}
	if (is_one_of(client.event, first))
		sweep(dir, config, client.seen);
	if (read_link(dir, name, text) && parse_record(text, &before) &&
	    is_fresh(config, &before, client.seen))
		client.since = before.since;
	return store(dir, path, name, &client, err);
}

const char *
connected_order_word(enum x2gobroker_order order)
{
	return order_words[order];
}

/*
 * The list
 */

static int
compare_clients(const void *a, const void *b)
{
	const struct record *one = a, *other = b;
	int order = strcmp(one->client.user, other->client.user);

	return order != 0 ? order : strcmp(one->client.session,
	    other->client.session);
}

/* Add the record of that name, unless it is stale or none. */
static int
load_record(int dir, const char *name, const struct x2gobroker_config *config,
    struct x2gobroker_connected *all, struct x2gobroker_error *err)
{
	struct record record, *more;
	char text[TEXT_SIZE], waiting[NAME_SIZE + sizeof(ORDER)];
	time_t now = time(NULL);

	if (strchr(name, '.') != NULL || strlen(name) >= NAME_SIZE ||
	    !read_link(dir, name, text))
		return 0;
	if ((record.text = strdup(text)) == NULL)
		return error_nomem(err);
	if (!parse_record(record.text, &record.client) ||
	    !is_fresh(config, &record.client, now)) {
		free(record.text);
		return 0;
	}
	snprintf(waiting, sizeof(waiting), "%s" ORDER, name);
	record.client.order = find_order(dir, waiting, now);
	more = array_grow(all->list, all->n, sizeof(*more));
	if (more == NULL) {
		free(record.text);
		return error_nomem(err);
	}
	all->list = more;
	all->list[all->n++] = record;
	return 0;
}

static int
load_all(int dir, const char *path, const struct x2gobroker_config *config,
    struct x2gobroker_connected *all, struct x2gobroker_error *err)
{
	DIR *list = safefile_entries(dir, ".");
	const struct dirent *entry;
	int result = 0;

	if (list == NULL)
		return error_errno(err, path, "cannot be listed");
	while (result == 0 && (entry = readdir(list)) != NULL)
		result = load_record(dir, entry->d_name, config, all, err);
	closedir(list);
	if (all->n > 0)
		qsort(all->list, all->n, sizeof(*all->list), compare_clients);
	return result;
}

int
x2gobroker_connected_load(const struct x2gobroker_config *config,
    struct x2gobroker_connected **out, struct x2gobroker_error *err)
{
	cleanup_free char *path = NULL;
	cleanup_fd int dir = statedir_open_dir(config->state_dir,
	    CONNECTED_DIR, &path, err);

	*out = NULL;
	if (dir == -1)
		return -1;
	if ((*out = calloc(1, sizeof(**out))) == NULL)
		return error_nomem(err);
	if (load_all(dir, path, config, *out, err) == 0)
		return 0;
	x2gobroker_connected_free(*out);
	*out = NULL;
	return -1;
}

void
x2gobroker_connected_free(struct x2gobroker_connected *all)
{
	size_t i;

	if (all == NULL)
		return;
	for (i = 0; i < all->n; i++)
		free(all->list[i].text);
	free(all->list);
	free(all);
}

const struct x2gobroker_client *
x2gobroker_connected_get(const struct x2gobroker_connected *all, size_t i)
{
	return all != NULL && i < all->n ? &all->list[i].client : NULL;
}

const struct x2gobroker_client *
x2gobroker_connected_find(const struct x2gobroker_connected *all,
    const char *user, const char *session)
{
	size_t i;

	for (i = 0; all != NULL && i < all->n; i++)
		if (strcmp(all->list[i].client.user, user) == 0 &&
		    strcmp(all->list[i].client.session, session) == 0)
			return &all->list[i].client;
	return NULL;
}

int
x2gobroker_connected_order(const struct x2gobroker_config *config,
    const struct x2gobroker_client *client, enum x2gobroker_order order,
    struct x2gobroker_error *err)
{
	char name[NAME_SIZE], waiting[NAME_SIZE + sizeof(ORDER)];
	cleanup_free char *path = NULL;
	cleanup_fd int dir = statedir_open_dir(config->state_dir,
	    CONNECTED_DIR, &path, err);

	if (dir == -1)
		return -1;
	put_name(name, client->user, client->session);
	snprintf(waiting, sizeof(waiting), "%s" ORDER, name);
	return replace_link(dir, path, waiting, order_words[order], err);
}
