/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "autologin/autologin.h"
#include "access/user.h"
#include "base/cleanup.h"
#include "base/keyline.h"
#include "base/parse.h"
#include "base/pubkey.h"

bool
autologin_is_announced(const struct x2gobroker_profile *profile)
{
	return profile_bool(profile, "broker-session-autologin",
	    profile->config->default_session_autologin);
}

bool
autologin_is_wanted(const struct x2gobroker_profile *profile,
    const struct x2gobroker_user *user, struct reporter *rep)
{
	const struct source *source;
	const char *why = NULL;

	if (!autologin_is_announced(profile))
		return false;
	if ((source = farm_source(profile)) == NULL || !source->adds_keys)
		why = "no agent is asked that could add a key";
	/* other users share such an account */
	else if (!profile_login_is_own(profile, user->name))
		why = "its user= is not the user's own account";
	if (why != NULL)
		report(rep, X2GOBROKER_WARNING, profile->file->path,
		    profile->line, "no key for an automatic login: %s", why);
	return why == NULL;
}

bool
autologin_is_own(const struct x2gobroker_profile *profile)
{
	const char *key = x2gobroker_profile_value(profile,
	    "broker-autologin-key");

	return key != NULL &&
	    config_find_word(login_keys, key) == LOGIN_KEY_OWN;
}

struct autologin *
autologin_new(const struct x2gobroker_config *config,
    struct x2gobroker_error *err)
{
	struct autologin *autologin = malloc(sizeof(*autologin));

	if (autologin == NULL)
		return error_null(error_nomem(err));
	query_init(&autologin->query, &query_keypair, NULL, NULL);
	autologin->query.args[0] = keypair_types[config->autologin_key_type];
	autologin->is_sent = false;
	return autologin;
}

/* Past the options of a line of authorized_keys. */
static char *
skip_options(char *line)
{
	static const char *const types[] = { "ssh-", "ecdsa-", "sk-" };
	char *rest = strchr(line, ' ');
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(line, types[i], strlen(types[i])) == 0)
			return line;
	return rest != NULL ? rest + 1 : line;
}

/* "[OPTIONS] TYPE BASE64 [COMMENT]"; line is modified. */
static int
take_public(struct autologin *autologin, char *line,
    struct x2gobroker_error *err)
{
	struct pubkey key;
	const char *why;

	line = skip_options(line);
	if ((why = pubkey_parse_line(line, &key)) == NULL && key.type == NULL)
		why = "it is empty";
	if (why != NULL)
		return error_set(err, X2GOBROKER_ERR_SYNTAX, NULL, 0,
		    "the public key of the client: %s", why);
	if (asprintf(&autologin->query.public_key, "%s %s", key.type,
	    key.base64) == -1) {
		autologin->query.public_key = NULL;
		return error_nomem(err);
	}
	return 0;
}

struct autologin *
autologin_new_sent(const char *line, struct x2gobroker_error *err)
{
	struct autologin *autologin = malloc(sizeof(*autologin));
	cleanup_free char *copy = strdup(line);

	if (autologin == NULL || copy == NULL) {
		free(autologin);
		return error_null(error_nomem(err));
	}
	query_init(&autologin->query, &query_keypair, NULL, NULL);
	autologin->is_sent = true;
	if (take_public(autologin, copy, err) == 0)
		return autologin;
	autologin_free(autologin);
	return NULL;
}

void
autologin_free(struct autologin *autologin)
{
	if (autologin != NULL)
		query_free(&autologin->query);
	free(autologin);
}

/* "restrict" forbids everything, also what later versions of sshd may allow; an
 * X2Go session needs a terminal and forwarded ports. */
static char *
format_line(const struct autologin *autologin,
    const struct x2gobroker_farm *farm, const struct installation *place,
    const char *address, struct x2gobroker_error *err)
{
	const struct x2gobroker_config *config = farm->config;
	char expiry[KEYLINE_TIME];
	struct buf buf = { 0 };

	/* in UTC because servers may be in other time zones; for this host, in
	 * the form that every sshd reads */
	if (!keyline_format_time(place->expires,
	    !place->target.source->uses_ssh, expiry))
		return error_null(error_set(err, X2GOBROKER_ERR_SYSTEM, NULL, 0,
		    "the end of a key cannot be written in local time"));
	buf_printf(&buf, "restrict,pty,port-forwarding%s,expiry-time=\"%s\"",
	    config->autologin_agent_forwarding ? ",agent-forwarding" : "",
	    expiry);
	if (address != NULL && config->autologin_key_from)
		buf_printf(&buf, ",from=\"%s\"", address);
	/* our agent recognises its own lines by the comment */
	buf_printf(&buf, " %s x2gobroker:%s", autologin->query.public_key,
	    farm->user);
	if (!buf.failed)
		return buf.data;
	buf_free(&buf);
	return error_null(error_nomem(err));
}

/* NULL: the store of the agent. */
static const char *
key_file(const struct x2gobroker_profile *profile, const char *key,
    const char *fallback)
{
	const char *value = x2gobroker_profile_value(profile, key);

	if (value == NULL || *value == '\0')
		value = fallback;
	return value != NULL && *value != '\0' ? value : NULL;
}

/* The file for the servers of a profile, or NULL. */
static const char *
server_file(const struct x2gobroker_profile *profile)
{
	return key_file(profile, "broker-authorized-keys",
	    profile->config->default_authorized_keys);
}

bool
x2gobroker_profile_uses_store(const struct x2gobroker_profile *profile)
{
	const struct source *source = farm_source(profile);

	return autologin_is_announced(profile) && source != NULL &&
	    source->adds_keys && server_file(profile) == NULL;
}

/* Set place to the SSH proxy of the client, if there is one: returns 0, 1, or
 * -1. */
static int
find_proxy(const struct x2gobroker_farm *farm,
    const struct x2gobroker_profile *profile, struct installation *place,
    struct x2gobroker_error *err)
{
	const char *name = x2gobroker_profile_value(profile, "sshproxyhost");
	const char *port = x2gobroker_profile_value(profile, "sshproxyport");

	if (name == NULL || *name == '\0')
		return 0;
	if (hostlist_first(name, &place->target.host, err) == -1)
		return -1;
	place->target.source = &source_ssh;
	place->target.policy = profile_hostkey_policy(profile);
	place->target.port = host_port(&place->target.host, port);
	place->file = key_file(profile, "broker-sshproxy-authorized-keys",
	    farm->config->default_sshproxy_authorized_keys);
	return 1;
}

int
autologin_place(const struct autologin *autologin,
    struct x2gobroker_farm *farm, const struct x2gobroker_profile *profile,
    const struct host *host, const char *address, struct reporter *rep,
    struct x2gobroker_error *err)
{
	const struct connection_target how = farm_target(profile);
	const struct farm_server *server = farm_find(farm, &how, host);
	struct installation places[INSTALL_PLACES_MAX] = { 0 }, *place;
	char *lines[INSTALL_PLACES_MAX] = { NULL };
	int i, result = 0, proxies = find_proxy(farm, profile, places, err);

	if (proxies == -1)
		return -1;
	if (server == NULL)
		return error_set(err, X2GOBROKER_ERR_NOTFOUND, NULL, 0,
		    "no agent is asked about %s", host->name);
	places[proxies].target = server->target;
	places[proxies].file = server_file(profile);
	for (i = 0; i <= proxies && result == 0; i++) {
		place = &places[i];
		place->expires = time(NULL) +
		    farm->config->autologin_key_lifetime;
		/* a server behind a proxy sees the address of the proxy */
		place->line = lines[i] = format_line(autologin, farm, place,
		    i == 0 ? address : NULL, err);
		result = lines[i] != NULL ? 0 : -1;
	}
	if (result == 0)
		result = install_keys(farm, places, (size_t)proxies + 1, rep,
		    err);
	for (i = 0; i <= proxies; i++)
		free(lines[i]);
	return result;
}
