/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task selectsession: the user has clicked a profile, and is told the
 * server to go to, which is always one of that profile's, and the sessions that
 * are to be resumed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/acl.h"
#include "autologin/autologin.h"
#include "farm/farm.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "client/markers.h"
#include "tasks/hook.h"
#include "tasks/task.h"

/* The profile of that id among those that are visible, or NULL.  What came in a
 * form can be read in several ways; the client means the first that fits. */
static const struct x2gobroker_profile *
find_selected(const struct visible *visible,
    const struct x2gobroker_request *request)
{
	static const enum client_option readings[] = { OPT_SID_RAW,
	    OPT_SID_LATIN1, OPT_SID };
	const char *id;
	size_t i, j;

	for (i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
		id = request->values[readings[i]];
		for (j = 0; id != NULL && j < visible->n; j++)
			if (strcmp(visible->list[j]->id, id) == 0)
				return visible->list[j];
	}
	return NULL;
}

/* The profile of that id, if the user may see it; else NULL, and why says the
 * reason to the log.  All profiles are checked, and each of them once, so that
 * one that is hidden and one that does not exist are refused in the same words
 * and after the same look-ups. */
static const struct x2gobroker_profile *
find_visible(struct x2gobroker_answer *answer, const char *id,
    struct x2gobroker_error *why)
{
	const struct x2gobroker_profile *found;
	struct visible visible;

	error_set(why, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
	    "no profile has this id");
	if (visible_find(&visible, answer->profiles, answer->user, id, why,
	    &answer->reporter, why) == -1)
		return NULL;
	found = find_selected(&visible, answer->request);
	free(visible.list);
	return found;
}

/* Whether the client may log in at the server by that name: as the user, or
 * as whom the administrator has written into the profile. */
static int
check_login(const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, const char *login,
    struct x2gobroker_error *err)
{
	if (login == NULL || *login == '\0' ||
	    strcmp(login, user->name) == 0 ||
	    strcmp(login, profile_login(profile, user->name)) == 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, profile->file->path,
	    profile_key_line(profile, "user"), "--login %.100s is neither the "
	    "user nor the profile's user=; write user=BROKER_USER to make the "
	    "client log in as the user", login);
}

/*
 * Sessions that the user has already
 */

/* What the answer says. */
struct selection {
	char server[HOST_TEXT_MAX + 1];
	int port;
	struct buf key;			/* a private one, or "" */
	bool key_accepted;		/* the client's own public one */
	struct buf sessions;		/* lines for SESSION_INFO */
};

/* Those that the client can be sent to by one answer, best first. */
struct offer {
	struct selection *selection;
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm;
	const struct host *hosts;
	size_t nhosts;
	const struct farm_session *best;	/* or NULL: a new one it is */
	enum session_state state;		/* of that one by now */
	const struct host *host;		/* where it is, or will be */
	struct autologin *autologin;		/* the key for it, or NULL */
	const struct x2gobroker_notice *notice;	/* why no new one, or NULL */
	struct hook_choice choice;		/* for a new one */
};

/* Suspend the running session that is to be taken over, as the client offers to
 * resume suspended ones alone.  Where that fails, or would take long, it is
 * offered all the same: x2goresume-session(8), which the client runs then, can
 * suspend it, too.  False: it is not there any more. */
static bool
take_over(struct offer *offer, struct x2gobroker_answer *answer)
{
	const char *id = session_id(offer->best->session);
	struct x2gobroker_error err;

	offer->state = SESSION_SUSPENDED;
	if (poll_hand_over(offer->farm, id, &err) == 0)
		return true;
	report(&answer->reporter, X2GOBROKER_WARNING, NULL, 0,
	    "session %s is not suspended yet: %s", id, err.text);
	return err.code != X2GOBROKER_ERR_NOTFOUND;
}

/* The sessions are sorted: the first that can be gone to is the best. */
static void
find_best(struct offer *offer, struct x2gobroker_answer *answer)
{
	struct farm_session *session;
	size_t i;

	for (i = 0; i < offer->farm->nsessions; i++) {
		session = &offer->farm->sessions[i];
		offer->host = farm_host_of(offer->farm, offer->profile,
		    offer->hosts, offer->nhosts, session);
		if (offer->host == NULL)
			continue;
		offer->best = session;
		offer->state = session->session->state;
		if (offer->state == SESSION_SUSPENDED ||
		    take_over(offer, answer))
			return;
		offer->best = NULL;
	}
}

/* The lines of SESSION_INFO: the best session and those after it at the same
 * port, as an answer has room for one port. */
static void
put_sessions(const struct offer *offer, struct buf *buf)
{
	struct farm_session *session = offer->farm->sessions;
	struct farm_session *end = session + offer->farm->nsessions;
	int port = farm_port(offer->profile, offer->host);
	const struct host *host;

	session_put(buf, offer->best->session, host_for_client(offer->host),
	    offer->state);
	buf_putc(buf, '\n');
	for (session += offer->best - session + 1; session < end; session++) {
		host = farm_host_of(offer->farm, offer->profile, offer->hosts,
		    offer->nhosts, session);
		if (host == NULL)
			continue;
		if (farm_port(offer->profile, host) != port) {
			session->offered = false;
			session->why = "another session comes first, and this "
			    "one is at another port";
			continue;
		}
		session_put(buf, session->session, host_for_client(host),
		    session->session->state);
		buf_putc(buf, '\n');
	}
}

/*
 * The server
 */

static void
send_to(struct x2gobroker_answer *answer, const struct offer *offer,
    const struct host *host)
{
	struct selection *selection = offer->selection;

	strlcpy(selection->server, host_for_client(host),
	    sizeof(selection->server));
	selection->port = farm_port(offer->profile, host);
	buf_printf(&answer->summary, "server=%s:%d", selection->server,
	    selection->port);
}

/* Where a new session may go. */
static size_t
hosts_for_new(const struct offer *offer, const struct host **hosts)
{
	*hosts = offer->choice.n > 0 ? offer->choice.hosts : offer->hosts;
	return offer->choice.n > 0 ? offer->choice.n : offer->nhosts;
}

/* A shared desktop is on the first server, whichever that is. */
static int
send_to_first(struct x2gobroker_answer *answer, const struct offer *offer,
    struct x2gobroker_error *err)
{
	const struct host *hosts;
	size_t i, n = hosts_for_new(offer, &hosts);

	for (i = 0; i < n; i++) {
		if (host_for_client(&hosts[i]) == NULL)
			continue;
		send_to(answer, offer, &hosts[i]);
		return 0;
	}
	return error_set(err, X2GOBROKER_ERR_VALUE,
	    offer->profile->file->path, profile_key_line(offer->profile,
	    "host"), "host: no server that the client could be told");
}

static void
send_to_session(struct x2gobroker_answer *answer, const struct offer *offer)
{
	send_to(answer, offer, offer->host);
	buf_printf(&answer->summary, " session=%s%s",
	    session_id(offer->best->session), offer->state ==
	    offer->best->session->state ? "" : " taken-over=yes");
	put_sessions(offer, &offer->selection->sessions);
}

/* No server is left.  If that is because of maintenance, say so to the person;
 * err has the reason for each server. */
static void
tell_of_maintenance(struct x2gobroker_answer *answer, const struct offer *offer)
{
	cleanup_free struct host *hosts = NULL;
	const struct x2gobroker_notice *notice;
	size_t i, n;

	if (offer->notice != NULL || farm_hosts(NULL, offer->profile,
	    &hosts, &n, NULL) == -1)
		return;
	for (i = 0; i < n; i++) {
		notice = maintenance_of_server(offer->farm->maintenance,
		    &hosts[i]);
		if (notice != NULL) {
			answer_refuse_for(answer, notice, NULL);
			return;
		}
	}
}

static int
send_to_chosen(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	const struct host *hosts;
	size_t n = hosts_for_new(offer, &hosts), chosen;

	if (balance_choose_host(offer->farm, offer->profile, hosts, n,
	    answer->user->name, true, &answer->reporter, &chosen, err) == -1)
		return -1;
	offer->host = &hosts[chosen];
	send_to(answer, offer, offer->host);
	return 0;
}

/* Let the client in without a password, if that can be done: put the key in
 * place, and in the answer. */
static void
give_key(struct x2gobroker_answer *answer, struct offer *offer)
{
	struct autologin *key = offer->autologin;
	struct x2gobroker_error err;

	if (key == NULL)
		return;
	if (key->query.public_key == NULL)
		err = key->query.error;
	else if (autologin_place(key, offer->farm, offer->profile, offer->host,
	    x2gobroker_user_address(answer->user), &answer->reporter, &err) ==
	    0) {
		buf_put(&offer->selection->key, key->query.private_key.data,
		    key->query.private_key.len);
		offer->selection->key_accepted = key->is_sent;
		buf_puts(&answer->summary, !key->is_sent ? " key=yes" :
		    answer->request->wants_json ? " key=sent" : " key=own");
		return;
	}
	report(&answer->reporter, X2GOBROKER_WARNING, NULL, 0,
	    "no key for an automatic login: %s", err.text);
}

/* The key for an automatic login: a new one, one that the client has sent, or
 * the one with which the user has come.  A bad one is no reason to refuse the
 * session. */
static int
begin_key(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	const char *sent = answer->request->wants_json ?
	    answer->request->values[OPT_PUBKEY] : NULL;
	bool is_sent = sent != NULL && *sent != '\0';
	struct x2gobroker_error why;

	if (!is_sent && !autologin_is_own(offer->profile)) {
		offer->autologin = autologin_new(offer->profile->config, err);
		return offer->autologin != NULL ? 0 : -1;
	}
	if (!is_sent && (sent = answer->user->key) == NULL)
		error_set(&why, X2GOBROKER_ERR_NOTFOUND, NULL, 0, "sshd does "
		    "not tell the user's own key; set \"ExposeAuthInfo yes\" "
		    "in sshd_config(5), or use x2gobrokerctl authorized-keys");
	else
		offer->autologin = autologin_new_sent(sent, &why);
	if (offer->autologin == NULL)
		report(&answer->reporter, X2GOBROKER_WARNING, NULL, 0,
		    "no key for an automatic login: %s", why.text);
	return 0;
}

/* Whose sessions the servers are asked for.  NULL: nobody's.  Who logs in as
 * somebody else shares that account, and must not see what others have left
 * there. */
static const char *
session_owner(const struct x2gobroker_answer *answer,
    const struct x2gobroker_profile *profile)
{
	return answer_shows_sessions(answer) &&
	    profile_login_is_own(profile, answer->user->name) ?
	    answer->user->name : NULL;
}

/* Ask the servers, as far as the profile wants that. */
static int
ask_servers(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = offer->profile->config;
	struct autologin *key;
	bool wanted;

	if (x2gobroker_farm_add(offer->farm, offer->profile, err) == -1)
		return -1;
	wanted = answer_shows_sessions(answer) &&
	    autologin_is_wanted(offer->profile, answer->user,
	    &answer->reporter);
	if (offer->farm->nservers == 0)
		return 0;
	if (wanted && begin_key(answer, offer, err) == -1)
		return -1;
	key = offer->autologin;
	/* a session may be taken over, and a key added */
	offer->farm->acts = true;
	offer->farm->weights = x2gobroker_profile_value(offer->profile,
	    "broker-host-weights");
	/* to make a key takes as long as to ask a server */
	return poll_servers(offer->farm, offer->farm->user != NULL &&
	    offer->nhosts == 1 && x2gobroker_profile_value(offer->profile,
	    "broker-host-limits") == NULL ? &query_sessions : &query_all,
	    config->agent_timeout, NULL, NULL,
	    key != NULL && !key->is_sent ? &key->query : NULL, err);
}

/* While none of the servers that were asked can be used, ask others. */
static int
find_server(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	int result;

	do {
		find_best(offer, answer);
		if (offer->best != NULL) {
			send_to_session(answer, offer);
			return 0;
		}
		if (offer->notice != NULL)
			return answer_refuse_for(answer, offer->notice, err);
		result = send_to_chosen(answer, offer, err);
	} while (result == -1 && poll_more(offer->farm, err) == 1);
	return result;
}

static bool
is_usable(void *arg, const struct host *host)
{
	const struct offer *offer = arg;

	return !drain_has(offer->farm->drained, host) &&
	    maintenance_of_server(offer->farm->maintenance, host) == NULL;
}

/* Its time is not that of the servers. */
static int
ask_hook(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	int64_t begin = clock_ms();

	if (hook_select(answer, offer->profile, offer->hosts, offer->nhosts,
	    is_usable, offer, &offer->choice, err) == -1)
		return -1;
	offer->farm->deadline += clock_ms() - begin;
	offer->farm->is_chosen = offer->choice.n > 0;
	offer->farm->in_order = offer->choice.in_order;
	return 0;
}

static int
choose_server(struct x2gobroker_answer *answer, struct offer *offer,
    struct x2gobroker_error *err)
{
	bool shadow = profile_is_shadow(offer->profile);
	int result;

	offer->notice = x2gobroker_maintenance_find(offer->farm->maintenance,
	    offer->profile->id);
	if (offer->notice != NULL && (shadow || !offer->notice->resume))
		return answer_refuse_for(answer, offer->notice, err);
	if (ask_hook(answer, offer, err) == -1)
		return -1;
	if (shadow)
		return send_to_first(answer, offer, err);
	if (ask_servers(answer, offer, err) == -1)
		return -1;
	result = find_server(answer, offer, err);
	farm_report(offer->farm, &answer->reporter);
	if (result == -1) {
		tell_of_maintenance(answer, offer);
		return -1;
	}
	farm_report_left_out(offer->farm, &answer->reporter);
	give_key(answer, offer);
	return 0;
}

static int
selectsession_decide(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err)
{
	const char *id = answer->request->values[OPT_SID];
	const char *login = answer->request->values[OPT_LOGIN];
	cleanup_free struct host *hosts = NULL;
	struct offer offer = { .selection = state };
	int result;

	if ((offer.profile = find_visible(answer, id, err)) == NULL ||
	    check_login(offer.profile, answer->user, login, err) == -1 ||
	    x2gobroker_farm_new(offer.profile->config, session_owner(answer,
	    offer.profile), &offer.farm, err) == -1)
		return -1;
	result = farm_hosts(offer.farm, offer.profile, &hosts, &offer.nhosts,
	    err);
	offer.hosts = hosts;
	if (result == 0)
		result = choose_server(answer, &offer, err);
	if (offer.selection->key.failed || offer.selection->sessions.failed)
		result = error_nomem(err);
	autologin_free(offer.autologin);
	free(offer.choice.hosts);
	x2gobroker_farm_free(offer.farm);
	return result;
}

static int
selectsession_write(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err __attribute__((unused)))
{
	const struct selection *selection = state;
	struct buf *body = &answer->body;

	buf_puts(body, MARKER_GRANTED);
	if (selection->key.len > 0)
		buf_put(body, selection->key.data, selection->key.len);
	buf_printf(body, "%s%s:%d\n", MARKER_SERVER, selection->server,
	    selection->port);
	/* the client takes all that follows for sessions */
	if (selection->sessions.len > 0)
		buf_printf(body, "%s%s", MARKER_SESSION_INFO,
		    selection->sessions.data);
	return 0;
}

static int
selectsession_write_json(
    struct x2gobroker_answer *answer __attribute__((unused)), void *state,
    struct json *json, struct x2gobroker_error *err __attribute__((unused)))
{
	const struct selection *selection = state;
	char port[16];

	snprintf(port, sizeof(port), "%d", selection->port);
	json_object(json, "selected_session");
	json_string(json, "server", selection->server);
	json_string(json, "port", port);
	if (selection->key_accepted)
		json_string(json, "authentication_pubkey", "ACCEPTED");
	else if (selection->key.len > 0)
		json_string(json, "key", selection->key.data);
	/* the best one */
	if (selection->sessions.len > 0)
		json_bytes(json, "session_info", selection->sessions.data,
		    strcspn(selection->sessions.data, "\n"));
	json_close(json);
	return 0;
}

static void
free_selection(void *state)
{
	struct selection *selection = state;

	buf_free(&selection->key);
	buf_free(&selection->sessions);
}

const struct task task_selectsession = {
	.name = "selectsession",
	.json_name = "selectsession",
	.help = " --sid PROFILE [--login NAME]",
	.needed = OPT_SID,
	.state_size = sizeof(struct selection),
	.decide = selectsession_decide,
	.write = selectsession_write,
	.write_json = selectsession_write_json,
	.free_state = free_selection,
};
