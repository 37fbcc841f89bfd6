/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task listsessions: every profile that the user may see, with its values
 * as the X2Go client reads them.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/acl.h"
#include "autologin/autologin.h"
#include "base/cleanup.h"
#include "client/qsettings.h"
#include "farm/farm.h"
#include "config/hostlist.h"
#include "client/markers.h"
#include "base/parse.h"
#include "tasks/task.h"

/* The client shows no password page where a key= is announced; the key itself
 * comes with selectsession. */
#define KEY_ANNOUNCED	"<will-be-exchanged-during-session-selection>"

#define PROFILE_TEXT	640	/* bytes of a usual profile, generously */

/* Commands that are a whole desktop: x2goruncommand wants them upper-case,
 * and they have a root window of their own. */
static const char *const desktops[] = {
	"KDE", "GNOME", "XFCE", "CINNAMON", "MATE", "LXDE", "TRINITY", "UNITY",
	"ICEWM", "OPENBOX", "XDMCP", NULL
};

/* Where a profile is written: as lines for the X2Go client, or as JSON. */
struct out {
	struct buf *buf;	/* NULL: into json */
	struct json *json;
};

static void
put_text(const struct out *out, const char *name, const char *value)
{
	if (out->buf == NULL)
		json_string(out->json, name, value);
	else
		qsettings_put(out->buf, name, value);
}

static void
put_flag(const struct out *out, const char *name, bool value)
{
	if (out->buf == NULL) {
		json_bool(out->json, name, value);
		return;
	}
	buf_puts(out->buf, name);
	buf_puts(out->buf, value ? "=1\n" : "=0\n");
}

static void
put_int(const struct out *out, const char *name, int n)
{
	if (out->buf == NULL)
		json_integer(out->json, name, n);
	else
		buf_printf(out->buf, "%s=%d\n", name, n);
}

static void
put_number(const struct out *out, const char *name, const char *value)
{
	int n;

	if (parse_int(value, INT_MIN, INT_MAX, &n))
		put_int(out, name, n);	/* "+07" is 7 */
}

static void
put_list(const struct out *out, const char *name, const char *value)
{
	const char *item;
	size_t len;

	if (out->buf != NULL) {
		qsettings_put_list(out->buf, name, value);
		return;
	}
	json_array(out->json, name);
	while (parse_next_item(&value, &item, &len))
		if (len > 0)
			json_bytes(out->json, NULL, item, len);
	json_close(out->json);
}

/* The client wants one host; which one it will be is decided later. */
static int
put_host(const struct out *out, const char *value, struct x2gobroker_error *err)
{
	struct host host;

	if (hostlist_first(value, &host, err) == -1)
		return -1;
	if (out->buf != NULL)
		qsettings_put(out->buf, "host", host.name);
	else
		put_list(out, "host", host.name);
	return 0;
}

/* Write key as the client reads its kind of value. */
static int
put_key(const struct out *out, const struct ini_key *key,
    const struct x2gobroker_user *user, struct x2gobroker_error *err)
{
	const struct profile_key *row = key->row;
	const char *name = key->name, *value = key->value;
	bool flag;

	if (row->listing != LIST_AS_IT_IS || profile_is_not_set(value))
		return 0;
	switch (row->type) {
	case VALUE_FLAG:
	case VALUE_BOOL:
		if (parse_bool(value, &flag))
			put_flag(out, name, flag);
		else
			put_number(out, name, value);
		break;
	case VALUE_INT:
		put_number(out, name, value);
		break;
	case VALUE_LIST:
		put_list(out, name, value);
		break;
	case VALUE_HOSTS:
		return put_host(out, value, err);
	case VALUE_TEXT:
		put_text(out, name, profile_value_for(name, value,
		    user->name));
		break;
	case VALUE_MODE:
	case VALUE_POLICY:
	case VALUE_KEY:
	case VALUE_NUMBERS:
	case VALUE_ACL:
		break;
	}
	return 0;
}

static void
put_unless_null(const struct out *out, const char *name, const char *value)
{
	if (value != NULL)
		put_text(out, name, value);
}

/* The client takes all of sshproxyhost= for a name. */
static void
put_proxy(const struct out *out, const struct x2gobroker_profile *profile)
{
	const char *name = x2gobroker_profile_value(profile, "sshproxyhost");
	const char *port = x2gobroker_profile_value(profile, "sshproxyport");
	struct host host;

	if (name != NULL && hostlist_first(name, &host, NULL) == 0 &&
	    host.port != 0 && host_for_client(&host) != NULL) {
		put_text(out, "sshproxyhost", host_for_client(&host));
		put_int(out, "sshproxyport", host.port);
		return;
	}
	if (name != NULL && !profile_is_not_set(name))
		put_text(out, "sshproxyhost", name);
	if (port != NULL && !profile_is_not_set(port))
		put_number(out, "sshproxyport", port);
}

/* The keys whose value depends on other keys. */
static void
put_rest(const struct out *out, const struct x2gobroker_profile *profile)
{
	const char *command = x2gobroker_profile_value(profile, "command");
	int desktop = command != NULL ? config_find_word(desktops, command) :
	    -1;

	put_unless_null(out, "command", desktop != -1 ? desktops[desktop] :
	    command);
	if (desktop != -1 || x2gobroker_profile_value(profile, "rootless") !=
	    NULL)
		put_flag(out, "rootless", desktop == -1 &&
		    profile_bool(profile, "rootless", false));
	if (autologin_is_announced(profile)) {
		put_flag(out, "autologin", true);
		put_text(out, "key", KEY_ANNOUNCED);
	} else {
		if (x2gobroker_profile_value(profile, "autologin") != NULL)
			put_flag(out, "autologin",
			    profile_bool(profile, "autologin", false));
		put_unless_null(out, "key",
		    x2gobroker_profile_value(profile, "key"));
	}
}

/* The defaults of a profile file as lines for the client.  Thousands of
 * profiles share them, so they are written once and copied from here. */
struct lines {
	struct buf text;
	size_t *ends;		/* where the line of defaults.keys[i] ends */
	struct buf rest;	/* what put_rest() writes of them alone, */
	struct buf proxy;	/* and put_proxy() */
};

static int
render_defaults(struct lines *lines, const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, struct x2gobroker_error *err)
{
	const struct ini_section *defaults = &profile->file->defaults;
	const struct out text = { .buf = &lines->text };
	static const struct ini_section nothing;
	struct x2gobroker_profile bare = *profile;
	size_t i;

	if (lines->ends != NULL)
		return 0;
	lines->ends = calloc(defaults->nkeys + 1, sizeof(*lines->ends));
	if (lines->ends == NULL)
		return error_nomem(err);
	for (i = 0; i < defaults->nkeys; i++) {
		const struct ini_key *key = &defaults->keys[i];

		if (put_key(&text, key, user, err) == -1)
			return -1;
		lines->ends[i] = lines->text.len;
	}
	bare.own = &nothing;
	put_rest(&(const struct out){ .buf = &lines->rest }, &bare);
	put_proxy(&(const struct out){ .buf = &lines->proxy }, &bare);
	return lines->text.failed || lines->rest.failed ||
	    lines->proxy.failed ? error_nomem(err) : 0;
}

/* Copy the lines of defaults from number *next up to the one named name (NULL:
 * to the end), and leave that one out. */
static void
copy_defaults(struct buf *buf, const struct lines *lines,
    const struct ini_section *defaults, const char *name, size_t *next)
{
	size_t from = *next > 0 ? lines->ends[*next - 1] : 0;
	size_t i = name != NULL ? inifile_lower_bound(defaults, name) :
	    defaults->nkeys;

	if (i > *next)
		buf_put(buf, lines->text.data + from, lines->ends[i - 1] -
		    from);
	*next = i;
	if (name != NULL && i < defaults->nkeys &&
	    strcmp(defaults->keys[i].name, name) == 0)
		++*next;
}

static int
put_profile(struct buf *buf, const struct x2gobroker_profile *profile,
    struct lines *lines, const struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	const struct ini_section *defaults = &profile->file->defaults;
	const struct out out = { .buf = buf };
	bool own_rest = false, own_proxy = false;
	size_t i, next = 0;

	if (render_defaults(lines, profile, user, err) == -1)
		return -1;
	buf_putc(buf, '[');
	buf_puts(buf, profile->id);
	buf_puts(buf, "]\n");
	for (i = 0; i < profile->own->nkeys; i++) {
		const struct ini_key *key = &profile->own->keys[i];

		own_rest |= key->row->listing == LIST_AT_THE_END;
		own_proxy |= key->row->listing == LIST_WITH_PROXY;
		copy_defaults(buf, lines, defaults, key->name, &next);
		if (put_key(&out, key, user, err) == -1)
			return -1;
	}
	copy_defaults(buf, lines, defaults, NULL, &next);
	if (own_rest)
		put_rest(&out, profile);
	else
		buf_put(buf, lines->rest.data, lines->rest.len);
	if (own_proxy)
		put_proxy(&out, profile);
	else
		buf_put(buf, lines->proxy.data, lines->proxy.len);
	return 0;
}

/* The sessions that the user has already for a profile. */
struct own_sessions {
	enum session_state best;
	unsigned int suspended, running;
};

/* What a listing shows. */
struct list_state {
	struct visible visible;
	struct own_sessions *sessions;	/* for each profile, owned; or NULL */
};

/* The client shows these on the button: the state of one session, or how many
 * there are. */
static void
put_own_sessions(struct buf *buf, const struct own_sessions *own)
{
	if (own->best == SESSION_NONE)
		return;
	buf_printf(buf, "status=%c\n", own->best);
	if (own->suspended + own->running > 1)
		buf_printf(buf, "suspended=%u\nrunning=%u\n", own->suspended,
		    own->running);
}

static int
put_visible(struct x2gobroker_answer *answer, const struct list_state *list,
    struct lines *lines, struct x2gobroker_error *err)
{
	const struct x2gobroker_profile *profile;
	struct buf *buf = &answer->body;
	size_t i;

	for (i = 0; i < list->visible.n; i++) {
		profile = list->visible.list[i];
		if (put_profile(buf, profile, &lines[profile->file->number],
		    answer->user, err) == -1)
			return -1;
		if (list->sessions != NULL)
			put_own_sessions(buf, &list->sessions[i]);
		buf_putc(buf, '\n');
	}
	return 0;
}

/*
 * Sessions that the user has already
 */

/* Find the sessions that there are for a profile; the farm has the best one
 * first. */
static int
find_own_sessions(struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct own_sessions *own,
    struct x2gobroker_error *err)
{
	cleanup_free struct host *hosts = NULL;
	enum session_state state;
	size_t i, n;

	if (farm_source(profile) == NULL || farm->nsessions == 0)
		return 0;
	if (farm_hosts(farm, profile, &hosts, &n, err) == -1)
		return -1;
	for (i = 0; i < farm->nsessions; i++) {
		if (farm_host_of(farm, profile, hosts, n,
		    &farm->sessions[i]) == NULL)
			continue;
		state = farm->sessions[i].session->state;
		if (own->best == SESSION_NONE)
			own->best = state;
		if (state == SESSION_SUSPENDED)
			own->suspended++;
		else
			own->running++;
	}
	return 0;
}

/* Those who log in as somebody else share that account: they see no
 * sessions. */
static int
ask_servers(struct x2gobroker_answer *answer, struct list_state *list,
    struct x2gobroker_farm *farm, struct x2gobroker_error *err)
{
	const struct x2gobroker_profile **profiles = list->visible.list;
	const char *name = answer->user->name;
	size_t i, n = list->visible.n;
	bool asked = false;

	for (i = 0; i < n && !asked; i++)
		asked = profile_login_is_own(profiles[i], name) &&
		    farm_source(profiles[i]) == &source_ssh;
	if (asked && poll_database(farm, err) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (profile_login_is_own(profiles[i], name) &&
		    x2gobroker_farm_add(farm, profiles[i], err) == -1)
			return -1;
	if (farm->nservers == 0 && !farm->listed)
		return 0;
	list->sessions = calloc(n, sizeof(*list->sessions));
	if (list->sessions == NULL)
		return error_nomem(err);
	if (farm->nservers > 0 && poll_servers(farm, &query_sessions,
	    farm->config->agent_timeout, NULL, NULL, NULL, err) == -1)
		return -1;
	farm_report(farm, &answer->reporter);
	for (i = 0; i < n; i++)
		if (profile_login_is_own(profiles[i], name) &&
		    find_own_sessions(farm, profiles[i], &list->sessions[i],
		    err) == -1)
			return -1;
	farm_report_left_out(farm, &answer->reporter);
	return 0;
}

/* Most sites' listings ask no server, and need nothing of what follows. */
static bool
asks_servers(const struct visible *visible)
{
	size_t i;

	for (i = 0; i < visible->n; i++)
		if (farm_source(visible->list[i]) != NULL)
			return true;
	return false;
}

/* Find the user's sessions.  Where that goes wrong, the list is
 * the same without the marks, or some of them. */
static void
mark_sessions(struct x2gobroker_answer *answer, struct list_state *list)
{
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;

	if (!asks_servers(&list->visible) || !answer_shows_sessions(answer))
		return;
	if (x2gobroker_farm_new(profiles_config(answer->profiles),
	    answer->user->name, &farm, &err) == -1 ||
	    ask_servers(answer, list, farm, &err) == -1)
		report(&answer->reporter, X2GOBROKER_WARNING, err.file,
		    err.line, "not all sessions are shown: %s", err.text);
	x2gobroker_farm_free(farm);
}

static bool
has_session(const struct list_state *list)
{
	size_t i;

	for (i = 0; list->sessions != NULL && i < list->visible.n; i++)
		if (list->sessions[i].best != SESSION_NONE)
			return true;
	return false;
}

/* During maintenance of all, let in who has a session to go back to. */
static int
admit(struct x2gobroker_answer *answer, struct list_state *list,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	if (notice->resume && list->sessions == NULL)
		mark_sessions(answer, list);
	return notice->resume && has_session(list) ? 0 :
	    answer_refuse_for(answer, notice, err);
}

/* Clients that use HTTP send no login check. */
static int
admit_http(struct x2gobroker_answer *answer, struct list_state *list,
    struct x2gobroker_error *err)
{
	struct x2gobroker_maintenance *all = admit_maintenance(answer,
	    profiles_config(answer->profiles));
	const struct x2gobroker_notice *notice =
	    x2gobroker_maintenance_find(all, NULL);
	int result = notice != NULL ? admit(answer, list, notice, err) : 0;

	x2gobroker_maintenance_free(all);
	return result;
}

static int
listsessions_decide(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err)
{
	struct list_state *list = state;

	if (visible_find(&list->visible, answer->profiles, answer->user, NULL,
	    NULL, &answer->reporter, err) == -1)
		return -1;
	/* python-x2go asks the servers itself */
	if (!answer->request->wants_json)
		mark_sessions(answer, list);
	if (answer_is_http(answer) && admit_http(answer, list, err) == -1)
		return -1;
	buf_printf(&answer->summary, "profiles=%zu", list->visible.n);
	return 0;
}

/* Without it, clients send no events. */
static void
put_client_config(struct buf *buf, const struct x2gobroker_config *config)
{
	buf_printf(buf, MARKER_START_CONFIG "events=true\nliveevent=%d\n",
	    config->liveevent);
	if (config->syncinterval > 0)
		buf_printf(buf, "syncinterval=%d\n", config->syncinterval);
	buf_puts(buf, MARKER_END_CONFIG);
}

static int
listsessions_write(struct x2gobroker_answer *answer, void *state,
    struct x2gobroker_error *err)
{
	const struct list_state *list = state;
	size_t i, nfiles = profiles_count_files(answer->profiles);
	struct buf *buf = &answer->body;
	struct lines *lines;
	int result;

	if ((lines = calloc(nfiles + 1, sizeof(*lines))) == NULL)
		return error_nomem(err);
	buf_reserve(buf, list->visible.n * PROFILE_TEXT);
	buf_puts(buf, MARKER_GRANTED);
	buf_puts(buf, MARKER_START_LIST);
	buf_putc(buf, '\n');
	result = put_visible(answer, list, lines, err);
	buf_puts(buf, MARKER_END_LIST);
	if (answer_wants_events(answer))
		put_client_config(buf, profiles_config(answer->profiles));
	for (i = 0; i < nfiles; i++) {
		buf_free(&lines[i].text);
		buf_free(&lines[i].rest);
		buf_free(&lines[i].proxy);
		free(lines[i].ends);
	}
	free(lines);
	return result;
}

static int
put_profile_json(struct json *json, const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, struct x2gobroker_error *err)
{
	const struct ini_section *const sections[] = { profile->own,
	    &profile->file->defaults };
	const struct out out = { .json = json };
	size_t i, j;

	json_object(json, profile->id);
	for (i = 0; i < 2; i++)
		for (j = 0; j < sections[i]->nkeys; j++) {
			const struct ini_key *key = &sections[i]->keys[j];

			if (profile_find_key(profile, key->name) == key &&
			    put_key(&out, key, user, err) == -1)
				return -1;
		}
	put_rest(&out, profile);
	put_proxy(&out, profile);
	json_close(json);
	return 0;
}

static int
listsessions_write_json(struct x2gobroker_answer *answer, void *state,
    struct json *json, struct x2gobroker_error *err)
{
	const struct list_state *list = state;
	size_t i;

	json_object(json, "profiles");
	for (i = 0; i < list->visible.n; i++)
		if (put_profile_json(json, list->visible.list[i],
		    answer->user, err) == -1)
			return -1;
	json_close(json);
	return 0;
}

static void
free_listing(void *state)
{
	struct list_state *list = state;

	free(list->visible.list);
	free(list->sessions);
}

int
listsessions_admit(struct x2gobroker_answer *answer,
    const struct x2gobroker_notice *notice, struct x2gobroker_error *err)
{
	struct list_state list = { 0 };
	int result = visible_find(&list.visible, answer->profiles,
	    answer->user, NULL, NULL, &answer->reporter, err);

	if (result == 0)
		result = admit(answer, &list, notice, err);
	free_listing(&list);
	return result;
}

const struct task task_listsessions = {
	.name = "listsessions",
	.json_name = "listprofiles",
	.help = "",
	.state_size = sizeof(struct list_state),
	.decide = listsessions_decide,
	.write = listsessions_write,
	.write_json = listsessions_write_json,
	.free_state = free_listing,
};
