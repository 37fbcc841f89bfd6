/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check of the host names that the broker sends to clients.
 */
#include <string.h>

#include "base/address.h"
#include "findings.h"

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
