/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PRIV_H
#define PRIV_H

#include <stdbool.h>

/* Ends the program, which knows best what its client is told; why is a whole
 * sentence for the log.  Does not return. */
typedef void priv_die(const char *why);

/* No core dumps, no ptrace(2), and /proc/PID is root's: what is in memory is
 * not for whoever shares a user id with this process. */
void	priv_dumpable_off(priv_die *die);

/* Give up for good what a setuid or setgid file has given.  Nothing happens
 * where it has given nothing. */
void	priv_drop_for_good(priv_die *die);

/* From now on no execve(2) gives privilege either.  False: the kernel does not
 * know this. */
bool	priv_no_new_privs(void);

#endif
