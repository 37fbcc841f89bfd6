/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "servers.h"
#include "terminal.h"

#define SSH_PORT	22
#define HOST_TEXT_SIZE	600	/* NAME ([ADDRESS]:PORT) */

int
servers_open(const struct ctl *ctl, struct site *site)
{
	memset(site, 0, sizeof(*site));
	if (ctl_load_config(ctl, &site->config) == 0 &&
	    ctl_become_broker(site->config) == 0 &&
	    ctl_load_profiles(site->config, &site->profiles) == 0)
		return 0;
	ctl_close(site);
	return -1;
}

const struct x2gobroker_profile *
servers_find(const struct site *site, const char *id)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_error err;

	profile = x2gobroker_profiles_find(site->profiles, id);
	if (profile == NULL) {
		ctl_explain_missing(site->profiles, id, &err);
		ctl_print_error(&err);
	}
	return profile;
}

/*
 * Asking
 */

static struct x2gobroker_farm *
make_farm(const struct site *site, const char *user, char *const *ids, int n,
    bool with_closed)
{
	const struct x2gobroker_profiles *profiles = site->profiles;
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	int i, result;

	for (i = 0; i < n; i++)
		if (servers_find(site, ids[i]) == NULL)
			return NULL;
	result = x2gobroker_farm_new(site->config, user, &farm, &err);
	if (result == 0 && with_closed)
		x2gobroker_farm_include_closed(farm);
	for (i = 0; result == 0 && (n == 0 || i < n); i++) {
		profile = n > 0 ? x2gobroker_profiles_find(profiles, ids[i]) :
		    x2gobroker_profiles_get(profiles, (size_t)i);
		if (profile == NULL)
			break;
		result = x2gobroker_farm_add(farm, profile, &err);
	}
	if (result == 0)
		return farm;
	ctl_print_error(&err);
	x2gobroker_farm_free(farm);
	return NULL;
}

struct x2gobroker_farm *
servers_farm(const struct site *site, const char *user, char *const *ids, int n)
{
	return make_farm(site, user, ids, n, false);
}

struct x2gobroker_farm *
servers_farm_with_closed(const struct site *site, const char *user,
    char *const *ids, int n)
{
	return make_farm(site, user, ids, n, true);
}

static void
show_progress(void *unused __attribute__((unused)), size_t done, size_t total,
    const struct x2gobroker_server *server __attribute__((unused)))
{
	terminal_show_progress("asking", done, total);
}

typedef int farm_question(struct x2gobroker_farm *farm,
	    x2gobroker_farm_progress *progress, void *arg,
	    struct x2gobroker_error *err);

static int
ask(struct x2gobroker_farm *farm, farm_question *question, size_t *failed)
{
	const struct x2gobroker_server *server;
	struct x2gobroker_error err;
	int result;
	size_t i;

	result = question(farm, show_progress, NULL, &err);
	terminal_clear_progress();
	if (result == -1)
		ctl_print_error(&err);
	*failed = 0;
	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++)
		*failed += server->asked && !server->answered;
	return result;
}

int
servers_ask(struct x2gobroker_farm *farm, size_t *failed)
{
	return ask(farm, x2gobroker_farm_ask, failed);
}

int
servers_list(struct x2gobroker_farm *farm, size_t *failed)
{
	return ask(farm, x2gobroker_farm_list, failed);
}

/*
 * Names of servers
 */

/* Write the server as in the key "host" of a profile. */
static void
write_host(const struct x2gobroker_server *server,
    char text[static HOST_TEXT_SIZE])
{
	const char *name = server->name, *address = server->address;
	const char *where = *address != '\0' ? address : name;
	bool brackets = strchr(where, ':') != NULL;

	snprintf(text, HOST_TEXT_SIZE, "%s%s%s%s%s:%d%s",
	    *address != '\0' ? name : "", *address != '\0' ? " (" : "",
	    brackets ? "[" : "", where, brackets ? "]" : "", server->port,
	    *address != '\0' ? ")" : "");
}

static bool
is_named(const char *host, const struct x2gobroker_server *server)
{
	char label[SERVER_LABEL_SIZE], text[HOST_TEXT_SIZE];

	servers_label(server->name, server->port, label);
	write_host(server, text);
	return strcasecmp(host, server->name) == 0 ||
	    strcasecmp(host, server->address) == 0 ||
	    strcasecmp(host, label) == 0 || strcasecmp(host, text) == 0;
}

int
servers_add_host(struct x2gobroker_farm *farm,
    const struct x2gobroker_farm *known, const char *host,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_server *server;
	char text[HOST_TEXT_SIZE];
	bool found = false;
	size_t i;

	for (i = 0; (server = x2gobroker_farm_server(known, i)) != NULL; i++) {
		if (server->name[0] == '\0' ||
		    (host != NULL && !is_named(host, server)))
			continue;
		write_host(server, text);
		if (x2gobroker_farm_add_host(farm, text, err) == -1)
			return -1;
		found = true;
	}
	if (found || host == NULL)
		return 0;
	ctl_complain("warning: no profile whose servers are asked has %s; "
	    "trying port 22 unless :PORT is given", host);
	return x2gobroker_farm_add_host(farm, host, err);
}

/* One by one, so that an invalid item does not hide the others. */
void
servers_add_hosts_of(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile)
{
	const char *list = x2gobroker_profile_value(profile, "host");
	char *copy = strdup(list != NULL ? list : ""), *rest = copy, *item;

	while (rest != NULL && (item = strsep(&rest, ",")) != NULL)
		x2gobroker_farm_add_host(farm, item, NULL);
	free(copy);
}

/*
 * Messages
 */

const char *
servers_label(const char *name, int port, char label[static SERVER_LABEL_SIZE])
{
	bool brackets = strchr(name, ':') != NULL;

	if (*name == '\0')
		snprintf(label, SERVER_LABEL_SIZE, "this host");
	else if (port == SSH_PORT)
		strlcpy(label, name, SERVER_LABEL_SIZE);
	else
		snprintf(label, SERVER_LABEL_SIZE, "%s%s%s:%d",
		    brackets ? "[" : "", name, brackets ? "]" : "", port);
	return label;
}

void
servers_print_problems(const struct x2gobroker_farm *farm, bool failures,
    bool warnings)
{
	const struct x2gobroker_server *server;
	char label[SERVER_LABEL_SIZE];
	size_t i;

	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++) {
		servers_label(server->name, server->port, label);
		if (failures && server->asked && !server->answered)
			ctl_complain("%s: %s", label, server->error);
		if (warnings && server->warning[0] != '\0')
			ctl_complain("warning: %s: %s", label,
			    server->warning);
	}
}

void
servers_explain_not_asked(const struct x2gobroker_profile *profile)
{
	const char *id = "all profiles", *command = NULL;

	if (profile != NULL) {
		id = x2gobroker_profile_id(profile);
		command = x2gobroker_profile_value(profile, "command");
	}
	if (command != NULL && strcasecmp(command, "SHADOW") == 0)
		ctl_complain("[%s] is for desktop sharing: its server is not "
		    "asked", id);
	else
		ctl_complain("the servers of %s%s%s are not asked: the query "
		    "mode is NONE; set broker-agent-query-mode = SSH in a "
		    "profile, or default-agent-query-mode = SSH in "
		    "x2gobroker.conf", profile != NULL ? "[" : "", id,
		    profile != NULL ? "]" : "");
}

bool
servers_confirm(const char *label, const char *question, const char *refused)
{
	if (!terminal_can_ask())
		ctl_complain("%s: not a terminal; use --yes to skip the "
		    "confirmation", label);
	else if (terminal_ask(question))
		return true;
	else
		ctl_complain("%s: %s", label, refused);
	return false;
}
