/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl sessions, suspend and terminate: list and change the sessions
 * of a user on the X2Go servers.
 */
#include <string.h>

#include "base/json.h"
#include "connected.h"
#include "servers.h"
#include "terminal.h"

/* A farm has the time of one request.  A person may take longer to answer a
 * question, so the servers are asked anew after it. */
struct view {
	struct site site;
	const char *user;
	struct x2gobroker_farm *farm;
	struct x2gobroker_connected *connected;	/* or NULL: not known */
	size_t failed;		/* servers */
};

static int
ask(struct view *view, char *const *ids, int n)
{
	x2gobroker_farm_free(view->farm);
	view->farm = servers_farm(&view->site, view->user, ids, n);
	if (view->farm == NULL || servers_ask(view->farm, &view->failed) == -1)
		return -1;
	if (x2gobroker_farm_server(view->farm, 0) != NULL)
		return 0;
	servers_explain_not_asked(n == 1 ? servers_find(&view->site, ids[0]) :
	    NULL);
	return -1;
}

static int
open_view(const struct ctl *ctl, struct view *view)
{
	memset(view, 0, sizeof(*view));
	view->user = ctl->words[0];
	if (servers_open(ctl, &view->site) == -1)
		return -1;
	view->connected = connected_load(view->site.config);
	return 0;
}

static void
close_view(struct view *view)
{
	x2gobroker_farm_free(view->farm);
	x2gobroker_connected_free(view->connected);
	ctl_close(&view->site);
}

static const char *const states[] = {
	[X2GOBROKER_SESSION_RUNNING] = "running",
	[X2GOBROKER_SESSION_SUSPENDED] = "suspended",
	[X2GOBROKER_SESSION_FINISHED] = "finished",
};

/*
 * sessions
 */

/* The minute of "2026-11-23T20:49:25". */
static void
add_time(struct table *table, const char *time)
{
	const char *t = strchr(time, 'T');

	if (t == NULL)
		table_add(table, time);
	else
		table_addf(table, "%.*s %.5s", (int)(t - time), time, t + 1);
}

static int
print_table(const struct view *view)
{
	const char *const heading[] = { "ID", "STATE", "HOST", "SINCE",
	    "LAST", "CLIENT", view->connected != NULL ? "SEEN" : NULL, NULL };
	const struct x2gobroker_session *session;
	struct table table;
	size_t i;

	table_begin(&table, heading, 0);
	for (i = 0; (session = x2gobroker_farm_session(view->farm, i)) !=
	    NULL; i++) {
		table_add(&table, session->id);
		table_add_coloured(&table, states[session->state],
		    session->state == X2GOBROKER_SESSION_RUNNING ?
		    COLOUR_GOOD : COLOUR_CARE);
		table_add(&table, session->host);
		add_time(&table, session->created);
		add_time(&table, session->last);
		table_add(&table, session->client);
		if (view->connected != NULL)
			connected_add_seen(&table, x2gobroker_connected_find(
			    view->connected, view->user, session->id));
	}
	return table_print(&table);
}

static void
put_session(struct json *json, const struct view *view,
    const struct x2gobroker_session *session)
{
	const struct x2gobroker_server *server;
	const struct x2gobroker_client *client;

	server = x2gobroker_farm_server(view->farm, session->server);
	client = x2gobroker_connected_find(view->connected, view->user,
	    session->id);
	json_object(json, NULL);
	json_string(json, "id", session->id);
	json_string(json, "state", states[session->state]);
	json_string(json, "host", session->host);
	json_text(json, "server", server->name);
	json_text(json, "since", session->created);
	json_text(json, "last", session->last);
	json_text(json, "client", session->client);
	if (client != NULL)
		json_integer(json, "seen", client->seen);
	json_close(json);
}

static int
print_json(const struct view *view)
{
	const struct x2gobroker_session *session;
	const struct x2gobroker_server *server;
	struct json json;
	size_t i;

	json_begin(&json);
	json_string(&json, "user", view->user);
	json_array(&json, "sessions");
	for (i = 0; (session = x2gobroker_farm_session(view->farm, i)) !=
	    NULL; i++)
		put_session(&json, view, session);
	json_close(&json);
	json_array(&json, "failed");
	for (i = 0; (server = x2gobroker_farm_server(view->farm, i)) !=
	    NULL; i++) {
		if (server->answered)
			continue;
		json_object(&json, NULL);
		json_string(&json, "name", server->name);
		json_text(&json, "address", server->address);
		json_integer(&json, "port", server->port);
		json_text(&json, "error", server->error);
		json_close(&json);
	}
	return json_print(&json);
}

static int
list_sessions(const struct ctl *ctl, const struct view *view)
{
	int result;

	result = ctl->json ? print_json(view) : print_table(view);
	if (!ctl->json && x2gobroker_farm_session(view->farm, 0) == NULL)
		ctl_complain("%s has no session%s", view->user,
		    view->failed > 0 ? " on the servers that answered" : "");
	if (!ctl->json)
		servers_print_problems(view->farm, true, true);
	return result == 0 && view->failed == 0 ? EXIT_YES : EXIT_NO;
}

int
sessions_main(const struct ctl *ctl)
{
	struct view view;
	int result = EXIT_NO;

	if (open_view(ctl, &view) == -1)
		return EXIT_NO;
	if (ask(&view, ctl->words + 1, ctl->nwords - 1) == 0)
		result = list_sessions(ctl, &view);
	close_view(&view);
	return result;
}

/*
 * suspend and terminate
 */

/* Ask for the session of that id, which invalidates the one before.  NULL: an
 * error message was printed. */
static const struct x2gobroker_session *
ask_for_session(struct view *view, const char *id)
{
	const struct x2gobroker_session *session;
	size_t i;

	if (ask(view, NULL, 0) == -1)
		return NULL;
	for (i = 0; (session = x2gobroker_farm_session(view->farm, i)) != NULL;
	    i++)
		if (strcmp(session->id, id) == 0)
			return session;
	servers_print_problems(view->farm, true, false);
	ctl_complain("%s has no session %s%s; x2gobrokerctl sessions %s lists "
	    "the sessions", view->user, id, view->failed > 0 ?
	    " on the servers that answered" : "", view->user);
	return NULL;
}

/* session is NULL if its server has not answered. */
static bool
confirm_end(const struct view *view, const char *id,
    const struct x2gobroker_session *session)
{
	if (terminal_can_ask() && session != NULL)
		fprintf(stderr, "%s, of %s on %s since %s, is %s.\n", id,
		    view->user, session->host, session->created,
		    states[session->state]);
	return servers_confirm(id, "Terminate it?  Unsaved work in it is "
	    "lost.", "nothing was done");
}

static int
wait_for_client(const struct view *view, const char *id, const char *done)
{
	printf("%s: its client is told, and gets this with its next event\n",
	    id);
	fflush(stdout);
	if (connected_wait(view->site.config, view->user, id)) {
		printf("%s: %s by its client\n", id, done);
		return EXIT_YES;
	}
	ctl_complain("%s: its client has not done it", id);
	return EXIT_NO;
}

/* Its server and its client are told, because either may be out of reach. */
static int
change_both_ways(const struct view *view, const char *id,
    const struct x2gobroker_session *session, bool ends)
{
	const char *done = ends ? "terminated" : "suspended";
	struct x2gobroker_error err;
	bool told = connected_order(view->site.config, view->user, id, ends ?
	    X2GOBROKER_ORDER_TERMINATE : X2GOBROKER_ORDER_SUSPEND);
	int result = -1;

	if (session != NULL) {
		result = ends ?
		    x2gobroker_farm_terminate(view->farm, id, &err) :
		    x2gobroker_farm_suspend(view->farm, id, &err);
		if (result == -1)
			ctl_complain("%s: %s", id, err.text);
	}
	if (result == 0) {
		printf("%s: %s%s\n", id, done, told ? " by its server" : "");
		return EXIT_YES;
	}
	return told ? wait_for_client(view, id, done) : EXIT_NO;
}

static int
change_session(const struct ctl *ctl, struct view *view, bool ends)
{
	const char *id = ctl->words[1];
	const struct x2gobroker_session *session = ask_for_session(view, id);
	bool connected = view->failed > 0 && x2gobroker_connected_find(
	    view->connected, view->user, id) != NULL;

	if (session == NULL && !connected)
		return EXIT_NO;
	if (ends && !ctl->yes) {
		if (!confirm_end(view, id, session))
			return EXIT_NO;
		session = ask_for_session(view, id);
	}
	if (session == NULL && !connected)
		return EXIT_NO;
	if (session != NULL && !ends &&
	    session->state == X2GOBROKER_SESSION_SUSPENDED) {
		printf("%s: already suspended\n", id);
		return EXIT_YES;
	}
	return change_both_ways(view, id, session, ends);
}

static int
open_and_change(const struct ctl *ctl, bool ends)
{
	struct view view;
	int result;

	if (open_view(ctl, &view) == -1)
		return EXIT_NO;
	result = change_session(ctl, &view, ends);
	close_view(&view);
	return fflush(stdout) == 0 ? result : EXIT_NO;
}

int
suspend_main(const struct ctl *ctl)
{
	return open_and_change(ctl, false);
}

int
terminate_main(const struct ctl *ctl)
{
	return open_and_change(ctl, true);
}
