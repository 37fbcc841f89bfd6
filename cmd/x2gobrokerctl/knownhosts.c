/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x2gobrokerctl known-hosts: add host keys of X2Go servers to known_hosts.
 */
#include <stdlib.h>
#include <string.h>

#include "servers.h"

/*
 * Which servers
 */

/* Take only the hosts from the profiles, not AutoAddPolicy, which would add
 * keys before a person has seen them. */
static struct x2gobroker_farm *
make_farm(const struct site *site, const struct x2gobroker_farm *known,
    char *const *hosts, int n)
{
	struct x2gobroker_farm *farm;
	struct x2gobroker_error err;
	int i, result;

	result = x2gobroker_farm_new(site->config, NULL, &farm, &err);
	if (result == 0 && n == 0)
		result = servers_add_host(farm, known, NULL, &err);
	for (i = 0; i < n && result == 0; i++)
		result = servers_add_host(farm, known, hosts[i], &err);
	if (result == 0)
		result = x2gobroker_farm_get_host_keys(farm, &err);
	if (result == 0)
		return farm;
	ctl_print_error(&err);
	x2gobroker_farm_free(farm);
	return NULL;
}

/*
 * Their keys
 */

/* Only a person can find out why the key differs from known_hosts. */
static int
refuse_key(const struct site *site, const char *label,
    const struct x2gobroker_host_key *key)
{
	const char *account = x2gobroker_config_broker_account(site->config);

	ctl_complain("%s: %s", label, key->error);
	fprintf(stderr, "\n  THE HOST KEY OF %s HAS CHANGED.  It is not "
	    "trusted, and nothing was added.\n"
	    "  If you know why, run the ssh-keygen command above as %s "
	    "(sudo -u %s),\n  then add the new key.\n\n", label, account,
	    account);
	return EXIT_NO;
}

static int
confirm_and_add(struct x2gobroker_farm *farm, size_t i, const char *label,
    bool yes)
{
	struct x2gobroker_error err;
	const char *path;

	if (!yes &&
	    !servers_confirm(label, "Is that the right key?", "not added"))
		return EXIT_NO;
	if (x2gobroker_farm_trust(farm, i, &path, &err) == -1) {
		ctl_print_error(&err);
		return EXIT_NO;
	}
	printf("%s: added to %s\n", label, path);
	return EXIT_YES;
}

static int
handle_key(const struct site *site, struct x2gobroker_farm *farm, size_t i,
    const struct x2gobroker_host_key *key, bool yes)
{
	bool known = key->line[0] == '\0';
	char label[SERVER_LABEL_SIZE];

	servers_label(key->name, key->port, label);
	if (key->error[0] != '\0' && key->fingerprint[0] != '\0')
		return refuse_key(site, label, key);
	if (key->error[0] != '\0') {
		ctl_complain("%s: %s", label, key->error);
		return EXIT_NO;
	}
	printf("%s: %s%s\n", label, key->fingerprint,
	    known ? ", already known" : "");
	fflush(stdout);
	return known ? EXIT_YES : confirm_and_add(farm, i, label, yes);
}

static int
add_keys(const struct ctl *ctl, const struct site *site,
    const struct x2gobroker_farm *known)
{
	const struct x2gobroker_host_key *key;
	struct x2gobroker_farm *farm;
	int result = EXIT_YES;
	size_t i;

	farm = make_farm(site, known, ctl->words + 1, ctl->nwords - 1);
	if (farm == NULL)
		return EXIT_NO;
	for (i = 0; (key = x2gobroker_farm_host_key(farm, i)) != NULL; i++)
		if (handle_key(site, farm, i, key, ctl->yes) != EXIT_YES)
			result = EXIT_NO;
	if (i == 0)
		servers_explain_not_asked(NULL);
	x2gobroker_farm_free(farm);
	return i > 0 && fflush(stdout) == 0 ? result : EXIT_NO;
}

int
known_hosts_main(const struct ctl *ctl)
{
	struct x2gobroker_farm *known;
	struct site site;
	int result = EXIT_NO;

	if (strcmp(ctl->words[0], "add") != 0 ||
	    (ctl->nwords > 1) == ctl->all) {
		ctl_complain("use known-hosts add HOST ..., or known-hosts add "
		    "--all; try x2gobrokerctl help known-hosts");
		return EXIT_USAGE;
	}
	if (servers_open(ctl, &site) == -1)
		return EXIT_NO;
	if ((known = servers_farm(&site, NULL, NULL, 0)) != NULL)
		result = add_keys(ctl, &site, known);
	x2gobroker_farm_free(known);
	ctl_close(&site);
	return result;
}
