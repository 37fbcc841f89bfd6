/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl suspend and terminate with --all: all sessions that match.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "endall.h"
#include "terminal.h"

struct endall {
	struct view *view;
	bool ends;		/* else suspends */
	size_t *which;		/* numbers of sessions of the farm, ascending */
	bool *told;		/* its client was; by the number of a session */
	size_t n, done, ended;
};

static const char *
past(const struct endall *all)
{
	return all->ends ? "terminated" : "suspended";
}

/* Is that session in the list of the farm, in the same state? */
static bool
is_in(const struct x2gobroker_farm *farm,
    const struct x2gobroker_session *session)
{
	const struct x2gobroker_session *other;
	size_t i;

	for (i = 0; (other = x2gobroker_farm_session(farm, i)) != NULL; i++)
		if (strcmp(other->id, session->id) == 0 &&
		    strcmp(other->user, session->user) == 0 &&
		    strcmp(other->host, session->host) == 0 &&
		    other->state == session->state)
			return true;
	return false;
}

/* Select the sessions that match, of those that shown (may be NULL) has, too.
 * -1: an error message was printed. */
static int
select_sessions(struct endall *all, const struct x2gobroker_farm *shown)
{
	const struct x2gobroker_session *session;
	size_t *more, i = 0;

	all->n = 0;
	while ((session = view_next(all->view, &i)) != NULL) {
		if ((!all->ends &&
		    session->state == X2GOBROKER_SESSION_SUSPENDED) ||
		    (shown != NULL && !is_in(shown, session)))
			continue;
		more = array_grow(all->which, all->n, sizeof(*more));
		if (more == NULL) {
			ctl_complain("out of memory");
			return -1;
		}
		all->which = more;
		more[all->n++] = i - 1;
	}
	return 0;
}

/* Ask, and look again after the answer: a session that somebody has resumed
 * meanwhile is not the one that was shown. */
static bool
confirm(struct endall *all)
{
	struct x2gobroker_farm *shown = all->view->farm;
	char question[100];
	bool result;

	snprintf(question, sizeof(question), all->ends ? "Terminate %zu "
	    "session%s?  Unsaved work is lost." : "Suspend %zu session%s?",
	    all->n, all->n == 1 ? "" : "s");
	if (!servers_confirm("--all", question, "nothing was done"))
		return false;
	all->view->farm = NULL;
	result = view_list_all(all->view) == 0 &&
	    select_sessions(all, shown) == 0;
	x2gobroker_farm_free(shown);
	return result;
}

/* Their clients are told, too, because a server may be out of reach. */
static void
tell_clients(struct endall *all)
{
	const struct view *view = all->view;
	const struct x2gobroker_session *session;
	size_t i;

	for (i = 0; i < all->n && view->connected != NULL; i++) {
		session = x2gobroker_farm_session(view->farm, all->which[i]);
		all->told[all->which[i]] = x2gobroker_connected_find(
		    view->connected, session->user, session->id) != NULL &&
		    connected_order(view->site.config, session->user,
		    session->id, all->ends ? X2GOBROKER_ORDER_TERMINATE :
		    X2GOBROKER_ORDER_SUSPEND);
	}
}

static void
note_result(void *arg, size_t number, const struct x2gobroker_error *why)
{
	struct endall *all = arg;
	const struct x2gobroker_session *session =
	    x2gobroker_farm_session(all->view->farm, number);
	char text[2 * X2GOBROKER_TEXT_SIZE];

	terminal_clear_progress();
	if (why != NULL)
		ctl_complain("%s: on %s: %s", session->id, session->host,
		    x2gobroker_error_format(why, text, sizeof(text)));
	else {
		printf("%s: %s\n", session->id, past(all));
		fflush(stdout);
		all->told[number] = false;
		all->ended++;
	}
	terminal_show_progress(all->ends ? "terminating" : "suspending",
	    ++all->done, all->n);
}

static void
wait_for_clients(struct endall *all)
{
	const struct x2gobroker_session *session;
	size_t i;

	for (i = 0; i < all->n; i++) {
		session = x2gobroker_farm_session(all->view->farm,
		    all->which[i]);
		if (all->told[all->which[i]] && view_wait_for_client(all->view,
		    session->user, session->id, past(all)) == EXIT_YES)
			all->ended++;
	}
}

static int
end_sessions(struct endall *all)
{
	struct x2gobroker_farm *farm = all->view->farm;
	struct x2gobroker_error err = { 0 };
	int result;

	all->told = calloc(all->n > 0 ? all->which[all->n - 1] + 1 : 1,
	    sizeof(*all->told));
	if (all->told == NULL) {
		ctl_complain("out of memory");
		return EXIT_NO;
	}
	tell_clients(all);
	result = (all->ends ? x2gobroker_farm_terminate_all :
	    x2gobroker_farm_suspend_all)(farm, all->which, all->n, note_result,
	    all, &err);
	terminal_clear_progress();
	if (result == -1)
		ctl_print_error(&err);
	wait_for_clients(all);
	printf("%zu of %zu sessions %s\n", all->ended, all->n, past(all));
	return result == 0 && all->ended == all->n ? EXIT_YES : EXIT_NO;
}

/* Returns an exit status. */
static int
show_and_end(struct endall *all)
{
	const struct ctl *ctl = all->view->ctl;

	if (all->n == 0) {
		ctl_complain("no session matches%s", all->view->failed > 0 ?
		    " on the servers that answered" : "");
		return EXIT_YES;
	}
	if ((ctl->dry_run || !ctl->yes) &&
	    view_print_table(all->view) == -1)
		return EXIT_NO;
	if (ctl->dry_run) {
		printf("%zu sessions would be %s\n", all->n, past(all));
		return EXIT_YES;
	}
	if (!ctl->yes && !confirm(all))
		return EXIT_NO;
	return end_sessions(all);
}

int
endall_run(struct view *view, bool ends)
{
	struct endall all = { .view = view, .ends = ends };
	int result;

	/* only those can be suspended */
	if (!ends && view->filter.state == 0)
		view->filter.state = X2GOBROKER_SESSION_RUNNING;
	if (!view->ctl->dry_run && !view->ctl->yes && !terminal_can_ask()) {
		servers_confirm("--all", "", "");
		return EXIT_NO;
	}
	if (view_list_all(view) == -1 || select_sessions(&all, NULL) == -1)
		return EXIT_NO;
	servers_print_problems(view->farm, true, true);
	result = show_and_end(&all);
	free(all.which);
	free(all.told);
	return view->failed == 0 ? result : EXIT_NO;
}
