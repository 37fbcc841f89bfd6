/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may see and select which profile.  x2gobroker_acl_check() at the end of
 * this file decides; everything above it answers one question each.
 *
 * Three kinds of list (clients, users, groups), each with an allow and a deny
 * list.  An order says which of the two is looked at first: the first hit
 * decides, and no hit at all means no.  A user must pass the clients' lists if
 * there are any; then it is enough to be allowed by name, or to be allowed by
 * group and not denied by name.  The Python broker decides the same way; where
 * this differs is told in x2gobroker-sessionprofiles(5).
 */
#include <stdio.h>
#include <string.h>

#include "acl.h"
#include "address.h"
#include "profile.h"
#include "user.h"
#include "value.h"

enum list_kind { CLIENTS, USERS, GROUPS, NKINDS };

enum hit { MISS, ALLOWED, DENIED };

/* The keys of each kind; the last row holds the default of all orders. */
static const struct acl_keys {
	const char *allow, *deny, *order, *what;
} keys[NKINDS] = {
	[CLIENTS] = { "acl-clients-allow", "acl-clients-deny",
	    "acl-clients-order", "the client's address" },
	[USERS] = { "acl-users-allow", "acl-users-deny",
	    "acl-users-order", "the user's name" },
	[GROUPS] = { "acl-groups-allow", "acl-groups-deny",
	    "acl-groups-order", "a group of the user" },
};

static const char any_order[] = "acl-any-order";

const char *
acl_key_name(size_t i)
{
	if (i >= 3 * NKINDS)
		return i == 3 * NKINDS ? any_order : NULL;
	switch (i % 3) {
	case 0:
		return keys[i / 3].allow;
	case 1:
		return keys[i / 3].deny;
	default:
		return keys[i / 3].order;
	}
}

static bool
is_client_item(const char *item, size_t len)
{
	struct network net;

	return value_item_is(item, len, "ALL") ||
	    network_parse(item, len, &net) ||
	    address_is_host_name(item, len);
}

static const char *
check_list(const char *value, bool clients, char *buf, size_t size)
{
	const char *next = value, *item;
	size_t len, items = 0;

	if (*value == '[')
		return "a list in Python's notation is not read; write a,b,c";
	while (value_next_item(&next, &item, &len)) {
		if (len == 0)
			continue;
		items++;
		if (!clients || is_client_item(item, len))
			continue;
		snprintf(buf, size, "\"%.*s\" is neither ALL, an address, a "
		    "network (ADDRESS/BITS) nor a host's name",
		    (int)(len > 100 ? 100 : len), item);
		return buf;
	}
	if (items == 0 && *value != '\0')
		return "commas, and nothing between them";
	return NULL;
}

const char *
acl_check_value(const char *key, const char *value, bool *known, char *buf,
    size_t size)
{
	size_t i;

	*known = false;
	for (i = 0; acl_key_name(i) != NULL && !*known; i++)
		*known = strcmp(key, acl_key_name(i)) == 0;
	if (!*known)
		return "no such key, so who may see this profile is not "
		    "known; see x2gobroker-sessionprofiles(5)";
	if (strcmp(key + strlen(key) - 6, "-order") != 0)
		return check_list(value, strncmp(key, "acl-clients-", 12) == 0,
		    buf, size);
	if (*value == '\0' || strcmp(value, "allow-deny") == 0 ||
	    strcmp(value, "deny-allow") == 0)
		return NULL;
	return "neither allow-deny nor deny-allow";
}

/* The value of an acl- key; absent and empty are the same. */
static const char *
list_of(const struct x2gobroker_profile *profile, const char *key)
{
	const char *value = x2gobroker_profile_value(profile, key);

	return value != NULL ? value : "";
}

static bool
has_list(const struct x2gobroker_profile *profile, enum list_kind kind)
{
	return *list_of(profile, keys[kind].allow) != '\0' ||
	    *list_of(profile, keys[kind].deny) != '\0';
}

/* The key that says in which order the lists of that kind are looked at. */
static const char *
order_key(const struct x2gobroker_profile *profile, enum list_kind kind)
{
	return *list_of(profile, keys[kind].order) != '\0' ?
	    keys[kind].order : any_order;
}

static bool
deny_first(const struct x2gobroker_profile *profile, enum list_kind kind)
{
	return strcmp(list_of(profile, order_key(profile, kind)),
	    "allow-deny") != 0;
}

/* Whether item, of a list of clients, is this user's client.  A host name that
 * cannot be resolved hits if hit_unresolved: so it denies, and never allows. */
static bool
client_hits(const struct x2gobroker_user *user, const char *item, size_t len,
    bool hit_unresolved)
{
	struct network net;
	int found;

	if (user->address_text == NULL)
		return false;
	if (network_parse(item, len, &net))
		return network_contains(&net, &user->address);
	found = address_of_host(item, len, &user->address);
	return found == -1 ? hit_unresolved : found == 1;
}

static bool
group_hits(const struct x2gobroker_user *user, const char *item, size_t len)
{
	size_t i;

	for (i = 0; i < user->ngroups; i++)
		if (value_item_is(item, len, user->groups[i]))
			return true;
	return false;
}

/* Whether the list in key holds this user.  Names that need no look-up are
 * tried before host names, which may cost seconds. */
static bool
list_hits(const struct x2gobroker_profile *profile, const char *key,
    enum list_kind kind, const struct x2gobroker_user *user)
{
	bool deny = strcmp(key, keys[kind].deny) == 0;
	const char *next, *item;
	struct network net;
	size_t len;
	int pass;

	for (pass = 0; pass < 2; pass++) {
		next = list_of(profile, key);
		while (value_next_item(&next, &item, &len)) {
			bool look_up = kind == CLIENTS &&
			    !network_parse(item, len, &net);

			if (len == 0)
				continue;
			if (value_item_is(item, len, "ALL")) {
				if (pass == 0)
					return true;
			} else if (look_up != (pass == 1))
				continue;
			else if (kind == USERS ?
			    value_item_is(item, len, user->name) :
			    kind == GROUPS ? group_hits(user, item, len) :
			    client_hits(user, item, len, deny))
				return true;
		}
	}
	return false;
}

/* What the lists of that kind say, and through which key. */
static enum hit
look(const struct x2gobroker_profile *profile, enum list_kind kind,
    const struct x2gobroker_user *user, const char **key)
{
	bool deny = deny_first(profile, kind);
	int i;

	for (i = 0; i < 2; i++, deny = !deny) {
		*key = deny ? keys[kind].deny : keys[kind].allow;
		if (list_hits(profile, *key, kind, user))
			return deny ? DENIED : ALLOWED;
	}
	*key = *list_of(profile, keys[kind].allow) != '\0' ?
	    keys[kind].allow : keys[kind].deny;
	return MISS;
}

static enum x2gobroker_verdict
decide(enum x2gobroker_verdict verdict, struct x2gobroker_error *why,
    const struct x2gobroker_profile *profile, const char *key,
    const char *sentence)
{
	const struct ini_key *rule =
	    key != NULL ? profile_find_key(profile, key) : NULL;

	if (why == NULL)
		return verdict;
	error_set(why, verdict == X2GOBROKER_ALLOW ? X2GOBROKER_OK :
	    X2GOBROKER_ERR_DENIED, profile->file,
	    rule != NULL ? rule->line : 0, "%s%s%s", key != NULL ? key : "",
	    key != NULL ? ": " : "", sentence);
	return verdict;
}

/* The sentence for one kind of list. */
static enum x2gobroker_verdict
decide_hit(enum hit hit, enum list_kind kind, struct x2gobroker_error *why,
    const struct x2gobroker_profile *profile, const char *key)
{
	char sentence[200];

	if (hit == MISS)
		snprintf(sentence, sizeof(sentence), "neither list has %s, "
		    "and that means no", keys[kind].what);
	else
		snprintf(sentence, sizeof(sentence), "has %s, and the %s list "
		    "is looked at %s", keys[kind].what,
		    hit == DENIED ? "deny" : "allow",
		    deny_first(profile, kind) == (hit == DENIED) ?
		    "first" : "next, after no hit in the other");
	return decide(hit == ALLOWED ? X2GOBROKER_ALLOW : X2GOBROKER_DENY,
	    why, profile, key, sentence);
}

enum x2gobroker_verdict
x2gobroker_acl_check(const struct x2gobroker_profile *profile,
    struct x2gobroker_user *user, struct x2gobroker_error *why)
{
	const char *client_key, *user_key = NULL, *group_key;
	enum hit hit, user_hit = MISS;
	struct x2gobroker_error err;

	if (has_list(profile, CLIENTS)) {
		if (user->address_text == NULL)
			return decide(X2GOBROKER_DENY, why, profile,
			    keys[CLIENTS].allow, "the client's address is not "
			    "known or not to be trusted");
		hit = look(profile, CLIENTS, user, &client_key);
		if (hit != ALLOWED)
			return decide_hit(hit, CLIENTS, why, profile,
			    client_key);
	}
	if (!has_list(profile, USERS) && !has_list(profile, GROUPS))
		return decide(X2GOBROKER_ALLOW, why, profile, NULL,
		    "no acl-users-* and no acl-groups-*: for everyone");

	if (has_list(profile, USERS)) {
		user_hit = look(profile, USERS, user, &user_key);
		if (user_hit != MISS || !has_list(profile, GROUPS))
			return decide_hit(user_hit, USERS, why, profile,
			    user_key);
	}
	if (user_need_groups(user, !profile->config->
	    ignore_primary_group_memberships, &err) == -1)
		return decide(X2GOBROKER_DENY, why, profile,
		    keys[GROUPS].allow, err.text);
	hit = look(profile, GROUPS, user, &group_key);
	return decide_hit(hit, GROUPS, why, profile, group_key);
}

static bool
has_all(const char *list)
{
	const char *item;
	size_t len;

	while (value_next_item(&list, &item, &len))
		if (value_item_is(item, len, "ALL"))
			return true;
	return false;
}

static void
lint_deny_all(const struct x2gobroker_profile *profile, enum list_kind kind,
    struct reporter *rep)
{
	if (!deny_first(profile, kind) ||
	    !has_all(list_of(profile, keys[kind].deny)))
		return;
	report(rep, X2GOBROKER_WARNING, profile->file,
	    profile_key_line(profile, keys[kind].deny),
	    "[%.100s]: %s has ALL and is looked at first, so it lets nobody "
	    "through; for \"all but\" write %s = allow-deny", profile->id,
	    keys[kind].deny, keys[kind].order);
}

/* The Python broker never looks at acl-any-order and takes deny-allow. */
static void
lint_any_order(const struct x2gobroker_profile *profile, enum list_kind kind,
    struct reporter *rep)
{
	if (order_key(profile, kind) != any_order ||
	    deny_first(profile, kind) ||
	    *list_of(profile, keys[kind].allow) == '\0' ||
	    *list_of(profile, keys[kind].deny) == '\0')
		return;
	report(rep, X2GOBROKER_WARNING, profile->file,
	    profile_key_line(profile, any_order), "[%.100s]: the Python broker "
	    "does not look at acl-any-order, so its verdict can differ here; "
	    "%s says the same to both", profile->id, keys[kind].order);
}

void
acl_lint(const struct x2gobroker_profile *profile, struct reporter *rep)
{
	int kind;

	for (kind = 0; kind < NKINDS; kind++) {
		lint_deny_all(profile, (enum list_kind)kind, rep);
		lint_any_order(profile, (enum list_kind)kind, rep);
	}
}
