/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nearly all that a process is made of outlives execve(2), so whoever starts a
 * program with privilege chooses it.  What all our programs do about that, each
 * with an own way to end where it cannot be done.  None of it needs privilege.
 */
#ifndef COMMON_STARTUP_H
#define COMMON_STARTUP_H

#include <stdbool.h>

/* Close all descriptors above 2, and let those of 0 to 2 that are closed be
 * /dev/null: a file that is opened as one of them would get our text.  False:
 * there is no /dev/null. */
bool	settle_fds(void);

/* No timers; all signals unblocked, and but for real-time ones as they are by
 * default; those of the list, which ends with 0, ignored. */
void	settle_signals(const int *ignored);

/* A copy of a variable, which outlives clearenv(3); NULL where it is not set.
 * The variable itself is wiped: what a client sends can hold a password, and
 * stands in /proc.  False: memory is out. */
bool	settle_take_variable(const char *name, char **value);

/* The client's address as sshd says, or NULL. */
bool	settle_take_address(char **address);

#endif
