/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sandbox in which foreign servers are spoken with.  The order and the keys
 * have been read; what remains needs the network, the resolver's files and a
 * few others.
 *
 * There are two walls, because a kernel may have only one of them.  Landlock
 * leaves the files that are listed below, and those that the caller names, for
 * reading.  The seccomp filter leaves the system calls that sockets, threads,
 * memory and the resolver need.
 *
 * Most other calls fail with ENOSYS, as on an older kernel, and do not end the
 * process: libc and libssh can live with that.  A few calls have no such
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
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "sandbox.h"

/*
 * Landlock
 */

/* The same numbers everywhere; older libcs do not have them. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444
#define SYS_landlock_add_rule		445
#define SYS_landlock_restrict_self	446
#endif
#define RULESET_VERSION	1U	/* LANDLOCK_CREATE_RULESET_VERSION */
#define PATH_BENEATH	1	/* LANDLOCK_RULE_PATH_BENEATH */

/* Rights to a file, and to all in a directory. */
#define READ_FILE	0x4U
#define READ_DIR	0x8U
#define READ_ALL	(READ_FILE | READ_DIR)

/* struct landlock_ruleset_attr of Linux 6.12.  An older kernel accepts fields
 * that it does not know if they are 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

struct rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

/* What getaddrinfo(3) and its modules, libssh, libpq and libcrypto read. */
static const struct {
	const char *path;
	uint64_t rights;
} readable[] = {
	{ "/etc/hosts", READ_FILE },
	{ "/etc/hostname", READ_FILE },
	{ "/etc/resolv.conf", READ_FILE },
	{ "/etc/nsswitch.conf", READ_FILE },
	{ "/etc/host.conf", READ_FILE },
	{ "/etc/gai.conf", READ_FILE },
	{ "/etc/services", READ_FILE },
	{ "/etc/passwd", READ_FILE },
	{ "/etc/localtime", READ_FILE },
	{ "/etc/ld.so.cache", READ_FILE },
	{ "/lib", READ_ALL },
	{ "/lib64", READ_ALL },
	{ "/usr/lib", READ_ALL },
	{ "/usr/lib64", READ_ALL },
	{ "/run/systemd/resolve", READ_ALL },
	{ "/run/nscd", READ_ALL },
	{ "/proc/sys", READ_ALL },
	{ "/sys/devices/system/cpu", READ_ALL },
	{ "/dev/null", READ_FILE },
	{ "/dev/urandom", READ_FILE },
};

/* All rights that can be taken away, for each version from 1; connections stay
 * possible.  A kernel refuses rights that it does not know. */
static const struct ruleset rulesets[] = {
	{ 0x1fff, 0, 0 },
	{ 0x3fff, 0, 0 },	/* and moving files between directories */
	{ 0x7fff, 0, 0 },	/* and truncating them */
	{ 0x7fff, 1, 0 },	/* and binding TCP sockets */
	{ 0xffff, 1, 0 },	/* and ioctl(2) on devices */
	{ 0xffff, 1, 3 },	/* and abstract sockets, and signals */
};

#define NRULESETS	(sizeof(rulesets) / sizeof(rulesets[0]))

/* A file that does not exist needs no rule. */
static bool
allow_path(int ruleset, const char *path, uint64_t rights)
{
	struct rule rule = { .rights = rights };
	bool added;

	if ((rule.fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return true;
	added = syscall(SYS_landlock_add_rule, ruleset, PATH_BENEATH, &rule,
	    0U) == 0;
	close(rule.fd);
	return added;
}

static bool
allow_paths(int ruleset, const char *const *files)
{
	size_t i;

	for (i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		if (!allow_path(ruleset, readable[i].path, readable[i].rights))
			return false;
	for (; *files != NULL; files++)
		if (!allow_path(ruleset, *files, READ_FILE))
			return false;
	return true;
}

static bool
enter_landlock(const char *const *files)
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
	entered = allow_paths((int)fd, files) &&
	    syscall(SYS_landlock_restrict_self, (int)fd, 0U) == 0;
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

/* The lower half of an argument. */
#define LOW(n)	LOAD(args[n])

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
/* if argument n has one of them */
#define ALLOW_WITH(name, n, bits) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), \
	LOW(n), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0), \
	RETURN(ERRNO | EPERM), \
	RETURN(ALLOW)

static const struct sock_filter filter[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	RETURN(KILL_PROCESS),
	LOAD(nr),
	/* we make no such call on any architecture */
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	RETURN(KILL_PROCESS),

	/* sockets and files */
	ALLOW(read),
	ALLOW(write),
	ALLOW(readv),
	ALLOW(writev),
	ALLOW(pread64),
	ALLOW(recvfrom),
	ALLOW(recvmsg),
	ALLOW(recvmmsg),
	ALLOW(sendto),
	ALLOW(sendmsg),
	ALLOW(sendmmsg),
	ALLOW(ppoll),
	ALLOW(pselect6),
	ALLOW(socket),
	ALLOW(connect),
	ALLOW(bind),
	ALLOW(getsockname),
	ALLOW(getpeername),
	ALLOW(getsockopt),
	ALLOW(setsockopt),
	ALLOW(shutdown),
	ALLOW(close),
	ALLOW(openat),
	ALLOW(newfstatat),
	ALLOW(fstat),
	ALLOW(statx),
	ALLOW(faccessat),
	ALLOW(faccessat2),
	ALLOW(readlinkat),
	ALLOW(lseek),
	ALLOW(getdents64),
	ALLOW(ioctl),
	ALLOW(fcntl),
#ifdef SYS_poll
	ALLOW(poll),
#endif
#ifdef SYS_select
	ALLOW(select),
#endif
#ifdef SYS_open
	ALLOW(open),
#endif
#ifdef SYS_stat
	ALLOW(stat),
#endif
#ifdef SYS_lstat
	ALLOW(lstat),
#endif
#ifdef SYS_access
	ALLOW(access),
#endif
#ifdef SYS_readlink
	ALLOW(readlink),
#endif

	/* memory and threads */
	ALLOW(brk),
	ALLOW(mmap),
	ALLOW(mremap),
	ALLOW(munmap),
	ALLOW(madvise),
	ALLOW(futex),
	ALLOW(getrandom),
	ALLOW(set_robust_list),
#ifdef SYS_rseq
	ALLOW(rseq),
#endif
	ALLOW(membarrier),
	ALLOW(sched_yield),
	ALLOW(sched_getaffinity),

	/* time, and who we are */
	ALLOW(clock_gettime),
	ALLOW(clock_getres),
	ALLOW(gettimeofday),
	ALLOW(nanosleep),
	ALLOW(clock_nanosleep),
#ifdef SYS_time
	ALLOW(time),
#endif
	ALLOW(getpid),
	ALLOW(gettid),
	ALLOW(getuid),
	ALLOW(geteuid),
	ALLOW(getgid),
	ALLOW(getegid),
	ALLOW(uname),
	ALLOW(sysinfo),
	ALLOW(rt_sigaction),
	ALLOW(rt_sigprocmask),
	ALLOW(rt_sigreturn),
	ALLOW(sigaltstack),
	ALLOW(restart_syscall),
	ALLOW(exit),
	ALLOW(exit_group),
	ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
	/* threads, but no processes; clone3(2) cannot be looked into, and
	 * libc then calls this */
	ALLOW_WITH(clone, 0, CLONE_THREAD),

	KILL(execve),
	KILL(execveat),
	KILL(ptrace),
	KILL(process_vm_readv),
	KILL(process_vm_writev),

	RETURN(ERRNO | ENOSYS),
};

static bool
enter_seccomp(void)
{
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		/* the kernel does not write to it */
		.filter = (struct sock_filter *)(uintptr_t)filter,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}
#else
static bool
enter_seccomp(void)
{
	return false;
}
#endif

const char *
sandbox_enter(const char *const *files)
{
	if (SANITIZED)
		return "";
	if (!priv_no_new_privs())
		return "no_new_privs";
	if (!enter_landlock(files))
		return enter_seccomp() ? "Landlock" : "Landlock and seccomp";
	/* last: it leaves none of the calls that the others need */
	return enter_seccomp() ? "" : "seccomp";
}
