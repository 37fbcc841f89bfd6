/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task listsessions: every profile that the user may see, with its values
 * as the X2Go client reads them.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "cleanup.h"
#include "clientini.h"
#include "hostlist.h"
#include "protocol.h"
#include "value.h"

/* The client shows no password page where a key= is announced; the key itself
 * comes with selectsession. */
#define KEY_ANNOUNCED	"<will-be-exchanged-during-session-selection>"

/* Commands that are a whole desktop: x2goruncommand wants them upper-case,
 * and they have a root window of their own. */
static const char *const desktops[] = {
	"KDE", "GNOME", "XFCE", "CINNAMON", "MATE", "LXDE", "TRINITY", "UNITY",
	"ICEWM", "OPENBOX", "XDMCP",
};

static const char *
find_desktop(const char *command)
{
	size_t i;

	for (i = 0; command != NULL &&
	    i < sizeof(desktops) / sizeof(desktops[0]); i++)
		if (value_same_word(command, desktops[i]))
			return desktops[i];
	return NULL;
}

static void
put_flag(struct buf *buf, const char *name, bool value)
{
	buf_printf(buf, "%s=%d\n", name, value);
}

static void
put_number(struct buf *buf, const char *name, const char *value, int min,
    int max)
{
	int n;

	if (value_parse_int(value, min, max, &n))
		buf_printf(buf, "%s=%d\n", name, n);
}

/* The client wants one host; which one it will be is decided later. */
static int
put_host(struct buf *buf, const char *value, struct x2gobroker_error *err)
{
	cleanup_free struct host *hosts = NULL;
	size_t n;

	if (hostlist_parse(value, &hosts, &n, err) == -1)
		return -1;
	clientini_put(buf, "host", hosts[0].name);
	return 0;
}

static int
put_typed(struct buf *buf, const struct profile_key *known, const char *value,
    struct x2gobroker_error *err)
{
	bool flag;

	switch (known->type) {
	case VALUE_FLAG:
		if (!value_parse_bool(value, &flag)) {
			put_number(buf, known->name, value, known->min,
			    known->max);
			break;
		}
		put_flag(buf, known->name, flag);
		break;
	case VALUE_BOOL:
		if (value_parse_bool(value, &flag))
			put_flag(buf, known->name, flag);
		break;
	case VALUE_INT:
		put_number(buf, known->name, value, known->min, known->max);
		break;
	case VALUE_LIST:
		clientini_put_list(buf, known->name, value);
		break;
	case VALUE_HOSTS:
		return put_host(buf, value, err);
	case VALUE_TEXT:
	case VALUE_MODE:
		clientini_put(buf, known->name, value);
		break;
	}
	return 0;
}

/* Keys that are the broker's business, or that it writes itself. */
static bool
is_kept_back(const char *name, bool autologin, bool desktop)
{
	return strncmp(name, "acl-", 4) == 0 ||
	    strncmp(name, "broker-", 7) == 0 ||
	    (autologin && strcmp(name, "autologin") == 0) ||
	    (autologin && strcmp(name, "key") == 0) ||
	    (desktop && strcmp(name, "command") == 0) ||
	    (desktop && strcmp(name, "rootless") == 0);
}

static int
put_profile(struct buf *buf, const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, struct x2gobroker_error *err)
{
	const char *desktop = find_desktop(
	    x2gobroker_profile_value(profile, "command"));
	bool autologin = profile_bool(profile, "broker-session-autologin",
	    profile->config->default_session_autologin);
	struct profile_walk walk = { 0 };
	const struct profile_key *known;
	const char *name, *value;

	buf_printf(buf, "[%s]\n", profile->id);
	while (profile_next(profile, &walk, &name, &value)) {
		if (is_kept_back(name, autologin, desktop != NULL))
			continue;
		if (strcmp(name, "user") == 0 &&
		    strcmp(value, "BROKER_USER") == 0)
			value = user->name;
		if ((known = profile_key_find(name)) == NULL)
			clientini_put(buf, name, value);
		else if (put_typed(buf, known, value, err) == -1)
			return -1;
	}
	if (desktop != NULL) {
		clientini_put(buf, "command", desktop);
		put_flag(buf, "rootless", false);
	}
	if (autologin) {
		put_flag(buf, "autologin", true);
		clientini_put(buf, "key", KEY_ANNOUNCED);
	}
	buf_putc(buf, '\n');
	return 0;
}

int
task_listsessions(struct x2gobroker_answer *answer,
    const struct x2gobroker_profiles *profiles, struct x2gobroker_user *user,
    struct x2gobroker_error *err)
{
	const struct x2gobroker_profile *profile;
	struct buf *buf = &answer->body;
	size_t i, n = 0;

	buf_puts(buf, PROTOCOL_GRANTED);
	buf_puts(buf, PROTOCOL_START_LIST);
	buf_putc(buf, '\n');
	for (i = 0; (profile = x2gobroker_profiles_get(profiles, i)) != NULL;
	    i++) {
		if (x2gobroker_acl_check(profile, user, NULL) !=
		    X2GOBROKER_ALLOW)
			continue;
		if (put_profile(buf, profile, user, err) == -1)
			return -1;
		n++;
	}
	buf_puts(buf, PROTOCOL_END_LIST);
	buf_printf(&answer->summary, "profiles=%zu", n);
	return 0;
}
