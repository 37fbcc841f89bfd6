/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Privilege, for all programs but x2gobroker-pam, whose whole job it is.  This
 * file alone calls set*id(2), capset(2) and prctl(2) there.
 *
 * Most brokers have none: sshd starts them as the account that they need.
 * But x2gobroker may be setuid to the broker account, so that people who run
 * it under their own accounts need not be able to read the profiles of all.
 * It goes through three phases then:
 *
 * 1. The real ids are the caller's, the others the broker account's.  Files
 *    are read and written with them, and all that decides is looked up.  The
 *    caller may send it signals, but neither look into the process nor
 *    change its limits, which prlimit(2) allows only where all ids are the
 *    caller's.  A lookup could be made to fail half way with that, and a list
 *    of denied groups would miss.
 *
 * 2. priv_drop_for_good(): all ids are the caller's.  What has been read is
 *    still in memory and not for the caller, so that the process stays as
 *    closed as it was.
 *
 * 3. priv_no_new_privs() and sandbox.c: nothing can be opened or started any
 *    more.  The answer is written.
 *
 * Where root is the caller, the broker account is what remains: of the two it
 * has less.  Supplementary groups never change, a setuid file adds none.
 *
 * x2gobroker-agent is the other way round: its file has the capabilities to
 * change ids, and priv_become() turns it into the user it works for, who has
 * none, before anything of that user's is touched.  Capabilities are read and
 * written with the kernel's own calls, and no library for two of them.
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

static void fail(priv_die *, const char *) __attribute__((noreturn));

static void
fail(priv_die *die, const char *why)
{
	die(why);
	abort();	/* it came back, which nobody here is ready for */
}

void
priv_dumpable_off(priv_die *die)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		fail(die, "the process cannot be closed to others");
}

static void
get_ids(struct ids *ids, priv_die *die)
{
	if (getresuid(&ids->ruid, &ids->euid, &ids->suid) == -1 ||
	    getresgid(&ids->rgid, &ids->egid, &ids->sgid) == -1)
		fail(die, "the ids of the process are not known");
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

void
priv_drop_for_good(priv_die *die)
{
	struct ids old, new;
	uid_t uid;
	gid_t gid;

	get_ids(&old, die);
	if (are_all(&old, old.ruid, old.rgid) ||
	    (old.ruid == 0 && old.euid == 0))
		return;
	uid = old.ruid != 0 ? old.ruid : old.euid;
	gid = old.ruid != 0 ? old.rgid : old.egid;
	if (setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		fail(die, "the setuid file's rights cannot be dropped");
	get_ids(&new, die);
	if (!are_all(&new, uid, gid))
		fail(die, "the setuid file's rights are still there");
	if (uid_comes_back(uid, old.ruid) || uid_comes_back(uid, old.euid) ||
	    uid_comes_back(uid, old.suid) || gid_comes_back(gid, old.rgid) ||
	    gid_comes_back(gid, old.egid) || gid_comes_back(gid, old.sgid))
		fail(die, "the setuid file's rights have come back");
	/* a change of ids sets this to what fs.suid_dumpable says */
	priv_dumpable_off(die);
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

	/* kernels before 4.3 have no such set */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) == -1)
		fail(die, "the capabilities cannot be dropped");
	if (get_caps(left) == -1 || memcmp(left, none, sizeof(none)) != 0)
		fail(die, "some capabilities are still there");
}

bool
priv_can_become(void)
{
	const unsigned int needed = 1U << CAP_SETUID | 1U << CAP_SETGID;
	struct __user_cap_data_struct caps[CAP_WORDS];

	return get_caps(caps) == 0 && (caps[0].effective & needed) == needed;
}

/* Whether the supplementary groups are those, in any order. */
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
check_no_way_back(const struct ids *old, const struct priv_user *user,
    priv_die *die)
{
	uid_t uid = user->uid;
	gid_t gid = user->gid;

	if (uid_comes_back(uid, 0) || uid_comes_back(uid, old->ruid) ||
	    uid_comes_back(uid, old->euid) || uid_comes_back(uid, old->suid) ||
	    gid_comes_back(gid, 0) || gid_comes_back(gid, old->rgid) ||
	    gid_comes_back(gid, old->egid) || gid_comes_back(gid, old->sgid) ||
	    setgroups(0, NULL) == 0)
		fail(die, "the right to be somebody else has come back");
}

void
priv_become(const struct priv_user *user, priv_die *die)
{
	uid_t uid = user->uid;
	gid_t gid = user->gid;
	struct ids old, new;

	get_ids(&old, die);
	if (uid == 0 || setgroups(user->ngroups, user->groups) == -1 ||
	    setresgid(gid, gid, gid) == -1 || setresuid(uid, uid, uid) == -1)
		fail(die, "the process cannot become the user's");
	/* from root they go by themselves, else not; and some may be left that
	 * wait for the next execve(2) */
	priv_drop_caps(die);
	get_ids(&new, die);
	if (!are_all(&new, uid, gid) ||
	    !groups_are(user->groups, user->ngroups))
		fail(die, "the process has not become the user's");
	check_no_way_back(&old, user, die);
	/* a change of ids sets this to what fs.suid_dumpable says */
	priv_dumpable_off(die);
}

bool
priv_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}
