/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One session profile: the keys that there are, what their values may be, and
 * what a profile says for a key.
 */
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "cleanup.h"
#include "hostlist.h"
#include "profile.h"
#include "protocol.h"
#include "utf8.h"
#include "value.h"

#define NUMBER_MAX	2147483647

/* Sorted by name.  Names and defaults are the Python broker's. */
static const struct profile_key table[] = {
	{ "applications", VALUE_LIST, "TERMINAL,WWWBROWSER,MAILCLIENT,OFFICE" },
	{ "autologin", VALUE_TEXT, NULL },
	{ "broker-agent-hostkey-policy", VALUE_TEXT, NULL },
	{ "broker-agent-query-mode", VALUE_MODE, NULL },
	{ "broker-authorized-keys", VALUE_TEXT, NULL },
	{ "broker-portscan-x2goservers", VALUE_BOOL, NULL },
	{ "broker-session-autologin", VALUE_BOOL, NULL },
	{ "broker-sshproxy-authorized-keys", VALUE_TEXT, NULL },
	{ "broker-use-load-checker", VALUE_BOOL, NULL },
	{ "command", VALUE_TEXT, "TERMINAL" },
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
	{ "layout", VALUE_TEXT, "" },
	{ "multidisp", VALUE_BOOL, "false" },
	{ "name", VALUE_TEXT, NULL },
	{ "pack", VALUE_TEXT, "16m-jpeg" },
	{ "print", VALUE_BOOL, "true" },
	{ "quality", VALUE_INT, "9", -NUMBER_MAX, NUMBER_MAX },
	{ "rootless", VALUE_BOOL, "true" },
	{ "setdpi", VALUE_FLAG, "0" },
	{ "sndport", VALUE_INT, "4713", -NUMBER_MAX, NUMBER_MAX },
	{ "sound", VALUE_BOOL, "true" },
	{ "soundsystem", VALUE_TEXT, "pulse" },
	{ "soundtunnel", VALUE_BOOL, "true" },
	{ "speed", VALUE_INT, "2", -NUMBER_MAX, NUMBER_MAX },
	{ "sshport", VALUE_INT, "22", 1, 65535 },
	{ "sshproxyhost", VALUE_TEXT, NULL },
	{ "sshproxyport", VALUE_INT, "22", 1, 65535 },
	{ "type", VALUE_TEXT, "auto" },
	{ "usebrokerpass", VALUE_TEXT, NULL },
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

static int
compare_name(const void *name, const void *key)
{
	return strcmp(name, ((const struct profile_key *)key)->name);
}

const struct profile_key *
profile_key_find(const char *name)
{
	return bsearch(name, table, NKEYS, sizeof(table[0]), compare_name);
}

const struct ini_key *
profile_find_key(const struct x2gobroker_profile *profile, const char *name)
{
	const struct ini_key *key = inifile_find(profile->own, name);

	if (key == NULL)
		key = inifile_find(profile->file_defaults, name);
	return key;
}

unsigned int
profile_key_line(const struct x2gobroker_profile *profile, const char *name)
{
	const struct ini_key *key = profile_find_key(profile, name);

	return key != NULL ? key->line : profile->line;
}

/* not-set takes a key away, also one that a default has put there. */
static const char *
unless_not_set(const char *value)
{
	return value != NULL && strcmp(value, "not-set") == 0 ? NULL : value;
}

const char *
x2gobroker_profile_value(const struct x2gobroker_profile *profile,
    const char *name)
{
	const struct ini_key *key = profile_find_key(profile, name);
	const struct profile_key *known;

	if (key != NULL)
		return unless_not_set(key->value);
	known = profile_key_find(name);
	return known != NULL ? known->initial : NULL;
}

bool
profile_bool(const struct x2gobroker_profile *profile, const char *name,
    bool fallback)
{
	const char *value = x2gobroker_profile_value(profile, name);
	bool flag;

	return value != NULL && value_parse_bool(value, &flag) ? flag :
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
	return profile->file;
}

unsigned int
x2gobroker_profile_line(const struct x2gobroker_profile *profile)
{
	return profile->line;
}

/* The name that section has at *i, or NULL at its end. */
static const char *
name_at(const struct ini_section *section, size_t i)
{
	return i < section->nkeys ? section->keys[i].name : NULL;
}

/* The smaller of two names, of which either may be NULL. */
static const char *
smaller(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return strcmp(a, b) <= 0 ? a : b;
}

static bool
take(const char *name, const char *smallest, size_t *i)
{
	if (name == NULL || strcmp(name, smallest) != 0)
		return false;
	(*i)++;
	return true;
}

bool
profile_next(const struct x2gobroker_profile *profile,
    struct profile_walk *walk, const char **name, const char **value)
{
	const char *own, *def, *builtin;

	for (;;) {
		while (walk->builtin < NKEYS &&
		    table[walk->builtin].initial == NULL)
			walk->builtin++;
		own = name_at(profile->own, walk->own);
		def = name_at(profile->file_defaults, walk->file_defaults);
		builtin = walk->builtin < NKEYS ?
		    table[walk->builtin].name : NULL;
		*name = smaller(own, smaller(def, builtin));
		if (*name == NULL)
			return false;
		/* the nearest place is asked last, and wins */
		if (take(builtin, *name, &walk->builtin))
			*value = table[walk->builtin - 1].initial;
		if (take(def, *name, &walk->file_defaults))
			*value = profile->file_defaults->
			    keys[walk->file_defaults - 1].value;
		if (take(own, *name, &walk->own))
			*value = profile->own->keys[walk->own - 1].value;
		if (unless_not_set(*value) != NULL)
			return true;
	}
}

/* Whether the client's INI reader takes name for a key, as it is. */
static bool
is_key_name(const char *name)
{
	for (; *name != '\0'; name++) {
		char c = value_upper(*name);

		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
		    c != '-' && c != '_' && c != '.')
			return false;
	}
	return true;
}

static bool
is_utf8(const char *text)
{
	size_t len = strlen(text), n;
	uint32_t cp;

	for (; len > 0; text += n, len -= n)
		if ((n = utf8_decode(text, len, &cp)) == 0)
			return false;
	return true;
}

/* What is wrong with value for a key of that kind, or NULL. */
static const char *
wrong_value(const struct profile_key *known, const char *value)
{
	bool flag;
	int n;

	switch (known->type) {
	case VALUE_TEXT:
		return NULL;
	case VALUE_BOOL:
		return value_parse_bool(value, &flag) ? NULL :
		    "neither true nor false";
	case VALUE_INT:
		return value_parse_int(value, known->min, known->max, &n) ?
		    NULL : "not a number, or out of range";
	case VALUE_FLAG:
		return value_parse_bool(value, &flag) ||
		    value_parse_int(value, -NUMBER_MAX, NUMBER_MAX, &n) ?
		    NULL : "neither true, false nor a number";
	case VALUE_LIST:
	case VALUE_HOSTS:	/* hosts are read by hostlist_parse() */
		return *value != '[' || value[strlen(value) - 1] != ']' ||
		    known->type == VALUE_HOSTS ? NULL :
		    "a list in Python's notation is not read; write a,b,c";
	case VALUE_MODE:
		return value_same_word(value, "NONE") ||
		    value_same_word(value, "LOCAL") ||
		    value_same_word(value, "SSH") ? NULL :
		    "neither NONE, LOCAL nor SSH";
	}
	return NULL;
}

/* Report what is wrong with one key, wherever it stands. */
static void
check_key(const struct inifile *ini, const struct ini_key *key,
    struct reporter *rep)
{
	const struct profile_key *known = profile_key_find(key->name);
	const char *wrong = NULL;
	char buf[X2GOBROKER_TEXT_SIZE];
	bool is_acl;

	if (!is_key_name(key->name)) {
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "\"%.100s\" is no name of a key: letters, digits, '-', "
		    "'_' and '.' are", key->name);
		return;
	}
	if (!is_utf8(key->value)) {
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "%s: the value is not UTF-8; convert the file with "
		    "iconv(1)", key->name);
		return;
	}
	if (strcmp(key->value, "not-set") == 0)
		return;
	if (strncmp(key->name, "acl-", 4) == 0)
		wrong = acl_check_value(key->name, key->value, &is_acl, buf,
		    sizeof(buf));
	else if (known != NULL)
		wrong = wrong_value(known, key->value);
	else if (strncmp(key->name, "broker-", 7) == 0)
		report(rep, X2GOBROKER_WARNING, ini->path, key->line,
		    "%.100s: no such key; not used", key->name);
	if (wrong != NULL)
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "%s = %.100s: %s", key->name, key->value, wrong);
}

/* An id travels to the client as the name of an INI section and comes back
 * between two '"'. */
static const char *
wrong_id(const char *id)
{
	size_t len = strlen(id);

	if (!is_utf8(id))
		return "is not UTF-8; convert the file with iconv(1)";
	if (strpbrk(id, "/;%[]\"\\") != NULL)
		return "has a character that the X2Go client cannot take in "
		    "the id of a profile: none of / ; % [ ] \" \\ can be";
	if (value_same_word(id, "General"))
		return "is a name that the X2Go client keeps for itself";
	if (id[0] == ' ' || id[len - 1] == ' ' || strchr(id, '\t') != NULL)
		return "begins or ends with a blank, which the X2Go client "
		    "drops";
	if (protocol_find_word(id, len) != NULL)
		return "holds a word of the broker's protocol";
	return NULL;
}

unsigned int
profile_check(const struct inifile *ini, const struct ini_section *section,
    struct reporter *rep)
{
	unsigned int before = rep->errors;
	const char *wrong;
	size_t i;

	if (strcmp(section->name, "DEFAULT") != 0 &&
	    (wrong = wrong_id(section->name)) != NULL)
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, section->line,
		    "[%.100s]: the id %s", section->name, wrong);
	inifile_report_duplicates(ini, section, rep);
	for (i = 0; i < section->nkeys; i++)
		check_key(ini, &section->keys[i], rep);
	return rep->errors - before;
}

void
profile_check_whole(const struct x2gobroker_profile *profile,
    struct reporter *rep)
{
	const char *value = x2gobroker_profile_value(profile, "host");
	cleanup_free struct host *hosts = NULL;
	struct x2gobroker_error err;
	size_t n, i, usable = 0;

	if (hostlist_parse(value != NULL ? value : "", &hosts, &n, &err) ==
	    -1) {
		report(rep, err.code, profile->file,
		    profile_key_line(profile, "host"), "[%.100s]: %s",
		    profile->id, err.text);
		return;
	}
	for (i = 0; i < n; i++)
		if (host_for_client(&hosts[i]) != NULL)
			usable++;
		else
			report(rep, X2GOBROKER_WARNING, profile->file,
			    profile_key_line(profile, "host"),
			    "[%.100s]: host %s: the X2Go client cannot be "
			    "told an IPv6 address; give the server a name",
			    profile->id, hosts[i].name);
	if (usable == 0)
		report(rep, X2GOBROKER_ERR_VALUE, profile->file,
		    profile_key_line(profile, "host"), "[%.100s]: host: no "
		    "server that the X2Go client could be told", profile->id);
	if (x2gobroker_profile_value(profile, "name") == NULL)
		report(rep, X2GOBROKER_WARNING, profile->file, profile->line,
		    "[%.100s]: no name=, so its button has no text",
		    profile->id);
}
