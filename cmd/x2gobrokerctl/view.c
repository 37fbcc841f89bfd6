/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>

#include "view.h"

int
view_open(const struct ctl *ctl, struct view *view)
{
	struct filter filter = view->filter;

	*view = (struct view){ .ctl = ctl, .filter = filter,
	    .user = ctl->all ? ctl->user : ctl->words[0] };
	if (servers_open(ctl, &view->site) == -1)
		return -1;
	view->connected = connected_load(view->site.config);
	return 0;
}

void
view_close(struct view *view)
{
	x2gobroker_farm_free(view->farm);
	x2gobroker_connected_free(view->connected);
	ctl_close(&view->site);
}

static int
check_all(const struct view *view)
{
	const struct x2gobroker_server *database =
	    x2gobroker_farm_database(view->farm);
	const struct ctl *ctl = view->ctl;

	if (database->asked && !database->answered)
		ctl_complain("warning: session database: %s; the servers were "
		    "asked instead", database->error);
	if (database->warning[0] != '\0')
		ctl_complain("warning: session database: %s",
		    database->warning);
	if (database->answered ||
	    x2gobroker_farm_server(view->farm, 0) != NULL)
		return 0;
	if (ctl->server != NULL)
		ctl_complain("%s is no server of %s%s whose servers are asked",
		    ctl->server, ctl->profile != NULL ? "profile " :
		    "a profile", ctl->profile != NULL ? ctl->profile : "");
	else
		servers_explain_not_asked(ctl->profile != NULL ?
		    servers_find(&view->site, ctl->profile) : NULL);
	return -1;
}

int
view_list_all(struct view *view)
{
	const struct ctl *ctl = view->ctl;

	x2gobroker_farm_free(view->farm);
	view->farm = servers_farm_with_closed(&view->site, view->user,
	    &ctl->profile, ctl->profile != NULL ? 1 : 0);
	if (view->farm == NULL)
		return -1;
	if (ctl->server != NULL)
		x2gobroker_farm_keep(view->farm, ctl->server);
	if (servers_list(view->farm, &view->failed) == -1)
		return -1;
	return check_all(view);
}

/* Is it on the servers that the options name?  The farm has no others, but the
 * host of the session need not be in it. */
static bool
is_there(const struct view *view, const struct x2gobroker_session *session)
{
	const struct ctl *ctl = view->ctl;
	const struct x2gobroker_server *server =
	    x2gobroker_farm_server(view->farm, session->server);

	if (server != NULL && server->name[0] != '\0')
		return true;
	return (ctl->server == NULL ||
	    strcasecmp(ctl->server, session->host) == 0) &&
	    (ctl->profile == NULL || x2gobroker_profile_has_server(
	    x2gobroker_profiles_find(view->site.profiles, ctl->profile),
	    session->host));
}

const struct x2gobroker_session *
view_next(const struct view *view, size_t *i)
{
	const struct x2gobroker_session *session;

	while ((session = x2gobroker_farm_session(view->farm, (*i)++)) != NULL)
		if (!view->ctl->all || (filter_takes(&view->filter, session) &&
		    is_there(view, session)))
			return session;
	return NULL;
}

static const char *const states[] = {
	[X2GOBROKER_SESSION_RUNNING] = "running",
	[X2GOBROKER_SESSION_SUSPENDED] = "suspended",
	[X2GOBROKER_SESSION_FINISHED] = "finished",
};

const char *
view_state(const struct x2gobroker_session *session)
{
	return states[session->state];
}

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

int
view_print_table(const struct view *view)
{
	const char *const heading[] = { "USER", "ID", "STATE", "HOST", "SINCE",
	    "LAST", "CLIENT", view->connected != NULL ? "SEEN" : NULL, NULL };
	bool all = view->ctl->all;
	const struct x2gobroker_session *session;
	struct table table;
	size_t i = 0;

	table_begin(&table, heading + !all, 0);
	while ((session = view_next(view, &i)) != NULL) {
		if (all)
			table_add(&table, session->user);
		table_add(&table, session->id);
		table_add_coloured(&table, view_state(session),
		    session->state == X2GOBROKER_SESSION_RUNNING ?
		    COLOUR_GOOD : COLOUR_CARE);
		table_add(&table, session->host);
		add_time(&table, session->created);
		add_time(&table, session->last);
		table_add(&table, session->client);
		if (view->connected != NULL)
			connected_add_seen(&table, x2gobroker_connected_find(
			    view->connected, session->user, session->id));
	}
	return table_print(&table);
}

int
view_wait_for_client(const struct view *view, const char *user,
    const char *id, const char *done)
{
	printf("%s: its client is told, and gets this with its next event\n",
	    id);
	fflush(stdout);
	if (connected_wait(view->site.config, user, id)) {
		printf("%s: %s by its client\n", id, done);
		return EXIT_YES;
	}
	ctl_complain("%s: its client has not done it", id);
	return EXIT_NO;
}
