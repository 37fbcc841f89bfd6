/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privileges of all programs except x2gobroker-pam, which has its own file.  In
 * these programs, only this file calls set*id(2), capset(2) and prctl(2).
 *
 * Most brokers have no privileges: sshd starts them as the account that they
 * need.  But x2gobroker may be setuid to the broker account, so that people who
 * run it under their own accounts need no right to read all profiles.  It then
 * has two phases:
 *
 * 1. The real ids are the caller's, the others the broker account's.  Files
 *    are read and written with them, and all decisions are made.  The caller
 *    may send signals to the process, but can neither trace it nor change its
 *    limits: prlimit(2) allows that only if all ids are the caller's.  With a
 *    lower limit, a lookup could fail half way and miss a group that is denied
 *    access.
 *
 * 2. priv_drop_for_good(): all ids are the caller's.  What has been read is
 *    still in memory and secret to the caller, so the process stays protected
 *    from tracing.  It writes the answer.
 *
 *
 * If root is the caller, the ids become the broker account's, which may do
 * less.  Supplementary groups never change, because a setuid file adds none.
 *
 * x2gobroker-agent works the other way round: its file has the capabilities to
 * change ids, and priv_become() makes the process the user's, without
 * capabilities, before it touches anything of that user.  For its store of keys
 * it becomes root, also without capabilities: what is left is the right to
 * files that belong to root.  Two system calls for capabilities need no
 * library.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/priv.h"

#define CAP_WORDS	_LINUX_CAPABILITY_U32S_3

struct ids {
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
};

static void end_process(priv_die *, const char *) __attribute__((noreturn));

static void
end_process(priv_die *die, const char *why)
{
	die(why);
	abort();	/* if die() returned */
}

void
priv_dumpable_off(priv_die *die)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		end_process(die, "cannot protect the process from tracing");
}

static void
get_ids(struct ids *ids, priv_die *die)
{
	if (getresuid(&ids->ruid, &ids->euid, &ids->suid) == -1 ||
	    getresgid(&ids->rgid, &ids->egid, &ids->sgid) == -1)
		end_process(die, "cannot get the ids of the process");
}

static bool
are_all(const struct ids *ids, uid_t uid, gid_t gid)
{
	return ids->ruid == uid && ids->euid == uid && ids->suid == uid &&
	    ids->rgid == gid && ids->egid == gid && ids->sgid == gid;
}

static bool
uid_comes_back(uid_t uid, uid_t dropped)
{
	return dropped != uid && (setuid(dropped) == 0 ||
	    seteuid(dropped) == 0 || setreuid(dropped, (uid_t)-1) == 0);
}

static bool
gid_comes_back(gid_t gid, gid_t dropped)
{
	return dropped != gid && (setgid(dropped) == 0 ||
	    setegid(dropped) == 0 || setregid(dropped, (gid_t)-1) == 0);
}

/* The process has become uid and gid: try to undo it. */
static void
check_no_way_back(const struct ids *old, uid_t uid, gid_t gid, priv_die *die)
{
	const uid_t uids[] = { 0, old->ruid, old->euid, old->suid };
	const gid_t gids[] = { 0, old->rgid, old->egid, old->sgid };
	struct ids new;
	size_t i;

	get_ids(&new, die);
	if (!are_all(&new, uid, gid))
		end_process(die, "the ids have not changed");
	for (i = 0; i < sizeof(uids) / sizeof(uids[0]); i++)
		if (uid_comes_back(uid, uids[i]) ||
		    gid_comes_back(gid, gids[i]))
			end_process(die, "dropped ids can be restored");
	if (setgroups(0, NULL) == 0)
		end_process(die, "the groups can still be changed");
	/* a change of ids sets this to fs.suid_dumpable */
	priv_dumpable_off(die);
}

void
priv_drop_for_good(priv_die *die)
{
	struct ids old;
	uid_t uid;
	gid_t gid;

	get_ids(&old, die);
	if (are_all(&old, old.ruid, old.rgid) ||
	    (old.ruid == 0 && old.euid == 0))
		return;
	uid = old.ruid != 0 ? old.ruid : old.euid;
	gid = old.ruid != 0 ? old.rgid : old.egid;
	if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		end_process(die, "cannot drop the rights of the setuid file");
	check_no_way_back(&old, uid, gid, die);
}

void
priv_keep_effective(priv_die *die)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		end_process(die, "the caller's ids cannot be dropped");
}

static int
get_caps(struct __user_cap_data_struct caps[CAP_WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	return (int)syscall(SYS_capget, &header, caps);
}

void
priv_drop_caps(priv_die *die)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	static const struct __user_cap_data_struct none[CAP_WORDS];
	struct __user_cap_data_struct left[CAP_WORDS];

	/* fails on kernels before 4.3, which have no such set */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) == -1)
		end_process(die, "cannot drop the capabilities");
	if (get_caps(left) == -1 || memcmp(left, none, sizeof(none)) != 0)
		end_process(die, "some capabilities are left");
}

bool
priv_can_become(void)
{
	const unsigned int needed = 1U << CAP_SETUID | 1U << CAP_SETGID;
	struct __user_cap_data_struct caps[CAP_WORDS];

	return get_caps(caps) == 0 && (caps[0].effective & needed) == needed;
}

/* Whether these are the supplementary groups, in any order. */
static bool
groups_are(const gid_t *groups, size_t n)
{
	gid_t *now = calloc(n + 1, sizeof(*now));
	bool same = now != NULL && getgroups((int)n + 1, now) == (int)n;
	size_t i, j;

	for (i = 0; same && i < n; i++) {
		for (j = 0; j < n && now[j] != groups[i]; j++)
			continue;
		same = j < n;
	}
	free(now);
	return same;
}

static void
become(const struct priv_user *user, priv_die *die)
{
	uid_t uid = user->uid;
	gid_t gid = user->gid;
	struct ids old;

	get_ids(&old, die);
	if (setgroups(user->ngroups, user->groups) == -1 ||
	    setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		end_process(die, "the process cannot become the user's");
	/* only root loses them by the change of ids, and some may remain for
	 * the next execve(2) */
	priv_drop_caps(die);
	if (!groups_are(user->groups, user->ngroups))
		end_process(die, "the process has not got the user's groups");
	check_no_way_back(&old, uid, gid, die);
}

void
priv_become(const struct priv_user *user, priv_die *die)
{
	if (user->uid == 0)
		end_process(die, "the process must not become root's");
	become(user, die);
}

void
priv_become_root(priv_die *die)
{
	static const struct priv_user root;

	become(&root, die);
}

bool
priv_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}
