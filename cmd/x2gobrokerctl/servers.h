/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands about X2Go servers begin with: the files, the account that may
 * use the service keys, and the servers' answers.  Functions that fail have
 * said why.
 */
#ifndef X2GOBROKERCTL_SERVERS_H
#define X2GOBROKERCTL_SERVERS_H

#include "ctl.h"

struct site {
	struct x2gobroker_config *config;
	struct x2gobroker_profiles *profiles;
};

#define SERVER_LABEL_SIZE	300	/* a host's name, a port, brackets */

/* Read the configuration, become the broker account, and read the profiles as
 * the broker does.  -1: nothing is to be closed. */
int	servers_open(const struct ctl *ctl, struct site *site);
void	servers_close(struct site *site);

/* The profile of that id, or NULL. */
const struct x2gobroker_profile *servers_find(const struct site *site,
	    const char *id);

/* The servers of the profiles of these n ids, or of all profiles where n is 0,
 * not asked yet.  NULL: one of them does not exist. */
struct x2gobroker_farm *servers_farm(const struct site *site, const char *user,
	    char *const *ids, int n);

/* Add the servers in known that host means, with their ports and addresses, or
 * all of them where it is NULL; and else what host says by itself. */
int	servers_add_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_farm *known, const char *host,
	    struct x2gobroker_error *err);

/* Add all hosts of the profile, whether they are asked or not. */
void	servers_add_hosts_of(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile);

/* Ask them all.  *failed says how many have not answered; who they are is not
 * said. */
int	servers_ask(struct x2gobroker_farm *farm, size_t *failed);

/* Say who has not answered, and what was odd. */
void	servers_print_failed(const struct x2gobroker_farm *farm);
void	servers_print_warnings(const struct x2gobroker_farm *farm);

/* Say how servers come to be asked: those of the profile, or of all profiles
 * where it is NULL, are not. */
void	servers_say_not_asked(const struct x2gobroker_profile *profile);

/* "ts01", "ts01:2222", "[::1]:2222" or "this host".  Returns label. */
const char *servers_label(const char *name, int port,
	    char label[static SERVER_LABEL_SIZE]);

#endif
