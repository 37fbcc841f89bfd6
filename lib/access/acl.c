/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may see and select which profile.  x2gobroker_acl_check() at the end of
 * this file decides; everything above it answers one question each.
 *
 * Clients, users and groups have an allow list and a deny list each.  An order
 * says which of the two is checked first: the first match decides, and without
 * a match access is denied.  A user must pass the clients' lists, if there are
 * any; then it is enough to be allowed by name, or to be allowed by group and
 * not denied by name.  The Python broker decides the same way;
 * x2gobroker-sessionprofiles(5) lists the differences.
 */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "x2gobroker_admin.h"
#include "access/acl.h"
#include "access/user.h"
#include "base/address.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "config/profile.h"

enum match { NO_MATCH, ALLOWED, DENIED };

/* The first half of a sentence: "... the allow list", "... either list"; and
 * the key that sets the order. */
static const struct {
	const char *match, *no_match, *order;
} phrases[ACL_NKINDS] = {
	{ "the client's address is in", "the client's address is not in",
	    "acl-clients-order" },
	{ "the user's name is in", "the user's name is not in",
	    "acl-users-order" },
	{ "a group of the user is in", "no group of the user is in",
	    "acl-groups-order" },
};

/* The rules of one profile. */
struct acl {
	const struct x2gobroker_profile *profile;
	const struct ini_key *keys[ACL_NKEYS];	/* NULL: absent or empty */
};

/* Collect the acl- keys of section, which are adjacent. */
static void
collect(struct acl *acl, const struct ini_section *section)
{
	size_t i = inifile_lower_bound(section, "acl-");

	for (; i < section->nkeys; i++) {
		const struct ini_key *key = &section->keys[i];

		if (key->row->type != VALUE_ACL)
			break;
		/* an empty value also removes a default */
		acl->keys[key->row->acl] = *key->value != '\0' ? key : NULL;
	}
}

static void
collect_acl(struct acl *acl, const struct x2gobroker_profile *profile)
{
	*acl = (struct acl){ .profile = profile };
	collect(acl, &profile->file->defaults);
	collect(acl, profile->own);
}

static const struct ini_key *
key_of(const struct acl *acl, enum acl_kind kind, enum acl_part which)
{
	return acl->keys[ACL_KEY(kind, which)];
}

static bool
has_list(const struct acl *acl, enum acl_kind kind)
{
	return key_of(acl, kind, ACL_ALLOW) != NULL ||
	    key_of(acl, kind, ACL_DENY) != NULL;
}

static bool
deny_first(const struct acl *acl, enum acl_kind kind)
{
	const struct ini_key *order = key_of(acl, kind, ACL_ORDER);

	if (order == NULL)
		order = acl->keys[ACL_ANY_ORDER];
	return order == NULL || strcmp(order->value, "allow-deny") != 0;
}

struct account {
	const char *name;
	size_t len;
	char notation;		/* of its domain, or NUL: it has none */
};

/* The "bob" of bob@example.com and of EXAMPLE\bob. */
static struct account
without_domain(const char *name, size_t len)
{
	const char *at = memrchr(name, '@', len);
	const char *backslash = memrchr(name, '\\', len);

	if (backslash != NULL)
		return (struct account){ backslash + 1,
		    (size_t)(name + len - backslash) - 1, '\\' };
	if (at != NULL)
		return (struct account){ name, (size_t)(at - name), '@' };
	return (struct account){ name, len, '\0' };
}

/* In a deny list.  Two names in one notation with different domains are two
 * people; else nobody can tell. */
static bool
may_be_same(const char *item, size_t len, const char *name)
{
	struct account a = without_domain(item, len);
	struct account b = without_domain(name, strlen(name));

	return parse_item_same(item, len, name) || (a.notation != b.notation &&
	    a.len > 0 && parse_same_text(a.name, a.len, b.name, b.len));
}

/* Whether item means name.  In an allow list it must be exactly that; a deny
 * list must not miss because of a capital letter, a missing comma or a
 * domain. */
static bool
matches_name(const char *item, size_t len, const char *name, bool deny)
{
	const char *word = item, *end = item + len;

	if (!deny)
		return parse_item_is(item, len, name);
	if (may_be_same(item, len, name))
		return true;
	for (; item <= end; item++) {
		if (item < end && strchr(" &()", *item) == NULL)
			continue;
		if (may_be_same(word, (size_t)(item - word), name))
			return true;
		word = item + 1;
	}
	return false;
}

static bool
is_all(const char *item, size_t len, bool deny)
{
	return deny ? parse_item_same(item, len, "ALL") :
	    parse_item_is(item, len, "ALL");
}

static bool
matches_group(const struct x2gobroker_user *user, const char *item, size_t len,
    bool deny)
{
	size_t i;

	for (i = 0; i < user->ngroups; i++)
		if (matches_name(item, len, user->groups[i], deny))
			return true;
	return false;
}

/* Whether item means this user, or the client's address without a lookup. */
static bool
matches_item(const struct x2gobroker_user *user, enum acl_kind kind,
    const char *item, size_t len, bool deny)
{
	struct network net;

	if (is_all(item, len, deny))
		return true;
	switch (kind) {
	case ACL_USERS:
		return matches_name(item, len, user->name, deny);
	case ACL_GROUPS:
		return matches_group(user, item, len, deny);
	default:
		return network_parse(item, len, &net) &&
		    network_contains(&net, &user->address);
	}
}

/* Whether a host name in the list is this user's client.  A name that cannot be
 * resolved matches in a deny list only: it denies, and never allows. */
static bool
matches_host_name(const struct x2gobroker_user *user, const char *list,
    bool deny)
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

/* What takes a look-up: host names, and in a deny list numbers, which may be
 * ids.  A group without a name may be any of those that are denied. */
static bool
matches_after_lookup(const struct x2gobroker_user *user, enum acl_kind kind,
    const char *list, bool deny)
{
	if (kind == ACL_CLIENTS)
		return matches_host_name(user, list, deny);
	return deny && (kind == ACL_USERS ? user_has_uid_in(user, list) :
	    user->has_nameless || user_has_gid_in(user, list));
}

/* Whether a list has this user.  Look-ups may take seconds, so they come
 * last. */
static bool
matches_list(const struct acl *acl, enum acl_kind kind, enum acl_part which,
    const struct x2gobroker_user *user)
{
	const struct ini_key *key = key_of(acl, kind, which);
	const char *next = key != NULL ? key->value : "", *item;
	bool deny = which == ACL_DENY;
	size_t len;

	while (parse_next_item(&next, &item, &len))
		if (len > 0 && matches_item(user, kind, item, len, deny))
			return true;
	return key != NULL && matches_after_lookup(user, kind, key->value,
	    deny);
}

/* What the lists of that kind say, and through which key. */
static enum match
match_lists(const struct acl *acl, enum acl_kind kind,
    const struct x2gobroker_user *user, const struct ini_key **rule)
{
	enum acl_part first = deny_first(acl, kind) ? ACL_DENY : ACL_ALLOW;
	enum acl_part second = first == ACL_DENY ? ACL_ALLOW : ACL_DENY;

	*rule = key_of(acl, kind, first);
	if (matches_list(acl, kind, first, user))
		return first == ACL_DENY ? DENIED : ALLOWED;
	if (*rule == NULL || key_of(acl, kind, second) != NULL)
		*rule = key_of(acl, kind, second);
	if (matches_list(acl, kind, second, user))
		return second == ACL_DENY ? DENIED : ALLOWED;
	if (key_of(acl, kind, ACL_ALLOW) != NULL)
		*rule = key_of(acl, kind, ACL_ALLOW);
	return NO_MATCH;
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

/* The verdict of one kind of list, with a sentence if why asks for it. */
static enum x2gobroker_verdict
decide_match(enum match match, enum acl_kind kind,
    struct x2gobroker_error *why, const struct acl *acl,
    const struct ini_key *rule)
{
	bool first = deny_first(acl, kind) == (match == DENIED);
	char sentence[200] = "";

	if (why != NULL && match == NO_MATCH)
		snprintf(sentence, sizeof(sentence), "%s either list, so "
		    "access is denied", phrases[kind].no_match);
	else if (why != NULL)
		snprintf(sentence, sizeof(sentence), "%s the %s list, which "
		    "is checked %s", phrases[kind].match,
		    match == DENIED ? "deny" : "allow",
		    first ? "first" : "second");
	return decide(match == ALLOWED ? X2GOBROKER_ALLOW : X2GOBROKER_DENY,
	    why, acl, rule, sentence);
}

/* The groups come last, as they have to be looked up. */
static enum x2gobroker_verdict
check_groups(const struct acl *acl, struct x2gobroker_user *user,
    struct x2gobroker_error *why)
{
	bool primary = !acl->profile->config->ignore_primary_group_memberships;
	struct x2gobroker_error err;
	const struct ini_key *rule;
	char sentence[120];
	enum match match;

	if (user_need_groups(user, primary, &err) == -1)
		return decide(X2GOBROKER_DENY, why, acl, NULL, err.text);
	match = match_lists(acl, ACL_GROUPS, user, &rule);
	if (match == DENIED && user->has_nameless) {
		user->nameless_denied = true;
		snprintf(sentence, sizeof(sentence), "a group of the user is "
		    "in the deny list, or may be, as gid %u has no name",
		    (unsigned int)user->nameless);
		return decide(X2GOBROKER_DENY, why, acl, rule, sentence);
	}
	return decide_match(match, ACL_GROUPS, why, acl, rule);
}

/* All decisions are made here. */
enum x2gobroker_verdict
x2gobroker_acl_check(const struct x2gobroker_profile *profile,
    struct x2gobroker_user *user, struct x2gobroker_error *why)
{
	const struct ini_key *rule;
	struct acl acl;
	enum match match;

	collect_acl(&acl, profile);
	if (has_list(&acl, ACL_CLIENTS)) {
		if (user->address_text == NULL)
			return decide(X2GOBROKER_DENY, why, &acl, NULL,
			    "acl-clients-*: the client's address is unknown or "
			    "not trusted");
		match = match_lists(&acl, ACL_CLIENTS, user, &rule);
		if (match != ALLOWED)
			return decide_match(match, ACL_CLIENTS, why, &acl,
			    rule);
	}
	if (!has_list(&acl, ACL_USERS) && !has_list(&acl, ACL_GROUPS))
		return decide(X2GOBROKER_ALLOW, why, &acl, NULL,
		    "no acl-users-* and no acl-groups-*, so everyone has "
		    "access");
	if (has_list(&acl, ACL_USERS)) {
		match = match_lists(&acl, ACL_USERS, user, &rule);
		if (match != NO_MATCH || !has_list(&acl, ACL_GROUPS))
			return decide_match(match, ACL_USERS, why, &acl, rule);
	}
	return check_groups(&acl, user, why);
}

int
visible_find(struct visible *visible,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    const char *id, struct x2gobroker_error *why, struct reporter *rep,
    struct x2gobroker_error *err)
{
	size_t i, n = x2gobroker_profiles_count(profiles);
	const struct x2gobroker_error *lost;
	const struct x2gobroker_profile *profile;

	visible->n = 0;
	visible->list = calloc(n + 1, sizeof(*visible->list));
	if (visible->list == NULL)
		return error_nomem(err);
	for (i = 0; i < n; i++) {
		profile = x2gobroker_profiles_get(profiles, i);
		if (x2gobroker_acl_check(profile, user, id != NULL &&
		    strcmp(profile->id, id) == 0 ? why : NULL) ==
		    X2GOBROKER_ALLOW)
			visible->list[visible->n++] = profile;
	}
	lost = error_or_nomem(user->groups_error);
	if (user->groups_failed)
		report(rep, lost->code, lost->file, lost->line,
		    "%s, so profiles with acl-groups-* are hidden",
		    lost->text);
	if (user->nameless_denied)
		report(rep, X2GOBROKER_WARNING, NULL, 0, "the group %u of "
		    "%.100s has no name, so profiles with acl-groups-deny are "
		    "hidden; correct the directory",
		    (unsigned int)user->nameless, user->name);
	return 0;
}

static bool
has_all(const char *list)
{
	const char *item;
	size_t len;

	while (parse_next_item(&list, &item, &len))
		if (is_all(item, len, true))
			return true;
	return false;
}

static void
lint_deny_all(const struct acl *acl, enum acl_kind kind, struct reporter *rep)
{
	const struct ini_key *deny = key_of(acl, kind, ACL_DENY);

	if (deny == NULL || !deny_first(acl, kind) || !has_all(deny->value))
		return;
	report(rep, X2GOBROKER_WARNING, acl->profile->file->path, deny->line,
	    "[%.100s]: %s contains ALL and is checked first, so nobody has "
	    "access; to make exceptions, add %s = allow-deny",
	    acl->profile->id, deny->name, phrases[kind].order);
}

/* The Python broker ignores acl-any-order and uses deny-allow. */
static void
lint_any_order(const struct acl *acl, enum acl_kind kind,
    struct reporter *rep)
{
	if (key_of(acl, kind, ACL_ORDER) != NULL || deny_first(acl, kind) ||
	    key_of(acl, kind, ACL_ALLOW) == NULL ||
	    key_of(acl, kind, ACL_DENY) == NULL)
		return;
	report(rep, X2GOBROKER_WARNING, acl->profile->file->path,
	    acl->keys[ACL_ANY_ORDER]->line, "[%.100s]: the Python broker "
	    "ignores acl-any-order, so it may decide differently; both "
	    "brokers read %s", acl->profile->id, phrases[kind].order);
}

/* The name as the directory spells it, or NULL. */
static const char *
find_name(enum acl_kind kind, const char *name)
{
	const struct passwd *pw;
	const struct group *gr;

	if (kind == ACL_USERS)
		return (pw = getpwnam(name)) != NULL ? pw->pw_name : NULL;
	return (gr = getgrnam(name)) != NULL ? gr->gr_name : NULL;
}

/* A name in an allow list may be for later; one in a deny list that nobody has
 * denies nobody. */
static void
lint_name(const char *path, const struct ini_key *key, const char *name,
    struct reporter *rep)
{
	enum acl_kind kind = (enum acl_kind)(key->row->acl / ACL_NPARTS);
	const char *what = kind == ACL_USERS ? "user" : "group";
	bool deny = key->row->acl % ACL_NPARTS == ACL_DENY;
	bool blanks = strchr(name, ' ') != NULL;
	const char *found = find_name(kind, name);

	if (parse_same_word(name, "ALL"))
		report(rep, X2GOBROKER_WARNING, path, key->line, "%s: \"%s\" "
		    "means %s; write ALL in capitals", key->name, name, deny ?
		    "ALL here" : "a name here, and not ALL");
	else if (found != NULL && strcmp(found, name) != 0)
		report(rep, X2GOBROKER_WARNING, path, key->line, "%s: the "
		    "directory spells \"%.60s\" as \"%.60s\"; write it so",
		    key->name, name, found);
	else if (found == NULL && (deny || blanks))
		report(rep, X2GOBROKER_WARNING, path, key->line, "%s: the "
		    "directory has no %s \"%.60s\"; correct the spelling%s",
		    key->name, what, name, blanks ? ", or put commas between "
		    "the names" : "");
}

/* Warn where it is written, as the log of a request cannot tell a client that
 * is denied by mistake from one that is to be. */
static void
lint_client(const char *path, const struct ini_key *key, const char *name,
    struct reporter *rep)
{
	bool deny = key->row->acl % ACL_NPARTS == ACL_DENY;
	struct network net;

	if (!network_parse(name, strlen(name), &net) &&
	    !address_resolves(name))
		report(rep, X2GOBROKER_WARNING, path, key->line, "%s: the host "
		    "name %.100s cannot be resolved, so it matches %s",
		    key->name, name, deny ? "all clients" : "no client");
}

/* Names that are probably not meant, in the lists of a section. */
static void
lint_names(const char *path, const struct ini_section *section,
    struct reporter *rep)
{
	size_t i = inifile_lower_bound(section, "acl-"), len;
	void (*lint)(const char *, const struct ini_key *, const char *,
	    struct reporter *);
	const struct ini_key *key;
	const char *next, *item;

	for (; i < section->nkeys; i++) {
		key = &section->keys[i];
		if (key->row->type != VALUE_ACL)
			break;
		if (!profile_is_acl_list(key->row->acl))
			continue;
		lint = key->row->acl / ACL_NPARTS == ACL_CLIENTS ?
		    lint_client : lint_name;
		next = key->value;
		while (parse_next_item(&next, &item, &len)) {
			cleanup_free char *name = strndup(item, len);

			if (name != NULL && len > 0 && strcmp(name, "ALL") != 0)
				lint(path, key, name, rep);
		}
	}
}

static void
lint_section(const char *path, const struct ini_section *section,
    struct reporter *rep)
{
	lint_names(path, section, rep);
	profile_lint_keys(path, section, rep);
}

static void
lint_host(const struct x2gobroker_profile *profile, struct reporter *rep)
{
	const struct ini_key *host = profile_find_key(profile, "host");

	if (host == NULL || host->line == 0)
		report(rep, X2GOBROKER_WARNING, profile->file->path,
		    profile->line, "[%.100s]: no host=, so its server is "
		    "localhost; write host=", profile->id);
}

void
x2gobroker_profiles_lint(const struct x2gobroker_profiles *profiles,
    x2gobroker_report *fn, void *arg)
{
	cleanup_free bool *seen = calloc(profiles_count_files(profiles) + 1,
	    sizeof(*seen));
	struct reporter rep = { .fn = fn, .arg = arg };
	const struct x2gobroker_profile *profile;
	const struct profile_file *file;
	struct acl acl;
	size_t i;
	int kind;

	for (i = 0; (profile = x2gobroker_profiles_get(profiles, i)) != NULL;
	    i++) {
		collect_acl(&acl, profile);
		for (kind = 0; kind < ACL_NKINDS; kind++) {
			lint_deny_all(&acl, (enum acl_kind)kind, &rep);
			lint_any_order(&acl, (enum acl_kind)kind, &rep);
		}
		lint_host(profile, &rep);
		profile_lint_numbers(profile, &rep);
		file = profile->file;
		lint_section(file->path, profile->own, &rep);
		if (seen == NULL || seen[file->number])
			continue;
		seen[file->number] = true;
		lint_section(file->path, &file->defaults, &rep);
	}
}
