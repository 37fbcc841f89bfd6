/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One session profile: its keys, their valid values, and the value of a key in
 * a profile.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "client/markers.h"
#include "config/hostlist.h"
#include "config/nearmiss.h"
#include "config/profile.h"

#define NUMBER_MAX	2147483647

#define ACL(kind, part) \
	VALUE_ACL, .acl = ACL_KEY(ACL_##kind, ACL_##part)

/* Sorted by name.  Names and defaults are the Python broker's. */
static const struct profile_key table[] = {
	{ "acl-any-order", VALUE_ACL, .acl = ACL_ANY_ORDER },
	{ "acl-clients-allow", ACL(CLIENTS, ALLOW) },
	{ "acl-clients-deny", ACL(CLIENTS, DENY) },
	{ "acl-clients-order", ACL(CLIENTS, ORDER) },
	{ "acl-groups-allow", ACL(GROUPS, ALLOW) },
	{ "acl-groups-deny", ACL(GROUPS, DENY) },
	{ "acl-groups-order", ACL(GROUPS, ORDER) },
	{ "acl-users-allow", ACL(USERS, ALLOW) },
	{ "acl-users-deny", ACL(USERS, DENY) },
	{ "acl-users-order", ACL(USERS, ORDER) },
	{ "applications", VALUE_LIST, "TERMINAL,WWWBROWSER,MAILCLIENT,OFFICE" },
	{ "autologin", VALUE_BOOL, NULL, .listing = LIST_AT_THE_END },
	{ "broker-agent-hostkey-policy", VALUE_POLICY },
	{ "broker-agent-query-mode", VALUE_MODE },
	{ "broker-authorized-keys", VALUE_TEXT, .listing = LIST_NEVER },
	{ "broker-autologin-key", VALUE_KEY },
	{ "broker-host-limits", VALUE_NUMBERS },
	{ "broker-host-weights", VALUE_NUMBERS },
	{ "broker-portscan-x2goservers", VALUE_BOOL, .listing = LIST_NEVER },
	{ "broker-session-autologin", VALUE_BOOL, .listing = LIST_AT_THE_END },
	{ "broker-sshproxy-authorized-keys", VALUE_TEXT,
	    .listing = LIST_NEVER },
	{ "broker-use-load-checker", VALUE_BOOL, .listing = LIST_NEVER },
	{ "command", VALUE_TEXT, "TERMINAL", .listing = LIST_AT_THE_END },
	{ "default", VALUE_TEXT, NULL, .listing = LIST_NEVER },
	{ "defsndport", VALUE_BOOL, "true" },
	{ "directrdp", VALUE_BOOL, "false" },
	{ "dpi", VALUE_INT, "96", -NUMBER_MAX, NUMBER_MAX },
	{ "export", VALUE_TEXT, "" },
	{ "fstunnel", VALUE_BOOL, "true" },
	{ "fullscreen", VALUE_BOOL, "false" },
	{ "height", VALUE_INT, "600", -NUMBER_MAX, NUMBER_MAX },
	{ "host", VALUE_HOSTS, "localhost" },
	{ "iconvfrom", VALUE_TEXT, "UTF-8" },
	{ "iconvto", VALUE_TEXT, "UTF-8" },
	{ "kdrive", VALUE_BOOL, "false" },
	{ "key", VALUE_TEXT, NULL, .listing = LIST_AT_THE_END },
	{ "layout", VALUE_TEXT, "" },
	{ "multidisp", VALUE_BOOL, "false" },
	{ "name", VALUE_TEXT, NULL },
	{ "pack", VALUE_TEXT, "16m-jpeg" },
	{ "print", VALUE_BOOL, "true" },
	{ "quality", VALUE_INT, "9", -NUMBER_MAX, NUMBER_MAX },
	{ "rootless", VALUE_BOOL, "true", .listing = LIST_AT_THE_END },
	{ "setdpi", VALUE_FLAG, "0" },
	{ "sndport", VALUE_INT, "4713", -NUMBER_MAX, NUMBER_MAX },
	{ "sound", VALUE_BOOL, "true" },
	{ "soundsystem", VALUE_TEXT, "pulse" },
	{ "soundtunnel", VALUE_BOOL, "true" },
	{ "speed", VALUE_INT, "2", -NUMBER_MAX, NUMBER_MAX },
	{ "sshport", VALUE_INT, "22", 1, 65535 },
	{ "sshproxyhost", VALUE_TEXT, NULL, .listing = LIST_WITH_PROXY },
	{ "sshproxyport", VALUE_INT, "22", 1, 65535,
	    .listing = LIST_WITH_PROXY },
	{ "type", VALUE_TEXT, "auto" },
	{ "usebrokerpass", VALUE_BOOL, NULL },
	{ "useexports", VALUE_BOOL, "true" },
	{ "useiconv", VALUE_BOOL, "false" },
	{ "usekbd", VALUE_BOOL, "true" },
	{ "user", VALUE_TEXT, "BROKER_USER" },
	{ "variant", VALUE_TEXT, "" },
	{ "width", VALUE_INT, "800", -NUMBER_MAX, NUMBER_MAX },
	{ "xinerama", VALUE_BOOL, "true" },
};

#define NKEYS	(sizeof(table) / sizeof(table[0]))

const struct profile_key *
profile_key(size_t i)
{
	return i < NKEYS ? &table[i] : NULL;
}

#define CONTINUED_SIZE	64	/* no known key is so long */

/* Rows for all other keys. */
static const struct profile_key misspelt_key = { .type = VALUE_TEXT,
    .listing = LIST_NEVER };
static const struct profile_key unknown_broker_key = { .type = VALUE_TEXT,
    .listing = LIST_NEVER };
static const struct profile_key client_key = { .type = VALUE_TEXT };

static int
compare_name(const void *name, const void *key)
{
	return strcmp(name, ((const struct profile_key *)key)->name);
}

const struct profile_key *
profile_row(const char *name)
{
	const struct profile_key *row = bsearch(name, table, NKEYS,
	    sizeof(table[0]), compare_name);

	if (row != NULL)
		return row;
	if (nearmiss_is_client_key(name))
		return &client_key;
	if (nearmiss_is_access_list(name) ||
	    nearmiss_find(name, "broker-") != NULL)
		return &misspelt_key;
	return strncasecmp(name, "broker", 6) == 0 && name[6] != '\0' &&
	    strchr("-_.", name[6]) != NULL ? &unknown_broker_key : &client_key;
}

const struct ini_key *
profile_find_key(const struct x2gobroker_profile *profile, const char *name)
{
	const struct ini_key *key = inifile_find(profile->own, name);

	return key != NULL ? key : inifile_find(&profile->file->defaults, name);
}

unsigned int
profile_key_line(const struct x2gobroker_profile *profile, const char *name)
{
	const struct ini_key *key = profile_find_key(profile, name);

	return key != NULL && key->line != 0 ? key->line : profile->line;
}

bool
profile_is_not_set(const char *value)
{
	return strcmp(value, "not-set") == 0;
}

const char *
x2gobroker_profile_value(const struct x2gobroker_profile *profile,
    const char *name)
{
	const struct ini_key *key = profile_find_key(profile, name);

	return key == NULL || profile_is_not_set(key->value) ? NULL :
	    key->value;
}

bool
profile_bool(const struct x2gobroker_profile *profile, const char *name,
    bool fallback)
{
	const char *value = x2gobroker_profile_value(profile, name);
	bool flag;

	return value != NULL && parse_bool(value, &flag) ? flag :
	    fallback;
}

const char *
x2gobroker_profile_id(const struct x2gobroker_profile *profile)
{
	return profile->id;
}

const char *
x2gobroker_profile_file(const struct x2gobroker_profile *profile)
{
	return profile->file->path;
}

unsigned int
x2gobroker_profile_line(const struct x2gobroker_profile *profile)
{
	return profile->line;
}

/* Report the errors of a host= key, of a profile or of [DEFAULT]. */
static void
check_hosts(const char *path, const struct ini_key *key, struct reporter *rep)
{
	const char *text = key->value;
	struct x2gobroker_error err;
	struct host host;
	size_t usable = 0, n = 0;
	int more;

	for (; (more = hostlist_next(&text, &host, &err)) == 1; n++)
		if (host_for_client(&host) != NULL)
			usable++;
		else
			report(rep, X2GOBROKER_WARNING, path, key->line,
			    "host %s: X2Go clients cannot connect to an IPv6 "
			    "address; give the server a name", host.name);
	if (n == 0 && more == 0)
		more = hostlist_no_server(&err);
	if (more == -1)
		report(rep, err.code, path, key->line, "%s", err.text);
	else if (usable == 0)
		report(rep, X2GOBROKER_ERR_VALUE, path, key->line,
		    "host: no server that X2Go clients can connect to");
}

/* The word that the key name has in the profile, as an index in words, or else
 * the backend's own (its index + 1) or the global one. */
static int
find_word(const struct x2gobroker_profile *profile, const char *name,
    const char *const *words, int own, int global)
{
	const char *value = x2gobroker_profile_value(profile, name);
	int n = value != NULL ? config_find_word(words, value) : -1;

	if (n != -1)
		return n;
	return own > 0 ? own - 1 : global;
}

enum query_mode
profile_query_mode(const struct x2gobroker_profile *profile)
{
	const struct x2gobroker_config *config = profile->config;

	return (enum query_mode)find_word(profile, "broker-agent-query-mode",
	    query_modes, config->backends[config->backend].query_mode,
	    config->default_agent_query_mode);
}

enum hostkey_policy
profile_hostkey_policy(const struct x2gobroker_profile *profile)
{
	const struct x2gobroker_config *config = profile->config;

	return (enum hostkey_policy)find_word(profile,
	    "broker-agent-hostkey-policy", hostkey_policies,
	    config->backends[config->backend].hostkey_policy,
	    config->default_agent_hostkey_policy);
}

bool
profile_is_shadow(const struct x2gobroker_profile *profile)
{
	const char *command = x2gobroker_profile_value(profile, "command");

	return command != NULL && parse_same_word(command, "SHADOW");
}

const char *
profile_value_for(const char *name, const char *value, const char *user)
{
	return value != NULL && strcmp(name, "user") == 0 &&
	    (*value == '\0' || strcmp(value, "BROKER_USER") == 0) ? user :
	    value;
}

const char *
x2gobroker_profile_value_for(const struct x2gobroker_profile *profile,
    const char *name, const char *user)
{
	return profile_value_for(name, x2gobroker_profile_value(profile, name),
	    user);
}

const char *
profile_login(const struct x2gobroker_profile *profile, const char *user)
{
	const char *login = profile_value_for("user",
	    x2gobroker_profile_value(profile, "user"), user);

	return login == NULL ? user : login;
}

bool
profile_login_is_own(const struct x2gobroker_profile *profile,
    const char *user)
{
	return strcmp(profile_login(profile, user), user) == 0;
}

/* Merge the [DEFAULT] sections, as configparser does. */
static bool
collect_defaults(struct ini_section *own, struct inifile *ini)
{
	const struct ini_section *section;
	size_t i, n = 0;

	*own = (struct ini_section){ .name = "DEFAULT" };
	for (i = 0; i < ini->nsections; i++)
		if (strcmp(ini->sections[i].name, "DEFAULT") == 0)
			n += ini->sections[i].nkeys;
	if (n == 0)
		return true;
	own->keys = arena_alloc(&ini->arena, n * sizeof(*own->keys));
	if (own->keys == NULL)
		return false;
	for (i = 0; i < ini->nsections; i++) {
		section = &ini->sections[i];
		if (strcmp(section->name, "DEFAULT") != 0 ||
		    section->nkeys == 0)
			continue;
		memcpy(own->keys + own->nkeys, section->keys,
		    section->nkeys * sizeof(*section->keys));
		own->nkeys += section->nkeys;
	}
	inifile_sort(own);
	return true;
}

/* Merge the file's own defaults and the built-in ones that they do not replace;
 * both are sorted, and so is the result. */
static bool
merge_defaults(struct ini_section *defaults, const struct ini_section *own,
    struct arena *arena)
{
	struct ini_key *keys = arena_alloc(arena, (own->nkeys + NKEYS) *
	    sizeof(*keys));
	size_t i = 0, j, n = 0;

	if (keys == NULL)
		return false;
	for (j = 0; j < NKEYS; j++) {
		while (i < own->nkeys &&
		    strcmp(own->keys[i].name, table[j].name) <= 0)
			keys[n++] = own->keys[i++];
		if (table[j].initial == NULL || (n > 0 &&
		    strcmp(keys[n - 1].name, table[j].name) == 0))
			continue;
		keys[n++] = (struct ini_key){
			.name = table[j].name,
			.value = table[j].initial,
			.row = &table[j],
		};
	}
	while (i < own->nkeys)
		keys[n++] = own->keys[i++];
	*defaults = (struct ini_section){ .name = "DEFAULT", .keys = keys,
	    .nkeys = n };
	return true;
}

bool
profile_file_defaults(struct profile_file *file, struct inifile *ini,
    struct reporter *rep)
{
	const struct ini_key *host;
	struct ini_section own;

	if (!collect_defaults(&own, ini))
		return false;
	profile_check(ini, &own, NULL, rep);
	host = inifile_find(&own, "host");
	if (host != NULL && !profile_is_not_set(host->value))
		check_hosts(ini->path, host, rep);
	return merge_defaults(&file->defaults, &own, &ini->arena);
}

/* Whether the client's INI reader accepts name as a key, unchanged. */
static bool
is_key_name(const char *name)
{
	const char *start = name;

	for (; *name != '\0'; name++) {
		char c = parse_upper(*name);

		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '-' && c != '_' && c != '.')
			return false;
	}
	return markers_find(start, strlen(start)) == NULL;
}

/* Nearly all text is, and such text is valid. */
static bool
is_printable_ascii(const char *text)
{
	while (*text >= 0x20 && *text < 0x7f)
		text++;
	return *text == '\0';
}

static bool
is_utf8(const char *text)
{
	const char *end = text + strlen(text);
	uint32_t cp;
	size_t n;

	for (; text < end; text += n)
		if ((n = utf8_decode(text, (size_t)(end - text), &cp)) == 0)
			return false;
	return true;
}

/* Returns NULL if the value of key is valid, or else the reason, which may be
 * in buf.  Sets *code to another one than X2GOBROKER_ERR_VALUE if it is not the
 * value's fault. */
static const char *
check_value(const struct ini_key *key, enum x2gobroker_code *code, char *buf,
    size_t size)
{
	const char *value = key->value;
	struct x2gobroker_error err;
	bool flag;
	int n;

	switch (key->row->type) {
	case VALUE_TEXT:
	case VALUE_HOSTS:	/* profile_check_whole() reads them */
		return NULL;
	case VALUE_BOOL:
		return parse_bool(value, &flag) ? NULL :
		    "neither true nor false";
	case VALUE_INT:
		return parse_int(value, key->row->min, key->row->max,
		    &n) ? NULL : "not a number, or out of range";
	case VALUE_FLAG:
		return parse_bool(value, &flag) ||
		    parse_int(value, -NUMBER_MAX, NUMBER_MAX, &n) ?
		    NULL : "neither true, false nor a number";
	case VALUE_LIST:
		return *value != '[' || value[strlen(value) - 1] != ']' ?
		    NULL : "lists in Python notation are not "
		    "supported; write a,b,c";
	case VALUE_MODE:
		return config_find_word(query_modes, value) != -1 ? NULL :
		    "neither NONE, LOCAL nor SSH";
	case VALUE_POLICY:
		return config_find_word(hostkey_policies, value) != -1 ?
		    NULL : "neither RejectPolicy, WarningPolicy nor "
		    "AutoAddPolicy";
	case VALUE_KEY:
		return config_find_word(login_keys, value) != -1 ? NULL :
		    "neither new nor own";
	case VALUE_NUMBERS:
		if (hostnumbers_check(key->row->name, value, &err) == 0)
			return NULL;
		*code = err.code;
		snprintf(buf, size, "%s", err.text);
		return buf;
	case VALUE_ACL:
		return profile_check_acl(key->row->acl, value, buf, size);
	}
	return NULL;
}

/* A key that is not known, but was meant to be. */
static void
report_misspelt(const char *path, const char *name, unsigned int line,
    struct reporter *rep)
{
	bool access = nearmiss_is_access_list(name);
	const char *meant = nearmiss_find(name, access ? "acl-" : "broker-");

	report(rep, X2GOBROKER_ERR_VALUE, path, line, "%.60s: unknown key, "
	    "%s; %s%s%ssee x2gobroker-sessionprofiles(5)",
	    name, access ? "so it is not known who may see this profile" :
	    "but similar to one for the broker", meant != NULL ?
	    "write " : "", meant != NULL ? meant : "", meant != NULL ?
	    ", or " : "");
}

/* Was the line meant as a key or as a section?  If so, copy its name and return
 * X2GOBROKER_WARNING, or an error where it could hide or open the profile. */
static enum x2gobroker_code
judge_continuation(const char *line, char name[static CONTINUED_SIZE])
{
	const struct profile_key *row;
	size_t len = strcspn(line, *line == '[' ? "]\n" : "=:\n");

	if (line[len] == '\0' || line[len] == '\n' || len >= CONTINUED_SIZE - 1)
		return X2GOBROKER_OK;
	strlcpy(name, line, len + (*line == '[' ? 2 : 1));
	if (*line == '[')
		return X2GOBROKER_WARNING;
	while (len > 0 && name[len - 1] == ' ')
		name[--len] = '\0';
	row = profile_row(name);
	if (row == &misspelt_key || row->type == VALUE_ACL ||
	    (row->name != NULL && strncmp(name, "broker-", 7) == 0))
		return X2GOBROKER_ERR_VALUE;
	return row->name != NULL || nearmiss_is_client_key(name) ?
	    X2GOBROKER_WARNING : X2GOBROKER_OK;
}

/* Report lines that were meant as keys or sections, but continue the value of
 * key as they are indented. */
static void
check_continuation(const struct inifile *ini, const struct ini_key *key,
    struct reporter *rep)
{
	enum x2gobroker_code code;
	const char *line = key->value;
	char name[CONTINUED_SIZE];

	while ((line = strchr(line, '\n')) != NULL) {
		code = judge_continuation(++line, name);
		if (code != X2GOBROKER_OK)
			report(rep, code, ini->path, key->line,
			    "%s: a line with \"%s\" is indented, so it is part "
			    "of this value; remove the blanks before it",
			    key->name, name);
	}
}

/* The row of a key.  Thousands of profiles can have the same unknown one, and
 * comparing it with all known ones takes long; so look at the section
 * before. */
static const struct profile_key *
find_row(const char *name, const struct ini_section *before)
{
	const struct ini_key *key = before != NULL ?
	    inifile_find(before, name) : NULL;

	return key != NULL && key->row != NULL ? key->row : profile_row(name);
}

/* Find the row of key, and report its errors. */
static void
check_key(const struct inifile *ini, struct ini_key *key,
    const struct ini_section *before, struct reporter *rep)
{
	enum x2gobroker_code code = X2GOBROKER_ERR_VALUE;
	bool plain = is_printable_ascii(key->value);
	char buf[X2GOBROKER_TEXT_SIZE];
	const char *wrong;

	key->row = find_row(key->name, before);
	/* the names in the table are valid */
	if (key->row->name == NULL && !is_key_name(key->name)) {
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "\"%.100s\" is not a valid key: use letters, digits, "
		    "'-', '_' and '.'", key->name);
		return;
	}
	if (!plain && !is_utf8(key->value)) {
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "%s: the value is not UTF-8; convert the file with "
		    "iconv(1)", key->name);
		return;
	}
	if (!plain && inifile_has_control(key->value, strlen(key->value),
	    "\n\t")) {
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "%s: the value contains a control character; remove it",
		    key->name);
		return;
	}
	if (key->row == &misspelt_key) {
		report_misspelt(ini->path, key->name, key->line, rep);
		return;
	}
	if (key->row == &unknown_broker_key)
		report(rep, X2GOBROKER_WARNING, ini->path, key->line,
		    "%.100s: unknown key, ignored", key->name);
	check_continuation(ini, key, rep);
	if (profile_is_not_set(key->value) && key->row->type != VALUE_ACL)
		return;
	if ((wrong = check_value(key, &code, buf, sizeof(buf))) != NULL)
		report(rep, code, ini->path, key->line, "%s = %.100s: %s",
		    key->name, key->value, wrong);
}

/* An id travels to the client as the name of an INI section and comes back
 * between two '"'. */
static const char *
check_id(const char *id)
{
	size_t len = strlen(id);

	if (!is_utf8(id))
		return "is not UTF-8; convert the file with iconv(1)";
	if (strpbrk(id, "/;%[]\"\\") != NULL)
		return "contains one of / ; % [ ] \" \\, which X2Go clients do "
		    "not accept in the id of a profile";
	if (parse_same_word(id, "General"))
		return "is reserved by the X2Go client";
	if (inifile_has_control(id, len, ""))
		return "contains a control character";
	if (id[0] == ' ' || id[len - 1] == ' ')
		return "begins or ends with a blank, which the X2Go client "
		    "removes";
	if (markers_find(id, len) != NULL)
		return "contains a word of the broker protocol";
	return NULL;
}

unsigned int
profile_check(const struct inifile *ini, const struct ini_section *section,
    const struct ini_section *before, struct reporter *rep)
{
	unsigned int errors = rep->errors;
	const char *wrong;
	size_t i;

	if (strcmp(section->name, "DEFAULT") != 0 &&
	    (wrong = check_id(section->name)) != NULL)
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, section->line,
		    "[%.100s]: the id %s", section->name, wrong);
	inifile_report_duplicates(ini, section, rep);
	for (i = 0; i < section->nkeys; i++)
		check_key(ini, &section->keys[i], before, rep);
	return rep->errors - errors;
}

void
profile_lint_keys(const char *path, const struct ini_section *section,
    struct reporter *rep)
{
	const struct ini_key *key;
	const char *meant;
	size_t i;

	for (i = 0; i < section->nkeys; i++) {
		key = &section->keys[i];
		if (key->row != &client_key || nearmiss_is_client_key(
		    key->name) || (meant = nearmiss_find(key->name, "")) ==
		    NULL)
			continue;
		report(rep, X2GOBROKER_WARNING, path, key->line,
		    "%.100s: unknown key, passed to the client; did you mean "
		    "%s?", key->name, meant);
	}
}

struct numbers {
	const struct x2gobroker_profile *profile;
	const struct ini_key *key;
	const struct host *hosts;
	size_t n;
	struct reporter *rep;
};

static void
lint_number(void *arg, const char *name, int number __attribute__((unused)))
{
	const struct numbers *all = arg;

	if (hostlist_match(all->hosts, all->n, name) == NULL)
		report(all->rep, X2GOBROKER_WARNING, all->profile->file->path,
		    all->key->line, "[%.100s]: %s: the number of %.100s is "
		    "ignored, as host= has no server, or more than one, of "
		    "this name; write it as in host=, or remove it",
		    all->profile->id, all->key->name, name);
}

/* Those of [DEFAULT] may be for the servers of all profiles; and "localhost"
 * stands for the name of this host. */
void
profile_lint_numbers(const struct x2gobroker_profile *profile,
    struct reporter *rep)
{
	const char *text = x2gobroker_profile_value(profile, "host");
	const struct ini_section *own = profile->own;
	cleanup_free struct host *hosts = NULL;
	size_t i, n;

	if (text == NULL || hostlist_parse(text, &hosts, &n, NULL) == -1)
		return;
	for (i = 0; i < n; i++)
		if (hostlist_match(&hosts[i], 1, "localhost") != NULL)
			return;
	for (i = 0; i < own->nkeys; i++)
		if (own->keys[i].row->type == VALUE_NUMBERS &&
		    !profile_is_not_set(own->keys[i].value))
			hostnumbers_parse(own->keys[i].name,
			    own->keys[i].value, lint_number,
			    &(struct numbers){ profile, &own->keys[i], hosts,
			    n, rep }, NULL);
}

void
profile_check_whole(const struct x2gobroker_profile *profile,
    struct reporter *rep)
{
	const struct ini_key *host = inifile_find(profile->own, "host");
	struct x2gobroker_error err;

	/* an inherited one has been checked with the defaults */
	if (host != NULL && !profile_is_not_set(host->value))
		check_hosts(profile->file->path, host, rep);
	else if (x2gobroker_profile_value(profile, "host") == NULL) {
		hostlist_no_server(&err);
		report(rep, err.code, profile->file->path,
		    profile_key_line(profile, "host"), "[%.100s]: %s",
		    profile->id, err.text);
	}
	if (x2gobroker_profile_value(profile, "name") == NULL)
		report(rep, X2GOBROKER_WARNING, profile->file->path,
		    profile->line, "[%.100s]: no name=, so its button has no "
		    "text", profile->id);
}
