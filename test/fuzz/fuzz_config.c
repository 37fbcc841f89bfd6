/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobroker.conf, and behind a form feed the defaults.conf of the Python
 * broker.
 */
#include "config/config.h"
#include "fuzz_file.h"

static void
check_path(const char *path)
{
	must(path[0] == '/' || path[0] == '\0');
	must(strchr(path, '\n') == NULL);
}

static void
check_config(const struct x2gobroker_config *config)
{
	must(*x2gobroker_config_broker_account(config) != '\0');
	check_path(x2gobroker_config_log_file(config));
	check_path(config->profiles_dir);
	check_path(config->session_profiles);
	must(strchr(config->desktop_shell, '\n') == NULL);
	must(!x2gobroker_config_trust_environment(config, true) ||
	    x2gobroker_config_trust_environment(config, false));
	must(config->default_agent_query_mode >= QUERY_NONE &&
	    config->default_agent_query_mode <= QUERY_SSH);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\f', size) : NULL;
	struct x2gobroker_error err = { 0 };
	struct x2gobroker_config *config;

	the_file = (struct fuzz_file){ "", 0 };
	the_defaults = (struct fuzz_file){ NULL, 0 };
	if (size > 0)
		the_file = (struct fuzz_file){ data, size };
	if (end != NULL) {
		the_file.size = (size_t)(end - data);
		the_defaults = (struct fuzz_file){ end + 1,
		    size - the_file.size - 1 };
	}
	if (x2gobroker_config_load("/named.conf", NULL, NULL, &config, &err) ==
	    0)
		check_config(config);
	else
		must(config == NULL && err.code != X2GOBROKER_OK);
	must(file_was_opened);
	x2gobroker_config_free(config);
	return 0;
}
