/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs, and work that must be done as another account.
 */
#ifndef X2GOBROKERCTL_SETUP_CHILD_H
#define X2GOBROKERCTL_SETUP_CHILD_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

#include "step.h"

#define PROGRAM_GROUPDEL	"/usr/sbin/groupdel"
#define PROGRAM_USERDEL		"/usr/sbin/userdel"
#define PROGRAM_USERMOD		"/usr/sbin/usermod"
#define PROGRAM_SSH_KEYGEN	"/usr/bin/ssh-keygen"
#define PROGRAM_SYSUSERS	"/usr/bin/systemd-sysusers"
#define PROGRAM_TMPFILES	"/usr/bin/systemd-tmpfiles"

/* Is this program of systemd installed?  If not, why says how to install it. */
bool	child_find(const char *program, char why[static WHY_SIZE]);

/* Call fn in a process of its own, for what cannot be undone, such as giving
 * up root's privileges.  Returns what fn returns, 0 to 255, or -1. */
int	child_call(int (*fn)(void *arg), void *arg);

/* The same as that account; if it is NULL, as the current one, in this
 * process. */
int	child_call_as(const struct passwd *account, int (*fn)(void *arg),
	    void *arg);

/* Run a program, as that account or, if it is NULL, the current one.  Returns
 * 0, or -1 if it failed; unless quiet, its output is printed then. */
int	child_run(const char *const *argv, const struct passwd *account,
	    bool quiet);

/* Print argv as a line for a shell. */
void	child_show(const char *const *argv);

#endif
