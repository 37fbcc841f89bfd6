/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl who: the users who are connected to a session now; and orders
 * for their clients.
 */
#include <time.h>

#include "base/json.h"
#include "connected.h"

void
connected_add_seen(struct table *table, const struct x2gobroker_client *client)
{
	if (client == NULL)
		table_add(table, NULL);
	else
		table_addf(table, "%lld s ago", (long long)(time(NULL) -
		    client->seen));
}

static const char *
order_name(enum x2gobroker_order order)
{
	static const char *const names[] = { "", "suspend", "terminate" };

	return names[order];
}

static int
print_table(const struct x2gobroker_connected *all)
{
	static const char *const heading[] = { "USER", "SESSION", "SERVER",
	    "FROM", "SINCE", "SEEN", "ORDER", "CLIENT", NULL };
	const struct x2gobroker_client *client;
	struct table table;
	size_t i;

	table_begin(&table, heading, 0);
	for (i = 0; (client = x2gobroker_connected_get(all, i)) != NULL; i++) {
		table_add(&table, client->user);
		table_add(&table, client->session);
		table_add(&table, client->server);
		table_add(&table, client->address);
		table_add_time(&table, client->since);
		connected_add_seen(&table, client);
		table_add_coloured(&table, order_name(client->order),
		    COLOUR_CARE);
		table_addf(&table, "%s %s", client->version, client->system);
	}
	return table_print(&table);
}

static int
print_json(const struct x2gobroker_connected *all)
{
	const struct x2gobroker_client *client;
	struct json json;
	size_t i;

	json_begin(&json);
	json_array(&json, "connected");
	for (i = 0; (client = x2gobroker_connected_get(all, i)) != NULL; i++) {
		json_object(&json, NULL);
		json_string(&json, "user", client->user);
		json_string(&json, "session", client->session);
		json_text(&json, "server", client->server);
		json_text(&json, "address", client->address);
		json_text(&json, "system", client->system);
		json_text(&json, "version", client->version);
		json_string(&json, "event", client->event);
		json_integer(&json, "since", client->since);
		json_integer(&json, "seen", client->seen);
		json_text(&json, "order", order_name(client->order));
		json_close(&json);
	}
	return json_print(&json);
}

struct x2gobroker_connected *
connected_load(const struct x2gobroker_config *config)
{
	struct x2gobroker_connected *all = NULL;
	struct x2gobroker_error err;

	if (x2gobroker_config_client_events(config) &&
	    x2gobroker_connected_load(config, &all, &err) == -1)
		ctl_print_error(&err);
	return all;
}

static int
list_connected(const struct ctl *ctl, const struct x2gobroker_config *config)
{
	struct x2gobroker_connected *all;
	int result;

	if (!x2gobroker_config_client_events(config)) {
		ctl_complain("the clients are not asked to tell; to have "
		    "them tell, write client-events = true to [global] in "
		    "x2gobroker.conf");
		return EXIT_NO;
	}
	if (ctl_become_broker(config) == -1 ||
	    (all = connected_load(config)) == NULL)
		return EXIT_NO;
	result = ctl->json ? print_json(all) : print_table(all);
	if (!ctl->json && x2gobroker_connected_get(all, 0) == NULL)
		ctl_complain("nobody is connected");
	x2gobroker_connected_free(all);
	return result == 0 ? EXIT_YES : EXIT_NO;
}

int
who_main(const struct ctl *ctl)
{
	struct x2gobroker_config *config;
	int result;

	if (ctl_load_config(ctl, &config) == -1)
		return EXIT_NO;
	result = list_connected(ctl, config);
	x2gobroker_config_free(config);
	return result;
}

/*
 * Orders
 */

bool
connected_order(const struct x2gobroker_config *config, const char *user,
    const char *session, enum x2gobroker_order order)
{
	struct x2gobroker_connected *all = connected_load(config);
	const struct x2gobroker_client *client =
	    x2gobroker_connected_find(all, user, session);
	struct x2gobroker_error err;
	bool given = client != NULL;

	if (given && x2gobroker_connected_order(config, client, order, &err) ==
	    -1) {
		ctl_print_error(&err);
		given = false;
	}
	x2gobroker_connected_free(all);
	return given;
}

bool
connected_wait(const struct x2gobroker_config *config, const char *user,
    const char *session)
{
	int liveevent = x2gobroker_config_liveevent(config);
	time_t begin = time(NULL), now = begin, seen = begin;
	const struct x2gobroker_client *client;
	struct x2gobroker_connected *all;

	/* it may have told just before, and takes some time to carry it out */
	while (now - begin < 3 * liveevent + 10) {
		all = connected_load(config);
		client = x2gobroker_connected_find(all, user, session);
		if (client == NULL) {
			x2gobroker_connected_free(all);
			return all != NULL && now - seen < 2 * liveevent + 1;
		}
		seen = (time_t)client->seen;
		x2gobroker_connected_free(all);
		nanosleep(&(struct timespec){ .tv_nsec = 500 * 1000 * 1000 },
		    NULL);
		now = time(NULL);
	}
	return false;
}
