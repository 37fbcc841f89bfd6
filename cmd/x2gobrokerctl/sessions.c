/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl sessions, suspend and terminate: list and change the sessions
 * of a user on the X2Go servers.
 */
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "endall.h"
#include "terminal.h"

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

/*
 * sessions
 */

static void
put_session(struct json *json, const struct view *view,
    const struct x2gobroker_session *session)
{
	const struct x2gobroker_server *server;
	const struct x2gobroker_client *client;

	server = x2gobroker_farm_server(view->farm, session->server);
	client = x2gobroker_connected_find(view->connected, session->user,
	    session->id);
	json_object(json, NULL);
	if (view->ctl->all)
		json_string(json, "user", session->user);
	json_string(json, "id", session->id);
	json_string(json, "state", view_state(session));
	json_string(json, "host", session->host);
	json_text(json, "server", server != NULL ? server->name : "");
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
	size_t i = 0;

	json_begin(&json);
	json_string(&json, "user", view->user);
	json_array(&json, "sessions");
	while ((session = view_next(view, &i)) != NULL)
		put_session(&json, view, session);
	json_close(&json);
	json_array(&json, "failed");
	for (i = 0; (server = x2gobroker_farm_server(view->farm, i)) !=
	    NULL; i++) {
		if (!server->asked || server->answered)
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
list_sessions(const struct view *view)
{
	bool json = view->ctl->json;
	size_t i = 0;
	int result;

	result = json ? print_json(view) : view_print_table(view);
	if (!json && view_next(view, &i) == NULL)
		ctl_complain("%s%s%s", view->ctl->all ? "no session matches" :
		    view->user, view->ctl->all ? "" : " has no session",
		    view->failed > 0 ? " on the servers that answered" : "");
	if (!json)
		servers_print_problems(view->farm, true, true);
	return result == 0 && view->failed == 0 ? EXIT_YES : EXIT_NO;
}

/* The words are those of one user, or --all has options in place of them. */
static int
check_words(const struct ctl *ctl, const char *name, const char *second)
{
	const char *wrong = NULL;

	if (ctl->all && ctl->nwords > 0)
		wrong = "takes --all or USER, not both";
	else if (!ctl->all && (ctl->user != NULL || ctl->profile != NULL ||
	    ctl->server != NULL || ctl->state != NULL ||
	    ctl->older_than != NULL || ctl->dry_run))
		wrong = "takes these options only with --all";
	else if (!ctl->all && ctl->nwords == 0)
		wrong = "needs USER or --all";
	else if (!ctl->all && second != NULL && ctl->nwords == 1)
		wrong = second;
	if (wrong == NULL)
		return EXIT_YES;
	ctl_complain("%s %s; try x2gobrokerctl help %s", name, wrong, name);
	return EXIT_USAGE;
}

int
sessions_main(const struct ctl *ctl)
{
	struct view view;
	int result = check_words(ctl, "sessions", NULL);

	if (result == EXIT_YES)
		result = filter_read(ctl, time(NULL), &view.filter);
	if (result != EXIT_YES)
		return result;
	if (view_open(ctl, &view) == -1)
		return EXIT_NO;
	result = EXIT_NO;
	if ((ctl->all ? view_list_all(&view) :
	    ask(&view, ctl->words + 1, ctl->nwords - 1)) == 0)
		result = list_sessions(&view);
	view_close(&view);
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
		    view_state(session));
	return servers_confirm(id, "Terminate it?  Unsaved work in it is "
	    "lost.", "nothing was done");
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
	return told ? view_wait_for_client(view, view->user, id, done) :
	    EXIT_NO;
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
	int result = check_words(ctl, ends ? "terminate" : "suspend",
	    "needs SESSION");

	if (result == EXIT_YES)
		result = filter_read(ctl, time(NULL), &view.filter);
	if (result != EXIT_YES)
		return result;
	if (view_open(ctl, &view) == -1)
		return EXIT_NO;
	result = ctl->all ? endall_run(&view, ends) :
	    change_session(ctl, &view, ends);
	view_close(&view);
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
