/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef COMMON_PRIV_H
#define COMMON_PRIV_H

#include <sys/types.h>

#include <stdbool.h>

/* Ends the program, in the way that its client needs; why is a whole sentence
 * for the log.  Does not return. */
typedef void priv_die(const char *why);

/* No core dumps, no ptrace(2), and /proc/PID belongs to root: other processes
 * with the same user id cannot read the memory of this one. */
void	priv_dumpable_off(priv_die *die);

/* Drop the ids of a setuid or setgid file for good.  Does nothing if the
 * process has no such ids. */
void	priv_drop_for_good(priv_die *die);

/* Make all ids the effective ones, so that the caller of a setuid file cannot
 * send signals to this process. */
void	priv_keep_effective(priv_die *die);

/* Drop all capabilities, for good.  The ids stay; they must not be root's or
 * another user's. */
void	priv_drop_caps(priv_die *die);

/* Whether the process can change all its ids: it is root's, or its file has
 * cap_setuid and cap_setgid. */
bool	priv_can_become(void);

struct priv_user {
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
};

/* Become that user, who is not root, for good, with these groups only and no
 * capability. */
void	priv_become(const struct priv_user *user, priv_die *die);

/* Become root for good, in no other group and without any capability. */
void	priv_become_root(priv_die *die);

/* From now on, no execve(2) gives privileges.  False: the kernel does not
 * support this. */
bool	priv_no_new_privs(void);

#endif
