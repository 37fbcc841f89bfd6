/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for each choice, the oldest one first:
 *
 *	SECONDS SERVER USER PROFILE
 *
 * SECONDS is time(3); the id of a profile may have blanks in it, and so comes
 * last.  A file beside this one is locked, as this one is replaced.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "buf.h"
#include "choices.h"
#include "cleanup.h"
#include "file.h"
#include "value.h"

#define LOCK_FILE	"choices.lock"
#define NEW_FILE	"choices.new"	/* whoever has the lock may use it */
#define WORD_MAX	512	/* a host, an account, a profile: all shorter */
#define SECONDS_MAX	12	/* digits */
#define FUTURE_SECONDS	5	/* clocks are set, but not by much */
#define ROUNDING	2	/* seconds, between two hosts' clocks */

struct choice {
	int64_t when;
	const char *server, *user, *profile;	/* in text, or arena */
};

struct choices {
	char *path;		/* of the directory, for messages */
	int64_t now;
	int dir, lock;
	char *text;		/* what was read, taken apart */
	struct arena arena;
	struct choice *list;
	size_t n, size;
	bool changed;
};

static bool
append(struct choices *choices, const struct choice *choice)
{
	size_t size = choices->size != 0 ? 2 * choices->size : 64;
	struct choice *more;

	if (choices->n == choices->size) {
		more = reallocarray(choices->list, size, sizeof(*more));
		if (more == NULL)
			return false;
		choices->list = more;
		choices->size = size;
	}
	choices->list[choices->n++] = *choice;
	return true;
}

/* Take out those that gone says so of, and keep the order. */
static void
remove_if(struct choices *choices, bool (*gone)(const struct choice *choice,
    const struct choice *key), const struct choice *key)
{
	size_t i, kept = 0;

	for (i = 0; i < choices->n; i++)
		if (!gone(&choices->list[i], key))
			choices->list[kept++] = choices->list[i];
	choices->changed |= kept != choices->n;
	choices->n = kept;
}

/*
 * Reading
 */

/* Whether it can stand in a line, and be found again there. */
static bool
is_word(const char *text, bool blanks)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f ||
		    (*p == ' ' && !blanks))
			return false;
	return p != text && p - text <= WORD_MAX;
}

static bool
parse_line(char *line, struct choice *choice)
{
	const char *seconds = strsep(&line, " ");
	size_t len = strlen(seconds);

	choice->server = strsep(&line, " ");
	choice->user = strsep(&line, " ");
	choice->profile = line;
	if (len == 0 || len > SECONDS_MAX ||
	    strspn(seconds, "0123456789") != len || line == NULL ||
	    !is_word(choice->server, false) || !is_word(choice->user, false) ||
	    !is_word(choice->profile, true))
		return false;
	choice->when = strtoll(seconds, NULL, 10);
	return true;
}

/* Keep what counts of the text.  A file with more lines than we write is none
 * of ours. */
static int
parse_text(struct choices *choices, struct x2gobroker_error *err)
{
	char *rest = choices->text, *line;
	struct choice choice;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!parse_line(line, &choice) ||
		    choice.when > choices->now + FUTURE_SECONDS ||
		    choice.when < choices->now - CHOICE_SECONDS)
			continue;
		if (choices->n == CHOICES_MAX) {
			choices->n = 0;
			return 0;
		}
		if (!append(choices, &choice))
			return error_nomem(err);
	}
	return 0;
}

/* Whatever is there instead of our file: it is replaced by the next one. */
static int
read_file(struct choices *choices, struct x2gobroker_error *err)
{
	cleanup_fd int fd = openat(choices->dir, CHOICES_FILE, O_RDONLY |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t size;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_SIZE_MAX)
		return 0;
	size = (size_t)st.st_size;
	if ((choices->text = malloc(size + 1)) == NULL)
		return error_nomem(err);
	/* it is replaced and never written to, so it has not become shorter */
	if (read(fd, choices->text, size) != (ssize_t)size ||
	    memchr(choices->text, '\0', size) != NULL)
		return 0;
	choices->text[size] = '\0';
	return parse_text(choices, err);
}

/*
 * Opening and closing
 */

/* Open the directory.  Somebody who could write to it could put a link there in
 * place of the file. */
static int
open_dir(struct choices *choices, struct x2gobroker_error *err)
{
	const char *path = choices->path;
	struct stat st;

	if (mkdir(path, 0700) == -1 && errno != EEXIST && errno != ENOENT)
		return error_errno(err, path, "cannot be made");
	if (file_check_dir(path, err) == -1)
		return -1;
	choices->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (choices->dir == -1 || fstat(choices->dir, &st) == -1)
		return error_errno(err, path, "cannot be opened");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(err, X2GOBROKER_ERR_UNSAFE, path, 0,
		    "not used: its group or others may write it (chmod go-w)");
	return 0;
}

static int
open_lock(struct choices *choices, int timeout_ms,
    struct x2gobroker_error *err)
{
	choices->lock = openat(choices->dir, LOCK_FILE, O_RDWR | O_CREAT |
	    O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (choices->lock == -1)
		return error_errno(err, choices->path, LOCK_FILE
		    " in it cannot be opened");
	if (file_lock(choices->lock, timeout_ms) == -1)
		return error_errno(err, choices->path, LOCK_FILE
		    " in it cannot be locked");
	return 0;
}

int
choices_open(const char *dir, time_t now, int timeout_ms,
    struct choices **out, struct x2gobroker_error *err)
{
	struct choices *choices = calloc(1, sizeof(*choices));

	*out = NULL;
	if (choices == NULL)
		return error_nomem(err);
	choices->now = now;
	choices->dir = choices->lock = -1;
	if ((choices->path = strdup(dir)) == NULL)
		error_nomem(err);
	else if (open_dir(choices, err) == 0 &&
	    open_lock(choices, timeout_ms, err) == 0 &&
	    read_file(choices, err) == 0) {
		*out = choices;
		return 0;
	}
	choices_close(choices);
	return -1;
}

void
choices_close(struct choices *choices)
{
	if (choices == NULL)
		return;
	if (choices->lock != -1)
		close(choices->lock);	/* and so unlocks it */
	if (choices->dir != -1)
		close(choices->dir);
	arena_free(&choices->arena);
	free(choices->list);
	free(choices->text);
	free(choices->path);
	free(choices);
}

int
choices_save(struct choices *choices, struct x2gobroker_error *err)
{
	/* what is lost with the power was about sessions that are, too */
	const struct file_new new = { .dirfd = choices->dir,
	    .name = CHOICES_FILE, .temporary = NEW_FILE, .mode = 0600 };
	cleanup_buf struct buf text = { 0 };
	const struct choice *c;

	if (!choices->changed)
		return 0;
	for (c = choices->list; c < choices->list + choices->n; c++)
		buf_printf(&text, "%lld %s %s %s\n", (long long)c->when,
		    c->server, c->user, c->profile);
	if (file_replace(&new, &text, choices->path, err) == -1)
		return -1;
	choices->changed = false;
	return 0;
}

/*
 * Choices
 */

long
choices_pending(const struct choices *choices, const char *server)
{
	long pending = 0;
	size_t i;

	for (i = 0; i < choices->n; i++)
		pending += value_same_word(choices->list[i].server, server);
	return pending;
}

/* Whether the session that began at key->when was the one, or a later one. */
static bool
has_started(const struct choice *choice, const struct choice *key)
{
	return choice->when <= key->when &&
	    strcmp(choice->user, key->user) == 0 &&
	    value_same_word(choice->server, key->server);
}

void
choices_started(struct choices *choices, const char *server,
    const char *user, long age)
{
	const struct choice key = {
		.when = choices->now - (age > 0 ? age : 0) + ROUNDING,
		.server = server,
		.user = user,
	};

	remove_if(choices, has_started, &key);
}

static bool
is_chosen_anew(const struct choice *choice, const struct choice *key)
{
	return strcmp(choice->user, key->user) == 0 &&
	    strcmp(choice->profile, key->profile) == 0;
}

int
choices_add(struct choices *choices, const char *server, const char *user,
    const char *profile, struct x2gobroker_error *err)
{
	struct choice choice = { .when = choices->now, .user = user,
	    .profile = profile };
	char *lower;

	if (!is_word(server, false) || !is_word(user, false) ||
	    !is_word(profile, true))
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "the choice of %.200s for %.200s cannot be written down: "
		    "there is a control character, a blank or too much in it",
		    server, user);
	remove_if(choices, is_chosen_anew, &choice);
	if (choices->n == CHOICES_MAX)
		memmove(choices->list, choices->list + 1,
		    --choices->n * sizeof(*choices->list));
	choice.server = lower = arena_strndup(&choices->arena, server,
	    strlen(server));
	choice.user = arena_strndup(&choices->arena, user, strlen(user));
	choice.profile = arena_strndup(&choices->arena, profile,
	    strlen(profile));
	if (lower == NULL || choice.user == NULL || choice.profile == NULL ||
	    !append(choices, &choice))
		return error_nomem(err);
	for (; *lower != '\0'; lower++)
		if (*lower >= 'A' && *lower <= 'Z')
			*lower = (char)(*lower - 'A' + 'a');
	choices->changed = true;
	return 0;
}
