/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user who asks: an identity, an address and groups.  Groups come from
 * getgrouplist(3): large sites turn the enumeration of groups off.
 */
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "access/user.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"

#define GROUPS_FIRST	64
#define GROUPS_MAX	65536	/* NGROUPS_MAX of Linux */

int
x2gobroker_user_new(const char *name, const char *address,
    struct x2gobroker_user **out, struct x2gobroker_error *err)
{
	struct x2gobroker_user *user;

	*out = NULL;
	if (*name == '\0')
		return error_set(err, X2GOBROKER_ERR_DENIED, NULL, 0,
		    "the user name is empty");
	if ((user = calloc(1, sizeof(*user))) == NULL ||
	    (user->name = strdup(name)) == NULL ||
	    (address != NULL &&
	    (user->address_text = strdup(address)) == NULL)) {
		x2gobroker_user_free(user);
		return error_nomem(err);
	}
	if (address != NULL &&
	    !address_parse(address, strlen(address), &user->address)) {
		x2gobroker_user_free(user);
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "\"%.100s\" is not an IP address", address);
	}
	*out = user;
	return 0;
}

static void
free_groups(struct x2gobroker_user *user)
{
	size_t i;

	for (i = 0; user->groups != NULL && i < user->ngroups; i++)
		free(user->groups[i]);
	free(user->groups);
	free(user->gids);
	user->groups = NULL;
	user->gids = NULL;
	user->ngroups = 0;
	user->groups_known = user->has_nameless = false;
}

/* Half of a user's groups are none: a deny list must not miss. */
static int
add_group(struct x2gobroker_user *user, const char *name,
    struct x2gobroker_error *err)
{
	if ((user->groups[user->ngroups] = strdup(name)) == NULL) {
		free_groups(user);
		return error_nomem(err);
	}
	user->ngroups++;
	return 0;
}

void
x2gobroker_user_free(struct x2gobroker_user *user)
{
	if (user == NULL)
		return;
	free_groups(user);
	free(user->groups_error);
	free(user->address_text);
	free(user->key);
	free(user->name);
	free(user);
}

const char *
x2gobroker_user_name(const struct x2gobroker_user *user)
{
	return user->name;
}

const char *
x2gobroker_user_address(const struct x2gobroker_user *user)
{
	return user->address_text;
}

int
x2gobroker_user_set_key(struct x2gobroker_user *user, const char *type,
    const char *base64, struct x2gobroker_error *err)
{
	struct buf key = { 0 };

	buf_printf(&key, "%s %s", type, base64);
	if (key.failed) {
		buf_free(&key);
		return error_nomem(err);
	}
	free(user->key);
	user->key = key.data;
	return 0;
}

int
x2gobroker_user_set_groups(struct x2gobroker_user *user,
    const char *const *groups, size_t n, struct x2gobroker_error *err)
{
	size_t i;

	free_groups(user);
	if ((user->groups = calloc(n + 1, sizeof(*user->groups))) == NULL)
		return error_nomem(err);
	for (i = 0; i < n; i++)
		if (add_group(user, groups[i], err) == -1)
			return -1;
	user->groups_known = true;
	return 0;
}

/* Whether an error means that something is broken or used up, and not that
 * there is nothing to be found. */
static bool
is_fault(int error)
{
	static const int faults[] = { EACCES, EINTR, EIO, EMFILE, ENFILE,
	    ENOMEM };
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i] == error)
			return true;
	return false;
}

/* The gids of user, primary included, as getgrouplist(3) gives them. */
static gid_t *
list_gids_once(const char *name, gid_t primary, int *n)
{
	int size = GROUPS_FIRST;
	gid_t *gids = NULL, *more;

	for (;;) {
		more = reallocarray(gids, (size_t)size, sizeof(*gids));
		if (more == NULL)
			break;
		gids = more;
		*n = size;
		errno = 0;
		if (getgrouplist(name, primary, gids, n) >= 0)
			return gids;
		if (size >= GROUPS_MAX)
			break;
		size = *n > size ? *n : 2 * size;
	}
	free(gids);
	return NULL;
}

static int
compare_gids(const void *a, const void *b)
{
	const gid_t *ga = a, *gb = b;

	return (*ga > *gb) - (*ga < *gb);
}

/* getgrouplist(3) leaves out what it cannot read and is content.  What has gone
 * wrong may be left in errno, but not at the first time, when services are
 * loaded behind the one that has failed.  So it is asked twice, and has to say
 * the same again. */
static gid_t *
list_gids(const char *name, gid_t primary, int *n)
{
	cleanup_free gid_t *first = list_gids_once(name, primary, n);
	cleanup_free gid_t *again = NULL;
	int nfirst = *n;

	if (first == NULL ||
	    (again = list_gids_once(name, primary, n)) == NULL ||
	    is_fault(errno) || *n != nfirst)
		return NULL;
	/* a directory may say it in another order */
	qsort(first, (size_t)nfirst, sizeof(*first), compare_gids);
	qsort(again, (size_t)nfirst, sizeof(*again), compare_gids);
	if (memcmp(first, again, (size_t)nfirst * sizeof(*first)) != 0)
		return NULL;
	return steal(&again);
}

static bool
is_named_member(const struct group *gr, const char *name)
{
	char *const *member;

	for (member = gr->gr_mem; *member != NULL; member++)
		if (strcmp(*member, name) == 0)
			return true;
	return false;
}

/* Where one service cannot read its groups, the next one may say that there is
 * no such group, and that is all that is told.  So nobody believes it at
 * once. */
static const struct group *
find_group(gid_t gid)
{
	const struct group *gr;
	int i;

	for (i = 0; i < 2; i++) {
		errno = 0;
		if ((gr = getgrgid(gid)) != NULL)
			return gr;
	}
	return NULL;
}

static int
look_up_groups(struct x2gobroker_user *user, bool with_primary,
    struct x2gobroker_error *err)
{
	const struct passwd *pw;
	const struct group *gr;
	cleanup_free gid_t *gids = NULL;
	gid_t primary;
	int i, n = 0;

	errno = 0;
	if ((pw = getpwnam(user->name)) == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "the account %.100s cannot be looked up: %s", user->name,
		    errno != 0 ? strerror(errno) : "there is no such account");
	primary = pw->pw_gid;
	if ((gids = list_gids(user->name, primary, &n)) == NULL)
		return error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "the groups of %.100s cannot be looked up", user->name);
	user->groups = calloc((size_t)n + 1, sizeof(*user->groups));
	user->gids = calloc((size_t)n + 1, sizeof(*user->gids));
	if (user->groups == NULL || user->gids == NULL) {
		free_groups(user);
		return error_nomem(err);
	}
	for (i = 0; i < n; i++) {
		gr = find_group(gids[i]);
		/* a deny list must not miss because a directory is away */
		if (gr == NULL && errno != 0 && errno != ENOENT) {
			error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
			    "the group %u cannot be looked up: %s",
			    (unsigned int)gids[i], strerror(errno));
			free_groups(user);
			return -1;
		}
		if (gr == NULL) {
			user->has_nameless = true;
			user->nameless = gids[i];
			continue;
		}
		if (gids[i] == primary && !with_primary &&
		    !is_named_member(gr, user->name))
			continue;
		user->gids[user->ngroups] = gids[i];
		if (add_group(user, gr->gr_name, err) == -1)
			return -1;
	}
	user->groups_known = true;
	return 0;
}

int
user_need_groups(struct x2gobroker_user *user, bool with_primary,
    struct x2gobroker_error *err)
{
	struct x2gobroker_error error;

	if (user->groups_known ||
	    look_up_groups(user, with_primary, &error) == 0)
		return 0;
	user->groups_failed = true;
	if (user->groups_error == NULL)
		user->groups_error = malloc(sizeof(error));
	if (user->groups_error != NULL)
		*user->groups_error = error;
	if (err != NULL)
		*err = error;
	return -1;
}

/* Get the next item of list that is a number of 32 bits. */
static bool
next_id(const char **list, unsigned long *id)
{
	char digits[11];
	const char *item;
	size_t len;

	while (parse_next_item(list, &item, &len)) {
		if (len == 0 || len >= sizeof(digits))
			continue;
		memcpy(digits, item, len);
		digits[len] = '\0';
		if (strspn(digits, PARSE_DIGITS) != len)
			continue;
		if ((*id = strtoul(digits, NULL, 10)) <= UINT32_MAX)
			return true;
	}
	return false;
}

bool
user_has_uid_in(const struct x2gobroker_user *user, const char *list)
{
	const struct passwd *pw = NULL;
	unsigned long id;

	while (next_id(&list, &id)) {
		errno = 0;
		if (pw == NULL && (pw = getpwnam(user->name)) == NULL)
			return errno != 0 && errno != ENOENT && errno != ESRCH;
		if (pw->pw_uid == id)
			return true;
	}
	return false;
}

bool
user_has_gid_in(const struct x2gobroker_user *user, const char *list)
{
	unsigned long id;
	size_t i;

	while (user->gids != NULL && next_id(&list, &id))
		for (i = 0; i < user->ngroups; i++)
			if (user->gids[i] == id)
				return true;
	return false;
}
