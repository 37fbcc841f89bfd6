/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_PROFILE_H
#define CONFIG_PROFILE_H

#include "config/config.h"
#include "config/inifile.h"

/* The acl- keys: for each kind of list an allow list, a deny list and their
 * order.  access/acl.c decides by them. */
enum acl_kind { ACL_CLIENTS, ACL_USERS, ACL_GROUPS, ACL_NKINDS };
enum acl_part { ACL_ALLOW, ACL_DENY, ACL_ORDER, ACL_NPARTS };

#define ACL_KEY(kind, part)	((int)(kind) * ACL_NPARTS + (int)(part))

enum {
	ACL_ANY_ORDER = ACL_NKINDS * ACL_NPARTS, /* the default of all orders */
	ACL_NKEYS
};

/* What all profiles of a file share. */
struct profile_file {
	const char *path;
	size_t number;		/* from 0, in the order of reading */
	/* the built-in defaults, replaced by those of [DEFAULT], sorted by
	 * name; a built-in key has line 0 */
	struct ini_section defaults;
};

/* A profile's keys come from its own section, or else from its file's
 * defaults. */
struct x2gobroker_profile {
	const char *id;
	const struct profile_file *file;
	unsigned int line;
	const struct x2gobroker_config *config;
	const struct ini_section *own;
	bool withheld;		/* has an error, so it is not served */
};

enum value_type {
	VALUE_TEXT,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_FLAG,	/* a boolean that may be written as a number */
	VALUE_LIST,
	VALUE_HOSTS,
	VALUE_MODE,	/* an agent query mode */
	VALUE_POLICY,	/* what to do about host keys */
	VALUE_KEY,	/* which key is for a login */
	VALUE_NUMBERS,	/* NAME:NUMBER,... */
	VALUE_ACL,	/* this and the four above are never listed */
};

/* What a listing does with a key. */
enum listing {
	LIST_AS_IT_IS,
	LIST_NEVER,	/* only the broker uses it */
	LIST_AT_THE_END,	/* it depends on other keys */
	LIST_WITH_PROXY,	/* behind these: sshproxyhost, sshproxyport */
};

/* A key that this broker knows; others are sent to the client as text. */
struct profile_key {
	const char *name;
	enum value_type type;
	const char *initial;	/* built-in default, or NULL */
	int min, max;		/* of VALUE_INT */
	enum listing listing;
	int acl;		/* of VALUE_ACL: which */
};

/* Row i of the table of keys, sorted by name, or NULL past the end. */
const struct profile_key *profile_key(size_t i);

/* The row for a key of that name, or the one for all unknown keys of its kind,
 * whose name is NULL. */
const struct profile_key *profile_row(const char *name);

/* The key, from the profile or its file's defaults, or NULL. */
const struct ini_key *profile_find_key(const struct x2gobroker_profile *profile,
	    const char *name);
unsigned int profile_key_line(const struct x2gobroker_profile *profile,
	    const char *name);

/* Whether value unsets its key, which may have a default. */
bool	profile_is_not_set(const char *value);

/* A boolean key, or fallback where it is not set. */
bool	profile_bool(const struct x2gobroker_profile *profile,
	    const char *name, bool fallback);

/* How the servers of a profile are asked, by itself, its backend or the global
 * default. */
enum query_mode profile_query_mode(const struct x2gobroker_profile *profile);
enum hostkey_policy profile_hostkey_policy(
	    const struct x2gobroker_profile *profile);

/* Whether it shows another user's desktop instead of starting a session. */
bool	profile_is_shadow(const struct x2gobroker_profile *profile);

/* The account that user logs in as on the servers: that of user=, if it is set,
 * or else the user's own. */
const char *profile_login(const struct x2gobroker_profile *profile,
	    const char *user);

/* Is that the user's own account? */
bool	profile_login_is_own(const struct x2gobroker_profile *profile,
	    const char *user);

/* Fill in file->defaults from the sections [DEFAULT] of ini, whose memory it
 * uses, and the built-in ones.  Reports their errors; returns false if memory
 * is out. */
bool	profile_file_defaults(struct profile_file *file, struct inifile *ini,
	    struct reporter *rep);

/* Report the errors of section, which is a profile or a [DEFAULT].  before is a
 * section that has been checked and probably has the same keys, or NULL.
 * Returns the number of errors that withhold it. */
unsigned int profile_check(const struct inifile *ini,
	    const struct ini_section *section,
	    const struct ini_section *before, struct reporter *rep);

const struct x2gobroker_config *profiles_config(
	    const struct x2gobroker_profiles *profiles);

/* The number of files: file->number is less. */
size_t	profiles_count_files(const struct x2gobroker_profiles *profiles);

/* Whether an acl- key is an allow or deny list. */
bool	profile_is_acl_list(int key);

/* Check the value of an acl- key.  Returns NULL if it is valid, or else the
 * reason, which may be in buf. */
const char *profile_check_acl(int key, const char *value, char *buf,
	    size_t size);

/* Report unknown keys of section that resemble a known key of the client. */
void	profile_lint_keys(const char *path, const struct ini_section *section,
	    struct reporter *rep);

/* Report weights and limits of hosts that the profile does not have. */
void	profile_lint_numbers(const struct x2gobroker_profile *profile,
	    struct reporter *rep);

/* Report errors that depend on inherited keys. */
void	profile_check_whole(const struct x2gobroker_profile *profile,
	    struct reporter *rep);

/* The value of the key name for this user: user= with BROKER_USER, or empty, is
 * the user. */
const char *profile_value_for(const char *name, const char *value,
	    const char *user);

#endif
