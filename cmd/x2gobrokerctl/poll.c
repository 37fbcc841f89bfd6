/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl poll: the state of the X2Go servers, and which one would get a
 * new session.
 */
#include <string.h>

#include "base/json.h"
#include "servers.h"
#include "table.h"

/* What is printed as one table, or as a part of the JSON output. */
struct view {
	struct x2gobroker_farm *farm;
	const char *user;			/* or NULL */
	const struct x2gobroker_profile *profile;	/* NULL: of all */
	struct x2gobroker_farm *members;	/* only the profile's servers */
	bool none;				/* no server is chosen */
	size_t chosen;
	struct json *json;			/* NULL: print tables */
};

static bool
is_same(const struct x2gobroker_server *a, const struct x2gobroker_server *b)
{
	return strcmp(a->name, b->name) == 0 && a->port == b->port &&
	    strcmp(a->address, b->address) == 0;
}

/* Whether the server is one of the profile, if there is one. */
static bool
is_shown(const struct view *view, const struct x2gobroker_server *server)
{
	const struct x2gobroker_server *member;
	size_t i;

	for (i = 0; view->profile != NULL; i++) {
		if ((member = x2gobroker_farm_server(view->members, i)) == NULL)
			return false;
		if (is_same(server, member))
			return true;
	}
	return true;
}

static long
count_sessions(const struct view *view, size_t server)
{
	const struct x2gobroker_session *session;
	long n = 0;
	size_t i;

	for (i = 0; (session = x2gobroker_farm_session(view->farm, i)) !=
	    NULL; i++)
		n += session->server == server &&
		    session->state != X2GOBROKER_SESSION_FINISHED;
	return n;
}

/*
 * For people
 */

static void
add_state(struct table *table, const struct view *view,
    const struct x2gobroker_server *server, bool chosen)
{
	char text[X2GOBROKER_TEXT_SIZE];

	if (!server->answered) {
		snprintf(text, sizeof(text), "%s%s",
		    server->drained ? "drained; " : "", server->error);
		table_add_coloured(table, text, COLOUR_BAD);
	} else if (server->drained)
		table_add_coloured(table, "drained", COLOUR_CARE);
	else if (view->profile != NULL && !server->usable)
		table_add_coloured(table, server->unusable, COLOUR_CARE);
	else
		table_add_coloured(table, chosen ? "chosen" : "ok",
		    COLOUR_GOOD);
}

static void
add_row(struct table *table, const struct view *view, size_t i,
    const struct x2gobroker_server *server)
{
	char label[SERVER_LABEL_SIZE];

	table_add(table, servers_label(server->name, server->port, label));
	table_add_number(table, server->answered ? server->milliseconds : -1);
	table_add_number(table, server->load > 0 ? (long long)server->load :
	    -1);
	table_add_number(table, server->answered ? server->sessions : -1);
	if (view->user != NULL)
		table_add_number(table, server->answered ?
		    count_sessions(view, i) : -1);
	if (view->profile != NULL) {
		table_add_number(table, server->pending);
		if (server->usable)
			table_addf(table, "%.3g", server->score);
		else
			table_add(table, NULL);
	}
	add_state(table, view, server, !view->none && i == view->chosen);
}

static void
begin_table(struct table *table, const struct view *view)
{
	const char *heading[9] = { "SERVER", "MS", "LOAD", "SESSIONS" };
	size_t n = 4;

	if (view->user != NULL)
		heading[n++] = view->user;
	if (view->profile != NULL) {
		heading[n++] = "PENDING";
		heading[n++] = "SCORE";
	}
	heading[n] = "STATE";
	/* all are numbers but the first and the last */
	table_begin(table, heading, (1u << n) - 2);
}

/*
 * For programs
 */

static void
put_server(struct json *json, const struct view *view, size_t i,
    const struct x2gobroker_server *server)
{
	json_object(json, NULL);
	if (view->profile != NULL)
		json_string(json, "profile",
		    x2gobroker_profile_id(view->profile));
	json_string(json, "name", server->name);
	json_text(json, "address", server->address);
	json_known(json, "port", server->port > 0, server->port);
	json_bool(json, "answered", server->answered);
	json_text(json, "error", server->error);
	json_text(json, "warning", server->warning);
	json_known(json, "milliseconds", server->answered,
	    server->milliseconds);
	json_known(json, "load", server->load > 0, (long long)server->load);
	json_known(json, "sessions", server->answered && server->sessions >= 0,
	    server->sessions);
	if (view->user != NULL)
		json_known(json, "user_sessions", server->answered,
		    count_sessions(view, i));
	json_bool(json, "drained", server->drained);
	if (view->profile != NULL) {
		json_integer(json, "pending", server->pending);
		json_bool(json, "usable", server->usable);
		json_text(json, "unusable", server->unusable);
		if (server->usable)
			json_number(json, "score", server->score);
		else
			json_null(json, "score");
		json_bool(json, "chosen", !view->none && i == view->chosen);
	}
	json_close(json);
}

/*
 * What is shown
 */

static int
print_servers(const struct view *view)
{
	const struct x2gobroker_server *server;
	struct table table;
	size_t i;

	if (view->json == NULL)
		begin_table(&table, view);
	for (i = 0; (server = x2gobroker_farm_server(view->farm, i)) !=
	    NULL; i++)
		if (is_shown(view, server) && view->json != NULL)
			put_server(view->json, view, i, server);
		else if (is_shown(view, server))
			add_row(&table, view, i, server);
	return view->json != NULL ? 0 : table_print(&table);
}

/* Print the servers of the profile of that id, which have been asked. */
static int
show_profile(const struct site *site, struct view *view, char *id, bool titled)
{
	struct x2gobroker_error err = { 0 };
	int result = EXIT_YES;

	view->profile = x2gobroker_profiles_find(site->profiles, id);
	if ((view->members = servers_farm(site, NULL, &id, 1)) == NULL)
		return EXIT_NO;
	if (x2gobroker_farm_server(view->members, 0) == NULL) {
		servers_explain_not_asked(view->profile);
		x2gobroker_farm_free(view->members);
		return EXIT_NO;
	}
	view->none = x2gobroker_farm_choose(view->farm, view->profile,
	    &view->chosen, &err) == -1;
	if (titled && view->json == NULL)
		printf("[%s]\n", id);
	if (print_servers(view) == -1 || view->none)
		result = EXIT_NO;
	x2gobroker_farm_free(view->members);
	if (view->none)		/* the rows say why */
		ctl_complain("[%s]: %s", id,
		    err.code == X2GOBROKER_ERR_NOTFOUND ?
		    "no server is left for a new session" : err.text);
	return result;
}

static int
show(const struct ctl *ctl, const struct site *site, struct view *view)
{
	struct json json;
	int i, result = EXIT_YES;

	if (ctl->json) {
		json_begin(&json);
		json_array(&json, "servers");
		view->json = &json;
	}
	for (i = 0; i < ctl->nwords; i++) {
		if (i > 0 && !ctl->json)
			printf("\n");
		if (show_profile(site, view, ctl->words[i], ctl->nwords > 1) !=
		    EXIT_YES)
			result = EXIT_NO;
	}
	if ((ctl->nwords == 0 && print_servers(view) == -1) ||
	    (ctl->json && json_print(&json) == -1))
		result = EXIT_NO;
	view->json = NULL;
	return result;
}

static int
ask_and_show(const struct ctl *ctl, const struct site *site,
    struct view *view)
{
	size_t failed;
	int result;

	if (servers_ask(view->farm, &failed) == -1)
		return EXIT_NO;
	result = show(ctl, site, view);
	if (ctl->nwords == 0 && x2gobroker_farm_server(view->farm, 0) == NULL) {
		servers_explain_not_asked(NULL);
		return EXIT_NO;
	}
	if (!ctl->json)
		servers_print_problems(view->farm, false, true);
	return failed == 0 ? result : EXIT_NO;
}

int
poll_main(const struct ctl *ctl)
{
	struct view view = { .user = ctl->user, .none = true };
	struct site site;
	int result = EXIT_NO;

	if (servers_open(ctl, &site) == -1)
		return EXIT_NO;
	view.farm = servers_farm(&site, ctl->user, ctl->words, ctl->nwords);
	if (view.farm != NULL)
		result = ask_and_show(ctl, &site, &view);
	x2gobroker_farm_free(view.farm);
	ctl_close(&site);
	return result;
}
