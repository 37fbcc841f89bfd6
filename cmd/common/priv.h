/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_PRIV_H
#define COMMON_PRIV_H

#include <sys/types.h>

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

/* Hold no capability any more, and have no way to get one back.  Ids stay as they
 * are, so that this is for processes that are no other user's already. */
void	priv_drop_caps(priv_die *die);

/* Whether all ids can be changed: we are root, or the file has cap_setuid and
 * cap_setgid. */
bool	priv_can_become(void);

/* Whom to become. */
struct priv_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
};

/* Become that user for good: all ids, these groups and no others, and not a
 * single capability. */
void	priv_become(const struct priv_user *user, priv_die *die);

/* From now on no execve(2) gives privilege either.  False: the kernel does not
 * know this. */
bool	priv_no_new_privs(void);

#endif
