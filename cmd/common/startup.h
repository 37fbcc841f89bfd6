/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Most attributes of a process survive execve(2), so the caller of a program
 * with privileges chooses them.  All our programs reset them with these
 * functions; each has its own way to end if that fails.  None of this needs
 * privileges.
 */
#ifndef COMMON_STARTUP_H
#define COMMON_STARTUP_H

#include <sys/types.h>

#include <stdbool.h>

/* Close all descriptors above 2, and open /dev/null for those of 0 to 2 that
 * are closed: a file that is opened as one of them would receive our output.
 * Set umask, working directory and environment, as resolvers, locales and
 * libraries use many variables.  Returns NULL, or why the process must end. */
const char *startup_sanitise(void);

/* Stop timers, unblock all signals, reset all but real-time ones to their
 * defaults, and ignore those of the list, which ends with 0. */
void	startup_sanitise_signals(const int *ignored);

/* Whether the group is the primary one of the account.  The group of a program
 * with privileges may have supplementary members, by mistake or long ago, and
 * they can start it, also with that group as the real one (newgrp(1)). */
bool	startup_is_primary_group(uid_t uid, gid_t gid);

/* Copy a variable, so that it survives clearenv(3); NULL if it is not set.
 * Wipe the variable itself: what a client sends may contain a password, and the
 * environment can be read in /proc.  False: out of memory. */
bool	startup_take_variable(const char *name, char **value);

/* The client's address, from sshd's variables, or NULL. */
bool	startup_take_address(char **address);

#endif
