/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task selectsession: the user has clicked a profile, and is told the
 * server to go to, which is always one of that profile's.
 */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "cleanup.h"
#include "hostlist.h"
#include "protocol.h"
#include "value.h"

/* The profile of that id, if the user may see it; else NULL, and why says the
 * reason to the log.  All profiles are asked, as for a listing, so that one
 * that is hidden and one that does not exist are refused in the same words and
 * after the same work. */
static const struct x2gobroker_profile *
find_visible(struct x2gobroker_answer *answer, const char *id,
    struct x2gobroker_error *why)
{
	const struct x2gobroker_profile *hidden;
	size_t i;

	if (answer_find_visible(answer, why) == -1)
		return NULL;
	for (i = 0; i < answer->nvisible; i++)
		if (strcmp(answer->visible[i]->id, id) == 0)
			return answer->visible[i];
	hidden = x2gobroker_profiles_find(answer->profiles, id);
	if (hidden != NULL)
		x2gobroker_acl_check(hidden, answer->user, why);
	else
		error_set(why, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no profile has this id");
	return NULL;
}

/* Whether the client may log in at the server by that name: as the user, or
 * as whom the administrator has written into the profile. */
static int
check_login(const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, const char *login,
    struct x2gobroker_error *err)
{
	const char *fixed = x2gobroker_profile_value(profile, "user");

	if (login == NULL || *login == '\0' || strcmp(login, user->name) == 0)
		return 0;
	if (fixed != NULL && *fixed != '\0' &&
	    strcmp(fixed, "BROKER_USER") != 0 && strcmp(fixed, login) == 0)
		return 0;
	return error_set(err, X2GOBROKER_ERR_DENIED, profile->file->path,
	    profile_key_line(profile, "user"), "--login %.100s is neither the "
	    "user nor the profile's user=; write user=BROKER_USER to make the "
	    "client log in as the user", login);
}

/* "localhost" in a profile is the broker's host; told to the client it would
 * be the client's own.  So the client is told this host's name, if that can be
 * resolved at all. */
static const char *
public_name(const char *name, char buf[static HOST_TEXT_MAX + 1])
{
	struct addrinfo *list;

	if (strcmp(name, "localhost") != 0)
		return name;
	if (gethostname(buf, HOST_TEXT_MAX) == -1)
		return name;
	buf[HOST_TEXT_MAX] = '\0';
	if (getaddrinfo(buf, NULL, NULL, &list) != 0)
		return name;
	freeaddrinfo(list);
	return buf;
}

/* One of the n hosts that the client can be told.  A shared desktop is always
 * on the first one. */
static const struct host *
choose_host(const struct x2gobroker_profile *profile, const struct host *hosts,
    size_t n)
{
	const char *command = x2gobroker_profile_value(profile, "command");
	const struct host *usable = NULL;
	size_t i, seen = 0;

	for (i = 0; i < n; i++) {
		if (host_for_client(&hosts[i]) == NULL)
			continue;
		if (command != NULL && value_same_word(command, "SHADOW"))
			return &hosts[i];
		/* each one gets the place with the same chance */
		if (arc4random_uniform((uint32_t)++seen) == 0)
			usable = &hosts[i];
	}
	return usable;
}

static int
port_of(const struct x2gobroker_profile *profile, const struct host *host)
{
	const char *sshport = x2gobroker_profile_value(profile, "sshport");
	int port = 22;

	if (host->port != 0)
		return host->port;
	if (sshport != NULL)
		value_parse_int(sshport, 1, 65535, &port);
	return port;
}

static int
selectsession_decide(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err)
{
	const char *id = answer->request->values[OPT_SID], *value;
	const char *login = answer->request->values[OPT_LOGIN];
	const struct x2gobroker_profile *profile;
	cleanup_free struct host *hosts = NULL;
	const struct host *host;
	char buf[HOST_TEXT_MAX + 1];
	size_t n;

	if ((profile = find_visible(answer, id, err)) == NULL ||
	    check_login(profile, answer->user, login, err) == -1)
		return -1;
	value = x2gobroker_profile_value(profile, "host");
	if (hostlist_parse(value != NULL ? value : "", &hosts, &n, err) == -1)
		return -1;
	if ((host = choose_host(profile, hosts, n)) == NULL)
		return error_set(err, X2GOBROKER_ERR_VALUE,
		    profile->file->path, profile_key_line(profile, "host"),
		    "host: no server that the client could be told");
	snprintf(answer->server, sizeof(answer->server), "%s",
	    public_name(host_for_client(host), buf));
	answer->port = port_of(profile, host);
	buf_printf(&answer->summary, "server=%s:%d", answer->server,
	    answer->port);
	return 0;
}

static int
selectsession_write(struct x2gobroker_answer *answer,
    struct x2gobroker_error *err __attribute__((unused)))
{
	buf_puts(&answer->body, PROTOCOL_GRANTED);
	buf_printf(&answer->body, "%s%s:%d\n", PROTOCOL_SERVER,
	    answer->server, answer->port);
	return 0;
}

const struct task_row task_selectsession = {
	TASK_SELECTSESSION, selectsession_decide, selectsession_write,
};
