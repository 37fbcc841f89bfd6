/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor makes of the names that clients are sent to.
 */
#include <netdb.h>
#include <string.h>

#include "doctor.h"

static bool
resolves(const char *name)
{
	struct addrinfo *list;

	if (getaddrinfo(name, NULL, NULL, &list) != 0)
		return false;
	freeaddrinfo(list);
	return true;
}

/* Only what a client can be told: it takes all before the first ':' for the
 * host. */
static void
check_host(struct doctor *d, const struct x2gobroker_server *host)
{
	bool by_address = *host->address != '\0' &&
	    strchr(host->address, ':') == NULL;
	const char *told = by_address ? host->address : host->name;

	if (strchr(told, ':') != NULL) {
		doctor_fail(d, told, "is an IPv6 address, and the X2Go client "
		    "can be sent to names and IPv4 addresses only");
		doctor_remedy(d, "write NAME (%s), with a name that clients "
		    "can look up", told);
	} else if (strcmp(told, "localhost") == 0 ||
	    strncmp(told, "127.", 4) == 0) {
		doctor_warn(d, told, "means this host here, and at a client "
		    "its own");
		doctor_remedy(d, "write the name that clients have for it");
	} else if (!resolves(told)) {
		doctor_warn(d, told, "cannot be looked up here");
		doctor_remedy(d, "DNS or /etc/hosts, for clients as well");
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
