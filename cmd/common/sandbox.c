/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox in which an answer is written.  Everything has been decided; what
 * remains is to turn a client's words and an administrator's values into text.
 * That is work on memory, in which a bug of ours could be exploited.
 *
 * There are two walls, because a kernel may have only one of them.  Landlock
 * takes away all files, and the parts of the network and of other processes
 * that it knows.  The seccomp filter leaves the system calls that memory, the
 * log and the answer need.
 *
 * Most other calls fail with EPERM and do not end the process: libc may look at
 * a file, or connect to a syslog that was restarted.  It can live with a
 * failure, and the client still gets its answer.  A few calls have no such
 * excuse.  Only an attacker in this process starts a program or reads the
 * memory of another process.  The kernel then ends it and writes a line to its
 * audit log.
 */
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/priv.h"
#include "common/sandbox.h"

/* A build with sanitizers has no sandbox: a sanitizer that has found something
 * opens files and starts a symbolizer. */
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

/* struct landlock_ruleset_attr of Linux 6.12.  An older kernel accepts fields
 * that it does not know if they are 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* All rights that can be taken away, for each version from 1.  A kernel refuses
 * rights that it does not know. */
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

/* Rows of the table.  Each keeps the number of the call loaded for the next
 * row, unless it is about that call. */
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
	/* Does nothing, but stops the kernel from working out in advance
	 * which calls are always allowed.  That takes longer than all the
	 * rest here, for the half a dozen calls that we make. */
	BPF_STMT(BPF_MISC | BPF_TAX, 0),

	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	RETURN(KILL_PROCESS),
	LOAD(nr),
	/* we make no such call on any architecture */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	RETURN(KILL_PROCESS),

	ALLOW(write),
	ALLOW(writev),
	/* to the socket of syslog(3), which is already connected */
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
		/* the kernel does not write to it */
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};

	/* also for a thread that still waits for a name server */
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
sandbox_enter(char parts[static SANDBOX_TEXT_SIZE])
{
	/* last, seccomp: it leaves none of the calls that the others need */
	static const struct {
		const char *name;
		bool (*enter)(void);
	} walls[] = {
		{ "no-new-privs", priv_no_new_privs },
		{ "landlock", enter_landlock },
		{ "seccomp", enter_seccomp },
	};
	size_t i;

	*parts = '\0';
	for (i = 0; !SANITIZED && i < sizeof(walls) / sizeof(walls[0]); i++)
		if (walls[i].enter()) {
			if (*parts != '\0')
				strlcat(parts, " ", SANDBOX_TEXT_SIZE);
			strlcat(parts, walls[i].name, SANDBOX_TEXT_SIZE);
		}
	if (*parts == '\0')
		strlcpy(parts, "none", SANDBOX_TEXT_SIZE);
}
