/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of the X2Go servers, of the keys that are needed to poll them, as the
 * broker account, and of the host names that clients get.
 */
#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "findings.h"

#define SKEW_WARNING	10	/* seconds; NTP keeps clocks better than that */
#define AGENT_NAME	"x2gobroker-agent "	/* and its version */

static bool
is_here(const struct x2gobroker_server *server)
{
	return *server->name == '\0';
}

/* The farm of all profiles, not polled yet, or NULL. */
static struct x2gobroker_farm *
make_farm(struct doctor *d, const char *user)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	int result;
	size_t i;

	result = x2gobroker_farm_new(d->config, user, &farm, &err);
	for (i = 0; result == 0 && (profile = x2gobroker_profiles_get(
	    d->profiles, i)) != NULL; i++)
		result = x2gobroker_farm_add(farm, profile, &err);
	if (result == 0)
		return farm;
	doctor_fail_error(d, "", &err);
	x2gobroker_farm_free(farm);
	return NULL;
}

/* The farm of all profiles, polled; or NULL, with a finding. */
static struct x2gobroker_farm *
poll_farm(struct doctor *d, const char *user)
{
	struct x2gobroker_farm *farm = make_farm(d, user);
	size_t failed;

	if (farm == NULL || servers_ask(farm, &failed) == 0)
		return farm;
	doctor_fail(d, "", "cannot poll the servers");
	x2gobroker_farm_free(farm);
	return NULL;
}

/* The first check that needs the servers polls them. */
static bool
poll_once(struct doctor *d)
{
	return d->farm != NULL || (d->farm = poll_farm(d, NULL)) != NULL;
}

bool
doctor_has_servers(struct doctor *d, bool over_ssh)
{
	struct x2gobroker_farm *farm = make_farm(d, NULL);
	const struct x2gobroker_server *server;
	bool found = false;
	size_t i;

	for (i = 0; farm != NULL && !found && (server =
	    x2gobroker_farm_server(farm, i)) != NULL; i++)
		found = !over_ssh || !is_here(server);
	x2gobroker_farm_free(farm);
	return found;
}

/* The same; if not, a check about servers has nothing to do. */
static bool
has_servers(struct doctor *d, bool over_ssh)
{
	if (doctor_has_servers(d, over_ssh))
		return true;
	doctor_ok(d, "", "not needed: no server is polled%s",
	    over_ssh ? " over SSH" : "");
	return false;
}

/*
 * Keys
 */

/* The broker itself only checks that nobody else can write to the file. */
static bool
check_key_mode(struct doctor *d, const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1 || ((st.st_mode & 077) == 0 &&
	    st.st_uid == d->account.uid))
		return true;
	doctor_fail(d, path, "%s", (st.st_mode & 077) != 0 ? "users "
	    "other than its owner can read it" : "does not belong to the "
	    "broker account");
	doctor_remedy(d, "chown %s %s; chmod 600 %s", d->account.name, path,
	    path);
	return false;
}

static void
check_service_key(struct doctor *d, const char *path, const char *fingerprint,
    const struct x2gobroker_error *err)
{
	if (*fingerprint == '\0') {
		doctor_fail_error(d, path, err);
		doctor_remedy(d, "ssh-keygen -p -f %s removes a passphrase; "
		    "chown %s, chmod 600", path, d->account.name);
	} else if (check_key_mode(d, path))
		doctor_ok(d, path, "%s", fingerprint);
}

void
check_service_keys(struct doctor *d)
{
	char fingerprint[X2GOBROKER_FINGERPRINT_SIZE];
	char path[X2GOBROKER_FILE_SIZE];
	struct x2gobroker_error err;
	unsigned int found = 0;
	size_t i;

	if (!has_servers(d, true))
		return;
	for (i = 0; x2gobroker_service_key(d->config, i, path, fingerprint,
	    &err); i++) {
		if (err.code == X2GOBROKER_ERR_NOTFOUND)
			continue;
		found++;
		check_service_key(d, path, fingerprint, &err);
	}
	if (found > 0)
		return;
	doctor_fail(d, doctor_text(d, "agent-identity-files"),
	    "none of these keys exists");
	doctor_remedy(d, "sudo -u %s ssh-keygen -t ed25519 -N '' -f "
	    "%s/.ssh/id_ed25519", d->account.name, d->account.home);
}

/* With another policy, the server is polled all the same. */
static void
report_unknown_key(struct doctor *d, const char *label,
    const struct x2gobroker_host_key *key)
{
	const char *policy = doctor_text(d, "default-agent-hostkey-policy");

	if (strcmp(policy, "RejectPolicy") == 0)
		doctor_fail(d, label, "its host key %s is unknown",
		    key->fingerprint);
	else
		doctor_warn(d, label, "its host key %s is unknown, and %s "
		    "accepts any", key->fingerprint, policy);
	doctor_remedy(d, "x2gobrokerctl known-hosts add %s", key->name);
}

static void
check_host_key(struct doctor *d, const struct x2gobroker_host_key *key)
{
	char label[SERVER_LABEL_SIZE];

	servers_label(key->name, key->port, label);
	if (*key->error != '\0' && *key->fingerprint != '\0')
		doctor_fail(d, label, "%s", key->error);
	else if (*key->error == '\0' && *key->line != '\0')
		report_unknown_key(d, label, key);
	else if (*key->error == '\0')
		doctor_ok(d, label, "%s", key->fingerprint);
	/* the next check reports servers that do not answer */
}

void
check_host_keys(struct doctor *d)
{
	struct x2gobroker_farm *known, *farm = NULL;
	const struct x2gobroker_host_key *key;
	struct x2gobroker_error err;
	size_t i;

	if (!has_servers(d, true) || (known = make_farm(d, NULL)) == NULL)
		return;
	if (x2gobroker_farm_new(d->config, NULL, &farm, &err) == -1 ||
	    servers_add_host(farm, known, NULL, &err) == -1 ||
	    x2gobroker_farm_get_host_keys(farm, &err) == -1)
		doctor_fail_error(d, "", &err);
	else
		for (i = 0; (key = x2gobroker_farm_host_key(farm, i)) !=
		    NULL; i++)
			check_host_key(d, key);
	x2gobroker_farm_free(farm);
	x2gobroker_farm_free(known);
}

/*
 * What they answer
 */

static void
check_answer(struct doctor *d, const struct x2gobroker_server *server,
    const char *label)
{
	if (!server->answered) {
		doctor_fail(d, label, "%s", server->error);
		doctor_remedy(d, "x2gobrokerctl poll asks again");
	} else
		doctor_ok(d, label, "answers within %d ms",
		    server->milliseconds);
	if (*server->warning != '\0')
		doctor_warn(d, label, "%s", server->warning);
}

static void
check_agent(struct doctor *d, const struct x2gobroker_server *server,
    const char *label)
{
	const size_t n = strlen(AGENT_NAME);

	if (!server->answered)
		return;
	if (*server->agent == '\0')
		doctor_ok(d, label, "%s", server->sessions >= 0 ? "an agent "
		    "without a version" : "Debian's agent, or a similar one: "
		    "it does not count sessions, and takes seconds to suspend "
		    "one");
	else if (strncmp(server->agent, AGENT_NAME, n) != 0 ||
	    strcmp(server->agent + n, x2gobroker_version()) != 0) {
		doctor_warn(d, label, "%s, but the broker is version %s",
		    server->agent, x2gobroker_version());
		doctor_remedy(d, "install the same version on both");
	} else
		doctor_ok(d, label, "%s", server->agent);
}

/* Keys for one login expire by the clock of the server. */
static void
check_clock(struct doctor *d, const struct x2gobroker_server *server,
    const char *label)
{
	int lifetime = x2gobroker_config_number(d->config, "global",
	    "autologin-key-lifetime");
	long seconds = labs(server->clock_ahead);

	if (!server->clock_known || (seconds < SKEW_WARNING &&
	    seconds < lifetime))
		return;
	if (seconds >= lifetime)
		doctor_fail(d, label, "its clock is %ld seconds %s, but keys "
		    "for automatic logins are valid for %d seconds", seconds,
		    server->clock_ahead < 0 ? "behind" : "ahead", lifetime);
	else
		doctor_warn(d, label, "its clock is %ld seconds %s", seconds,
		    server->clock_ahead < 0 ? "behind" : "ahead");
	doctor_remedy(d, "set the clocks of both by NTP: timedatectl "
	    "set-ntp true");
}

static void
each_server(struct doctor *d, void (*fn)(struct doctor *d,
    const struct x2gobroker_server *server, const char *label))
{
	const struct x2gobroker_server *server;
	char label[SERVER_LABEL_SIZE];
	size_t i;

	if (!has_servers(d, false) || !poll_once(d))
		return;
	for (i = 0; (server = x2gobroker_farm_server(d->farm, i)) != NULL; i++)
		fn(d, server, servers_label(server->name, server->port,
		    label));
}

void
check_servers(struct doctor *d)
{
	each_server(d, check_answer);
}

void
check_agents(struct doctor *d)
{
	each_server(d, check_agent);
}

void
check_clocks(struct doctor *d)
{
	each_server(d, check_clock);
}

/* The servers of profiles that give keys for one login. */
static struct x2gobroker_farm *
make_store_farm(struct doctor *d)
{
	const struct x2gobroker_profile *profile;
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	int result;
	size_t i;

	result = x2gobroker_farm_new(d->config, NULL, &farm, &err);
	for (i = 0; result == 0 && (profile = x2gobroker_profiles_get(
	    d->profiles, i)) != NULL; i++)
		if (x2gobroker_profile_uses_store(profile))
			result = x2gobroker_farm_add(farm, profile, &err);
	if (result == 0)
		result = x2gobroker_farm_check_stores(farm, &err);
	if (result == 0)
		return farm;
	doctor_fail_error(d, "", &err);
	x2gobroker_farm_free(farm);
	return NULL;
}

void
check_stores(struct doctor *d)
{
	struct x2gobroker_farm *farm = make_store_farm(d);
	const struct x2gobroker_server *server;
	char label[SERVER_LABEL_SIZE];
	size_t i;

	if (farm != NULL && x2gobroker_farm_server(farm, 0) == NULL)
		doctor_ok(d, "", "not needed: no key for a login is kept in "
		    "the store of an agent");
	for (i = 0; farm != NULL && (server = x2gobroker_farm_server(farm,
	    i)) != NULL; i++) {
		servers_label(server->name, server->port, label);
		if (server->answered) {
			doctor_ok(d, label, "users can get keys for a login");
			continue;
		}
		doctor_fail(d, label, "users get no keys for a login: %s",
		    server->error);
		doctor_remedy(d, "see INSTALLATION in x2gobroker-agent(8)");
	}
	x2gobroker_farm_free(farm);
}

/* If a server answers, but not about a user, X2Go's session database on it does
 * not work. */
static void
check_sessions_of(struct doctor *d, size_t i,
    const struct x2gobroker_server *server)
{
	const struct x2gobroker_server *before;
	char label[SERVER_LABEL_SIZE];

	servers_label(server->name, server->port, label);
	if (*server->warning != '\0')
		doctor_warn(d, label, "%s", server->warning);
	if (server->answered)
		doctor_ok(d, label, "can list the sessions of %s",
		    d->ctl->user);
	else if ((before = x2gobroker_farm_server(d->farm, i)) != NULL &&
	    before->answered) {
		doctor_fail(d, label, "cannot list the sessions of %s: %s",
		    d->ctl->user, server->error);
		doctor_remedy(d, "run x2golistsessions there as the user; "
		    "x2godbadmin --createdb creates the database");
	}
}

void
check_user_sessions(struct doctor *d)
{
	const struct x2gobroker_server *server;
	struct x2gobroker_farm *farm;
	size_t i;

	if (!has_servers(d, false) || !poll_once(d) ||
	    (farm = poll_farm(d, d->ctl->user)) == NULL)
		return;
	for (i = 0; (server = x2gobroker_farm_server(farm, i)) != NULL; i++)
		check_sessions_of(d, i, server);
	x2gobroker_farm_free(farm);
}

/*
 * Names
 */

/* For X2Go clients, all before the first ':' is the host. */
static void
check_host(struct doctor *d, const struct x2gobroker_server *host)
{
	bool by_address = *host->address != '\0' &&
	    strchr(host->address, ':') == NULL;
	const char *host_name = by_address ? host->address : host->name;

	if (strchr(host_name, ':') != NULL) {
		doctor_fail(d, host_name, "is an IPv6 address; the X2Go client "
		    "accepts only names and IPv4 addresses");
		doctor_remedy(d, "write NAME (%s), with a name that clients "
		    "can resolve", host_name);
	} else if (strcmp(host_name, "localhost") == 0 ||
	    strncmp(host_name, "127.", 4) == 0) {
		doctor_warn(d, host_name, "is this host here, but on a client "
		    "it is the client's own host");
		doctor_remedy(d, "write the name that clients use for this "
		    "host");
	} else if (!address_resolves(host_name)) {
		doctor_warn(d, host_name, "does not resolve on this host");
		doctor_remedy(d, "add it to DNS or /etc/hosts, for clients as "
		    "well");
	}
}

void
check_host_names(struct doctor *d)
{
	const struct x2gobroker_profile *profile;
	const struct x2gobroker_server *host;
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	const char *proxy;
	size_t i;

	if (x2gobroker_farm_new(d->config, NULL, &farm, &err) == -1) {
		doctor_fail_error(d, "", &err);
		return;
	}
	for (i = 0; (profile = x2gobroker_profiles_get(d->profiles, i)) !=
	    NULL; i++) {
		servers_add_hosts_of(farm, profile);
		proxy = x2gobroker_profile_value(profile, "sshproxyhost");
		if (proxy != NULL && *proxy != '\0')
			x2gobroker_farm_add_host(farm, proxy, NULL);
	}
	for (i = 0; (host = x2gobroker_farm_server(farm, i)) != NULL; i++)
		check_host(d, host);
	x2gobroker_farm_free(farm);
}
