/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox that an answer is written in.  By then all is decided, and what
 * is left is to turn a client's words and an administrator's values into text:
 * work on memory, where a mistake of ours would be of use to somebody.
 *
 * Two walls, as a kernel may have one of them only.  Landlock takes away all
 * files, and what of the network and of other processes it knows.  The seccomp
 * filter leaves the system calls that memory, the log and the answer need.
 *
 * Anything else fails with EPERM and does not end the process: libc has reasons
 * of its own to look at a file or to connect to a syslog that was restarted,
 * it lives with a failure, and the client still gets its answer.  A few calls
 * have no such excuse.  Whoever starts a program or reaches for the memory of
 * another process has taken this one over, and there the kernel ends it and
 * writes a line to its audit log.
 */
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/priv.h"
#include "sandbox.h"

/* There is none in a build with sanitizers: one that has found something opens
 * files and starts a symbolizer. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED	true
#elif defined(__has_feature)
#define SANITIZED	(__has_feature(address_sanitizer) || \
			__has_feature(memory_sanitizer) || \
			__has_feature(thread_sanitizer) || \
			__has_feature(undefined_behavior_sanitizer))
#else
#define SANITIZED	false
#endif

/*
 * Landlock
 */

/* The same numbers everywhere; older libcs do not have them. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_restrict_self	446
#endif
#define RULESET_VERSION	1U	/* LANDLOCK_CREATE_RULESET_VERSION */

/* struct landlock_ruleset_attr as it is by now.  An older kernel does not mind
 * fields that it does not know as long as they are 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* All rights that there are to take away, from version 1 on.  A kernel refuses
 * those that it does not know. */
static const struct ruleset rulesets[] = {
	{ 0x1fff, 0, 0 },
	{ 0x3fff, 0, 0 },	/* and moving files between directories */
	{ 0x7fff, 0, 0 },	/* and truncating them */
	{ 0x7fff, 3, 0 },	/* and binding and connecting TCP sockets */
	{ 0xffff, 3, 0 },	/* and ioctl(2) on devices */
	{ 0xffff, 3, 3 },	/* and abstract sockets, and signals */
};

#define NRULESETS	(sizeof(rulesets) / sizeof(rulesets[0]))

/* Without a rule, nothing is allowed. */
static bool
enter_landlock(void)
{
	const struct ruleset *ruleset;
	long fd, version;
	bool entered;

	version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    RULESET_VERSION);
	if (version < 1)
		return false;
	if ((size_t)version > NRULESETS)
		version = NRULESETS;
	ruleset = &rulesets[version - 1];
	fd = syscall(SYS_landlock_create_ruleset, ruleset, sizeof(*ruleset),
	    0U);
	if (fd == -1)
		return false;
	entered = syscall(SYS_landlock_restrict_self, (int)fd, 0U) == 0;
	close((int)fd);
	return entered;
}

/*
 * seccomp
 */

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define ARCH	AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH
#define X32_BIT		0x40000000U	/* x86-64: a call of another ABI */

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action)	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_##action)

/* Halves of an argument. */
#define LOW(n)	LOAD(args[n])
#define HIGH(n) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    offsetof(struct seccomp_data, args[n]) + 4)

/* Rows of the table.  Each leaves the number of the call where it is, unless
 * it is that call. */
#define ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
	RETURN(ALLOW)
#define KILL(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), \
	RETURN(KILL_PROCESS)
/* if argument n has none of these bits */
#define ALLOW_WITHOUT(name, n, bits) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), \
	LOW(n), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1), \
	RETURN(ERRNO | EPERM), \
	RETURN(ALLOW)
/* if argument n is NULL */
#define ALLOW_NULL(name, n) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 6), \
	LOW(n), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), \
	HIGH(n), \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), \
	RETURN(ERRNO | EPERM), \
	RETURN(ALLOW)

static const struct sock_filter filter[] = {
	/* Does nothing, but the kernel cannot follow it when it works out in
	 * advance which calls are always allowed.  That takes longer than all
	 * the rest here, for the half a dozen calls that we make. */
	BPF_STMT(BPF_MISC | BPF_TAX, 0),

	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	RETURN(KILL_PROCESS),
	LOAD(nr),
	/* not a call of ours, whatever the architecture */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	RETURN(KILL_PROCESS),

	ALLOW(write),
	ALLOW(writev),
	/* to the socket of syslog(3), which is connected already */
	ALLOW_NULL(sendto, 4),
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW(ppoll),		/* what poll(3) is elsewhere */
	ALLOW(close),
	ALLOW(fstat),
	ALLOW(lseek),

	ALLOW(brk),
	ALLOW_WITHOUT(mmap, 2, PROT_EXEC),
	ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
	ALLOW(mremap),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW(futex),
	ALLOW(getrandom),

	ALLOW(clock_gettime),
	ALLOW(gettimeofday),
	ALLOW(getpid),
	ALLOW(gettid),

	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(restart_syscall),
	ALLOW(exit),
	ALLOW(exit_group),

	KILL(execve),
	KILL(execveat),
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),

	RETURN(ERRNO | EPERM),
};

static bool
enter_seccomp(void)
{
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		/* which the kernel does not write to */
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};

	/* for a thread, too, that still waits for a name server */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}
#else
static bool
enter_seccomp(void)
{
	return false;
}
#endif

void
sandbox_prepare(void)
{
	/* /etc/localtime, for the times in the log */
	tzset();
}

unsigned int
sandbox_enter(void)
{
	unsigned int parts = 0;

	if (SANITIZED)
		return 0;
	if (priv_no_new_privs())
		parts |= SANDBOX_NO_NEW_PRIVS;
	if (enter_landlock())
		parts |= SANDBOX_LANDLOCK;
	/* last, as it leaves none of the calls that the others need */
	if (enter_seccomp())
		parts |= SANDBOX_SECCOMP;
	return parts;
}

const char *
sandbox_describe(unsigned int parts, char buf[static SANDBOX_TEXT_SIZE])
{
	static const struct {
		enum sandbox_part part;
		const char *name;
	} names[] = {
		{ SANDBOX_NO_NEW_PRIVS, "no-new-privs" },
		{ SANDBOX_LANDLOCK, "landlock" },
		{ SANDBOX_SECCOMP, "seccomp" },
	};
	size_t i, len = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((parts & names[i].part) != 0)
			len += (size_t)snprintf(buf + len,
			    SANDBOX_TEXT_SIZE - len, "%s%s",
			    len > 0 ? " " : "", names[i].name);
	if (len == 0)
		snprintf(buf, SANDBOX_TEXT_SIZE, "none");
	return buf;
}
