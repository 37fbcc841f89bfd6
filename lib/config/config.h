/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/inifile.h"

enum query_mode { QUERY_NONE, QUERY_LOCAL, QUERY_SSH };
enum backend_id { BACKEND_INIFILE, BACKEND_ZEROCONF, NBACKENDS };
enum account_check { CHECK_PINNED, CHECK_ALWAYS, CHECK_NEVER };
enum load_balancing { BALANCE_LOAD, BALANCE_SESSIONS };
enum login_key { LOGIN_KEY_NEW, LOGIN_KEY_OWN };
enum autologin_key_type { AUTOLOGIN_RSA, AUTOLOGIN_ED25519 };
enum hostkey_policy { HOSTKEY_REJECT, HOSTKEY_WARN, HOSTKEY_ADD };
enum http_auth { HTTP_AUTH_PAM, HTTP_AUTH_NONE };
enum hook_failure { HOOK_REFUSE, HOOK_IGNORE };
enum trust { TRUST_UNLESS_SETUID, TRUST_NEVER, TRUST_ALWAYS };

/* The keys that every backend has. */
struct backend_settings {
	bool enable;
	int query_mode;		/* enum query_mode + 1, or 0 for [global]'s */
	int hostkey_policy;	/* enum hostkey_policy + 1, or 0 */
	const char *auth_mech;	/* or "" */
};

/* The settings of x2gobroker.conf, named as its keys are.  Text is borrowed
 * from ini, defaults or static memory. */
struct x2gobroker_config {
	char *path;
	struct inifile *ini;		/* NULL: there was no file */
	struct inifile *defaults;	/* defaults.conf, or NULL */
	bool session_profiles_set;	/* so the file must exist */
	bool profiles_dir_set;
	bool keys_dir_set;
	enum backend_id backend;

	/* [global] */
	const char *broker_account;
	const char *profiles_dir;
	const char *keys_dir;
	const char *log_file;
	bool sandbox;
	int account_check;		/* enum account_check */
	bool allow_password_change;
	const char *pam_helper;
	const char *helper_dir;
	bool ignore_primary_group_memberships;
	bool default_session_autologin;
	int default_agent_query_mode;	/* enum query_mode */
	int trust_ssh_environment;	/* enum trust */
	bool require_cookie;
	bool use_static_cookie;
	int auth_timeout;		/* seconds */
	int token_grace;		/* seconds */
	const char *cookie_directory;
	bool verify_ip;
	const char *my_cookie;		/* a secret, or "" */
	const char *my_cookie_file;
	const char *authids_dir;

	/* HTTP */
	int http_auth;			/* enum http_auth */
	bool http_allow_plain;
	bool http_noauth_session_data;
	int http_failures;
	int http_failures_window;	/* seconds */
	bool require_password;
	bool check_credentials;
	bool enable_plain_output;
	bool enable_json_output;
	const char *default_auth_mech;

	/* the X2Go servers */
	const char *agent_command;
	const char *agent_user;
	const char *agent_identity_files;
	const char *agent_known_hosts;
	int default_agent_hostkey_policy;	/* enum hostkey_policy */
	bool default_portscan_x2goservers;
	int agent_timeout;		/* seconds */
	int request_timeout;		/* seconds */
	const char *state_dir;
	int requests_per_user;		/* 0: no limit */
	bool client_events;
	int liveevent;			/* seconds */
	int syncinterval;		/* seconds; 0: not announced */
	const char *drain_file;
	const char *maintenance_dir;
	const char *login_hook;		/* a program of the site, or "" */
	const char *select_hook;
	int hook_timeout;		/* seconds */
	int hook_failure;		/* enum hook_failure */
	int load_balancing;		/* enum load_balancing */
	int servers_to_ask;		/* 0: all */
	bool servers_share_database;
	const char *session_database;	/* name of the service, or "" */
	const char *session_database_file;
	int session_database_timeout;	/* seconds */

	/* keys for one login */
	int autologin_key_type;		/* enum autologin_key_type */
	int autologin_key_lifetime;	/* seconds */
	bool autologin_key_from;
	bool autologin_agent_forwarding;
	const char *default_authorized_keys;
	const char *default_sshproxy_authorized_keys;

	/* [broker_inifile], [broker_zeroconf] */
	struct backend_settings backends[NBACKENDS];
	const char *session_profiles;
	const char *desktop_shell;
};

/* The words of enum query_mode, enum hostkey_policy and enum backend_id, which
 * end with NULL. */
extern const char *const query_modes[], *const hostkey_policies[],
	    *const login_keys[];
extern const char *const backend_names[];

/* The index of text in words, in any case, or -1. */
int	config_find_word(const char *const *words, const char *text);

/* What the key table says, for the test that compares it with the manual:
 * name and section of row i, or false past the end. */
bool	config_key_name(size_t i, const char **section, const char **name);

#endif
