/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linked with --wrap=safefile_open, so that what stands below X2GO_ETC on the
 * machine that runs the tests does not matter: it is looked for below the
 * test's own directory.
 */
#include "x2gobroker_admin.h"
#include "config/config.h"
#include "base/safefile.h"
#include "support.h"

FILE	*__real_safefile_open(const char *path, struct x2gobroker_error *err);
FILE	*__wrap_safefile_open(const char *path, struct x2gobroker_error *err);

FILE *
__wrap_safefile_open(const char *path, struct x2gobroker_error *err)
{
	if (strncmp(path, X2GO_ETC "/", sizeof(X2GO_ETC)) == 0)
		path = test_path(path + sizeof(X2GO_ETC));
	return __real_safefile_open(path, err);
}

static int
make_etc(void **state)
{
	if (make_test_dir(state) == -1)
		return -1;
	make_dir("broker");
	return 0;
}

static struct x2gobroker_config *
load(const char *text, struct problems *problems, struct x2gobroker_error *err)
{
	struct x2gobroker_config *config;
	int result;

	problems->n = 0;
	result = x2gobroker_config_load(write_file("test.conf", text), collect,
	    problems, &config, err);
	assert_int_equal(result == 0, config != NULL);
	return config;
}

static void
built_in_defaults_hold_without_any_file(void **state unused)
{
	struct x2gobroker_config *config;

	assert_int_equal(x2gobroker_config_load(NULL, NULL, NULL, &config,
	    NULL), 0);
	assert_string_equal(x2gobroker_config_broker_account(config),
	    "x2gobroker");
	assert_string_equal(x2gobroker_config_log_file(config), "");
	assert_string_equal(config->profiles_dir,
	    X2GO_ETC "/broker/profiles.d");
	assert_string_equal(config->session_profiles,
	    X2GO_ETC "/broker/x2gobroker-sessionprofiles.conf");
	assert_false(config->profiles_dir_set);
	assert_false(config->session_profiles_set);
	assert_true(config->ignore_primary_group_memberships);
	assert_false(config->default_session_autologin);
	assert_int_equal(config->default_agent_query_mode, QUERY_NONE);
	assert_int_equal(config->backend, BACKEND_INIFILE);
	assert_true(config->backends[BACKEND_INIFILE].enable);
	assert_false(config->backends[BACKEND_ZEROCONF].enable);
	assert_string_equal(config->desktop_shell, "KDE");
	x2gobroker_config_free(config);
	x2gobroker_config_free(NULL);
}

static void
every_key_has_its_effect(void **state unused)
{
	static const char text[] = "[global]\nbroker-account = broker\n"
	    "profiles-dir=/srv/profiles.d\nlog-file: /var/log/x2gobroker.log\n"
	    "trust-ssh-environment=TRUE\n"
	    "ignore-primary-group-memberships=no\n"
	    "default-session-autologin=On\ndefault-agent-query-mode=ssh\n"
	    "[broker_inifile]\nenable=0\nsession-profiles='/srv/sp.conf'\n"
	    "[broker_zeroconf]\nenable=1\ndesktop-shell=XFCE\n";
	struct x2gobroker_config *config;
	struct problems problems;

	config = load(text, &problems, NULL);
	check_problems("all", &problems, &(const struct problem){ 0 });
	assert_string_equal(x2gobroker_config_broker_account(config),
	    "broker");
	assert_string_equal(x2gobroker_config_log_file(config),
	    "/var/log/x2gobroker.log");
	assert_string_equal(config->profiles_dir, "/srv/profiles.d");
	assert_true(config->profiles_dir_set);
	assert_string_equal(config->session_profiles, "/srv/sp.conf");
	assert_true(config->session_profiles_set);
	assert_false(config->ignore_primary_group_memberships);
	assert_true(config->default_session_autologin);
	assert_int_equal(config->default_agent_query_mode, QUERY_SSH);
	assert_int_equal(config->trust_ssh_environment, TRUST_ALWAYS);
	assert_false(config->backends[BACKEND_INIFILE].enable);
	assert_true(config->backends[BACKEND_ZEROCONF].enable);
	assert_string_equal(config->desktop_shell, "XFCE");
	x2gobroker_config_free(config);
}

static void
values_that_cannot_be_are_errors(void **state unused)
{
	static const struct {
		const char *text;
		struct problem problem;
	} rows[] = {
		{ "[global]\nbroker-account=\n",
		    { X2GOBROKER_ERR_VALUE, 2, "one line of text" } },
		{ "[global]\nbroker-account=a\n b\n",
		    { X2GOBROKER_ERR_VALUE, 2, "one line of text" } },
		{ "[global]\nbroker-account=a\x1b[0m\n",
		    { X2GOBROKER_ERR_VALUE, 2, "one line of text" } },
		{ "[global]\n\nlog-file=x2gobroker.log\n",
		    { X2GOBROKER_ERR_VALUE, 3, "not an absolute path" } },
		{ "[global]\nlog-file=/a\n /b\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[global]\nprofiles-dir=../profiles.d\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[broker_inifile]\nsession-profiles=\"sp.conf\"\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[broker_inifile]\nsession-profiles='/sp.conf\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[global]\ntrust-ssh-environment=perhaps\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not one of: " } },
		{ "[global]\ntrust-ssh-environment=1\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not one of: " } },
		{ "[global]\ntrust-ssh-environment=\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not one of: " } },
		{ "[global]\ndefault-agent-query-mode=HTTP\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not one of: " } },
		{ "[global]\nignore-primary-group-memberships=maybe\n",
		    { X2GOBROKER_ERR_VALUE, 2, "neither true nor false" } },
		{ "[broker_zeroconf]\nenable=\n",
		    { X2GOBROKER_ERR_VALUE, 2, "neither true nor false" } },
		{ "[broker_zeroconf]\ndesktop-shell=KDE\n user=root\n",
		    { X2GOBROKER_ERR_VALUE, 2, "one line of text" } },
		/* without these somebody could get in who would not there */
		{ "[global]\nrequire-cookie=perhaps\n",
		    { X2GOBROKER_ERR_VALUE, 2, "neither true nor false" } },
		{ "[global]\nauth-timeout=0\n",
		    { X2GOBROKER_ERR_VALUE, 2, "out of range" } },
		{ "[global]\nauth-timeout=1h\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not a number" } },
		{ "[global]\ntoken-grace=3601\n",
		    { X2GOBROKER_ERR_VALUE, 2, "out of range" } },
		{ "[global]\ntoken-grace=-1\n",
		    { X2GOBROKER_ERR_VALUE, 2, "out of range" } },
		{ "[global]\npre_auth_scripts=/usr/bin/x\n",
		    { X2GOBROKER_ERR_VALUE, 2, "Python scripts" } },
		{ "[global]\npost_auth_scripts=x\n",
		    { X2GOBROKER_ERR_VALUE, 2, "Python scripts" } },
		{ "[global]\nselect_session_scripts=x\n",
		    { X2GOBROKER_ERR_VALUE, 2, "Python scripts" } },
		{ "[global]\nlog-file=\nlog-file=\n",
		    { X2GOBROKER_ERR_VALUE, 3, "duplicate key \"log-file\"" } },
		{ "[global]\n[global]\n",
		    { X2GOBROKER_ERR_VALUE, 2, "(first at line 1)" } },
		{ "[x]\n[global]\n[x]\n",
		    { X2GOBROKER_ERR_VALUE, 3, "(first at line 1)" } },
		{ "[DEFAULT]\nlog-file=\n",
		    { X2GOBROKER_ERR_VALUE, 1, "[DEFAULT]" } },
		{ "[global]\nservers-to-ask=5\n",
		    { X2GOBROKER_ERR_VALUE, 2, "write servers-share-database "
		    "= true if" } },
		{ "[global]\nservers-to-ask=-1\n",
		    { X2GOBROKER_ERR_VALUE, 2, "out of range" } },
		{ "log-file=\n", { X2GOBROKER_ERR_SYNTAX, 1, "[section]" } },
		{ "[global]\nlog-file\n",
		    { X2GOBROKER_ERR_SYNTAX, 2, "neither [section]" } },
	};
	struct x2gobroker_error err;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, load(rows[i].text, &problems, &err) ==
		    NULL);
		check_problem(rows[i].text, &err, &rows[i].problem);
		check_text(rows[i].text, err.file, test_path("test.conf"));
		check(rows[i].text, problems.n >= 1);
	}
}

static void
all_errors_are_told_and_the_first_is_returned(void **state unused)
{
	struct x2gobroker_error err;
	struct problems problems;

	assert_null(load("[nowhere]\n[global]\nlog-file=x\n"
	    "pre_auth_scripts=x\n", &problems, &err));
	check_problems("three", &problems, (const struct problem[]){
		{ X2GOBROKER_WARNING, 1, "[nowhere]: unknown section" },
		{ X2GOBROKER_ERR_VALUE, 3, "log-file = x" },
		{ X2GOBROKER_ERR_VALUE, 4, "pre_auth_scripts = x" },
		{ 0 } });
	check_problem("first", &err, &(const struct problem){
	    X2GOBROKER_ERR_VALUE, 3, "log-file = x" });
}

static void
what_nobody_knows_is_told_and_not_used(void **state unused)
{
	static const struct {
		const char *text;
		struct problem problem;
	} rows[] = {
		{ "[nowhere]\nx=1\n",
		    { X2GOBROKER_WARNING, 1, "unknown section" } },
		{ "[Global]\nlog-file=x\n",
		    { X2GOBROKER_WARNING, 1, "unknown section" } },
		{ "[global]\nlog_file=x\n",
		    { X2GOBROKER_WARNING, 2, "log_file: unknown key" } },
		{ "[global]\nLog-File=x\n",
		    { X2GOBROKER_WARNING, 2, "unknown key in [global]" } },
		{ "[broker_inifile]\nlog-file=x\n",
		    { X2GOBROKER_WARNING, 2, "unknown key in [broker_ini" } },
	};
	struct x2gobroker_config *config;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		config = load(rows[i].text, &problems, NULL);
		check(rows[i].text, config != NULL);
		check_problems(rows[i].text, &problems,
		    (const struct problem[]){ rows[i].problem, { 0 } });
		check_text(rows[i].text, x2gobroker_config_log_file(config),
		    "");
		x2gobroker_config_free(config);
	}
}

static void
keys_of_the_python_broker_are_ignored(void **state unused)
{
	static const char text[] = "[global]\ncheck-credentials=true\n"
	    "require-password=true\ndefault-auth-mech=pam\n"
	    "pre_auth_scripts=\npost_auth_scripts = \n"
	    "my-uccs-url-base=http://localhost:8080/\n"
	    "[broker_base]\nenable=maybe\n[broker_ldap]\nx=1\n"
	    "[authmech_pam]\nx=1\n[broker_inifile]\nauth-mech=pam\n";
	struct x2gobroker_config *config;
	struct problems problems;

	config = load(text, &problems, NULL);
	assert_non_null(config);
	check_problems("ignored", &problems, &(const struct problem){ 0 });
	x2gobroker_config_free(config);
}

static void
http_serves_nobody_by_mistake(void **state unused)
{
	static const struct {
		const char *text, *why;		/* NULL: served */
		bool json;
	} rows[] = {
		{ "[global]\n", NULL },
		{ "[global]\n", NULL, true },
		{ "[global]\nenable-json-output=no\n", NULL },
		{ "[global]\nenable-json-output=no\n",
		    "enable-json-output = false", true },
		{ "[global]\nenable-plain-output=no\n", NULL, true },
		{ "[global]\nrequire-password=false\n", "http-auth = none" },
		{ "[global]\ncheck-credentials=no\n", "http-auth = none" },
		{ "[global]\nrequire-password=false\nhttp-auth=none\n",
		    NULL },
		{ "[global]\ndefault-auth-mech=none\n", "must be pam" },
		{ "[global]\ndefault-auth-mech=testsuite\n"
		    "[broker_inifile]\nauth-mech=PAM\n", NULL },
		{ "[broker_inifile]\nauth-mech=https_get\n", "must be pam" },
		{ "[global]\nenable-plain-output=false\nhttp-auth=none\n",
		    "enable-plain-output = false" },
	};
	struct x2gobroker_config *config;
	struct x2gobroker_error err;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		config = load(rows[i].text, &problems, NULL);
		check(rows[i].text, config != NULL);
		check_problems(rows[i].text, &problems, &(const struct problem){
		    0 });
		check(rows[i].text, x2gobroker_config_check_http(config,
		    rows[i].json, &err) == (rows[i].why != NULL ? -1 : 0));
		check(rows[i].text, rows[i].why == NULL ||
		    strstr(err.text, rows[i].why) != NULL);
		check(rows[i].text, !x2gobroker_config_http_allow_plain(config));
		check(rows[i].text, x2gobroker_config_http_authenticates(
		    config) == (strstr(rows[i].text, "http-auth") == NULL));
		x2gobroker_config_free(config);
	}
}

static void
a_named_file_must_exist_and_be_safe(void **state unused)
{
	struct x2gobroker_config *config;
	struct x2gobroker_error err;

	assert_int_equal(x2gobroker_config_load(test_path("none"), NULL, NULL,
	    &config, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
	assert_null(config);

	assert_int_equal(chmod(write_file("test.conf", ""), 0666), 0);
	assert_int_equal(x2gobroker_config_load(test_path("test.conf"), NULL,
	    NULL, &config, &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
	assert_null(config);
	assert_int_equal(x2gobroker_config_load(test_path("test.conf"), NULL,
	    NULL, &config, NULL), -1);
}

static void
the_default_file_is_read_but_only_if_safe(void **state unused)
{
	const char *path = write_file("x2gobroker.conf",
	    "[global]\nbroker-account=other\n");
	struct x2gobroker_config *config;
	struct x2gobroker_error err;

	assert_int_equal(x2gobroker_config_load(NULL, NULL, NULL, &config,
	    NULL), 0);
	assert_string_equal(x2gobroker_config_broker_account(config), "other");
	x2gobroker_config_free(config);

	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(x2gobroker_config_load(NULL, NULL, NULL, &config,
	    &err), -1);
	assert_int_equal(err.code, X2GOBROKER_ERR_UNSAFE);
}

/* Load with this defaults.conf and no x2gobroker.conf but a named one. */
static struct x2gobroker_config *
load_defaults(const char *text, const char *path,
    struct x2gobroker_error *err)
{
	struct x2gobroker_config *config;

	write_file("broker/defaults.conf", text);
	x2gobroker_config_load(path, NULL, NULL, &config, err);
	return config;
}

static void
defaults_conf_of_the_python_broker_is_read(void **state unused)
{
	static const char text[] = "[common]\n"
	    "X2GOBROKER_DAEMON_USER=broker\n"
	    "X2GOBROKER_SESSIONPROFILES=/srv/common.conf\n"
	    "X2GOBROKER_SOMETHING=else\n"
	    "[ssh]\nX2GOBROKER_SESSIONPROFILES=/srv/ssh.conf\n"
	    "X2GOBROKER_DEFAULT_BACKEND=ZeroConf\n"
	    "[daemon]\nX2GOBROKER_DAEMON_USER=daemon\n";
	struct x2gobroker_config *config = load_defaults(text, NULL, NULL);

	assert_non_null(config);
	assert_string_equal(x2gobroker_config_broker_account(config),
	    "broker");
	assert_string_equal(config->session_profiles, "/srv/ssh.conf");
	assert_true(config->session_profiles_set);
	assert_int_equal(config->backend, BACKEND_ZEROCONF);
	x2gobroker_config_free(config);
}

static void
x2gobroker_conf_wins_over_defaults_conf(void **state unused)
{
	struct x2gobroker_config *config = load_defaults("[common]\n"
	    "X2GOBROKER_DAEMON_USER=broker\n", write_file("test.conf",
	    "[global]\nbroker-account=mine\n"), NULL);

	assert_non_null(config);
	assert_string_equal(x2gobroker_config_broker_account(config), "mine");
	x2gobroker_config_free(config);
}

static void
defaults_conf_can_move_the_configuration(void **state unused)
{
	struct x2gobroker_config *config;
	struct x2gobroker_error err;
	char text[200];

	snprintf(text, sizeof(text), "[common]\nX2GOBROKER_CONFIG=%s\n",
	    write_file("moved.conf", "[global]\nbroker-account=moved\n"));
	config = load_defaults(text, NULL, NULL);
	assert_non_null(config);
	assert_string_equal(x2gobroker_config_broker_account(config), "moved");
	x2gobroker_config_free(config);
	/* a path that the caller names comes first */
	config = load_defaults(text, write_file("test.conf", ""), NULL);
	assert_string_equal(x2gobroker_config_broker_account(config),
	    "x2gobroker");
	x2gobroker_config_free(config);
	assert_int_equal(remove(test_path("moved.conf")), 0);
	assert_null(load_defaults(text, NULL, &err));
	assert_int_equal(err.code, X2GOBROKER_ERR_NOTFOUND);
}

static void
errors_in_defaults_conf_count(void **state unused)
{
	static const struct {
		const char *text;
		struct problem problem;
	} rows[] = {
		{ "[common]\nX2GOBROKER_DAEMON_USER=\n",
		    { X2GOBROKER_ERR_VALUE, 2, "one line of text" } },
		{ "[ssh]\nX2GOBROKER_SESSIONPROFILES=sp.conf\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[ssh]\nX2GOBROKER_CONFIG=x2gobroker.conf\n",
		    { X2GOBROKER_ERR_VALUE, 2, "not an absolute path" } },
		{ "[ssh]\n\nX2GOBROKER_DEFAULT_BACKEND=ldap\n",
		    { X2GOBROKER_ERR_VALUE, 3, "neither inifile nor zero" } },
		{ "[ssh\n", { X2GOBROKER_ERR_SYNTAX, 1, "']'" } },
	};
	struct x2gobroker_error err;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		check(rows[i].text, load_defaults(rows[i].text, NULL, &err) ==
		    NULL);
		check_problem(rows[i].text, &err, &rows[i].problem);
	}
}

static void
the_environment_is_trusted_by_table(void **state unused)
{
	static const struct {
		const char *text;
		bool plain, setuid;
	} rows[] = {
		{ "", true, false },
		{ "[global]\ntrust-ssh-environment=unless-setuid\n", true,
		    false },
		{ "[global]\ntrust-ssh-environment=true\n", true, true },
		{ "[global]\ntrust-ssh-environment=false\n", false, false },
	};
	struct x2gobroker_config *config;
	struct problems problems;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		config = load(rows[i].text, &problems, NULL);
		check(rows[i].text, x2gobroker_config_trust_environment(config,
		    false) == rows[i].plain);
		check(rows[i].text, x2gobroker_config_trust_environment(config,
		    true) == rows[i].setuid);
		config->trust_ssh_environment = 99;
		check("what is none", !x2gobroker_config_trust_environment(
		    config, false));
		x2gobroker_config_free(config);
	}
}

static void
only_two_backends_can_be_set(void **state unused)
{
	static const char *const none[] = { "", "ldap", "INIFILE",
	    "zeroconf " };
	struct x2gobroker_config config = { 0 };
	struct x2gobroker_error err;
	size_t i;

	assert_int_equal(x2gobroker_config_set_backend(&config, "zeroconf",
	    NULL), 0);
	assert_int_equal(config.backend, BACKEND_ZEROCONF);
	for (i = 0; i < LENGTH(none); i++) {
		check(none[i], x2gobroker_config_set_backend(&config, none[i],
		    &err) == -1);
		check_problem(none[i], &err, &(const struct problem){
		    X2GOBROKER_ERR_VALUE, 0, "neither inifile nor" });
		check(none[i], config.backend == BACKEND_ZEROCONF);
	}
	assert_int_equal(x2gobroker_config_set_backend(&config, "inifile",
	    NULL), 0);
	assert_int_equal(config.backend, BACKEND_INIFILE);
}

static void
what_is_in_force_can_be_asked_for(void **state unused)
{
	static const struct {
		const char *section, *key, *text;
		int number;
	} rows[] = {
		{ "global", "state-dir", "/run/x2gobroker", -1 },
		{ "global", "agent-user", "agent", -1 },
		{ "global", "require-cookie", "true", -1 },
		{ "global", "default-agent-query-mode", "SSH", -1 },
		{ "global", "agent-timeout", NULL, 7 },
		{ "global", "autologin-key-lifetime", NULL, 60 },
		{ "broker_inifile", "agent-query-mode", "", -1 },
		{ "global", "default-user-db", NULL, -1 },
		{ "global", "pre_auth_scripts", NULL, -1 },
		{ "global", "no-such-key", NULL, -1 },
		{ "nowhere", "state-dir", NULL, -1 },
	};
	struct problems problems;
	struct x2gobroker_config *config = load("[global]\nagent-user=agent\n"
	    "require-cookie=yes\ndefault-agent-query-mode=ssh\n"
	    "agent-timeout=7\n", &problems, NULL);
	const char *text;
	size_t i;

	assert_non_null(config);
	for (i = 0; i < LENGTH(rows); i++) {
		text = x2gobroker_config_text(config, rows[i].section,
		    rows[i].key);
		check(rows[i].key, (text == NULL) == (rows[i].text == NULL));
		if (text != NULL)
			check_text(rows[i].key, text, rows[i].text);
		check(rows[i].key, x2gobroker_config_number(config,
		    rows[i].section, rows[i].key) == rows[i].number);
	}
	x2gobroker_config_free(config);
}

static void
every_row_has_a_name_of_its_own(void **state unused)
{
	const char *section, *name, *section2, *name2;
	size_t i, j;

	for (i = 0; config_key_name(i, &section, &name); i++)
		for (j = 0; j < i; j++) {
			assert_true(config_key_name(j, &section2, &name2));
			check(name, strcmp(name, name2) != 0 ||
			    strcmp(section, section2) != 0);
		}
	assert_true(i > 10);
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_etc, \
	    remove_test_dir)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test(built_in_defaults_hold_without_any_file),
		test(every_key_has_its_effect),
		test(values_that_cannot_be_are_errors),
		test(all_errors_are_told_and_the_first_is_returned),
		test(what_nobody_knows_is_told_and_not_used),
		test(keys_of_the_python_broker_are_ignored),
		test(http_serves_nobody_by_mistake),
		test(a_named_file_must_exist_and_be_safe),
		test(the_default_file_is_read_but_only_if_safe),
		test(defaults_conf_of_the_python_broker_is_read),
		test(x2gobroker_conf_wins_over_defaults_conf),
		test(defaults_conf_can_move_the_configuration),
		test(errors_in_defaults_conf_count),
		test(the_environment_is_trusted_by_table),
		test(only_two_backends_can_be_set),
		test(what_is_in_force_can_be_asked_for),
		test(every_row_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
