/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs, and what another account has to do.
 */
#ifndef X2GOBROKERCTL_SETUP_CHILD_H
#define X2GOBROKERCTL_SETUP_CHILD_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>

#define PROGRAM_GROUPADD	"/usr/sbin/groupadd"
#define PROGRAM_GROUPDEL	"/usr/sbin/groupdel"
#define PROGRAM_USERADD		"/usr/sbin/useradd"
#define PROGRAM_USERDEL		"/usr/sbin/userdel"
#define PROGRAM_USERMOD		"/usr/sbin/usermod"
#define PROGRAM_SSH_KEYGEN	"/usr/bin/ssh-keygen"

/* Call fn in a process of its own, for what cannot be taken back, such as
 * giving up root's rights.  What it returns, 0 to 255, or -1. */
int	child_call(int (*fn)(void *arg), void *arg);

/* The same, as that account; as who we are, here, where it is NULL. */
int	child_call_as(const struct passwd *account, int (*fn)(void *arg),
	    void *arg);

/* Run a program, as that account or as who we are.  Returns 0, or -1 where it
 * has failed; unless quiet, what it printed is said then. */
int	child_run(const char *const *argv, const struct passwd *account,
	    bool quiet);

/* Print argv as a line for a shell. */
void	child_show(const char *const *argv);

#endif
