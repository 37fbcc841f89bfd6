/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_H
#define CONFIG_H

#include "inifile.h"

enum query_mode { QUERY_NONE, QUERY_LOCAL, QUERY_SSH };
enum backend { BACKEND_INIFILE, BACKEND_ZEROCONF };
enum account_check { CHECK_PINNED, CHECK_ALWAYS, CHECK_NEVER };
enum trust { TRUST_UNLESS_SETUID, TRUST_NEVER, TRUST_ALWAYS };

/* The settings of x2gobroker.conf, named as its keys are.  Text is borrowed
 * from ini, defaults or static memory. */
struct x2gobroker_config {
	char *path;
	struct inifile *ini;		/* NULL: there was no file */
	struct inifile *defaults;	/* defaults.conf, or NULL */
	bool session_profiles_set;	/* by somebody, so the file must exist */
	bool profiles_dir_set;
	bool keys_dir_set;
	enum backend backend;

	/* [global] */
	const char *broker_account;
	const char *profiles_dir;
	const char *keys_dir;
	const char *log_file;
	bool sandbox;
	int account_check;		/* enum account_check */
	bool allow_password_change;
	const char *pam_helper;
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

	/* checked, and not used as long as no server is asked */
	const char *agent_command;
	const char *agent_user;
	const char *agent_identity_files;
	int agent_timeout;		/* seconds */
	int request_timeout;		/* seconds */
	const char *state_dir;
	int load_balancing;
	int autologin_key_type;
	int autologin_key_lifetime;	/* seconds */

	/* [broker_inifile], [broker_zeroconf] */
	bool inifile_enable;
	const char *session_profiles;
	bool zeroconf_enable;
	const char *desktop_shell;
};

/* What the key table says, for the test that compares it with the manual:
 * name and section of row i, or false past the end. */
bool	config_key_name(size_t i, const char **section, const char **name);

#endif
