/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that are connected to a session, and orders for them.
 */
#ifndef X2GOBROKERCTL_CONNECTED_H
#define X2GOBROKERCTL_CONNECTED_H

#include <stdint.h>

#include "ctl.h"
#include "table.h"

/* The list, which the caller frees.  NULL: client-events is off, or an error
 * message was printed. */
struct x2gobroker_connected *connected_load(
	    const struct x2gobroker_config *config);

/* Add the cell "N s ago": when the client (or NULL) has last told something. */
void	connected_add_seen(struct table *table,
	    const struct x2gobroker_client *client);

/* Give an order to the client of that session.  Returns whether there is one
 * that will read it. */
bool	connected_order(const struct x2gobroker_config *config,
	    const char *user, const char *session, enum x2gobroker_order order);

/* Wait until the client says that its session has ended.  false: it went on, or
 * it says nothing any more. */
bool	connected_wait(const struct x2gobroker_config *config,
	    const char *user, const char *session);

#endif
