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

#include "access/acl.h"
#include "base/address.h"
#include "config/profile.h"
#include "access/user.h"
#include "base/parse.h"

enum list_kind { CLIENTS, USERS, GROUPS, NKINDS };

enum hit { MISS, ALLOWED, DENIED };

/* The keys of each kind, and the one that is the default of all orders. */
enum acl_key {
	ALLOW, DENY, ORDER, PER_KIND,
	ANY_ORDER = NKINDS * PER_KIND, NACLKEYS
};

static const char *const names[NACLKEYS] = {
	"acl-clients-allow", "acl-clients-deny", "acl-clients-order",
	"acl-users-allow", "acl-users-deny", "acl-users-order",
	"acl-groups-allow", "acl-groups-deny", "acl-groups-order",
	"acl-any-order",
};

static const char *const what[NKINDS] = {
	"the client's address", "the user's name", "a group of the user",
};

/* The rules of one profile, taken out of its keys. */
struct acl {
	const struct x2gobroker_profile *profile;
	const struct ini_key *keys[NACLKEYS];	/* NULL: absent or empty */
};

const char *
acl_key_name(size_t i)
{
	return i < NACLKEYS ? names[i] : NULL;
}

static int
find_name(const char *name)
{
	int i;

	for (i = 0; i < NACLKEYS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* Take the acl- keys out of section, where they stand next to each other. */
static void
collect(struct acl *acl, const struct ini_section *section)
{
	size_t i;
	int n;

	for (i = inifile_lower_bound(section, "acl-"); i < section->nkeys; i++) {
		const struct ini_key *key = &section->keys[i];

		if (strncmp(key->name, "acl-", 4) != 0)
			break;
		if ((n = find_name(key->name)) == -1)
			continue;
		/* empty, or not-set, also takes away what a default says */
		acl->keys[n] = *key->value == '\0' ||
		    profile_is_not_set(key->value) ? NULL : key;
	}
}

static void
take_acl(struct acl *acl, const struct x2gobroker_profile *profile)
{
	*acl = (struct acl){ .profile = profile };
	collect(acl, &profile->file->defaults);
	collect(acl, profile->own);
}

static bool
is_client_item(const char *item, size_t len)
{
	struct network net;

	return parse_item_is(item, len, "ALL") ||
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
	while (parse_next_item(&next, &item, &len)) {
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
acl_check_value(const char *key, const char *value, char *buf, size_t size)
{
	int n = find_name(key);

	if (n == -1)
		return "no such key, so who may see this profile is not "
		    "known; see x2gobroker-sessionprofiles(5)";
	if (n != ANY_ORDER && n % PER_KIND != ORDER)
		return check_list(value, n / PER_KIND == CLIENTS, buf, size);
	if (*value == '\0' || strcmp(value, "allow-deny") == 0 ||
	    strcmp(value, "deny-allow") == 0)
		return NULL;
	return "neither allow-deny nor deny-allow";
}

static const struct ini_key *
key_of(const struct acl *acl, enum list_kind kind, enum acl_key which)
{
	return acl->keys[(int)kind * PER_KIND + (int)which];
}

static const char *
list_of(const struct acl *acl, enum list_kind kind, enum acl_key which)
{
	const struct ini_key *key = key_of(acl, kind, which);

	return key != NULL ? key->value : "";
}

static bool
has_list(const struct acl *acl, enum list_kind kind)
{
	return key_of(acl, kind, ALLOW) != NULL ||
	    key_of(acl, kind, DENY) != NULL;
}

/* The key that says in which order the lists of that kind are looked at, or
 * NULL where nobody said. */
static const struct ini_key *
order_key(const struct acl *acl, enum list_kind kind)
{
	const struct ini_key *own = key_of(acl, kind, ORDER);

	return own != NULL ? own : acl->keys[ANY_ORDER];
}

static bool
deny_first(const struct acl *acl, enum list_kind kind)
{
	const struct ini_key *order = order_key(acl, kind);

	return order == NULL || strcmp(order->value, "allow-deny") != 0;
}

static bool
group_hits(const struct x2gobroker_user *user, const char *item, size_t len)
{
	size_t i;

	for (i = 0; i < user->ngroups; i++)
		if (parse_item_is(item, len, user->groups[i]))
			return true;
	return false;
}

/* Whether item is this user, whose client needs no look-up. */
static bool
item_hits(const struct x2gobroker_user *user, enum list_kind kind,
    const char *item, size_t len)
{
	struct network net;

	if (parse_item_is(item, len, "ALL"))
		return true;
	switch (kind) {
	case USERS:
		return parse_item_is(item, len, user->name);
	case GROUPS:
		return group_hits(user, item, len);
	default:
		return network_parse(item, len, &net) &&
		    network_contains(&net, &user->address);
	}
}

/* Whether a host name in the list is this user's client.  One that cannot be
 * resolved hits in a deny list: so it denies, and never allows. */
static bool
host_name_hits(const struct x2gobroker_user *user, const char *list, bool deny)
{
	struct network net;
	const char *item;
	size_t len;
	int found;

	while (parse_next_item(&list, &item, &len)) {
		if (len == 0 || network_parse(item, len, &net))
			continue;
		found = address_of_host(item, len, &user->address);
		if (found == 1 || (found == -1 && deny))
			return true;
	}
	return false;
}

/* Whether a list holds this user.  Host names, which may cost seconds to
 * resolve, are tried when nothing else has hit. */
static bool
list_hits(const struct acl *acl, enum list_kind kind, enum acl_key which,
    const struct x2gobroker_user *user)
{
	const char *next = list_of(acl, kind, which), *item;
	size_t len;

	while (parse_next_item(&next, &item, &len))
		if (len > 0 && item_hits(user, kind, item, len))
			return true;
	return kind == CLIENTS && host_name_hits(user,
	    list_of(acl, kind, which), which == DENY);
}

/* What the lists of that kind say, and through which key. */
static enum hit
look(const struct acl *acl, enum list_kind kind,
    const struct x2gobroker_user *user, const struct ini_key **rule)
{
	enum acl_key first = deny_first(acl, kind) ? DENY : ALLOW;
	enum acl_key second = first == DENY ? ALLOW : DENY;

	*rule = key_of(acl, kind, first);
	if (list_hits(acl, kind, first, user))
		return first == DENY ? DENIED : ALLOWED;
	if (*rule == NULL || key_of(acl, kind, second) != NULL)
		*rule = key_of(acl, kind, second);
	if (list_hits(acl, kind, second, user))
		return second == DENY ? DENIED : ALLOWED;
	if (key_of(acl, kind, ALLOW) != NULL)
		*rule = key_of(acl, kind, ALLOW);
	return MISS;
}

static enum x2gobroker_verdict
decide(enum x2gobroker_verdict verdict, struct x2gobroker_error *why,
    const struct acl *acl, const struct ini_key *rule, const char *sentence)
{
	if (why != NULL)
		error_set(why, verdict == X2GOBROKER_ALLOW ? X2GOBROKER_OK :
		    X2GOBROKER_ERR_DENIED, acl->profile->file->path,
		    rule != NULL ? rule->line : 0, "%s%s%s",
		    rule != NULL ? rule->name : "", rule != NULL ? ": " : "",
		    sentence);
	return verdict;
}

/* The verdict of one kind of list, in words if somebody wants to read them. */
static enum x2gobroker_verdict
decide_hit(enum hit hit, enum list_kind kind, struct x2gobroker_error *why,
    const struct acl *acl, const struct ini_key *rule)
{
	bool first = deny_first(acl, kind) == (hit == DENIED);
	char sentence[200] = "";

	if (why != NULL && hit == MISS)
		snprintf(sentence, sizeof(sentence), "neither list has %s, "
		    "and that means no", what[kind]);
	else if (why != NULL)
		snprintf(sentence, sizeof(sentence), "has %s, and the %s list "
		    "is looked at %s", what[kind],
		    hit == DENIED ? "deny" : "allow",
		    first ? "first" : "next, after no hit in the other");
	return decide(hit == ALLOWED ? X2GOBROKER_ALLOW : X2GOBROKER_DENY,
	    why, acl, rule, sentence);
}

/* What is asked of the groups, which have to be looked up. */
static enum x2gobroker_verdict
check_groups(const struct acl *acl, struct x2gobroker_user *user,
    struct x2gobroker_error *why)
{
	bool primary = !acl->profile->config->ignore_primary_group_memberships;
	struct x2gobroker_error err;
	const struct ini_key *rule;
	enum hit hit;

	if (user_need_groups(user, primary, &err) == -1)
		return decide(X2GOBROKER_DENY, why, acl, NULL, err.text);
	hit = look(acl, GROUPS, user, &rule);
	return decide_hit(hit, GROUPS, why, acl, rule);
}

/* Who gets in: all decisions are made here. */
enum x2gobroker_verdict
x2gobroker_acl_check(const struct x2gobroker_profile *profile,
    struct x2gobroker_user *user, struct x2gobroker_error *why)
{
	const struct ini_key *rule;
	struct acl acl;
	enum hit hit;

	take_acl(&acl, profile);
	if (has_list(&acl, CLIENTS)) {
		if (user->address_text == NULL)
			return decide(X2GOBROKER_DENY, why, &acl, NULL,
			    "acl-clients-*: the client's address is not known, "
			    "or not to be trusted");
		hit = look(&acl, CLIENTS, user, &rule);
		if (hit != ALLOWED)
			return decide_hit(hit, CLIENTS, why, &acl, rule);
	}
	if (!has_list(&acl, USERS) && !has_list(&acl, GROUPS))
		return decide(X2GOBROKER_ALLOW, why, &acl, NULL,
		    "no acl-users-* and no acl-groups-*: for everyone");
	if (has_list(&acl, USERS)) {
		hit = look(&acl, USERS, user, &rule);
		if (hit != MISS || !has_list(&acl, GROUPS))
			return decide_hit(hit, USERS, why, &acl, rule);
	}
	return check_groups(&acl, user, why);
}

static bool
has_all(const char *list)
{
	const char *item;
	size_t len;

	while (parse_next_item(&list, &item, &len))
		if (parse_item_is(item, len, "ALL"))
			return true;
	return false;
}

static void
lint_deny_all(const struct acl *acl, enum list_kind kind, struct reporter *rep)
{
	const struct ini_key *deny = key_of(acl, kind, DENY);

	if (deny == NULL || !deny_first(acl, kind) || !has_all(deny->value))
		return;
	report(rep, X2GOBROKER_WARNING, acl->profile->file->path, deny->line,
	    "[%.100s]: %s has ALL and is looked at first, so it lets nobody "
	    "through; for \"all but\" write %s = allow-deny",
	    acl->profile->id, deny->name, names[(int)kind * PER_KIND + ORDER]);
}

/* The Python broker never looks at acl-any-order and takes deny-allow. */
static void
lint_any_order(const struct acl *acl, enum list_kind kind,
    struct reporter *rep)
{
	if (key_of(acl, kind, ORDER) != NULL || deny_first(acl, kind) ||
	    key_of(acl, kind, ALLOW) == NULL || key_of(acl, kind, DENY) == NULL)
		return;
	report(rep, X2GOBROKER_WARNING, acl->profile->file->path,
	    acl->keys[ANY_ORDER]->line, "[%.100s]: the Python broker does not "
	    "look at acl-any-order, so its verdict can differ here; %s says "
	    "the same to both", acl->profile->id,
	    names[(int)kind * PER_KIND + ORDER]);
}

void
acl_lint(const struct x2gobroker_profile *profile, struct reporter *rep)
{
	struct acl acl;
	int kind;

	take_acl(&acl, profile);
	for (kind = 0; kind < NKINDS; kind++) {
		lint_deny_all(&acl, (enum list_kind)kind, rep);
		lint_any_order(&acl, (enum list_kind)kind, rep);
	}
}
