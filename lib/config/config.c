/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker.conf: a row per key.  Keys that only the Python broker uses have a
 * row too, so that its files are read without warnings, while unknown keys are
 * reported.
 */
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "x2gobroker_admin.h"
#include "base/cleanup.h"
#include "base/parse.h"
#include "base/safefile.h"
#include "config/config.h"

#define CONFIG_FILE	X2GO_ETC "/x2gobroker.conf"
#define DEFAULTS_FILE	X2GO_ETC "/broker/defaults.conf"

enum kind {
	IGNORED,
	BOOL,
	INT,		/* from min to max */
	TEXT,
	PATH,		/* absolute; quotes around it are dropped */
	WORD,		/* one of words, in any case; stored as its number */
	MUST_BE,	/* only the default is allowed, because of why */
};

const char *const backend_names[] = { "inifile", "zeroconf", NULL };
const char *const query_modes[] = { "NONE", "LOCAL", "SSH", NULL };
const char *const hostkey_policies[] = { "RejectPolicy", "WarningPolicy",
    "AutoAddPolicy", NULL };
/* a backend's own; where it is empty, the one of [global] holds */
static const char *const backend_modes[] = { "", "NONE", "LOCAL", "SSH", NULL };
static const char *const backend_policies[] = { "", "RejectPolicy",
    "WarningPolicy", "AutoAddPolicy", NULL };
static const char *const check_words[] = { "pinned", "always", "never", NULL };
static const char *const trust_words[] = { "unless-setuid", "false", "true",
    NULL };

static const char *const http_auth_words[] = { "pam", "none", NULL };
static const char *const hook_words[] = { "refuse", "ignore", NULL };
static const char *const balancing_words[] = { "load", "sessions", NULL };
const char *const login_keys[] = { "new", "own", NULL };
static const char *const key_type_words[] = { "rsa", "ed25519", NULL };

struct row {
	const char *section, *name;
	enum kind kind;
	const char *initial;		/* as written in the file */
	size_t offset;
	const char *const *words;	/* WORD */
	int min, max;			/* INT */
	const char *why;		/* MUST_BE */
	const char *python_name;	/* its name in defaults.conf */
};

#define AT(field) .offset = offsetof(struct x2gobroker_config, field)

static const char no_scripts[] = "this broker does not run Python scripts, "
    "so users whom they would refuse could get in; remove the key, and make a "
    "program for login-hook or select-hook of them (HOOKS in x2gobroker(7))";

static const struct row rows[] = {
	{ "global", "broker-account", TEXT, "x2gobroker", AT(broker_account),
	    .python_name = "X2GOBROKER_DAEMON_USER" },
	{ "global", "profiles-dir", PATH, X2GO_ETC "/broker/profiles.d",
	    AT(profiles_dir) },
	{ "global", "keys-dir", PATH, X2GO_ETC "/broker/keys.d",
	    AT(keys_dir) },
	{ "global", "log-file", PATH, "", AT(log_file) },
	{ "global", "trust-ssh-environment", WORD, "unless-setuid",
	    AT(trust_ssh_environment), .words = trust_words },
	{ "global", "sandbox", BOOL, "true", AT(sandbox) },
	{ "global", "account-check", WORD, "pinned", AT(account_check),
	    .words = check_words },
	{ "global", "allow-password-change", BOOL, "false",
	    AT(allow_password_change) },
	{ "global", "pam-helper", PATH, X2GO_DIR "/x2gobroker-pam",
	    AT(pam_helper) },
	{ "global", "helper-dir", PATH, X2GO_DIR, AT(helper_dir) },
	{ "global", "ignore-primary-group-memberships", BOOL, "true",
	    AT(ignore_primary_group_memberships) },
	{ "global", "default-session-autologin", BOOL, "false",
	    AT(default_session_autologin) },
	{ "global", "default-agent-query-mode", WORD, "NONE",
	    AT(default_agent_query_mode), .words = query_modes },
	{ "global", "require-cookie", BOOL, "false", AT(require_cookie) },
	{ "global", "use-static-cookie", BOOL, "false",
	    AT(use_static_cookie) },
	{ "global", "auth-timeout", INT, "36000", AT(auth_timeout),
	    .min = 1, .max = INT_MAX },
	{ "global", "token-grace", INT, "10", AT(token_grace),
	    .min = 0, .max = 3600 },
	{ "global", "cookie-directory", PATH, "/var/lib/x2gobroker/cookies",
	    AT(cookie_directory) },
	{ "global", "verify-ip", BOOL, "true", AT(verify_ip) },
	{ "global", "my-cookie", TEXT, "", AT(my_cookie) },
	{ "global", "my-cookie-file", PATH,
	    X2GO_ETC "/broker/x2gobroker.authid", AT(my_cookie_file) },
	{ "global", "authids-dir", PATH, X2GO_ETC "/broker/authids.d",
	    AT(authids_dir) },
	{ "global", "pre_auth_scripts", MUST_BE, "", .why = no_scripts },
	{ "global", "post_auth_scripts", MUST_BE, "", .why = no_scripts },
	{ "global", "select_session_scripts", MUST_BE, "",
	    .why = no_scripts },
	{ "global", "agent-command", PATH, "/usr/lib/x2go/x2gobroker-agent",
	    AT(agent_command), .python_name = "X2GOBROKER_AGENT_CMD" },
	{ "global", "agent-user", TEXT, "x2gobroker", AT(agent_user),
	    .python_name = "X2GOBROKER_AGENT_USER" },
	{ "global", "agent-identity-files", TEXT,
	    "~/.ssh/id_ed25519,~/.ssh/id_rsa", AT(agent_identity_files) },
	{ "global", "agent-known-hosts", TEXT, "~/.ssh/known_hosts",
	    AT(agent_known_hosts) },
	{ "global", "default-agent-hostkey-policy", WORD, "RejectPolicy",
	    AT(default_agent_hostkey_policy), .words = hostkey_policies },
	{ "global", "default-portscan-x2goservers", BOOL, "true",
	    AT(default_portscan_x2goservers) },
	{ "global", "agent-timeout", INT, "5", AT(agent_timeout),
	    .min = 1, .max = 3600 },
	{ "global", "request-timeout", INT, "20", AT(request_timeout),
	    .min = 1, .max = 3600 },
	{ "global", "state-dir", PATH, "/run/x2gobroker", AT(state_dir) },
	{ "global", "requests-per-user", INT, "10", AT(requests_per_user),
	    .min = 0, .max = 1000 },
	{ "global", "client-events", BOOL, "false", AT(client_events) },
	{ "global", "liveevent", INT, "15", AT(liveevent),
	    .min = 1, .max = 3600 },
	{ "global", "syncinterval", INT, "0", AT(syncinterval),
	    .min = 0, .max = 86400 },
	{ "global", "drain-file", PATH, "/var/lib/x2gobroker/drained",
	    AT(drain_file) },
	{ "global", "maintenance-dir", PATH, "/var/lib/x2gobroker",
	    AT(maintenance_dir) },
	{ "global", "login-hook", PATH, "", AT(login_hook) },
	{ "global", "select-hook", PATH, "", AT(select_hook) },
	{ "global", "hook-timeout", INT, "5", AT(hook_timeout),
	    .min = 1, .max = 600 },
	{ "global", "hook-failure", WORD, "refuse", AT(hook_failure),
	    .words = hook_words },
	{ "global", "load-balancing", WORD, "load", AT(load_balancing),
	    .words = balancing_words },
	{ "global", "servers-to-ask", INT, "0", AT(servers_to_ask),
	    .min = 0, .max = 1000 },
	{ "global", "servers-share-database", BOOL, "false",
	    AT(servers_share_database) },
	{ "global", "session-database", TEXT, "", AT(session_database) },
	{ "global", "session-database-file", PATH,
	    X2GO_ETC "/broker/pg_service.conf", AT(session_database_file) },
	{ "global", "session-database-timeout", INT, "3",
	    AT(session_database_timeout), .min = 1, .max = 60 },
	{ "global", "autologin-key-type", WORD, "rsa", AT(autologin_key_type),
	    .words = key_type_words },
	{ "global", "autologin-key-lifetime", INT, "60",
	    AT(autologin_key_lifetime), .min = 1, .max = 3600 },
	{ "global", "autologin-key-from", BOOL, "false",
	    AT(autologin_key_from) },
	{ "global", "autologin-agent-forwarding", BOOL, "false",
	    AT(autologin_agent_forwarding) },
	{ "global", "default-authorized-keys", TEXT, "",
	    AT(default_authorized_keys) },
	{ "global", "default-sshproxy-authorized-keys", TEXT, "",
	    AT(default_sshproxy_authorized_keys) },
	{ "global", "http-auth", WORD, "pam", AT(http_auth),
	    .words = http_auth_words },
	{ "global", "http-allow-plain", BOOL, "false", AT(http_allow_plain) },
	{ "global", "http-noauth-session-data", BOOL, "false",
	    AT(http_noauth_session_data) },
	{ "global", "http-failures", INT, "10", AT(http_failures),
	    .min = 1, .max = 100 },
	{ "global", "http-failures-window", INT, "600",
	    AT(http_failures_window), .min = 1, .max = 86400 },
	{ "global", "check-credentials", BOOL, "true",
	    AT(check_credentials) },
	{ "global", "require-password", BOOL, "true", AT(require_password) },
	{ "global", "enable-plain-output", BOOL, "true",
	    AT(enable_plain_output) },
	{ "global", "enable-json-output", BOOL, "true",
	    AT(enable_json_output) },
	{ "global", "enable-uccs-output", IGNORED },
	{ "global", "my-uccs-url-base", IGNORED },
	{ "global", "default-auth-mech", TEXT, "pam", AT(default_auth_mech) },
	{ "global", "default-user-db", IGNORED },
	{ "global", "default-group-db", IGNORED },
	{ "global", "default-use-load-checker", IGNORED },
	{ "global", "load-checker-intervals", IGNORED },
	{ "broker_inifile", "enable", BOOL, "true",
	    AT(backends[BACKEND_INIFILE].enable) },
	{ "broker_inifile", "session-profiles", PATH,
	    X2GO_ETC "/broker/x2gobroker-sessionprofiles.conf",
	    AT(session_profiles),
	    .python_name = "X2GOBROKER_SESSIONPROFILES" },
	{ "broker_inifile", "auth-mech", TEXT, "",
	    AT(backends[BACKEND_INIFILE].auth_mech) },
	{ "broker_inifile", "user-db", IGNORED },
	{ "broker_inifile", "group-db", IGNORED },
	{ "broker_inifile", "use-load-checker", IGNORED },
	{ "broker_inifile", "agent-query-mode", WORD, "",
	    AT(backends[BACKEND_INIFILE].query_mode), .words = backend_modes },
	{ "broker_inifile", "agent-hostkey-policy", WORD, "",
	    AT(backends[BACKEND_INIFILE].hostkey_policy),
	    .words = backend_policies },
	{ "broker_zeroconf", "enable", BOOL, "false",
	    AT(backends[BACKEND_ZEROCONF].enable) },
	{ "broker_zeroconf", "desktop-shell", TEXT, "KDE", AT(desktop_shell) },
	{ "broker_zeroconf", "agent-query-mode", WORD, "",
	    AT(backends[BACKEND_ZEROCONF].query_mode), .words = backend_modes },
	{ "broker_zeroconf", "agent-hostkey-policy", WORD, "",
	    AT(backends[BACKEND_ZEROCONF].hostkey_policy),
	    .words = backend_policies },
	{ "broker_zeroconf", "auth-mech", TEXT, "",
	    AT(backends[BACKEND_ZEROCONF].auth_mech) },
	{ "broker_zeroconf", "user-db", IGNORED },
	{ "broker_zeroconf", "group-db", IGNORED },
	{ "broker_zeroconf", "load-checker", IGNORED },
	{ "broker_zeroconf", "use-load-checker", IGNORED },
};

#define NROWS	(sizeof(rows) / sizeof(rows[0]))

/* Sections of the Python broker that mean nothing here. */
static bool
is_foreign_section(const char *name)
{
	return strncmp(name, "authmech_", 9) == 0 ||
	    strcmp(name, "broker_ldap") == 0 ||
	    strcmp(name, "broker_base") == 0;
}

bool
config_key_name(size_t i, const char **section, const char **name)
{
	if (i >= NROWS)
		return false;
	*section = rows[i].section;
	*name = rows[i].name;
	return true;
}

/* A path without the quotes that the Python broker's example has, or NULL. */
static const char *
read_path(struct inifile *ini, const char *text)
{
	size_t len = strlen(text);

	if (len >= 2 && (text[0] == '\'' || text[0] == '"') &&
	    text[len - 1] == text[0] && ini != NULL) {
		text = arena_strndup(&ini->arena, text + 1, len - 2);
		if (text == NULL)
			return NULL;
	}
	return text[0] == '/' || text[0] == '\0' ? text : NULL;
}

int
config_find_word(const char *const *words, const char *text)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (parse_same_word(words[i], text))
			return i;
	return -1;
}

static bool
is_one_line(const char *text)
{
	return !inifile_has_control(text, strlen(text), "");
}

/* Store text as the value of row.  Returns NULL, or the reason why it is not
 * valid. */
static const char *
store(struct x2gobroker_config *config, const struct row *row,
    struct inifile *ini, const char *text)
{
	void *field = (char *)config + row->offset;
	const char *path;
	bool flag;
	int n;

	switch (row->kind) {
	case IGNORED:
		break;
	case BOOL:
		if (!parse_bool(text, &flag))
			return "neither true nor false";
		*(bool *)field = flag;
		break;
	case INT:
		if (!parse_int(text, row->min, row->max, &n))
			return "not a number, or out of range";
		*(int *)field = n;
		break;
	case TEXT:
		if ((*text == '\0' && *row->initial != '\0') ||
		    !is_one_line(text))
			return "not one line of text";
		*(const char **)field = text;
		break;
	case PATH:
		if ((path = read_path(ini, text)) == NULL ||
		    !is_one_line(path))
			return "not an absolute path";
		*(const char **)field = path;
		break;
	case WORD:
		if ((n = config_find_word(row->words, text)) == -1)
			return "not one of the words";	/* see set() */
		*(int *)field = n;
		break;
	case MUST_BE:
		if (parse_bool(row->initial, &flag)) {
			bool is;

			if (parse_bool(text, &is) && is == flag)
				break;
		} else if (strcmp(text, row->initial) == 0)
			break;
		return row->why;
	}
	return NULL;
}

static const struct row *
find_row(const char *section, const char *name)
{
	size_t i;

	for (i = 0; i < NROWS; i++)
		if (strcmp(rows[i].section, section) == 0 &&
		    strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static const char *
list_words(const char *const *words, char *buf, size_t size)
{
	const char *separator = "not one of: ";

	for (buf[0] = '\0'; *words != NULL; words++) {
		if (**words == '\0')
			continue;
		strlcat(buf, separator, size);
		strlcat(buf, *words, size);
		separator = ", ";
	}
	return buf;
}

/* Set a key of x2gobroker.conf or defaults.conf. */
static void
set(struct x2gobroker_config *config, const struct row *row,
    struct inifile *ini, const struct ini_key *key, struct reporter *rep)
{
	const char *wrong = store(config, row, ini, key->value);
	char buf[100];

	if (wrong != NULL && row->kind == WORD)
		wrong = list_words(row->words, buf, sizeof(buf));
	if (wrong != NULL)
		report(rep, X2GOBROKER_ERR_VALUE, ini->path, key->line,
		    "%s = %.100s: %s", key->name, key->value, wrong);
	if (row->offset == offsetof(struct x2gobroker_config, session_profiles))
		config->session_profiles_set = true;
	if (row->offset == offsetof(struct x2gobroker_config, profiles_dir))
		config->profiles_dir_set = true;
	if (row->offset == offsetof(struct x2gobroker_config, keys_dir))
		config->keys_dir_set = true;
}

static void
set_section(struct x2gobroker_config *config, const struct ini_section *section,
    struct reporter *rep)
{
	const struct row *row;
	bool known = is_foreign_section(section->name);
	size_t i;

	if (known)
		return;
	if (strcmp(section->name, "DEFAULT") == 0) {
		/* the Python broker takes it for every section, so a key that
		 * must keep its default could hide here */
		report(rep, X2GOBROKER_ERR_VALUE, config->ini->path,
		    section->line, "[DEFAULT] is not read in this file; write "
		    "its keys into [global]");
		return;
	}
	for (i = 0; i < NROWS && !known; i++)
		known = strcmp(rows[i].section, section->name) == 0;
	if (!known) {
		report(rep, X2GOBROKER_WARNING, config->ini->path,
		    section->line, "[%.100s]: unknown section, ignored",
		    section->name);
		return;
	}
	inifile_report_duplicates(config->ini, section, rep);
	for (i = 0; i < section->nkeys; i++) {
		const struct ini_key *key = &section->keys[i];

		row = find_row(section->name, key->name);
		if (row != NULL)
			set(config, row, config->ini, key, rep);
		else
			report(rep, X2GOBROKER_WARNING, config->ini->path,
			    key->line, "%.100s: unknown key in [%s], ignored",
			    key->name, section->name);
	}
}

/* Sessions on servers that are not asked have to be known all the same. */
static void
check_servers_to_ask(const struct x2gobroker_config *config,
    struct reporter *rep)
{
	const struct ini_key *key;
	size_t i;

	if (config->servers_to_ask == 0 || config->servers_share_database)
		return;
	for (i = 0; i < config->ini->nsections; i++) {
		key = inifile_find(&config->ini->sections[i],
		    "servers-to-ask");
		if (key != NULL)
			report(rep, X2GOBROKER_ERR_VALUE, config->ini->path,
			    key->line, "servers-to-ask = %.100s: sessions on "
			    "the other servers would be missed; write "
			    "servers-share-database = true if all servers use "
			    "one session database, or else remove the key",
			    key->value);
	}
}

static void
set_all(struct x2gobroker_config *config, struct reporter *rep)
{
	const struct ini_section *list = config->ini->sections;
	size_t i, j;

	for (i = 0; i < config->ini->nsections; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(list[i].name, list[j].name) == 0)
				report(rep, X2GOBROKER_ERR_VALUE,
				    config->ini->path, list[i].line,
				    "duplicate section [%.100s] (first at line "
				    "%u)", list[i].name, list[j].line);
		set_section(config, &list[i], rep);
	}
	if (*config->session_database != '\0')
		config->servers_share_database = true;
	check_servers_to_ask(config, rep);
}

/* The value in defaults.conf for the broker that sshd starts. */
static const struct ini_key *
find_python_default(const struct inifile *defaults, const char *name)
{
	static const char *const sections[] = { "ssh", "common" };
	const struct ini_section *section;
	const struct ini_key *key;
	size_t i, j;

	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		for (j = 0; j < defaults->nsections; j++) {
			section = &defaults->sections[j];
			if (strcmp(section->name, sections[i]) == 0 &&
			    (key = inifile_find(section, name)) != NULL)
				return key;
		}
	return NULL;
}

static void
set_python_defaults(struct x2gobroker_config *config, struct reporter *rep)
{
	const struct ini_key *key;
	int backend;
	size_t i;

	for (i = 0; i < NROWS; i++) {
		if (rows[i].python_name == NULL)
			continue;
		key = find_python_default(config->defaults,
		    rows[i].python_name);
		if (key != NULL)
			set(config, &rows[i], config->defaults, key, rep);
	}
	key = find_python_default(config->defaults,
	    "X2GOBROKER_DEFAULT_BACKEND");
	backend = key != NULL ? config_find_word(backend_names, key->value) :
	    BACKEND_INIFILE;
	if (backend != -1)
		config->backend = (enum backend_id)backend;
	else
		report(rep, X2GOBROKER_ERR_VALUE, config->defaults->path,
		    key->line, "%s = %.100s: neither inifile nor zeroconf",
		    key->name, key->value);
}

/* The path of the configuration in defaults.conf, or NULL. */
static const char *
moved_path(const struct x2gobroker_config *config, struct reporter *rep)
{
	const struct ini_key *key = NULL;

	if (config->defaults != NULL)
		key = find_python_default(config->defaults,
		    "X2GOBROKER_CONFIG");
	if (key == NULL)
		return NULL;
	if (key->value[0] != '/')
		report(rep, X2GOBROKER_ERR_VALUE, config->defaults->path,
		    key->line, "%s = %.100s: not an absolute path",
		    key->name, key->value);
	return key->value;
}

int
x2gobroker_config_load(const char *path, x2gobroker_report *fn, void *arg,
    struct x2gobroker_config **out, struct x2gobroker_error *err)
{
	struct reporter rep = { .fn = fn, .arg = arg, .first = err };
	struct x2gobroker_config *config;
	size_t i;
	bool named;

	*out = NULL;
	if ((config = calloc(1, sizeof(*config))) == NULL)
		return error_nomem(err);
	for (i = 0; i < NROWS; i++)
		if (rows[i].initial != NULL)
			store(config, &rows[i], NULL, rows[i].initial);
	inifile_load(DEFAULTS_FILE, safefile_open, true, &rep,
	    &config->defaults);
	if (path == NULL)
		path = moved_path(config, &rep);
	named = path != NULL;
	if (!named)
		path = CONFIG_FILE;
	if ((config->path = strdup(path)) == NULL) {
		x2gobroker_config_free(config);
		return error_nomem(err);
	}
	if (config->defaults != NULL)
		set_python_defaults(config, &rep);
	inifile_load(path, safefile_open, !named, &rep, &config->ini);
	if (config->ini != NULL)
		set_all(config, &rep);
	if (rep.errors != 0) {
		x2gobroker_config_free(config);
		return -1;
	}
	*out = config;
	return 0;
}

void
x2gobroker_config_free(struct x2gobroker_config *config)
{
	if (config == NULL)
		return;
	inifile_free(config->ini);
	inifile_free(config->defaults);
	free(config->path);
	free(config);
}

const char *
x2gobroker_config_broker_account(const struct x2gobroker_config *config)
{
	return config->broker_account;
}

const char *
x2gobroker_config_log_file(const struct x2gobroker_config *config)
{
	return config->log_file;
}

bool
x2gobroker_config_check_account(const struct x2gobroker_config *config,
    bool pinned)
{
	switch (config->account_check) {
	case CHECK_NEVER:
		return false;
	case CHECK_PINNED:
		return pinned;
	default:
		return true;
	}
}

bool
x2gobroker_config_allow_password_change(const struct x2gobroker_config *config)
{
	return config->allow_password_change;
}

const char *
x2gobroker_config_pam_helper(const struct x2gobroker_config *config)
{
	return config->pam_helper;
}

bool
x2gobroker_config_trust_environment(const struct x2gobroker_config *config,
    bool setuid)
{
	switch (config->trust_ssh_environment) {
	case TRUST_ALWAYS:
		return true;
	case TRUST_UNLESS_SETUID:
		return !setuid;
	default:
		return false;
	}
}

bool
x2gobroker_config_client_events(const struct x2gobroker_config *config)
{
	return config->client_events;
}

int
x2gobroker_config_liveevent(const struct x2gobroker_config *config)
{
	return config->liveevent;
}

bool
x2gobroker_config_http_authenticates(const struct x2gobroker_config *config)
{
	return config->http_auth == HTTP_AUTH_PAM;
}

bool
x2gobroker_config_http_allow_plain(const struct x2gobroker_config *config)
{
	return config->http_allow_plain;
}

static int
http_error(const struct x2gobroker_config *config, const char *text,
    struct x2gobroker_error *err)
{
	return error_set(err, X2GOBROKER_ERR_VALUE, config->path, 0, "%s",
	    text);
}

int
x2gobroker_config_check_http(const struct x2gobroker_config *config, bool json,
    struct x2gobroker_error *err)
{
	const char *mech = config->backends[config->backend].auth_mech;

	if (json ? !config->enable_json_output : !config->enable_plain_output)
		return http_error(config, json ? "enable-json-output = false" :
		    "enable-plain-output = false", err);
	if (config->http_auth == HTTP_AUTH_NONE)
		return 0;
	if (!config->require_password || !config->check_credentials)
		return http_error(config, "require-password = false or "
		    "check-credentials = false would let in anybody over HTTP "
		    "as whom they like; remove it, or write http-auth = none",
		    err);
	if (!parse_same_word(*mech != '\0' ? mech :
	    config->default_auth_mech, "pam"))
		return http_error(config, "auth-mech must be pam for HTTP",
		    err);
	return 0;
}

const char *
x2gobroker_config_text(const struct x2gobroker_config *config,
    const char *section, const char *key)
{
	const struct row *row = find_row(section, key);
	const void *field;

	if (row == NULL)
		return NULL;
	field = (const char *)config + row->offset;
	switch (row->kind) {
	case BOOL:
		return *(const bool *)field ? "true" : "false";
	case TEXT:
	case PATH:
		return *(const char *const *)field;
	case WORD:
		return row->words[*(const int *)field];
	default:
		return NULL;
	}
}

int
x2gobroker_config_number(const struct x2gobroker_config *config,
    const char *section, const char *key)
{
	const struct row *row = find_row(section, key);
	const void *field;

	if (row == NULL || row->kind != INT)
		return -1;
	field = (const char *)config + row->offset;
	return *(const int *)field;
}

int
x2gobroker_config_request_timeout(const struct x2gobroker_config *config)
{
	return config->request_timeout;
}

int
x2gobroker_config_hook_seconds(const struct x2gobroker_config *config)
{
	return config->hook_timeout * ((*config->login_hook != '\0') +
	    (*config->select_hook != '\0'));
}

int
x2gobroker_config_set_backend(struct x2gobroker_config *config,
    const char *name, struct x2gobroker_error *err)
{
	int i = config_find_word(backend_names, name);

	if (i == -1 || strcmp(backend_names[i], name) != 0)
		return error_set(err, X2GOBROKER_ERR_VALUE, NULL, 0,
		    "--backend %.100s: neither inifile nor zeroconf", name);
	config->backend = (enum backend_id)i;
	return 0;
}
