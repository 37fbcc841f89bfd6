/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands that ask X2Go servers need: the files, the broker account, and
 * the answers.  Functions that fail have printed an error message.
 */
#ifndef X2GOBROKERCTL_SERVERS_H
#define X2GOBROKERCTL_SERVERS_H

#include "ctl.h"

#define SERVER_LABEL_SIZE	300	/* host name, port, brackets */

/* Read the configuration, become the broker account, and read the profiles as
 * that account, for ctl_close().  -1: there is nothing to close. */
int	servers_open(const struct ctl *ctl, struct site *site);

/* The profile of that id, or NULL. */
const struct x2gobroker_profile *servers_find(const struct site *site,
	    const char *id);

/* The servers, not asked yet, of the n profiles with these ids, or of all
 * profiles if n is 0.  NULL: a profile does not exist. */
struct x2gobroker_farm *servers_farm(const struct site *site, const char *user,
	    char *const *ids, int n);

/* The same, with those that are blocked, or where nobody may resume a session
 * now. */
struct x2gobroker_farm *servers_farm_with_closed(const struct site *site,
	    const char *user, char *const *ids, int n);

/* Add the servers in known that host names, with their ports and addresses, or
 * all of them if host is NULL.  If there is none, add host as it is. */
int	servers_add_host(struct x2gobroker_farm *farm,
	    const struct x2gobroker_farm *known, const char *host,
	    struct x2gobroker_error *err);

/* Add all hosts of the profile, also if its servers are not asked. */
void	servers_add_hosts_of(struct x2gobroker_farm *farm,
	    const struct x2gobroker_profile *profile);

/* Ask all servers.  *failed: how many have not answered; which ones is not
 * printed. */
int	servers_ask(struct x2gobroker_farm *farm, size_t *failed);

/* List the sessions of the farm's user, or of all users; else the same. */
int	servers_list(struct x2gobroker_farm *farm, size_t *failed);

/* Print why servers have not answered, or the warnings about answers. */
void	servers_print_problems(const struct x2gobroker_farm *farm,
	    bool failures, bool warnings);

/* Print why the servers of the profile, or of all profiles if it is NULL, are
 * not asked, and how to change that. */
void	servers_explain_not_asked(const struct x2gobroker_profile *profile);

/* Ask whether to do something with what label names.  refused: what to say if
 * the answer is no. */
bool	servers_confirm(const char *label, const char *question,
	    const char *refused);

/* "ts01", "ts01:2222", "[::1]:2222" or "this host".  Returns label. */
const char *servers_label(const char *name, int port,
	    char label[static SERVER_LABEL_SIZE]);

#endif
