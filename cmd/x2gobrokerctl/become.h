/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From root to another account, with no way back.  Functions that fail have
 * printed why.
 */
#ifndef X2GOBROKERCTL_BECOME_H
#define X2GOBROKERCTL_BECOME_H

#include <pwd.h>

#include "ctl.h"

/* Exchange root's rights for those of an account. */
int	become_account(const struct passwd *pw);

/* Become the broker account, which owns the service keys, known_hosts and
 * state-dir.  Nothing happens if we are not root. */
int	become_broker(const struct x2gobroker_config *config);

#endif
